#include "manager/signer_private.h"

#include "base/time.h"
#include "crypto/crypto.h"
#include "manager/keyfile.h"
#include "os/helper.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "os/secret.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>

struct child {
    const char *key_file;
    struct mgr_signer_keys *keys;
    struct mgr_signer_keys *fresh; /* what a reload reads into */
};

/* ---- signing: each writes the body of its answer ---- */

static int sign_ticket(const struct child *child, struct tas_bytes body, struct tas_writer *w) {
    struct tas_msg_ticket ticket;
    uint64_t now_ms = tas_wall_ms();
    if (tas_msg_ticket_decode(&ticket, body) != TAS_OK || !mgr_signer_takes_ticket(&ticket, now_ms))
        return TAS_E_PROTO;
    const struct mgr_signer_key *key = mgr_keyfile_newest(child->keys, TAS_USE_TICKET, now_ms);
    if (!key)
        return TAS_E_EXPIRED;
    ticket.ver = 1;
    ticket.kid = key->public_part.kid;
    uint8_t out[TAS_SIZE_TICKET];
    int len = tas_msg_ticket_encode(&ticket, out, sizeof(out));
    struct tas_bytes part = tas_bytes_of(out, TAS_TICKET_SIGNED);
    int err =
        len < 0 ? len
                : tas_sign(tas_crypto_native(), out + TAS_TICKET_SIGNED, key->seed, "TSK1 ticket", &part, 1);
    if (err == TAS_OK)
        tas_write_bytes(w, out, sizeof(out));
    return err;
}

static int sign_statement(const struct child *child, struct tas_bytes body, struct tas_writer *w) {
    struct tas_msg_statement statement;
    uint64_t now_ms = tas_wall_ms();
    if (tas_msg_statement_decode(&statement, body) != TAS_OK ||
        !mgr_signer_takes_statement(&statement, now_ms))
        return TAS_E_PROTO;
    const struct mgr_signer_key *key = mgr_keyfile_newest(child->keys, TAS_USE_STATEMENT, now_ms);
    if (!key)
        return TAS_E_EXPIRED;
    statement.ver = 1;
    statement.kid = key->public_part.kid;
    uint8_t out[TAS_SIZE_STATEMENT];
    int len = tas_msg_statement_encode(&statement, out, sizeof(out));
    struct tas_bytes part = tas_bytes_of(out, TAS_STATEMENT_SIGNED);
    int err = len < 0 ? len
                      : tas_sign(tas_crypto_native(), out + TAS_STATEMENT_SIGNED, key->seed, "TSK1 statement",
                                 &part, 1);
    if (err == TAS_OK)
        tas_write_bytes(w, out, sizeof(out));
    return err;
}

static int sign_checkpoint(const struct child *child, struct tas_bytes body, struct tas_writer *w) {
    struct tas_reader r = tas_reader_of(body);
    struct mgr_checkpoint c = {.company_id = tas_read_u32(&r), .seq = tas_read_u64(&r)};
    tas_read_bytes(&r, sizeof(c.hash));
    c.at_ms = tas_read_u64(&r);
    uint64_t now_ms = tas_wall_ms();
    if (r.bad || r.in.len > 0 || !mgr_signer_takes_checkpoint(&c, now_ms))
        return TAS_E_PROTO;
    const struct mgr_signer_key *key = mgr_keyfile_newest(child->keys, TAS_USE_AUDIT, now_ms);
    if (!key)
        return TAS_E_EXPIRED;
    int err = tas_sign(tas_crypto_native(), c.sig, key->seed, "TSK1 checkpoint", &body, 1); /* as it came */
    if (err != TAS_OK)
        return err;
    tas_write_u8(w, key->public_part.kid);
    tas_write_bytes(w, c.sig, sizeof(c.sig));
    return TAS_OK;
}

/* ---- keys ---- */

static int load(struct child *child, struct tas_writer *w) {
    char why[MGR_KEYFILE_WHY];
    const char *wrong = NULL;
    if (mgr_keyfile_load_signer(child->key_file, child->fresh, why) != TAS_OK)
        wrong = why;
    else if (child->keys->n > 0 && memcmp(child->keys->root, child->fresh->root, 32) != 0)
        wrong = "the key file is of another root; restart to take it";
    else if (child->fresh->sequence < child->keys->sequence)
        wrong = "the key file is older than the keys in force; restart to take it";
    if (wrong) {
        tas_write_bytes(w, wrong, strnlen(wrong, MGR_SIGNER_WHY - 1));
        return TAS_E_CONFIG;
    }
    struct mgr_signer_keys *old = child->keys;
    child->keys = child->fresh;
    child->fresh = old;
    tas_wipe(old, sizeof(*old));
    return TAS_OK;
}

static int give_up(struct tas_writer *w, const char *what, const char *detail) {
    char why[MGR_SIGNER_WHY];
    snprintf(why, sizeof(why), "the signer cannot start: %s: %s", what, detail);
    w->len = MGR_SIGNER_REPLY_HEAD;
    tas_write_bytes(w, why, strlen(why));
    return TAS_E_CONFIG;
}

/* The order matters: the file first, with the rights that we came with; then no rights; then no system calls.
 */
static int start(struct child *child, const struct mgr_signer_order *order, struct tas_writer *w) {
    child->key_file = order->key_file;
    child->keys = tas_secret_locked.alloc(sizeof(*child->keys));
    child->fresh = tas_secret_locked.alloc(sizeof(*child->fresh));
    if (!child->keys || !child->fresh)
        return give_up(w, "keys", "out of memory");
    mallopt(M_PERTURB, 0xa5); /* what libconfuse and stdio give back is overwritten */
    int err = load(child, w);
    if (err != TAS_OK)
        return err; /* and by then the crypto library has loaded what it loads */
    err = tas_drop_privileges(order->user);
    if (err != TAS_OK)
        return give_up(w, order->user ? order->user : "privileges",
                       err == TAS_E_ABSENT ? "no such user" : strerror(errno));
    err = tas_sandbox_signer();
    if (err != TAS_OK && err != TAS_E_ABSENT)
        return give_up(w, "sandbox", strerror(errno));
    return TAS_OK;
}

/* ---- the line ---- */

static int answer(struct child *child, struct tas_bytes request, struct tas_writer *w) {
    struct tas_reader r = tas_reader_of(request);
    uint8_t op = tas_read_u8(&r);
    if (op == MGR_SIGNER_TICKET)
        return sign_ticket(child, r.in, w);
    if (op == MGR_SIGNER_STATEMENT)
        return sign_statement(child, r.in, w);
    if (op == MGR_SIGNER_CHECKPOINT)
        return sign_checkpoint(child, r.in, w);
    if (r.in.len > 0)
        return TAS_E_PROTO;
    if (op == MGR_SIGNER_RELOAD)
        return load(child, w);
    if (op != MGR_SIGNER_KEYSET)
        return TAS_E_PROTO;
    tas_write_bytes(w, child->keys->keyset, child->keys->keyset_len);
    return TAS_OK;
}

static int reply(int line, struct tas_writer *w, uint8_t op, int err) {
    bool is_known = err == TAS_OK || err == TAS_E_PROTO || err == TAS_E_EXPIRED || err == TAS_E_CONFIG;
    w->out[0] = op;
    w->out[1] = (uint8_t)(is_known ? -err : -TAS_E_NOMEM); /* signing fails for want of memory only */
    return tas_helper_send(line, tas_bytes_of(w->out, w->len));
}

/* Takes the next request (an empty one when it was too long). */
static int next(int line, uint8_t request[MGR_SIGNER_REQUEST_MAX], size_t *len) {
    *len = 0;
    int err = tas_helper_receive(line, request, MGR_SIGNER_REQUEST_MAX, len);
    return err == TAS_E_LIMIT ? TAS_OK : err;
}

void mgr_signer_live(int line, void *ctx) {
    struct child child = {0};
    uint8_t request[MGR_SIGNER_REQUEST_MAX];
    uint8_t out[MGR_SIGNER_REPLY_MAX];
    size_t len;
    struct tas_writer w = {.out = out, .cap = sizeof(out), .len = MGR_SIGNER_REPLY_HEAD};
    int started = start(&child, ctx, &w);
    int err = next(line, request, &len); /* START, whatever it says */
    if (err == TAS_OK)
        err = reply(line, &w, MGR_SIGNER_START, started);
    while (err == TAS_OK && started == TAS_OK && (err = next(line, request, &len)) == TAS_OK) {
        w = (struct tas_writer){.out = out, .cap = sizeof(out), .len = MGR_SIGNER_REPLY_HEAD};
        int result = answer(&child, tas_bytes_of(request, len), &w);
        err = reply(line, &w, len > 0 ? request[0] : 0, result);
        tas_wipe(request, sizeof(request)); /* tickets */
        tas_wipe(out, sizeof(out));
    }
    tas_secret_locked.release(child.keys, sizeof(*child.keys));
    tas_secret_locked.release(child.fresh, sizeof(*child.fresh));
}
