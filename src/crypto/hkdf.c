#include "crypto/crypto.h"

#include <assert.h>

int tas_hkdf_expand(const struct tas_crypto *c, uint8_t *out, size_t len, const uint8_t prk[32],
                    struct tas_bytes info) {
    assert(len <= 255 * 32);
    uint8_t block[32];
    int err = TAS_OK;
    for (size_t done = 0, i = 1; done < len && err == TAS_OK; i++) {
        uint8_t counter = (uint8_t)i;
        const struct tas_bytes parts[] = {tas_bytes_of(block, i == 1 ? 0 : sizeof(block)), info,
                                          tas_bytes_of(&counter, 1)};
        err = c->hmac(block, tas_bytes_of(prk, 32), parts, 3);
        size_t take = len - done < sizeof(block) ? len - done : sizeof(block);
        if (err == TAS_OK)
            memcpy(out + done, block, take);
        done += take;
    }
    tas_wipe(block, sizeof(block));
    return err;
}
