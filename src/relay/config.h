/* The relay's configuration, read and checked as a whole. */
#pragma once

#include "base/conf.h"
#include "base/log.h"
#include "wire/signed.h"

enum { RELAY_LISTEN_MAX = 8, RELAY_ALTERNATES = 4, RELAY_MANAGERS_MAX = 8 };

/* A management server that this relay registers with. */
struct relay_manager {
    const char *url;     /* "https://manager.tasuki.test:8444", without a path */
    const char *address; /* "" resolve */
};

struct relay_config {
    struct tas_conf *conf; /* owns the texts */
    uint32_t relay_id;
    const char *listen[RELAY_LISTEN_MAX];
    size_t n_listen;
    const char *certificate, *private_key;
    const char *http; /* "" none */
    const char *user; /* "" keep */
    unsigned threads;
    bool needs_clock; /* refuse to start with an unsynchronised clock */
    uint32_t alternates[RELAY_ALTERNATES];
    struct tas_msg_keyset_key ticket_keys[TAS_KEYSET_MAX_KEYS];
    size_t n_ticket_keys;

    struct relay_manager managers[RELAY_MANAGERS_MAX];
    size_t n_managers; /* 0: the options below mean nothing */
    const char *manager_ca, *link_certificate, *link_key;
    const char *name, *region, *public_address;
    uint8_t root[32]; /* the public key that signs KEYSETs */

    /* Not from the file: the ticket keys of the KEYSET in force, kept here by the main loop (link.h). */
    struct tas_msg_keyset_key managed_keys[TAS_KEYSET_MAX_KEYS];
    size_t n_managed_keys;

    unsigned max_connections, max_unauthenticated, max_per_source;
    unsigned drain_s;
    enum tas_log_level log_level; /* applied by whoever accepts the configuration */
};

/* Reads `path`. NULL: `why` names file, line and what is wrong. */
struct relay_config *relay_config_load(const char *path, char why[TAS_CONF_WHY]);
void relay_config_free(struct relay_config *config); /* NULL is fine */
