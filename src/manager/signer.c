#include "manager/signer.h"

#include "base/wipe.h"
#include "manager/signer_private.h"
#include "os/helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct mgr_signer {
    struct tas_helper *helper;
};

/* What the signing process may answer. */
static bool is_result(int err) {
    return err == TAS_OK || err == TAS_E_PROTO || err == TAS_E_EXPIRED || err == TAS_E_CONFIG ||
           err == TAS_E_NOMEM;
}

/* One question. `body`: MGR_SIGNER_REPLY_MAX bytes. An answer that is none ends the process: it is not what
 * we started. */
static int ask(struct mgr_signer *signer, struct tas_bytes request, uint8_t *body, size_t *len) {
    uint8_t reply[MGR_SIGNER_REPLY_MAX];
    size_t n = 0;
    int err = tas_helper_ask(signer->helper, request, reply, sizeof(reply), &n);
    if (err == TAS_E_CLOSED)
        return err;
    if (err != TAS_OK || n < MGR_SIGNER_REPLY_HEAD || reply[0] != request.ptr[0] ||
        !is_result(-(int)reply[1]))
        return tas_helper_kill(signer->helper);
    *len = n - MGR_SIGNER_REPLY_HEAD;
    memcpy(body, reply + MGR_SIGNER_REPLY_HEAD, *len);
    err = -(int)reply[1];
    tas_wipe(reply, sizeof(reply));
    return err;
}

/* A question whose answer has `want` bytes when it is done. */
static int ask_for(struct mgr_signer *signer, struct tas_bytes request, uint8_t *out, size_t want) {
    uint8_t body[MGR_SIGNER_REPLY_MAX];
    size_t len = 0;
    int err = ask(signer, request, body, &len);
    if (err == TAS_OK && len != want)
        err = tas_helper_kill(signer->helper);
    if (err == TAS_OK)
        memcpy(out, body, want);
    tas_wipe(body, sizeof(body));
    return err;
}

/* A question whose refusal is in words. */
static int ask_plainly(struct mgr_signer *signer, uint8_t op, char why[MGR_SIGNER_WHY]) {
    uint8_t body[MGR_SIGNER_REPLY_MAX];
    size_t len = 0;
    int err = ask(signer, tas_bytes_of(&op, 1), body, &len);
    if (err == TAS_E_CLOSED)
        snprintf(why, MGR_SIGNER_WHY, "the signer is gone");
    else if (err != TAS_OK)
        snprintf(why, MGR_SIGNER_WHY, "%.*s", (int)len, (const char *)body);
    return err;
}

struct mgr_signer *mgr_signer_start(const char *key_file, const char *user, char why[MGR_SIGNER_WHY]) {
    struct mgr_signer_order order = {.key_file = key_file, .user = user && user[0] ? user : NULL};
    struct mgr_signer *signer = calloc(1, sizeof(*signer));
    if (!signer) {
        snprintf(why, MGR_SIGNER_WHY, "the signer cannot start: out of memory");
        return NULL;
    }
    signer->helper = tas_helper_start("tasuki-signer", mgr_signer_live, &order);
    if (!signer->helper) {
        snprintf(why, MGR_SIGNER_WHY, "the signer cannot start: %s", strerror(errno));
        goto fail;
    }
    if (ask_plainly(signer, MGR_SIGNER_START, why) == TAS_OK)
        return signer;
fail:
    mgr_signer_stop(signer);
    return NULL;
}

void mgr_signer_stop(struct mgr_signer *signer) {
    if (!signer)
        return;
    tas_helper_stop(signer->helper);
    free(signer);
}

int mgr_signer_ticket(struct mgr_signer *signer, const struct tas_msg_ticket *ticket,
                      uint8_t out[TAS_SIZE_TICKET]) {
    uint8_t request[1 + TAS_SIZE_TICKET] = {MGR_SIGNER_TICKET};
    int len = tas_msg_ticket_encode(ticket, request + 1, TAS_SIZE_TICKET);
    if (len < 0)
        return TAS_E_PROTO;
    return ask_for(signer, tas_bytes_of(request, sizeof(request)), out, TAS_SIZE_TICKET);
}

int mgr_signer_statement(struct mgr_signer *signer, const struct tas_msg_statement *statement,
                         uint8_t out[TAS_SIZE_STATEMENT]) {
    uint8_t request[1 + TAS_SIZE_STATEMENT] = {MGR_SIGNER_STATEMENT};
    int len = tas_msg_statement_encode(statement, request + 1, TAS_SIZE_STATEMENT);
    if (len < 0)
        return TAS_E_PROTO;
    return ask_for(signer, tas_bytes_of(request, sizeof(request)), out, TAS_SIZE_STATEMENT);
}

int mgr_signer_checkpoint(struct mgr_signer *signer, struct mgr_checkpoint *c) {
    uint8_t request[1 + MGR_SIGNER_CHECKPOINT_LEN];
    uint8_t reply[1 + sizeof(c->sig)];
    struct tas_writer w = tas_writer_of(request, sizeof(request));
    tas_write_u8(&w, MGR_SIGNER_CHECKPOINT);
    tas_write_u32(&w, c->company_id);
    tas_write_u64(&w, c->seq);
    tas_write_bytes(&w, c->hash, sizeof(c->hash));
    tas_write_u64(&w, c->at_ms);
    int err = ask_for(signer, tas_bytes_of(request, w.len), reply, sizeof(reply));
    if (err != TAS_OK)
        return err;
    c->kid = reply[0];
    memcpy(c->sig, reply + 1, sizeof(c->sig));
    return TAS_OK;
}

int mgr_signer_keyset(struct mgr_signer *signer, uint8_t out[TAS_KEYSET_MAX_LEN], size_t *len) {
    static const uint8_t op = MGR_SIGNER_KEYSET;
    uint8_t body[MGR_SIGNER_REPLY_MAX];
    size_t n = 0;
    int err = ask(signer, tas_bytes_of(&op, 1), body, &n);
    if (err != TAS_OK)
        return err;
    if (n > TAS_KEYSET_MAX_LEN)
        return tas_helper_kill(signer->helper);
    memcpy(out, body, n);
    *len = n;
    return TAS_OK;
}

int mgr_signer_reload(struct mgr_signer *signer, char why[MGR_SIGNER_WHY]) {
    return ask_plainly(signer, MGR_SIGNER_RELOAD, why);
}

int mgr_signer_pid(const struct mgr_signer *signer) {
    return tas_helper_pid(signer->helper);
}
