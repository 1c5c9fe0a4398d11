/* The management server's configuration, read and checked as a whole. */
#pragma once

#include "base/conf.h"
#include "base/log.h"

enum { MGR_LISTEN_MAX = 4, MGR_TERMS_MAX = 64 * 1024 };

struct mgr_config {
    struct tas_conf *conf; /* owns the texts */
    const char *listen[MGR_LISTEN_MAX];
    size_t n_listen;
    const char *certificate, *private_key;
    const char *relay_listen, *relay_certificate, *relay_key, *relay_ca;
    const char *http;     /* "" none: health and metrics on a local address */
    const char *database; /* as tas_db_open() takes it */
    const char *keys;     /* folder of `tasukictl keyset init` */
    const char *organisation;
    const char *terms_version, *min_tool_version;
    char *terms_ja, *terms_en; /* the files' texts, owned */
    const char *user, *signer_user;
    bool needs_clock;
    unsigned login_threads, store_threads;
    unsigned number_minutes, quarantine_hours;
    unsigned
        misses_per_hour; /* of a v4 address or a v6 /64; a /56 may have 4 times, a /48 16 times as many */
    unsigned pow_above_per_minute; /* misses of all: above it claims cost work */
    unsigned login_failures;       /* per source within five minutes */
    unsigned login_hours;          /* how long a login of a tool is good */
    unsigned device_days;          /* device information is deleted after */
    unsigned lost_after_s;         /* a session without a sign of life has ended */
    unsigned max_connections, max_per_source;
    enum tas_log_level log_level;
};

/* Reads `path` and the texts it names. NULL: `why` names file, line and what is wrong. */
struct mgr_config *mgr_config_load(const char *path, char why[TAS_CONF_WHY]);
void mgr_config_free(struct mgr_config *config); /* NULL is fine */
