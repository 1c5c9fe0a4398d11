#include "admin/audit_keys.h"

#include "admin/audit_hash.h"
#include "base/hex.h"
#include "wire/signed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 1 << 20, KEYS_MAX = 100000, ROOT_DIGITS = 64, SLACK_MS = 60 * 1000 };

struct known {
    struct tas_msg_keyset_key key;
    uint32_t sequence; /* of the newest KEYSET that names it */
};

struct audit_keys {
    uint8_t root[32];
    bool has_root;
    char *text; /* of a file, until it is settled */
    const char *path;
    struct known *all;
    size_t n, cap;
};

struct audit_keys *audit_keys_new(void) {
    return calloc(1, sizeof(struct audit_keys));
}

void audit_keys_free(struct audit_keys *keys) {
    if (!keys)
        return;
    free(keys->text);
    free(keys->all);
    free(keys);
}

bool audit_keys_has_root(const struct audit_keys *keys) {
    return keys->has_root;
}

/* ---- files ---- */

static int wrong(char why[AUDIT_KEYS_WHY], const char *path, const char *what) {
    snprintf(why, AUDIT_KEYS_WHY, "%s: %s", path, what);
    return TAS_E_CONFIG;
}

static char *read_text(const char *path, char why[AUDIT_KEYS_WHY]) {
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(FILE_MAX + 1) : NULL;
    if (!f || !text) {
        wrong(why, path, f ? "out of memory" : strerror(errno));
        if (f)
            fclose(f);
        return NULL;
    }
    size_t len = fread(text, 1, FILE_MAX + 1, f);
    bool is_good = !ferror(f) && len <= FILE_MAX && !memchr(text, '\0', len);
    fclose(f);
    text[is_good ? len : 0] = '\0';
    if (is_good)
        return text;
    free(text);
    wrong(why, path, "cannot be read, or is no text of at most 1 MiB");
    return NULL;
}

int audit_keys_load_root(struct audit_keys *keys, const char *path, char why[AUDIT_KEYS_WHY]) {
    char *text = read_text(path, why);
    if (!text)
        return TAS_E_CONFIG;
    text[strcspn(text, " \t\r\n")] = '\0';
    keys->has_root = tas_hex_decode(keys->root, sizeof(keys->root), text) == TAS_OK;
    free(text);
    return keys->has_root ? TAS_OK : wrong(why, path, "is not the root's public key, 64 hexadecimal digits");
}

/* The next word, ended with a NUL; NULL: none. */
static char *next_word(char **at) {
    static const char blank[] = " \t\r\n";
    char *word = *at + strspn(*at, blank);
    size_t len = strcspn(word, blank);
    if (len == 0)
        return NULL;
    *at = word + len + (word[len] != '\0');
    word[len] = '\0';
    return word;
}

int audit_keys_load(struct audit_keys *keys, const char *path, char why[AUDIT_KEYS_WHY]) {
    keys->text = read_text(path, why);
    keys->path = path;
    if (!keys->text)
        return TAS_E_CONFIG;
    for (const char *at = keys->text; *at;) {
        char root[ROOT_DIGITS + 1];
        at += strspn(at, " \t\r\n");
        size_t len = strcspn(at, " \t\r\n");
        if (len == ROOT_DIGITS) {
            memcpy(root, at, len);
            root[len] = '\0';
            if (tas_hex_decode(keys->root, sizeof(keys->root), root) != TAS_OK)
                return wrong(why, path, "the root's public key is 64 hexadecimal digits");
            keys->has_root = true;
        }
        at += len;
    }
    return TAS_OK;
}

static int settle_one(struct audit_keys *keys, const char *word, char why[AUDIT_KEYS_WHY]) {
    uint8_t bytes[TAS_KEYSET_MAX_LEN];
    size_t len = strlen(word) / 2;
    if (len > sizeof(bytes) || tas_hex_decode(bytes, len, word) != TAS_OK)
        return wrong(why, keys->path, "holds something that is no KEYSET in hexadecimal digits");
    int err = audit_keys_add(keys, tas_bytes_of(bytes, len));
    if (err == TAS_E_AUTH)
        return wrong(why, keys->path, "a KEYSET in it is not signed by this root");
    return err == TAS_OK ? TAS_OK : wrong(why, keys->path, "holds something that is no KEYSET");
}

int audit_keys_settle(struct audit_keys *keys, char why[AUDIT_KEYS_WHY]) {
    char *at = keys->text;
    char *word;
    int err = TAS_OK;
    while (at && err == TAS_OK && (word = next_word(&at)))
        if (strlen(word) != ROOT_DIGITS)
            err = settle_one(keys, word, why);
    free(keys->text);
    keys->text = NULL;
    return err;
}

/* ---- keys ---- */

/* A key that is named again may have been given a shorter life: the newest word holds. */
static int note_key(struct audit_keys *keys, const struct tas_msg_keyset_key *key, uint32_t sequence) {
    for (size_t i = 0; i < keys->n; i++) {
        struct known *k = &keys->all[i];
        if (k->key.kid != key->kid || memcmp(k->key.pk, key->pk, sizeof(key->pk)) != 0)
            continue;
        if (sequence >= k->sequence)
            *k = (struct known){*key, sequence};
        return TAS_OK;
    }
    if (keys->n == KEYS_MAX)
        return TAS_E_LIMIT;
    if (keys->n == keys->cap) {
        size_t cap = keys->cap ? keys->cap * 2 : 16;
        struct known *all = realloc(keys->all, cap * sizeof(*all));
        if (!all)
            return TAS_E_NOMEM;
        keys->all = all;
        keys->cap = cap;
    }
    keys->all[keys->n++] = (struct known){*key, sequence};
    return TAS_OK;
}

int audit_keys_add(struct audit_keys *keys, struct tas_bytes keyset) {
    struct tas_keyset set;
    if (tas_keyset_decode(&set, keyset) != TAS_OK)
        return TAS_E_PROTO;
    int err = audit_hash_keyset(set.sig, keys->root, set.signed_part);
    for (size_t i = 0; err == TAS_OK && i < set.count; i++)
        if (set.keys[i].use == TAS_USE_AUDIT)
            err = note_key(keys, &set.keys[i], set.sequence);
    return err;
}

static bool was_good(const struct tas_msg_keyset_key *key, int64_t at) {
    return at >= 0 && (uint64_t)at + SLACK_MS >= key->from_ms && (uint64_t)at < key->to_ms + SLACK_MS;
}

int audit_keys_check(const struct audit_keys *keys, int64_t company_id, int64_t seq, const uint8_t hash[32],
                     int64_t at, int64_t kid, const uint8_t sig[64]) {
    int err = TAS_E_ABSENT;
    for (size_t i = 0; i < keys->n && err != TAS_OK; i++) {
        const struct tas_msg_keyset_key *key = &keys->all[i].key;
        if (key->kid == kid && was_good(key, at))
            err = audit_hash_checkpoint(sig, key->pk, company_id, seq, hash, at);
    }
    return err;
}
