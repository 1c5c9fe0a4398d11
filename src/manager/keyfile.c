#include "manager/keyfile.h"

#include "base/conf.h"
#include "base/hex.h"
#include "base/wipe.h"
#include "crypto/crypto.h"
#include "manager/keyfile_private.h"
#include "os/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define YEAR_9999 253402300799L /* s since 1970 */

static const char *const use_names[] = {
    [TAS_USE_TICKET] = "ticket", [TAS_USE_STATEMENT] = "statement", [TAS_USE_AUDIT] = "audit"};

static const struct tas_conf_option key_options[] = {
    {TAS_CONF_TEXT, "use", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_NUMBER, "from", NULL, -1, 0, YEAR_9999, NULL, false}, /* s since 1970 */
    {TAS_CONF_NUMBER, "to", NULL, -1, 0, YEAR_9999, NULL, false},   /* likewise */
    {TAS_CONF_TEXT, "seed", NULL, 0, 0, 0, NULL, true},
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

static const struct tas_conf_option signer_options[] = {
    {TAS_CONF_TEXT, "root", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_TEXT, "keyset", NULL, 0, 0, 0, NULL, false},
    {TAS_CONF_SECTION, "key", NULL, 0, 0, 0, key_options, false},
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

static const struct tas_conf_option server_options[] = {
    {TAS_CONF_TEXT, "number", NULL, 0, 0, 0, NULL, true},
    {TAS_CONF_TEXT, "token", NULL, 0, 0, 0, NULL, true},
    {TAS_CONF_TEXT, "nonce", NULL, 0, 0, 0, NULL, true},
    {TAS_CONF_END, NULL, NULL, 0, 0, 0, NULL, false},
};

const char *mgr_keyfile_use_name(uint8_t use) {
    return use_names[use];
}

int mgr_keyfile_wrong(char why[MGR_KEYFILE_WHY], const char *path, const char *what) {
    snprintf(why, MGR_KEYFILE_WHY, "%s: %s", path, what);
    return TAS_E_CONFIG;
}

/* ---- reading ---- */

int mgr_keyfile_check_mode(const char *path, char why[MGR_KEYFILE_WHY]) {
    struct stat st;
    if (stat(path, &st) != 0)
        return mgr_keyfile_wrong(why, path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return mgr_keyfile_wrong(why, path, "not a file");
    if (st.st_mode & (S_IRWXO | S_IWGRP))
        return mgr_keyfile_wrong(why, path,
                                 "others may read it, or its group may write it: chmod 0600, or 0640");
    return TAS_OK;
}

static void wipe_text(const char *text) {
    tas_wipe((void *)(uintptr_t)text, strlen(text)); /* libconfuse's own heap memory */
}

static uint8_t use_of(const char *name) {
    for (uint8_t use = TAS_USE_TICKET; use <= TAS_USE_AUDIT; use++)
        if (strcmp(name, use_names[use]) == 0)
            return use;
    return 0;
}

/* NULL: fine; otherwise what is wrong. */
static const char *read_key(struct mgr_signer_key *key, const struct tas_conf *conf, size_t i) {
    const char *title = tas_conf_section_title(conf, "key", i);
    char *end;
    unsigned long kid = strtoul(title, &end, 10);
    if (title[0] < '1' || title[0] > '9' || *end || kid > UINT8_MAX)
        return "the title of a key is its kid, 1 to 255";
    key->public_part.kid = (uint8_t)kid;
    key->public_part.use = use_of(tas_conf_section_text(conf, "key", i, "use"));
    key->public_part.from_ms = (uint64_t)tas_conf_section_number(conf, "key", i, "from") * 1000;
    key->public_part.to_ms = (uint64_t)tas_conf_section_number(conf, "key", i, "to") * 1000;
    if (key->public_part.use == 0)
        return "use of a key is \"ticket\", \"statement\" or \"audit\"";
    const char *seed = tas_conf_section_text(conf, "key", i, "seed");
    if (tas_hex_decode(key->seed, sizeof(key->seed), seed) != TAS_OK)
        return "seed of a key is 64 hexadecimal digits";
    if (tas_crypto_native()->ed25519_public(key->public_part.pk, key->seed) != TAS_OK)
        return "a key cannot be used";
    return NULL;
}

static bool same_key(const struct tas_msg_keyset_key *a, const struct tas_msg_keyset_key *b) {
    return a->kid == b->kid && a->use == b->use && a->from_ms == b->from_ms && a->to_ms == b->to_ms &&
           memcmp(a->pk, b->pk, sizeof(a->pk)) == 0;
}

static const char *read_keyset(struct mgr_signer_keys *keys, const struct tas_conf *conf) {
    const char *text = tas_conf_text(conf, "keyset");
    struct tas_keyset set;
    keys->keyset_len = strlen(text) / 2;
    if (tas_hex_decode(keys->root, sizeof(keys->root), tas_conf_text(conf, "root")) != TAS_OK)
        return "root is 64 hexadecimal digits";
    if (keys->keyset_len > sizeof(keys->keyset) ||
        tas_hex_decode(keys->keyset, keys->keyset_len, text) != TAS_OK ||
        tas_keyset_decode(&set, tas_bytes_of(keys->keyset, keys->keyset_len)) != TAS_OK)
        return "keyset is not one";
    if (tas_verify(tas_crypto_native(), set.sig, keys->root, "TSK1 keyset", &set.signed_part, 1) != TAS_OK)
        return "the keyset is not signed by root";
    if (set.count != keys->n)
        return "the keyset names more or fewer keys than there are";
    for (size_t i = 0; i < keys->n; i++)
        if (!same_key(&set.keys[i], &keys->keys[i].public_part))
            return "the keyset names other keys, times or uses";
    keys->sequence = set.sequence;
    keys->issued_ms = set.issued_ms;
    return NULL;
}

static const char *read_signer(struct mgr_signer_keys *keys, const struct tas_conf *conf) {
    keys->n = tas_conf_sections(conf, "key");
    if (keys->n == 0 || keys->n > TAS_KEYSET_MAX_KEYS)
        return "there must be 1 to 16 keys";
    for (size_t i = 0; i < keys->n; i++) {
        const char *bad = read_key(&keys->keys[i], conf, i);
        if (bad)
            return bad;
    }
    return read_keyset(keys, conf);
}

int mgr_keyfile_load_signer(const char *path, struct mgr_signer_keys *out, char why[MGR_KEYFILE_WHY]) {
    int err = mgr_keyfile_check_mode(path, why);
    if (err != TAS_OK)
        return err;
    struct tas_conf *conf = tas_conf_load(path, signer_options, why);
    if (!conf)
        return TAS_E_CONFIG;
    struct mgr_signer_keys *keys = tas_secret_locked.alloc(sizeof(*keys));
    const char *bad = keys ? read_signer(keys, conf) : "out of memory";
    for (size_t i = 0; i < tas_conf_sections(conf, "key"); i++)
        wipe_text(tas_conf_section_text(conf, "key", i, "seed"));
    if (bad)
        err = mgr_keyfile_wrong(why, path, bad);
    else
        *out = *keys;
    tas_conf_free(conf);
    tas_secret_locked.release(keys, sizeof(*keys));
    return err;
}

int mgr_keyfile_load_server(const char *path, struct mgr_server_keys *out, char why[MGR_KEYFILE_WHY]) {
    int err = mgr_keyfile_check_mode(path, why);
    if (err != TAS_OK)
        return err;
    struct tas_conf *conf = tas_conf_load(path, server_options, why);
    if (!conf)
        return TAS_E_CONFIG;
    struct mgr_server_keys keys;
    uint8_t *const places[] = {keys.number, keys.token, keys.nonce};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *name = server_options[i].name; /* in the order of the struct */
        if (tas_hex_decode(places[i], 32, tas_conf_text(conf, name)) != TAS_OK)
            err = mgr_keyfile_wrong(why, path, "each of number, token and nonce is 64 hexadecimal digits");
        tas_conf_wipe(conf, name);
    }
    if (err == TAS_OK)
        *out = keys;
    tas_wipe(&keys, sizeof(keys));
    tas_conf_free(conf);
    return err;
}

const struct mgr_signer_key *mgr_keyfile_newest(const struct mgr_signer_keys *keys, uint8_t use,
                                                uint64_t now_ms) {
    const struct mgr_signer_key *newest = NULL;
    for (size_t i = 0; i < keys->n; i++) {
        const struct tas_msg_keyset_key *key = &keys->keys[i].public_part;
        if (key->use == use && key->from_ms <= now_ms && now_ms < key->to_ms &&
            (!newest || key->from_ms >= newest->public_part.from_ms))
            newest = &keys->keys[i];
    }
    return newest;
}
