#include "e2e/seal.h"
#include "wire/messages.h"

#include <assert.h>

enum {
    OLD_PHASE_KEPT_US = 30 * 1000 * 1000,
};
static const uint64_t UPDATE_RECORDS = 1u << 24;
static const uint64_t UPDATE_US = UINT64_C(3600) * 1000 * 1000;
static const uint64_t CTR_MAX = (UINT64_C(1) << 48) - 1;

/* One phase of one direction. */
struct phase {
    uint32_t number;
    struct tas_aead *aead; /* NULL: erased or not derived yet */
    struct tas_phase_keys keys;
};

struct tas_sealer {
    struct tas_sealer_config cfg;
    enum tas_suite suite;
    uint8_t kid_base; /* generation mod 4, in bits 2-3 */

    struct phase tx;
    uint64_t tx_ctr[TAS_CLASSES];
    uint64_t tx_total[TAS_CLASSES];
    uint64_t tx_in_phase;
    uint64_t tx_since_us;

    struct phase rx[2];         /* rx[0]: phase n, rx[1]: phase n + 1, derived when first seen */
    bool rx_moved[TAS_CLASSES]; /* this class is in rx[1] already */
    uint64_t rx_ctr[TAS_CLASSES];
    uint64_t rx_total[TAS_CLASSES];
    bool rx_any_in_tx_phase; /* a record under our own sending phase was opened */
    uint64_t rx_moved_us;    /* when the first record under rx[1] was opened */
};

static int phase_start(struct tas_sealer *s, struct phase *phase, uint32_t number,
                       const uint8_t traffic[32]) {
    int err = tas_phase_derive(s->cfg.crypto, &phase->keys, s->suite, traffic);
    if (err != TAS_OK)
        return err;
    phase->number = number;
    phase->aead = s->cfg.crypto->aead_new(s->suite, phase->keys.aead, s->cfg.mem);
    return phase->aead ? TAS_OK : TAS_E_NOMEM;
}

static void phase_erase(struct tas_sealer *s, struct phase *phase) {
    s->cfg.crypto->aead_free(phase->aead);
    tas_wipe(phase, sizeof(*phase));
}

struct tas_sealer *tas_sealer_new(const struct tas_sealer_config *config, const struct tas_generation *gen,
                                  uint64_t now_us) {
    struct tas_sealer *s = config->mem->alloc(sizeof(*s));
    if (!s)
        return NULL;
    s->cfg = *config;
    s->cfg.update_records = config->update_records ? config->update_records : UPDATE_RECORDS;
    s->cfg.update_us = config->update_us ? config->update_us : UPDATE_US;
    s->suite = gen->suite;
    s->kid_base = (uint8_t)((gen->gen & 3) << 2);
    s->tx_since_us = now_us;
    enum tas_direction out = tas_direction_of(config->role);
    if (phase_start(s, &s->tx, 0, gen->traffic[out]) == TAS_OK &&
        phase_start(s, &s->rx[0], 0, gen->traffic[!out]) == TAS_OK)
        return s;
    tas_sealer_free(s);
    return NULL;
}

void tas_sealer_free(struct tas_sealer *s) {
    if (!s)
        return;
    phase_erase(s, &s->tx);
    phase_erase(s, &s->rx[0]);
    phase_erase(s, &s->rx[1]);
    s->cfg.mem->release(s, sizeof(*s));
}

uint64_t tas_sealer_sent(const struct tas_sealer *s, enum tas_class cls) {
    return s->tx_total[cls];
}

uint64_t tas_sealer_received(const struct tas_sealer *s, enum tas_class cls) {
    return s->rx_total[cls];
}

uint32_t tas_sealer_phase(const struct tas_sealer *s) {
    return s->tx.number;
}

static void write_u48(uint8_t out[6], uint64_t v) {
    for (int i = 0; i < 6; i++)
        out[i] = (uint8_t)(v >> (8 * (5 - i)));
}

static uint64_t read_u48(const uint8_t in[6]) {
    uint64_t v = 0;
    for (int i = 0; i < 6; i++)
        v = v << 8 | in[i];
    return v;
}

static void nonce_of(uint8_t out[12], const uint8_t iv[12], uint8_t cls, const uint8_t ctr[6]) {
    memcpy(out, iv, 12);
    out[5] ^= cls;
    for (int i = 0; i < 6; i++)
        out[6 + i] ^= ctr[i];
}

enum { AAD_LEN = 4 + 8 + 2 + 8 + 1 };

static void aad_of(const struct tas_sealer *s, uint8_t out[AAD_LEN], enum tas_role sender,
                   const uint8_t head[8], uint8_t pf) {
    struct tas_writer w = tas_writer_of(out, AAD_LEN);
    tas_write_u32(&w, TAS_MAGIC);
    tas_write_u64(&w, s->cfg.session_id);
    tas_write_u8(&w, sender == TAS_ROLE_HOST ? 0 : s->cfg.viewer_slot);
    tas_write_u8(&w, sender == TAS_ROLE_HOST ? s->cfg.viewer_slot : 0);
    tas_write_bytes(&w, head, 8);
    tas_write_u8(&w, pf);
}

/* On to phase n + 1 for what we send. */
static int tx_advance(struct tas_sealer *s, uint64_t now_us) {
    struct phase next = {0};
    int err = phase_start(s, &next, s->tx.number + 1, s->tx.keys.next);
    if (err != TAS_OK) {
        phase_erase(s, &next);
        return err;
    }
    phase_erase(s, &s->tx);
    s->tx = next;
    tas_wipe(&next, sizeof(next));
    memset(s->tx_ctr, 0, sizeof(s->tx_ctr));
    s->tx_in_phase = 0;
    s->tx_since_us = now_us;
    s->rx_any_in_tx_phase = s->rx[1].aead && s->rx[1].number == s->tx.number;
    return TAS_OK;
}

static bool tx_update_is_due(const struct tas_sealer *s, uint64_t now_us) {
    bool old = s->tx_in_phase >= s->cfg.update_records || now_us - s->tx_since_us >= s->cfg.update_us;
    return old && s->rx_any_in_tx_phase;
}

int tas_sealer_seal(struct tas_sealer *s, uint8_t pf, struct tas_bytes plain, uint8_t *out, size_t cap,
                    uint64_t now_us) {
    uint8_t cls = pf & TAS_PF_CLASS;
    if (plain.len > TAS_PLAIN_MAX || cap < plain.len + TAS_SEALED_OVERHEAD || (pf & TAS_PF_DROPPABLE))
        return TAS_E_LIMIT;
    if (tx_update_is_due(s, now_us)) {
        int err = tx_advance(s, now_us);
        if (err != TAS_OK)
            return err;
    }
    if (s->tx_ctr[cls] >= CTR_MAX)
        return TAS_E_LIMIT;

    struct tas_msg_sealed_head head = {.kid = (uint8_t)(s->kid_base | (s->tx.number & 3)), .cls = cls};
    write_u48(head.ctr, s->tx_ctr[cls]);
    uint8_t head_bytes[TAS_SIZE_SEALED_HEAD];
    int head_len = tas_msg_sealed_head_encode(&head, head_bytes, sizeof(head_bytes));
    assert(head_len == TAS_SIZE_SEALED_HEAD);

    uint8_t iv[12];
    uint8_t aad[AAD_LEN];
    nonce_of(iv, s->tx.keys.iv, cls, head.ctr);
    aad_of(s, aad, s->cfg.role, head_bytes, pf);
    int err = s->cfg.crypto->seal(s->tx.aead, out + head_len, iv, tas_bytes_of(aad, sizeof(aad)), plain);
    if (err != TAS_OK)
        return err;
    memcpy(out, head_bytes, sizeof(head_bytes));
    s->tx_ctr[cls]++;
    s->tx_total[cls]++;
    s->tx_in_phase++;
    return (int)(plain.len + TAS_SEALED_OVERHEAD);
}

/* Forget phase n once no class needs it any more. */
static void rx_retire(struct tas_sealer *s, uint64_t now_us) {
    if (!s->rx[1].aead)
        return;
    bool all = true;
    for (int cls = 0; cls < TAS_CLASSES; cls++)
        all = all && s->rx_moved[cls];
    if (!all && now_us - s->rx_moved_us < OLD_PHASE_KEPT_US)
        return;
    phase_erase(s, &s->rx[0]);
    s->rx[0] = s->rx[1];
    tas_wipe(&s->rx[1], sizeof(s->rx[1]));
    for (int cls = 0; cls < TAS_CLASSES; cls++) {
        if (!s->rx_moved[cls])
            s->rx_ctr[cls] = 0;
        s->rx_moved[cls] = false;
    }
}

/* Which of the two phases `kid` (mod 4) names for this class: 0, 1, or -1 for none. */
static int rx_phase_of(const struct tas_sealer *s, uint8_t kid, uint8_t cls) {
    if (kid == (s->rx[0].number & 3))
        return s->rx_moved[cls] ? -1 : 0;
    if (kid == ((s->rx[0].number + 1) & 3))
        return 1;
    return -1;
}

/* A record under rx[which] was opened: move the class, and follow with what we send. */
static int rx_note(struct tas_sealer *s, int which, uint8_t cls, uint64_t ctr, uint64_t now_us) {
    uint32_t number = s->rx[which].number;
    s->rx_ctr[cls] = ctr + 1;
    s->rx_total[cls]++;
    if (which == 1 && !s->rx_moved[cls]) {
        bool first = true;
        for (int i = 0; i < TAS_CLASSES; i++)
            first = first && !s->rx_moved[i];
        if (first)
            s->rx_moved_us = now_us;
        s->rx_moved[cls] = true;
    }
    int err = number == s->tx.number + 1 ? tx_advance(s, now_us) : TAS_OK;
    if (number == s->tx.number)
        s->rx_any_in_tx_phase = true;
    return err;
}

int tas_sealer_open(struct tas_sealer *s, uint8_t pf, struct tas_bytes record, uint8_t *out,
                    uint64_t now_us) {
    struct tas_msg_sealed_head head;
    if (record.len < TAS_SEALED_OVERHEAD || record.len > TAS_RECORD_MAX || (pf & TAS_PF_DROPPABLE))
        return TAS_E_PROTO;
    if (tas_msg_sealed_head_decode(&head, tas_bytes_of(record.ptr, TAS_SIZE_SEALED_HEAD)) != TAS_OK)
        return TAS_E_PROTO;
    if (head.kid > 15 || head.cls != (pf & TAS_PF_CLASS))
        return TAS_E_PROTO;
    if ((head.kid & 12) != s->kid_base)
        return TAS_E_ABSENT;
    rx_retire(s, now_us);
    int which = rx_phase_of(s, head.kid & 3, head.cls);
    if (which < 0)
        return TAS_E_PROTO;
    uint64_t ctr = read_u48(head.ctr);
    bool moves = which == 1 && !s->rx_moved[head.cls];
    if (ctr != (moves ? 0 : s->rx_ctr[head.cls]))
        return TAS_E_PROTO;

    /* The next phase is derived for a record that claims it, and kept only if the record proves it. */
    struct phase fresh = {0};
    struct phase *phase = &s->rx[which];
    if (!phase->aead) {
        phase = &fresh;
        if (phase_start(s, phase, s->rx[0].number + 1, s->rx[0].keys.next) != TAS_OK)
            return TAS_E_NOMEM;
    }
    uint8_t iv[12];
    uint8_t aad[AAD_LEN];
    nonce_of(iv, phase->keys.iv, head.cls, head.ctr);
    aad_of(s, aad, s->cfg.role == TAS_ROLE_HOST ? TAS_ROLE_VIEWER : TAS_ROLE_HOST, record.ptr, pf);
    struct tas_bytes sealed =
        tas_bytes_of(record.ptr + TAS_SIZE_SEALED_HEAD, record.len - TAS_SIZE_SEALED_HEAD);
    int err = s->cfg.crypto->open(phase->aead, out, iv, tas_bytes_of(aad, sizeof(aad)), sealed);
    if (err != TAS_OK) {
        if (phase == &fresh)
            phase_erase(s, &fresh);
        return err;
    }
    if (phase == &fresh) {
        s->rx[1] = fresh;
        tas_wipe(&fresh, sizeof(fresh));
    }
    err = rx_note(s, which, head.cls, ctr, now_us);
    return err == TAS_OK ? (int)(record.len - TAS_SEALED_OVERHEAD) : err;
}
