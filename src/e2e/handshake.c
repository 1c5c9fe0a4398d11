#include "e2e/handshake.h"
#include "wire/messages.h"

#include <assert.h>

enum hs_type { H1 = 1, H2 = 2, H3 = 3 };

enum hs_state { NEW, SENT_H1, SENT_H2, DONE, FAILED };

struct tas_handshake {
    struct tas_handshake_config cfg;
    enum hs_state state;
    uint8_t e_sk[32], e_pk[32], r[16];
    uint8_t h1[TAS_SIZE_H1], h2[TAS_SIZE_H2], h3[TAS_SIZE_H3];
    enum tas_suite suite;
    struct tas_generation keys;
};

struct tas_handshake *tas_handshake_new(const struct tas_handshake_config *config) {
    struct tas_handshake *hs = config->mem->alloc(sizeof(*hs));
    if (!hs)
        return NULL;
    hs->cfg = *config;
    hs->cfg.random.fill(hs->cfg.random.ctx, hs->e_sk, sizeof(hs->e_sk));
    hs->cfg.random.fill(hs->cfg.random.ctx, hs->r, sizeof(hs->r));
    if (hs->cfg.crypto->x25519_public(hs->e_pk, hs->e_sk) == TAS_OK)
        return hs;
    tas_handshake_free(hs);
    return NULL;
}

void tas_handshake_free(struct tas_handshake *hs) {
    if (hs)
        hs->cfg.mem->release(hs, sizeof(*hs));
}

bool tas_handshake_is_done(const struct tas_handshake *hs) {
    return hs->state == DONE;
}

void tas_handshake_take(struct tas_handshake *hs, struct tas_generation *out) {
    assert(hs->state == DONE);
    *out = hs->keys;
    tas_wipe(&hs->keys, sizeof(hs->keys));
    tas_wipe(hs->e_sk, sizeof(hs->e_sk));
    hs->state = FAILED;
}

static void head_write(const struct tas_handshake *hs, uint8_t out[24], enum hs_type type, uint16_t suites,
                       uint32_t caps) {
    struct tas_msg_hs_head head = {
        .type = (uint8_t)type,
        .ver = TAS_VERSION,
        .suites = suites,
        .caps = caps,
        .role = (uint8_t)hs->cfg.role,
        .slot = hs->cfg.viewer_slot,
        .max_rec = TAS_RECORD_MAX,
        .session_id = hs->cfg.session_id,
    };
    int len = tas_msg_hs_head_encode(&head, out, TAS_SIZE_HS_HEAD);
    assert(len == TAS_SIZE_HS_HEAD);
}

/* What is asked of every head, whichever message it opens. */
static int head_read(const struct tas_handshake *hs, struct tas_msg_hs_head *out, const uint8_t bytes[24],
                     enum hs_type type) {
    if (tas_msg_hs_head_decode(out, tas_bytes_of(bytes, TAS_SIZE_HS_HEAD)) != TAS_OK)
        return TAS_E_PROTO;
    enum tas_role other = hs->cfg.role == TAS_ROLE_HOST ? TAS_ROLE_VIEWER : TAS_ROLE_HOST;
    bool ok = out->type == type && out->role == other && out->slot == hs->cfg.viewer_slot &&
              out->session_id == hs->cfg.session_id && out->max_rec >= TAS_RECORD_MAX;
    return ok ? TAS_OK : TAS_E_PROTO;
}

static int commitment(const struct tas_handshake *hs, uint8_t out[32], const uint8_t head[24],
                      const uint8_t e_pk[32], const uint8_t r[16]) {
    const struct tas_bytes parts[] = {tas_bytes_of(head, 24), tas_bytes_of(e_pk, 32), tas_bytes_of(r, 16)};
    return tas_hash(hs->cfg.crypto, out, "TSK1 commit", parts, 3);
}

int tas_handshake_start(struct tas_handshake *hs, uint8_t out[TAS_HS_MAX]) {
    if (hs->state != NEW || hs->cfg.role != TAS_ROLE_VIEWER)
        return TAS_E_STATE;
    /* Unknown bits at random, so that nobody comes to rely on their absence (RFC 8701). */
    uint8_t grease[3];
    hs->cfg.random.fill(hs->cfg.random.ctx, grease, sizeof(grease));
    uint16_t suites = (uint16_t)(hs->cfg.suites | grease[0] << 8);
    uint32_t caps = (hs->cfg.caps & 0xffff) | (uint32_t)grease[1] << 24 | (uint32_t)grease[2] << 16;

    struct tas_msg_h1 h1;
    head_write(hs, h1.head, H1, suites, caps);
    int err = commitment(hs, h1.commit, h1.head, hs->e_pk, hs->r);
    if (err != TAS_OK)
        return err;
    int len = tas_msg_h1_encode(&h1, hs->h1, sizeof(hs->h1));
    memcpy(out, hs->h1, sizeof(hs->h1));
    hs->state = SENT_H1;
    return len;
}

/* The strongest suite that both know, 0 for none: the higher bit counts as the stronger. */
static uint16_t choose(uint16_t offered, uint16_t known) {
    for (uint16_t bit = 1u << 7; bit; bit >>= 1)
        if (offered & known & bit)
            return bit;
    return 0;
}

static int host_on_h1(struct tas_handshake *hs, struct tas_bytes msg, uint8_t out[TAS_HS_MAX]) {
    struct tas_msg_h1 h1;
    struct tas_msg_hs_head head;
    if (tas_msg_h1_decode(&h1, msg) != TAS_OK || head_read(hs, &head, h1.head, H1) != TAS_OK ||
        head.ver < TAS_VERSION)
        return TAS_E_PROTO;
    uint16_t suite = choose(head.suites, hs->cfg.suites);
    if (suite == 0)
        return TAS_E_PROTO;
    hs->suite = (enum tas_suite)suite;
    memcpy(hs->h1, msg.ptr, sizeof(hs->h1));

    struct tas_msg_h2 h2;
    head_write(hs, h2.head, H2, suite, head.caps & hs->cfg.caps & 0xffff);
    memcpy(h2.e_pk, hs->e_pk, sizeof(h2.e_pk));
    memcpy(h2.r, hs->r, sizeof(h2.r));
    int len = tas_msg_h2_encode(&h2, hs->h2, sizeof(hs->h2));
    memcpy(out, hs->h2, sizeof(hs->h2));
    hs->state = SENT_H2;
    return len;
}

static int derive(struct tas_handshake *hs, const uint8_t peer_pk[32]) {
    const struct tas_crypto *c = hs->cfg.crypto;
    const struct tas_bytes transcript[] = {tas_bytes_of(hs->h1, sizeof(hs->h1)),
                                           tas_bytes_of(hs->h2, sizeof(hs->h2)),
                                           tas_bytes_of(hs->h3, sizeof(hs->h3))};
    uint8_t th[32];
    uint8_t ss[32];
    uint8_t prk[32];
    int err = tas_hash(c, th, "TSK1 transcript", transcript, 3);
    if (err == TAS_OK)
        err = c->x25519(ss, hs->e_sk, peer_pk);
    if (err == TAS_OK) {
        struct tas_bytes secret = tas_bytes_of(ss, sizeof(ss));
        err = c->hmac(prk, tas_bytes_of(th, sizeof(th)), &secret, 1);
    }
    if (err == TAS_OK)
        err = tas_generation_derive(c, &hs->keys, hs->suite, prk, th, false);
    tas_wipe(ss, sizeof(ss));
    tas_wipe(prk, sizeof(prk));
    if (err == TAS_OK)
        hs->state = DONE;
    return err;
}

static int viewer_on_h2(struct tas_handshake *hs, struct tas_bytes msg, uint8_t out[TAS_HS_MAX]) {
    struct tas_msg_h2 h2;
    struct tas_msg_hs_head head;
    if (tas_msg_h2_decode(&h2, msg) != TAS_OK || head_read(hs, &head, h2.head, H2) != TAS_OK ||
        head.ver != TAS_VERSION)
        return TAS_E_PROTO;
    /* Exactly one suite, one that we offered: choose() of a single known bit gives that bit back. */
    if (head.suites == 0 || head.suites != choose(head.suites, hs->cfg.suites))
        return TAS_E_PROTO;
    hs->suite = (enum tas_suite)head.suites;
    memcpy(hs->h2, msg.ptr, sizeof(hs->h2));

    struct tas_msg_h3 h3;
    head_write(hs, h3.head, H3, head.suites, head.caps);
    memcpy(h3.e_pk, hs->e_pk, sizeof(h3.e_pk));
    memcpy(h3.r, hs->r, sizeof(h3.r));
    int len = tas_msg_h3_encode(&h3, hs->h3, sizeof(hs->h3));
    memcpy(out, hs->h3, sizeof(hs->h3));
    int err = derive(hs, h2.e_pk);
    return err == TAS_OK ? len : err;
}

static int host_on_h3(struct tas_handshake *hs, struct tas_bytes msg) {
    struct tas_msg_h1 h1;
    struct tas_msg_h2 h2;
    struct tas_msg_h3 h3;
    struct tas_msg_hs_head head;
    struct tas_msg_hs_head own;
    if (tas_msg_h3_decode(&h3, msg) != TAS_OK || head_read(hs, &head, h3.head, H3) != TAS_OK)
        return TAS_E_PROTO;
    if (tas_msg_h1_decode(&h1, tas_bytes_of(hs->h1, sizeof(hs->h1))) != TAS_OK ||
        tas_msg_h2_decode(&h2, tas_bytes_of(hs->h2, sizeof(hs->h2))) != TAS_OK ||
        tas_msg_hs_head_decode(&own, tas_bytes_of(h2.head, sizeof(h2.head))) != TAS_OK)
        return TAS_E_PROTO;
    if (head.ver != own.ver || head.suites != own.suites || head.caps != own.caps)
        return TAS_E_PROTO;
    uint8_t commit[32];
    int err = commitment(hs, commit, h1.head, h3.e_pk, h3.r);
    if (err != TAS_OK)
        return err;
    if (!tas_same_secret(commit, h1.commit, sizeof(commit)))
        return TAS_E_PROTO;
    memcpy(hs->h3, msg.ptr, sizeof(hs->h3));
    return derive(hs, h3.e_pk);
}

int tas_handshake_input(struct tas_handshake *hs, struct tas_bytes msg, uint8_t out[TAS_HS_MAX]) {
    int got = TAS_E_PROTO;
    if (hs->cfg.role == TAS_ROLE_HOST && hs->state == NEW)
        got = host_on_h1(hs, msg, out);
    else if (hs->cfg.role == TAS_ROLE_HOST && hs->state == SENT_H2)
        got = host_on_h3(hs, msg);
    else if (hs->cfg.role == TAS_ROLE_VIEWER && hs->state == SENT_H1)
        got = viewer_on_h2(hs, msg, out);
    if (got < 0)
        hs->state = FAILED;
    return got;
}
