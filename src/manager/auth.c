/* Who asks: tokens, signatures of requests, nonces. */
#include "manager/manager.h"

#include "base/hex.h"
#include "base/rand.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLOCK_SLACK_MS = 120 * 1000, NONCE_MS = 120 * 1000, MAC = 24, SIGNED_MAX = 2200 };

/* Authorization: TSK1 TOKEN MS SIG, in pieces. */
struct credentials {
    char kind;
    uint64_t id;
    char token[MGR_TOKEN];
    int64_t ms;
    uint8_t sig[TAS_SIG_LEN];
};

static bool read_token(const char *text, size_t len, struct credentials *out) {
    char id[TAS_ID_CAP];
    if (len != MGR_TOKEN - 1 || text[1] != '.' || text[2 + TAS_ID_TEXT] != '.')
        return false;
    memcpy(out->token, text, len);
    out->token[len] = '\0';
    memcpy(id, text + 2, TAS_ID_TEXT);
    id[TAS_ID_TEXT] = '\0';
    out->kind = text[0];
    return tas_id_decode(&out->id, id) == TAS_OK;
}

static bool read_credentials(const char *header, struct credentials *out) {
    static const char scheme[] = "TSK1 ";
    if (strncmp(header, scheme, sizeof(scheme) - 1) != 0)
        return false;
    const char *token = header + sizeof(scheme) - 1;
    const char *ms = strchr(token, ' ');
    const char *sig = ms ? strchr(ms + 1, ' ') : NULL;
    if (!sig || sig - ms > 16 || !read_token(token, (size_t)(ms - token), out))
        return false;
    out->ms = 0;
    for (const char *c = ms + 1; c < sig; c++) {
        if (*c < '0' || *c > '9')
            return false;
        out->ms = out->ms * 10 + (*c - '0');
    }
    return tas_hex_decode(out->sig, sizeof(out->sig), sig + 1) == TAS_OK;
}

int mgr_token(const struct mgr *m, char out[MGR_TOKEN], char kind, uint64_t id, const uint8_t pk[32]) {
    uint8_t mac[32];
    uint8_t head[9] = {(uint8_t)kind};
    struct tas_writer w = tas_writer_of(head + 1, 8);
    tas_write_u64(&w, id);
    const struct tas_bytes parts[] = {tas_bytes_of(head, sizeof(head)), tas_bytes_of(pk, 32)};
    int err = tas_mac(m->crypto, mac, m->keys->token, "TSK1 token", parts, 2);
    if (err != TAS_OK)
        return err;
    char text[TAS_ID_CAP];
    char hex[65];
    tas_hex_encode(hex, tas_bytes_of(mac, sizeof(mac)));
    snprintf(out, MGR_TOKEN, "%c.%s.%s", kind, tas_id_encode(text, id), hex);
    return TAS_OK;
}

static void refuse(struct tas_http_reply *reply) {
    tas_http_problem(reply, 401, "not_logged_in",
                     "log in again: this login is not known, has ended or was ended");
    tas_http_header(reply, "www-authenticate:", "TSK1");
}

static void refuse_clock(struct tas_http_reply *reply) {
    mgr_problem(reply, 401, "clock_wrong",
                "the time in the request is more than two minutes off the server's", "server_ms", mgr_now());
    tas_http_header(reply, "www-authenticate:", "TSK1");
}

/* Is the request signed with pk, and the token the one that goes with it? */
static bool is_signed(struct mgr *m, const struct tas_http_request *req, const struct credentials *c,
                      const uint8_t pk[32]) {
    char expected[MGR_TOKEN];
    char text[SIGNED_MAX];
    uint8_t hash[TAS_SHA256_LEN];
    if (mgr_token(m, expected, c->kind, c->id, pk) != TAS_OK ||
        !tas_same_secret(expected, c->token, MGR_TOKEN))
        return false;
    int len = snprintf(text, sizeof(text), "%s\n%s%s%s\n%" PRId64 "\n", req->method, req->path,
                       req->query[0] ? "?" : "", req->query, c->ms);
    if (len < 0 || len >= (int)sizeof(text) || m->crypto->sha256(hash, &req->body, 1) != TAS_OK)
        return false;
    const struct tas_bytes parts[] = {tas_bytes_of(text, (size_t)len), tas_bytes_of(hash, sizeof(hash))};
    return tas_verify(m->crypto, c->sig, pk, "TSK1 request", parts, 2) == TAS_OK;
}

/* Form and time. False: the reply is a 401. */
static bool take_credentials(const struct tas_http_request *req, struct tas_http_reply *reply, char kind,
                             struct credentials *c) {
    if (!read_credentials(req->authorization, c) || c->kind != kind) {
        refuse(reply);
        return false;
    }
    int64_t off = c->ms - mgr_now();
    if (off < -CLOCK_SLACK_MS || off > CLOCK_SLACK_MS) {
        refuse_clock(reply);
        return false;
    }
    return true;
}

struct login_question {
    uint64_t id;
    struct mgr_operator *out;
};

static int ask_login(struct tas_db *db, void *ctx) {
    struct login_question *q = ctx;
    return store_tool_login_get(db, q->id, &q->out->login, &q->out->op, &q->out->company);
}

bool mgr_auth_operator(struct mgr *m, struct tas_db *db, const struct tas_http_request *req,
                       struct tas_http_reply *reply, struct mgr_operator *out) {
    struct credentials c;
    if (!take_credentials(req, reply, 'o', &c))
        return false;
    struct login_question q = {c.id, out};
    int err = tas_db_read(db, ask_login, &q);
    if (err != TAS_OK && err != TAS_E_ABSENT) {
        mgr_fail(m, reply, err, "");
        return false;
    }
    bool ok = err == TAS_OK && !out->login.is_revoked && out->login.expires_at > mgr_now() &&
              !out->op.is_disabled && !out->company.is_frozen && is_signed(m, req, &c, out->login.device_pk);
    if (!ok)
        refuse(reply);
    return ok;
}

struct claim_question {
    uint64_t id;
    struct store_claim *out;
};

static int ask_claim(struct tas_db *db, void *ctx) {
    struct claim_question *q = ctx;
    return store_claim_get(db, q->id, q->out);
}

bool mgr_auth_customer(struct mgr *m, struct tas_db *db, const struct tas_http_request *req,
                       struct tas_http_reply *reply, struct store_claim *out) {
    struct credentials c;
    uint64_t id;
    if (!mgr_param_id(req, reply, &id) || !take_credentials(req, reply, 'c', &c))
        return false;
    struct claim_question q = {c.id, out};
    int err = c.id == id ? tas_db_read(db, ask_claim, &q) : TAS_E_ABSENT;
    if (err != TAS_OK && err != TAS_E_ABSENT) {
        mgr_fail(m, reply, err, "");
        return false;
    }
    if (err == TAS_OK && is_signed(m, req, &c, out->pop_pk))
        return true;
    refuse(reply);
    return false;
}

/* ---- nonces ---- */

static int nonce_mac(const struct mgr *m, uint8_t out[32], const uint8_t nonce[MGR_NONCE]) {
    const struct tas_bytes part = tas_bytes_of(nonce, MGR_NONCE - MAC);
    return tas_mac(m->crypto, out, m->keys->nonce, "TSK1 nonce", &part, 1);
}

int mgr_nonce_make(const struct mgr *m, uint8_t out[MGR_NONCE], uint8_t pow_bits, int64_t now_ms) {
    uint8_t mac[32];
    struct tas_writer w = tas_writer_of(out, MGR_NONCE);
    tas_write_u64(&w, (uint64_t)now_ms);
    tas_write_u8(&w, pow_bits);
    tas_random(out + w.len, MGR_NONCE - MAC - w.len);
    int err = nonce_mac(m, mac, out);
    if (err == TAS_OK)
        memcpy(out + MGR_NONCE - MAC, mac, MAC);
    return err;
}

int mgr_nonce_check(const struct mgr *m, const uint8_t nonce[MGR_NONCE], int64_t now_ms) {
    uint8_t mac[32];
    struct tas_reader r = tas_reader_of(tas_bytes_of(nonce, MGR_NONCE));
    int64_t made = (int64_t)tas_read_u64(&r);
    int err = nonce_mac(m, mac, nonce);
    if (err != TAS_OK)
        return err;
    if (!tas_same_secret(mac, nonce + MGR_NONCE - MAC, MAC))
        return TAS_E_AUTH;
    return now_ms - made > NONCE_MS || made - now_ms > NONCE_MS ? TAS_E_EXPIRED : TAS_OK;
}
