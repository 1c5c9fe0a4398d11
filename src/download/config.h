/* The download server's configuration, read and checked as a whole. */
#pragma once

#include "base/conf.h"
#include "base/log.h"

enum { DOWNLOAD_LISTEN_MAX = 3, DOWNLOAD_NAME_MAX = 64, DOWNLOAD_ORGANISATION_MAX = 96 };

struct download_config {
    struct tas_conf *conf; /* owns the texts */
    const char *listen[DOWNLOAD_LISTEN_MAX];
    size_t n_listen;
    const char *redirect_listen[DOWNLOAD_LISTEN_MAX]; /* plain HTTP that leads to https:// */
    size_t n_redirect;
    const char *certificate, *private_key;
    const char *http;            /* "" none: health and metrics on a local address */
    const char *folder, *client; /* the client tool is the file FOLDER/CLIENT */
    const char *organisation;    /* shown on the page */
    const char *user;            /* "" keep */
    bool needs_clock;
    unsigned max_connections, max_per_source, drain_s;
    enum tas_log_level log_level;
};

/* NULL: `why` names file, line and what is wrong. */
struct download_config *download_config_load(const char *path, char why[TAS_CONF_WHY]);
void download_config_free(struct download_config *config); /* NULL is fine */
