/* Two ends with identities, statements and keys, the same at every run, for tests and fuzz targets of e2e/.
 */
#pragma once

#include "e2e/resume.h"
#include "e2e/seal.h"

enum { KIT_HOST = 0, KIT_VIEWER = 1, KIT_SLOT = 3, KIT_KID = 7, KIT_NOW_MS = 1000000 };

extern const uint64_t kit_session_id;

/* Random bytes that are none: a stream that `seed` decides (not 0), or what lies in `script` first. */
struct kit_random {
    uint32_t seed;
    struct tas_bytes script;
};
struct tas_random_source kit_random_source(struct kit_random *random);

struct kit {
    const struct tas_crypto *crypto;
    struct kit_random random;
    uint8_t statement_seed[32];
    struct tas_keyset keyset; /* one key, for statements, valid from 0 to 2 * KIT_NOW_MS */
    struct tas_identity id[2];
    struct tas_resume_pair pair;
    uint8_t h1[TAS_SIZE_H1], h2[TAS_SIZE_H2], h3[TAS_SIZE_H3];
    struct tas_generation gen; /* of a handshake between the two */
};

/* suite: the one that both know. */
void kit_init(struct kit *kit, const struct tas_crypto *crypto, enum tas_suite suite);

struct tas_handshake_config kit_handshake_config(struct kit *kit, unsigned end, uint16_t suites);

/* What the statement of an end says; and such a statement signed. */
struct tas_msg_statement kit_statement(const struct kit *kit, unsigned end);
void kit_sign_statement(const struct kit *kit, uint8_t out[TAS_SIZE_STATEMENT],
                        const struct tas_msg_statement *st);

/* What `end` asks of the AUTH of the other one. */
struct tas_auth_expected kit_expected(const struct kit *kit, unsigned end);

/* A sealer of one end over kit->gen. Aborts when there is none. */
struct tas_sealer *kit_sealer(const struct kit *kit, unsigned end, uint64_t update_records);
