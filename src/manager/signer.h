/* The process that holds the ticket, statement and audit keys. It is forked before privileges are dropped,
 * reads its key file itself, has no network and no database, and signs only what is well-formed: whoever
 * takes over the server process can ask for signatures, but cannot carry the keys away. (For that `user` must
 * be another user than the server's: what may read the key file has the keys.) */
#pragma once

#include "wire/signed.h"

struct mgr_signer;

enum { MGR_SIGNER_WHY = 256 };

/* Starts it. key_file: what `tasukictl keyset init` wrote (src/manager/keyfile.h), read with the present
 * rights now and, for reloads, with those of `user` (NULL or "": the present one), which the process becomes.
 * Call before any thread exists. NULL: `why`. */
struct mgr_signer *mgr_signer_start(const char *key_file, const char *user, char why[MGR_SIGNER_WHY]);
void mgr_signer_stop(struct mgr_signer *signer); /* the process ends; NULL is fine */

/* All of these block for the few 100 µs that it takes, and may be called from any thread (one at a time
 * inside). The signer fills ver and kid (the newest key that is valid now) and the signature. TAS_E_PROTO
 * refused: not well-formed (roles, slots, rights, times, relays, names; see signer_rules.c) TAS_E_EXPIRED no
 * key is valid now TAS_E_CLOSED  the signer is gone: the program should end */
TAS_MUST_USE int mgr_signer_ticket(struct mgr_signer *signer, const struct tas_msg_ticket *ticket,
                                   uint8_t out[TAS_SIZE_TICKET]);
TAS_MUST_USE int mgr_signer_statement(struct mgr_signer *signer, const struct tas_msg_statement *statement,
                                      uint8_t out[TAS_SIZE_STATEMENT]);

/* A checkpoint of a company's audit chain: sig over "TSK1 checkpoint" pad16 || u32 company || u64 seq ||
 * hash[32] || u64 at_ms, with the newest audit key. */
struct mgr_checkpoint {
    uint32_t company_id;
    uint64_t seq;
    uint8_t hash[32];
    uint64_t at_ms;
    uint8_t kid;     /* out */
    uint8_t sig[64]; /* out */
};
TAS_MUST_USE int mgr_signer_checkpoint(struct mgr_signer *signer, struct mgr_checkpoint *checkpoint);

/* The signed KEYSET as tools and relays get it, at most TAS_KEYSET_MAX_LEN bytes; *len: in use. */
TAS_MUST_USE int mgr_signer_keyset(struct mgr_signer *signer, uint8_t out[TAS_KEYSET_MAX_LEN], size_t *len);

/* Reads the key file again. TAS_E_CONFIG: `why`; the old keys stay. Keys of another root, or of an older
 * KEYSET than the one in force, are refused too. */
TAS_MUST_USE int mgr_signer_reload(struct mgr_signer *signer, char why[MGR_SIGNER_WHY]);

/* Its process, for tests and for noticing its death. */
int mgr_signer_pid(const struct mgr_signer *signer);
