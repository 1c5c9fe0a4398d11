#include "manager/config.h"

#include "base/utf8.h"
#include "net/socket.h"
#include "os/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct tas_conf_option options[] = {
    {TAS_CONF_LIST, "listen", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "certificate", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "private_key", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "relay_listen", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "relay_certificate", "", 0, 0, 0, NULL, false}, /* "": as certificate */
    {TAS_CONF_TEXT, "relay_private_key", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "relay_ca", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "http", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "database", NULL, 0, 0, 0, NULL, true}, /* may hold a password */
    {TAS_CONF_TEXT, "keys", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "organisation", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "terms_version", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "terms_ja", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "terms_en", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "min_tool_version", "0.1.0", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "user", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "signer_user", "", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "clock", "require", 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "log_level", "info", 0, 0, 0, NULL, false},
    {TAS_CONF_NUMBER, "login_threads", NULL, 1, 1, 64, NULL, false},
    {TAS_CONF_NUMBER, "store_threads", NULL, 4, 1, 64, NULL, false},
    {TAS_CONF_NUMBER, "number_minutes", NULL, 10, 1, 60, NULL, false},
    {TAS_CONF_NUMBER, "quarantine_hours", NULL, 24, 1, 720, NULL, false},
    {TAS_CONF_NUMBER, "misses_per_hour", NULL, 10, 1, 1000000, NULL, false},
    {TAS_CONF_NUMBER, "pow_above_per_minute", NULL, 60, 0, 1000000, NULL, false},
    {TAS_CONF_NUMBER, "login_failures", NULL, 10, 1, 1000000, NULL, false},
    {TAS_CONF_NUMBER, "login_hours", NULL, 12, 1, 24 * 31, NULL, false},
    {TAS_CONF_NUMBER, "device_days", NULL, 365, 1, 3650, NULL, false},
    {TAS_CONF_NUMBER, "lost_after_seconds", NULL, 960, 1, 86400, NULL, false},
    {TAS_CONF_NUMBER, "max_connections", NULL, 12000, 16, 1000000, NULL, false},
    {TAS_CONF_NUMBER, "max_connections_per_source", NULL, 2000, 1, 1000000, NULL, false},
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

static const char *read_addresses(struct mgr_config *c) {
    c->n_listen = tas_conf_list_len(c->conf, "listen");
    if (c->n_listen == 0 || c->n_listen > MGR_LISTEN_MAX)
        return "listen must name 1 to 4 addresses, such as {\"0.0.0.0:443\", \"[::]:443\"}";
    for (size_t i = 0; i < c->n_listen; i++) {
        c->listen[i] = tas_conf_list_at(c->conf, "listen", i);
        if (!tas_address_is_numeric(c->listen[i]))
            return "listen: an address has the form 0.0.0.0:443 or [::]:443";
    }
    if (c->relay_listen[0] && !tas_address_is_numeric(c->relay_listen))
        return "relay_listen: an address has the form 0.0.0.0:8444";
    if (c->relay_listen[0] && !c->relay_ca[0])
        return "relay_ca must name the authority of the relays' certificates when relay_listen is given";
    if (c->http[0] && !tas_address_is_numeric(c->http))
        return "http: an address has the form 127.0.0.1:9465";
    return NULL;
}

static const char *read_words(struct mgr_config *c) {
    struct tas_bytes organisation = tas_bytes_of(c->organisation, strlen(c->organisation));
    const char *wrong = tas_service_words(
        tas_conf_text(c->conf, "clock"), tas_conf_text(c->conf, "log_level"), &c->needs_clock, &c->log_level);
    if (wrong)
        return wrong;
    if (organisation.len == 0 || organisation.len > 96 || !tas_utf8_is_plain(organisation))
        return "organisation must be a name of 1 to 96 bytes of UTF-8";
    if (c->terms_version[0] == '\0' || strlen(c->terms_version) > 32)
        return "terms_version must be 1 to 32 characters";
    if (strncmp(c->database, "sqlite:", 7) != 0 && strncmp(c->database, "postgresql://", 13) != 0 &&
        !strstr(c->database, "host="))
        return "database must be \"sqlite:/path/of/file\" or \"postgresql://...\" or \"host=... dbname=...\"";
    return NULL;
}

/* The whole file, or NULL with `why`. */
static char *read_text(const char *path, char why[TAS_CONF_WHY]) {
    FILE *f = fopen(path, "re");
    char *text = f ? calloc(1, MGR_TERMS_MAX + 2) : NULL;
    if (!text) {
        snprintf(why, TAS_CONF_WHY, "%s: %s", path, strerror(errno));
        if (f)
            fclose(f);
        return NULL;
    }
    size_t len = fread(text, 1, MGR_TERMS_MAX + 1, f);
    bool ok = !ferror(f) && len > 0 && len <= MGR_TERMS_MAX && tas_utf8_is_valid(tas_bytes_of(text, len)) &&
              strlen(text) == len;
    fclose(f);
    if (ok)
        return text;
    snprintf(why, TAS_CONF_WHY, "%s: must be a text in UTF-8 of 1 to %d bytes", path, MGR_TERMS_MAX);
    free(text);
    return NULL;
}

static void take_values(struct mgr_config *c) {
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        {"certificate", &c->certificate},
        {"private_key", &c->private_key},
        {"relay_listen", &c->relay_listen},
        {"relay_certificate", &c->relay_certificate},
        {"relay_private_key", &c->relay_key},
        {"relay_ca", &c->relay_ca},
        {"http", &c->http},
        {"database", &c->database},
        {"keys", &c->keys},
        {"organisation", &c->organisation},
        {"terms_version", &c->terms_version},
        {"min_tool_version", &c->min_tool_version},
        {"user", &c->user},
        {"signer_user", &c->signer_user},
    };
    const struct {
        const char *name;
        unsigned *to;
    } numbers[] = {
        {"login_threads", &c->login_threads},     {"store_threads", &c->store_threads},
        {"number_minutes", &c->number_minutes},   {"quarantine_hours", &c->quarantine_hours},
        {"misses_per_hour", &c->misses_per_hour}, {"pow_above_per_minute", &c->pow_above_per_minute},
        {"login_failures", &c->login_failures},   {"login_hours", &c->login_hours},
        {"device_days", &c->device_days},         {"lost_after_seconds", &c->lost_after_s},
        {"max_connections", &c->max_connections}, {"max_connections_per_source", &c->max_per_source},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i].to = tas_conf_text(c->conf, texts[i].name);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        *numbers[i].to = (unsigned)tas_conf_number(c->conf, numbers[i].name);
    if (!c->relay_certificate[0])
        c->relay_certificate = c->certificate;
    if (!c->relay_key[0])
        c->relay_key = c->private_key;
}

struct mgr_config *mgr_config_load(const char *path, char why[TAS_CONF_WHY]) {
    struct mgr_config *c = calloc(1, sizeof(*c));
    if (!c) {
        snprintf(why, TAS_CONF_WHY, "out of memory");
        return NULL;
    }
    c->conf = tas_conf_load(path, options, why);
    if (!c->conf) {
        mgr_config_free(c);
        return NULL;
    }
    take_values(c);
    const char *wrong = read_addresses(c);
    if (!wrong)
        wrong = read_words(c);
    if (wrong) {
        snprintf(why, TAS_CONF_WHY, "%s: %s", path, wrong);
        mgr_config_free(c);
        return NULL;
    }
    c->terms_ja = read_text(tas_conf_text(c->conf, "terms_ja"), why);
    c->terms_en = c->terms_ja ? read_text(tas_conf_text(c->conf, "terms_en"), why) : NULL;
    if (c->terms_en)
        return c;
    mgr_config_free(c);
    return NULL;
}

void mgr_config_free(struct mgr_config *c) {
    if (!c)
        return;
    tas_conf_free(c->conf);
    free(c->terms_ja);
    free(c->terms_en);
    free(c);
}
