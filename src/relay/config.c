#include "relay/config.h"

#include "base/hex.h"
#include "net/socket.h"
#include "os/service.h"

#include <stdio.h>
#include <stdlib.h>

#define YEAR_9999 253402300799L /* s since 1970 */

static const struct tas_conf_option ticket_key_options[] = {
    {TAS_CONF_TEXT, "public_key", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_NUMBER, "from", NULL, 0, 0, YEAR_9999, NULL, false},       /* s since 1970 */
    {TAS_CONF_NUMBER, "to", NULL, YEAR_9999, 0, YEAR_9999, NULL, false}, /* likewise */
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

static const struct tas_conf_option manager_options[] = {
    {TAS_CONF_TEXT, "address", "", 0, 0, 0, NULL, false},
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

static const struct tas_conf_option options[] = {
    {TAS_CONF_NUMBER, "relay_id", NULL, 0, 1, INT32_MAX, NULL, false},
    {TAS_CONF_LIST, "listen", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "certificate", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "private_key", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_SECTION, "ticket_key", NULL, 0, 0, 0, ticket_key_options, false},
    {TAS_CONF_SECTION, "manager", NULL, 0, 0, 0, manager_options, false}, /* titled with its https:// URL */
    {TAS_CONF_TEXT, "manager_ca", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "link_certificate", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "link_key", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "root", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "name", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "region", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "public_address", "", 0, 0, 0, NULL, false},
    {TAS_CONF_LIST, "alternates", NULL, 0, 0, 0, NULL, false}, /* relay ids named in GOAWAY */
    {TAS_CONF_TEXT, "http", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "user", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "clock", "require", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "log_level", "info", 0, 0, 0, NULL, false},
    {TAS_CONF_NUMBER, "threads", NULL, 2, 1, 64, NULL, false},
    {TAS_CONF_NUMBER, "max_connections", NULL, 18000, 1, 1000000, NULL, false},
    {TAS_CONF_NUMBER, "max_unauthenticated", NULL, 1000, 1, 1000000, NULL, false},
    {TAS_CONF_NUMBER, "max_unauthenticated_per_source", NULL, 64, 1, 1000000, NULL, false},
    {TAS_CONF_NUMBER, "drain_seconds", NULL, 30, 0, 3600, NULL, false},
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

static bool number_of(const char *text, unsigned long most, unsigned long *out) {
    char *end;
    *out = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && *out <= most;
}

static const char *read_keys(struct relay_config *c) {
    size_t n = tas_conf_sections(c->conf, "ticket_key");
    if (n == 0 && tas_conf_sections(c->conf, "manager") == 0)
        return "a manager \"https://...\" { } must be given, or at least one ticket_key \"KID\" { public_key "
               "= ... }";
    if (n > TAS_KEYSET_MAX_KEYS)
        return "too many ticket_key sections (at most 16)";
    for (size_t i = 0; i < n; i++) {
        unsigned long kid;
        struct tas_msg_keyset_key *key = &c->ticket_keys[i];
        if (!number_of(tas_conf_section_title(c->conf, "ticket_key", i), 255, &kid))
            return "the title of a ticket_key is its kid, a number from 0 to 255";
        if (tas_hex_decode(key->pk, sizeof(key->pk),
                           tas_conf_section_text(c->conf, "ticket_key", i, "public_key")))
            return "ticket_key: public_key must be 64 hexadecimal digits (an Ed25519 public key)";
        key->kid = (uint8_t)kid;
        key->use = TAS_USE_TICKET;
        key->from_ms = (uint64_t)tas_conf_section_number(c->conf, "ticket_key", i, "from") * 1000;
        key->to_ms = (uint64_t)tas_conf_section_number(c->conf, "ticket_key", i, "to") * 1000;
        if (key->from_ms >= key->to_ms)
            return "ticket_key: from must be before to";
        for (size_t k = 0; k < i; k++)
            if (c->ticket_keys[k].kid == key->kid)
                return "ticket_key: two keys with the same kid";
    }
    c->n_ticket_keys = n;
    return NULL;
}

/* Room for what is put behind it, and nothing there yet. */
static bool is_manager_url(const char *url) {
    static const char scheme[] = "https://";
    size_t len = strlen(url);
    return len > sizeof(scheme) - 1 && len < 200 && strncmp(url, scheme, sizeof(scheme) - 1) == 0 &&
           !strpbrk(url + sizeof(scheme) - 1, "/?#@ ");
}

static bool is_name(const char *text) {
    size_t len = strlen(text);
    return len > 0 && len < 254 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") == len;
}

/* What a relay says of itself, and whom it believes. */
static const char *read_link(struct relay_config *c) {
    if (!*c->manager_ca || !*c->link_certificate || !*c->link_key)
        return "manager: manager_ca, link_certificate and link_key must be given too";
    if (tas_hex_decode(c->root, sizeof(c->root), tas_conf_text(c->conf, "root")))
        return "root must be 64 hexadecimal digits (the management server's public root key)";
    if (!is_name(c->name))
        return "name must be this relay's DNS name, in lower case, as in its certificate";
    if (!tas_address_is_sound(c->public_address))
        return "public_address must be what tools connect to, such as relay1.example:443";
    if (strlen(c->region) > 32)
        return "region is at most 32 bytes long";
    return NULL;
}

static const char *read_managers(struct relay_config *c) {
    size_t n = tas_conf_sections(c->conf, "manager");
    if (n > RELAY_MANAGERS_MAX)
        return "too many manager sections (at most 8)";
    for (size_t i = 0; i < n; i++) {
        struct relay_manager *m = &c->managers[i];
        m->url = tas_conf_section_title(c->conf, "manager", i);
        m->address = tas_conf_section_text(c->conf, "manager", i, "address");
        if (!is_manager_url(m->url))
            return "the title of a manager is its address, such as \"https://manager.example:8444\", without "
                   "a path";
        if (m->address[0] && !tas_address_is_sound(m->address))
            return "manager: address has the form 192.0.2.1:8444";
    }
    c->n_managers = n;
    return n ? read_link(c) : NULL;
}

static const char *read_lists(struct relay_config *c) {
    c->n_listen = tas_conf_list_len(c->conf, "listen");
    if (c->n_listen == 0 || c->n_listen > RELAY_LISTEN_MAX)
        return "listen must name 1 to 8 addresses, such as {\"0.0.0.0:443\", \"[::]:443\"}";
    for (size_t i = 0; i < c->n_listen; i++) {
        c->listen[i] = tas_conf_list_at(c->conf, "listen", i);
        if (!tas_address_is_numeric(c->listen[i]))
            return "listen: an address has the form 0.0.0.0:443 or [::]:443";
    }
    size_t n = tas_conf_list_len(c->conf, "alternates");
    if (n > RELAY_ALTERNATES)
        return "alternates may name at most 4 relay ids";
    for (size_t i = 0; i < n; i++) {
        unsigned long id;
        if (!number_of(tas_conf_list_at(c->conf, "alternates", i), UINT32_MAX, &id))
            return "alternates must be relay ids, such as {\"2\", \"3\"}";
        c->alternates[i] = (uint32_t)id;
    }
    return NULL;
}

static const char *read_words(struct relay_config *c) {
    const char *http = tas_conf_text(c->conf, "http");
    if (http[0] && !tas_address_is_numeric(http))
        return "http: an address has the form 127.0.0.1:9464";
    const char *wrong = tas_service_words(
        tas_conf_text(c->conf, "clock"), tas_conf_text(c->conf, "log_level"), &c->needs_clock, &c->log_level);
    if (wrong)
        return wrong;
    return NULL;
}

struct relay_config *relay_config_load(const char *path, char why[TAS_CONF_WHY]) {
    struct relay_config *c = calloc(1, sizeof(*c));
    if (!c) {
        snprintf(why, TAS_CONF_WHY, "out of memory");
        return NULL;
    }
    c->conf = tas_conf_load(path, options, why);
    if (!c->conf) {
        relay_config_free(c);
        return NULL;
    }
    c->relay_id = (uint32_t)tas_conf_number(c->conf, "relay_id");
    c->certificate = tas_conf_text(c->conf, "certificate");
    c->private_key = tas_conf_text(c->conf, "private_key");
    c->http = tas_conf_text(c->conf, "http");
    c->user = tas_conf_text(c->conf, "user");
    c->threads = (unsigned)tas_conf_number(c->conf, "threads");
    c->max_connections = (unsigned)tas_conf_number(c->conf, "max_connections");
    c->max_unauthenticated = (unsigned)tas_conf_number(c->conf, "max_unauthenticated");
    c->max_per_source = (unsigned)tas_conf_number(c->conf, "max_unauthenticated_per_source");
    c->drain_s = (unsigned)tas_conf_number(c->conf, "drain_seconds");
    c->manager_ca = tas_conf_text(c->conf, "manager_ca");
    c->link_certificate = tas_conf_text(c->conf, "link_certificate");
    c->link_key = tas_conf_text(c->conf, "link_key");
    c->name = tas_conf_text(c->conf, "name");
    c->region = tas_conf_text(c->conf, "region");
    c->public_address = tas_conf_text(c->conf, "public_address");
    const char *wrong = read_keys(c);
    if (!wrong)
        wrong = read_managers(c);
    if (!wrong)
        wrong = read_lists(c);
    if (!wrong)
        wrong = read_words(c);
    if (!wrong)
        return c;
    snprintf(why, TAS_CONF_WHY, "%s: %s", path, wrong);
    relay_config_free(c);
    return NULL;
}

void relay_config_free(struct relay_config *c) {
    if (!c)
        return;
    tas_conf_free(c->conf);
    free(c);
}
