#include "e2e/schedule.h"

/* Expand(secret, label, len, context) of docs/protocol.md section 3. */
static int expand(const struct tas_crypto *c, uint8_t *out, size_t len, enum tas_suite suite,
                  const uint8_t secret[32], const char *label, struct tas_bytes context) {
    uint8_t info[64 + 32];
    struct tas_writer w = tas_writer_of(info, sizeof(info));
    tas_write_bytes(&w, label, strlen(label));
    tas_write_u8(&w, 0);
    tas_write_u16(&w, (uint16_t)suite);
    tas_write_u16(&w, (uint16_t)len);
    tas_write_bytes(&w, context.ptr, context.len);
    return tas_hkdf_expand(c, out, len, secret, tas_bytes_of(info, w.len));
}

int tas_generation_derive(const struct tas_crypto *c, struct tas_generation *out, enum tas_suite suite,
                          const uint8_t prk[32], const uint8_t th[32], bool is_resume) {
    uint8_t sas[8] = {0};
    const struct {
        const char *label;
        uint8_t *to;
        size_t len;
    } wanted[] = {
        {"key host>op", out->traffic[TAS_HOST_TO_OP], 32},
        {"key op>host", out->traffic[TAS_OP_TO_HOST], 32},
        {"finished host", out->finished[TAS_HOST_TO_OP], 32},
        {"finished op", out->finished[TAS_OP_TO_HOST], 32},
        {"resume", out->resume, 32},
        {"tiles", out->tiles, 16},
        {"sas", sas, is_resume ? 0 : sizeof(sas)},
    };
    int err = TAS_OK;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && err == TAS_OK; i++)
        err = expand(c, wanted[i].to, wanted[i].len, suite, prk, wanted[i].label, tas_bytes_of(th, 32));
    out->suite = suite;
    memmove(out->th, th, 32);
    if (!is_resume) {
        struct tas_reader r = tas_reader_of(tas_bytes_of(sas, sizeof(sas)));
        out->sas6 = (uint32_t)(tas_read_u64(&r) % 1000000);
    }
    tas_wipe(sas, sizeof(sas));
    return err;
}

int tas_phase_derive(const struct tas_crypto *c, struct tas_phase_keys *out, enum tas_suite suite,
                     const uint8_t traffic[32]) {
    const struct tas_bytes none = {0};
    int err = expand(c, out->aead, sizeof(out->aead), suite, traffic, "aead", none);
    if (err == TAS_OK)
        err = expand(c, out->iv, sizeof(out->iv), suite, traffic, "iv", none);
    if (err == TAS_OK)
        err = expand(c, out->next, sizeof(out->next), suite, traffic, "upd", none);
    return err;
}
