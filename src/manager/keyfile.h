/* The installation's keys on disk: what `tasukictl keyset init|rotate` writes and the signer and the server
 * read. A folder with root.key     seed of the offline root (hex): goes into a safe after init; rotate needs
 * it again root.pub     its public key (hex): goes into relay configurations and into .tasuki_org signer.keys
 * the signing keys and the KEYSET that names them, for the signer only server.keys  secrets that all
 * management servers of the installation share All but root.pub have mode 0600. Files are replaced whole
 * (written beside, synced, renamed). Nothing here may run while other threads use libconfuse. */
#pragma once

#include "wire/signed.h"

enum {
    MGR_KEYFILE_WHY = 512,
    MGR_KEY_DAYS = 180,            /* a key is valid for so long, unless another takes over */
    MGR_KEY_AHEAD_S = 24 * 3600,   /* a KEYSET is published so long before its new keys sign */
    MGR_KEY_OVERLAP_S = 26 * 3600, /* and an old key is accepted so long after they began */
    MGR_KEY_KEPT_DAYS = 30,        /* an expired key stays in the KEYSET: its kid is not given to another */
};

struct mgr_signer_key {
    struct tas_msg_keyset_key public_part;
    uint8_t seed[32];
};

/* A signer.keys file. Allocate with tas_secret_locked. */
struct mgr_signer_keys {
    uint8_t root[32]; /* public */
    uint32_t sequence;
    uint64_t issued_ms;
    size_t n;
    struct mgr_signer_key keys[TAS_KEYSET_MAX_KEYS]; /* in the order in which they were made */
    uint8_t keyset[TAS_KEYSET_MAX_LEN];              /* signed */
    size_t keyset_len;
};

/* A server.keys file: keys of HMACs. Allocate with tas_secret_locked. */
struct mgr_server_keys {
    uint8_t number[32]; /* reception numbers */
    uint8_t token[32];  /* tokens of sign-ins */
    uint8_t nonce[32];  /* nonces that are handed out and come back */
};

/* Makes the four files in `dir` (made, mode 0750, when it is not there), with one key per use, valid from a
 * minute ago. TAS_E_STATE: one of the files is there already, nothing is changed; TAS_E_IO. `why` in words.
 */
TAS_MUST_USE int mgr_keyfile_init(const char *dir, uint64_t now_ms, char why[MGR_KEYFILE_WHY]);

/* Adds a fresh key per use to DIR/signer.keys, valid from now + MGR_KEY_AHEAD_S, or from when the present
 * ones end, if that is earlier; shortens those to MGR_KEY_OVERLAP_S after that; drops what expired
 * MGR_KEY_KEPT_DAYS ago (earlier only when there is no room); sequence + 1; signed with the root's seed in
 * the file `root_key`. The new file has owner, group and mode of the old one. The signer takes it at the next
 * reload. TAS_E_CONFIG: a file is wrong, or is not the root of these keys, or the clock is behind;
 * TAS_E_STATE: too many keys are valid still, or another init or rotate is running; TAS_E_IO. Nothing is
 * changed then; `why` in words. */
TAS_MUST_USE int mgr_keyfile_rotate(const char *dir, const char *root_key, uint64_t now_ms,
                                    char why[MGR_KEYFILE_WHY]);

/* Read a file. TAS_E_CONFIG: not there, not of this form, seeds and KEYSET do not belong together, the KEYSET
 * is not signed by the root, or others may read the file or its group write it; `why` in words. */
TAS_MUST_USE int mgr_keyfile_load_signer(const char *path, struct mgr_signer_keys *out,
                                         char why[MGR_KEYFILE_WHY]);
TAS_MUST_USE int mgr_keyfile_load_server(const char *path, struct mgr_server_keys *out,
                                         char why[MGR_KEYFILE_WHY]);

/* The root's seed from a root.key file; the caller wipes it. TAS_E_CONFIG: not there, not of this form, or
 * others may read it; `why` in words. */
TAS_MUST_USE int mgr_keyfile_load_root(const char *path, uint8_t seed[32], char why[MGR_KEYFILE_WHY]);

/* The key of a use that signs now: valid, and of all that are, the one that began last. NULL: none. Borrowed.
 */
const struct mgr_signer_key *mgr_keyfile_newest(const struct mgr_signer_keys *keys, uint8_t use,
                                                uint64_t now_ms);
