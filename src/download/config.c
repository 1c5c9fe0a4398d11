#include "download/config.h"

#include "base/utf8.h"
#include "net/socket.h"
#include "os/service.h"

#include <stdio.h>
#include <stdlib.h>

static const struct tas_conf_option options[] = {
    {TAS_CONF_LIST, "listen", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_LIST, "redirect_listen", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "certificate", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "private_key", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "http", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "folder", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "client", "tasuki-client", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "organisation", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "user", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "clock", "require", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "log_level", "info", 0, 0, 0, NULL, false},
    {TAS_CONF_NUMBER, "max_connections", NULL, 8000, 16, 1000000, NULL, false},
    {TAS_CONF_NUMBER, "max_connections_per_source", NULL, 256, 1, 1000000, NULL, false},
    {TAS_CONF_NUMBER, "drain_seconds", NULL, 60, 0, 3600, NULL, false},
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

/* False: more than there may be, or one is none. */
static bool read_list(const struct tas_conf *conf, const char *name, const char *out[DOWNLOAD_LISTEN_MAX],
                      size_t *n) {
    *n = tas_conf_list_len(conf, name);
    for (size_t i = 0; i < *n && i < DOWNLOAD_LISTEN_MAX; i++) {
        out[i] = tas_conf_list_at(conf, name, i);
        if (!tas_address_is_numeric(out[i]))
            return false;
    }
    return *n <= DOWNLOAD_LISTEN_MAX;
}

static const char *read_addresses(struct download_config *c) {
    if (!read_list(c->conf, "listen", c->listen, &c->n_listen) || c->n_listen == 0)
        return "listen must name 1 to 3 addresses, such as {\"0.0.0.0:443\", \"[::]:443\"}";
    if (!read_list(c->conf, "redirect_listen", c->redirect_listen, &c->n_redirect))
        return "redirect_listen may name up to 3 addresses, such as {\"0.0.0.0:80\", \"[::]:80\"}";
    if (c->http[0] && !tas_address_is_numeric(c->http))
        return "http: an address has the form 127.0.0.1:9466";
    return NULL;
}

/* What needs no quoting, neither in a header nor in a shell. */
static bool is_file_name(const char *name) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(name);
    return len > 0 && len <= DOWNLOAD_NAME_MAX && strspn(name, letters) == len && name[0] != '.' &&
           name[0] != '-';
}

static const char *read_words(struct download_config *c) {
    struct tas_bytes organisation = tas_bytes_of(c->organisation, strlen(c->organisation));
    const char *wrong = tas_service_words(
        tas_conf_text(c->conf, "clock"), tas_conf_text(c->conf, "log_level"), &c->needs_clock, &c->log_level);
    if (wrong)
        return wrong;
    if (organisation.len == 0 || organisation.len > DOWNLOAD_ORGANISATION_MAX ||
        !tas_utf8_is_plain(organisation))
        return "organisation must be a name of 1 to 96 bytes of UTF-8";
    if (c->folder[0] != '/')
        return "folder must be an absolute path";
    if (!is_file_name(c->client))
        return "client must be a file name of 1 to 64 letters, digits, dots, hyphens and underscores";
    return NULL;
}

static void take_values(struct download_config *c) {
    c->certificate = tas_conf_text(c->conf, "certificate");
    c->private_key = tas_conf_text(c->conf, "private_key");
    c->http = tas_conf_text(c->conf, "http");
    c->folder = tas_conf_text(c->conf, "folder");
    c->client = tas_conf_text(c->conf, "client");
    c->organisation = tas_conf_text(c->conf, "organisation");
    c->user = tas_conf_text(c->conf, "user");
    c->max_connections = (unsigned)tas_conf_number(c->conf, "max_connections");
    c->max_per_source = (unsigned)tas_conf_number(c->conf, "max_connections_per_source");
    c->drain_s = (unsigned)tas_conf_number(c->conf, "drain_seconds");
}

struct download_config *download_config_load(const char *path, char why[TAS_CONF_WHY]) {
    struct download_config *c = calloc(1, sizeof(*c));
    if (!c) {
        snprintf(why, TAS_CONF_WHY, "out of memory");
        return NULL;
    }
    c->conf = tas_conf_load(path, options, why);
    if (!c->conf)
        goto fail;
    take_values(c);
    const char *wrong = read_addresses(c);
    if (!wrong)
        wrong = read_words(c);
    if (!wrong)
        return c;
    snprintf(why, TAS_CONF_WHY, "%s: %s", path, wrong);
fail:
    download_config_free(c);
    return NULL;
}

void download_config_free(struct download_config *c) {
    if (!c)
        return;
    tas_conf_free(c->conf);
    free(c);
}
