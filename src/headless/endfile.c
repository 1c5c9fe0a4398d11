#include "headless/endfile.h"

#include "base/hex.h"
#include "base/rand.h"
#include "os/secret.h"

#include <stdio.h>
#include <stdlib.h>

static const struct tas_conf_option relay_options[] = {
    {TAS_CONF_TEXT, "address", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "name", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

static const struct tas_conf_option options[] = {
    {TAS_CONF_TEXT, "pop_seed", NULL, 0, 0, 0, NULL, true},
    {TAS_CONF_TEXT, "ticket", NULL, 0, 0, 0, NULL, true},
    {TAS_CONF_TEXT, "statement", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "keyset", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "root", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "ca", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_NUMBER, "server_ms", NULL, 0, 0, INT64_MAX, NULL, false},
    {TAS_CONF_SECTION, "relay", NULL, 0, 0, 0, relay_options, false},
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

static void fill_random(void *ctx, void *out, size_t len) {
    (void)ctx;
    tas_random(out, len);
}

static const char *read_relays(struct endfile *f) {
    size_t n = tas_conf_sections(f->conf, "relay");
    if (n == 0 || n > TAS_RELAYS)
        return "1 to 4 relay \"ID\" { address = ... name = ... } sections must be given";
    for (size_t i = 0; i < n; i++) {
        struct tas_end_relay *r = &f->config.relays[i];
        r->id = (uint32_t)strtoul(tas_conf_section_title(f->conf, "relay", i), NULL, 10);
        snprintf(r->address, sizeof(r->address), "%s", tas_conf_section_text(f->conf, "relay", i, "address"));
        snprintf(r->name, sizeof(r->name), "%s", tas_conf_section_text(f->conf, "relay", i, "name"));
        if (r->id == 0)
            return "the title of a relay is its id, a number from 1";
    }
    f->config.n_relays = n;
    return NULL;
}

/* Role and slot stand in the ticket; the rest of the identity is the seed and the statement. */
static const char *read_identity(struct endfile *f, const struct tas_crypto *c) {
    struct tas_session_config *s = &f->config.session;
    struct tas_msg_ticket ticket;
    if (tas_hex_decode(s->identity.pop_seed, 32, tas_conf_text(f->conf, "pop_seed")) != TAS_OK ||
        c->ed25519_public(s->identity.pop_pk, s->identity.pop_seed) != TAS_OK)
        return "pop_seed must be 64 hexadecimal digits";
    if (tas_hex_decode(s->ticket, TAS_SIZE_TICKET, tas_conf_text(f->conf, "ticket")) != TAS_OK ||
        tas_msg_ticket_decode(&ticket, tas_bytes_of(s->ticket, TAS_SIZE_TICKET)) != TAS_OK)
        return "ticket is not one";
    if (tas_hex_decode(s->identity.statement, TAS_SIZE_STATEMENT, tas_conf_text(f->conf, "statement")) !=
        TAS_OK)
        return "statement is not one";
    s->identity.role = (enum tas_role)ticket.role;
    s->identity.slot = ticket.slot;
    return NULL;
}

static const char *read_keyset(struct endfile *f, const struct tas_crypto *c) {
    uint8_t root[32];
    const char *text = tas_conf_text(f->conf, "keyset");
    size_t len = strlen(text) / 2;
    if (tas_hex_decode(root, sizeof(root), tas_conf_text(f->conf, "root")) != TAS_OK)
        return "root must be 64 hexadecimal digits";
    if (len > sizeof(f->keyset_bytes) || tas_hex_decode(f->keyset_bytes, len, text) != TAS_OK)
        return "keyset is not one";
    if (tas_keyset_open(c, &f->keyset, tas_bytes_of(f->keyset_bytes, len), root) != TAS_OK)
        return "the keyset is not signed by root";
    return NULL;
}

struct endfile *endfile_load(const char *path, char why[TAS_CONF_WHY]) {
    const struct tas_crypto *c = tas_crypto_native();
    struct endfile *f = tas_secret_locked.alloc(sizeof(*f));
    if (!f) {
        snprintf(why, TAS_CONF_WHY, "out of memory");
        return NULL;
    }
    f->conf = tas_conf_load(path, options, why);
    if (!f->conf) {
        endfile_free(f);
        return NULL;
    }
    const char *wrong = read_relays(f);
    if (!wrong)
        wrong = read_identity(f, c);
    if (!wrong)
        wrong = read_keyset(f, c);
    f->config.session.crypto = c;
    f->config.session.mem = &tas_secret_locked;
    f->config.session.random = (struct tas_random_source){fill_random, NULL};
    f->config.session.keyset = &f->keyset;
    f->config.session.server_ms = (uint64_t)tas_conf_number(f->conf, "server_ms");
    char tls_why[TAS_WHY_MAX];
    if (!wrong) {
        f->config.tls = tas_tls_client(tas_conf_text(f->conf, "ca"), tls_why);
        wrong = f->config.tls ? NULL : tls_why;
    }
    tas_conf_wipe(f->conf, "pop_seed");
    tas_conf_free(f->conf); /* all that counts was copied into locked memory */
    f->conf = NULL;
    if (!wrong)
        return f;
    snprintf(why, TAS_CONF_WHY, "%s: %s", path, wrong);
    endfile_free(f);
    return NULL;
}

void endfile_free(struct endfile *f) {
    if (!f)
        return;
    tas_conf_free(f->conf);
    tas_tls_free(f->config.tls);
    tas_secret_locked.release(f, sizeof(*f));
}
