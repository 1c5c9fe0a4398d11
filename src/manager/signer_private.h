/* Between the server's half (signer.c) and the signing process (signer_child.c), and what it asks of what it
 * signs (signer_rules.c).
 *
 * A request is u8 op || body, the answer u8 op || u8 error (0: done, otherwise the number of a TAS_E_*
 * without its sign) || body when done:
 *
 *   op          body of the request           body of the answer
 *   START       -                             - (done) or why it could not start, and it ends
 *   TICKET      TICKET, ver kid sig anything  TICKET
 *   STATEMENT   STATEMENT, likewise           STATEMENT
 *   CHECKPOINT  u32 company u64 seq hash[32]  u8 kid sig[64]
 *               u64 at_ms
 *   KEYSET      -                             KEYSET
 *   RELOAD      -                             - (done) or why not
 */
#pragma once

#include "manager/signer.h"

enum mgr_signer_op {
    MGR_SIGNER_START = 1,
    MGR_SIGNER_TICKET = 2,
    MGR_SIGNER_STATEMENT = 3,
    MGR_SIGNER_CHECKPOINT = 4,
    MGR_SIGNER_KEYSET = 5,
    MGR_SIGNER_RELOAD = 6,
};

enum {
    MGR_SIGNER_CHECKPOINT_LEN = 4 + 8 + 32 + 8,
    MGR_SIGNER_REQUEST_MAX = 1 + TAS_SIZE_STATEMENT,
    MGR_SIGNER_REPLY_HEAD = 2,
    MGR_SIGNER_REPLY_MAX = MGR_SIGNER_REPLY_HEAD + TAS_KEYSET_MAX_LEN,
};

/* What the process is started with. */
struct mgr_signer_order {
    const char *key_file;
    const char *user; /* NULL: the present one */
};

/* The process itself: tas_helper_start()'s run(); ctx is a struct mgr_signer_order. */
void mgr_signer_live(int line, void *ctx);

/* Would this be signed at now_ms? Pure. */
bool mgr_signer_takes_ticket(const struct tas_msg_ticket *ticket, uint64_t now_ms);
bool mgr_signer_takes_statement(const struct tas_msg_statement *statement, uint64_t now_ms);
bool mgr_signer_takes_checkpoint(const struct mgr_checkpoint *checkpoint, uint64_t now_ms);
