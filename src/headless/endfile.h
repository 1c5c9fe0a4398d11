/* The file that tells a headless end who it is: what a management server hands out over HTTPS, as text.
 * Written by `tasuki-headless issue` with throw-away keys. */
#pragma once

#include "base/conf.h"
#include "end/end.h"

struct endfile {
    struct tas_conf *conf;
    struct tas_end_config config;
    uint8_t keyset_bytes[TAS_KEYSET_MAX_LEN];
    struct tas_keyset keyset;
};

/* Reads and checks all of it, the KEYSET's signature included. NULL: `why`. */
struct endfile *endfile_load(const char *path, char why[TAS_CONF_WHY]);
void endfile_free(struct endfile *file); /* wipes; NULL is fine */
