#include "codec/mixer_private.h"

enum { STEP = 128, STEPS = TAS_MIX_ONE / STEP };

void tas_mix_tables_init(struct tas_mix_tables *tables) {
    /* 4096 / (1 + exp(-x)) for x = -8, -7.5 .. 8; straight lines between them. */
    static const uint16_t at[STEPS + 1] = {1,    2,    4,    6,    10,   17,   27,   45,   74,   120,  194,
                                           311,  488,  747,  1102, 1546, 2048, 2550, 2994, 3349, 3608, 3785,
                                           3902, 3976, 4022, 4051, 4069, 4079, 4086, 4090, 4092, 4094, 4095};
    int next = 0;
    for (int i = 0; i < TAS_MIX_ONE; i++) {
        int low = at[i / STEP], high = at[i / STEP + 1];
        tables->squash[i] = (uint16_t)(low + ((high - low) * (i % STEP) + STEP / 2) / STEP);
        for (; next <= tables->squash[i]; next++)
            tables->stretch[next] = (int16_t)(i - TAS_MIX_ONE / 2);
    }
    for (; next < TAS_MIX_ONE; next++)
        tables->stretch[next] = TAS_MIX_LIMIT;
}

void tas_mix_reset(struct tas_mix *mix) {
    for (unsigned input = 0; input < TAS_MIX_INPUTS; input++)
        for (unsigned slot = 0; slot < 1u << TAS_MIX_SLOT_BITS; slot++)
            for (unsigned node = 0; node < 16; node++)
                mix->slots[input][slot].leaf[node] = 0x8000;
}

void tas_mix_weights_reset(struct tas_mix_weights *weights) {
    for (unsigned node = 0; node < 256; node++)
        for (unsigned input = 0; input < TAS_MIX_INPUTS; input++)
            weights->of[node][input] = TAS_MIX_WEIGHT;
}
