#include "inside_seal.h"

#include "../../src/e2e/seal.c"

static void phase_go(struct tas_sealer *s, struct phase *phase, uint32_t number) {
    while (phase->number < number) {
        struct phase next = {0};
        int err = phase_start(s, &next, phase->number + 1, phase->keys.next);
        assert(err == TAS_OK);
        phase_erase(s, phase);
        *phase = next;
    }
}

void inside_seal_set_tx(struct tas_sealer *s, uint32_t phase, enum tas_class cls, uint64_t ctr,
                        uint64_t in_phase) {
    phase_go(s, &s->tx, phase);
    s->tx_ctr[cls] = ctr;
    s->tx_in_phase = in_phase;
    s->rx_any_in_tx_phase = true;
}

void inside_seal_set_rx(struct tas_sealer *s, uint32_t phase, enum tas_class cls, uint64_t ctr) {
    phase_go(s, &s->rx[0], phase);
    s->rx_ctr[cls] = ctr;
}
