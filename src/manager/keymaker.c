#include "manager/keyfile.h"

#include "base/hex.h"
#include "base/rand.h"
#include "base/wipe.h"
#include "crypto/crypto.h"
#include "manager/keyfile_private.h"
#include "os/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TEXT_CAP = 16 * 1024,
    USES = TAS_USE_AUDIT, /* 1 .. USES */
    BACK_S = 60,          /* first keys are valid from so long ago, for clocks that are behind */
    PATH_CAP = 4096,
};

#define SECOND_MS UINT64_C(1000)
#define DAY_MS    (24 * 3600 * SECOND_MS)

/* ---- texts of files, in memory for secrets ---- */

struct text {
    char *mem; /* TEXT_CAP */
    size_t len;
};

static void text_free(struct text *text) {
    tas_secret_locked.release(text->mem, TEXT_CAP);
}

TAS_PRINTF(2, 3) static void text_add(struct text *text, const char *fmt, ...) {
    va_list va;
    va_start(va, fmt);
    int n = vsnprintf(text->mem + text->len, TEXT_CAP - text->len, fmt, va);
    va_end(va);
    if (n > 0 && (size_t)n < TEXT_CAP - text->len)
        text->len += (size_t)n;
}

static void text_add_hex(struct text *text, const void *bytes, size_t len) {
    if (2 * len >= TEXT_CAP - text->len)
        return;
    tas_hex_encode(text->mem + text->len, tas_bytes_of(bytes, len));
    text->len += 2 * len;
}

static void text_add_line(struct text *text, const char *name, const void *bytes, size_t len) {
    text_add(text, "%s = \"", name);
    text_add_hex(text, bytes, len);
    text_add(text, "\"\n");
}

/* ---- files ---- */

struct folder {
    const char *path;
    int fd;
    char *why;
};

static int failed(const struct folder *folder, const char *name) {
    int error = errno;
    snprintf(folder->why, MGR_KEYFILE_WHY, "%s/%s: %s", folder->path, name, strerror(error));
    return error == EEXIST ? TAS_E_STATE : TAS_E_IO;
}

/* Opens it, and keeps another init or rotate out until it is closed. */
static int folder_open(struct folder *folder) {
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0)
        return failed(folder, "");
    if (flock(folder->fd, LOCK_EX | LOCK_NB) == 0)
        return TAS_OK;
    int err = errno == EWOULDBLOCK ? TAS_E_STATE : TAS_E_IO;
    snprintf(folder->why, MGR_KEYFILE_WHY, "%s: another program is changing these keys", folder->path);
    close(folder->fd);
    return err;
}

static bool write_all(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return false;
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* A new file's rights, or those of the one that it replaces: a service keeps reading what it could read. */
static bool set_rights(int fd, mode_t mode, const struct stat *old) {
    if (!old)
        return fchmod(fd, mode) == 0;
    struct stat st;
    bool is_same = fstat(fd, &st) == 0 && st.st_uid == old->st_uid && st.st_gid == old->st_gid;
    return (is_same || fchown(fd, old->st_uid, old->st_gid) == 0) && fchmod(fd, old->st_mode & 0777) == 0;
}

static int write_beside(const struct folder *folder, const char *temp, const struct text *text, mode_t mode,
                        const struct stat *old) {
    unlinkat(folder->fd, temp, 0); /* left by a crash: we hold the lock */
    int fd = openat(folder->fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(folder, temp);
    int err = TAS_OK;
    if (!set_rights(fd, mode, old) || !write_all(fd, text->mem, text->len) || fsync(fd) != 0)
        err = failed(folder, temp);
    if (close(fd) != 0 && err == TAS_OK)
        err = failed(folder, temp);
    if (err != TAS_OK)
        unlinkat(folder->fd, temp, 0);
    return err;
}

/* A file that must not be there yet. */
static int file_create(const struct folder *folder, const char *name, const struct text *text, mode_t mode) {
    char temp[64];
    snprintf(temp, sizeof(temp), ".%s.new", name);
    int err = write_beside(folder, temp, text, mode, NULL);
    if (err != TAS_OK)
        return err;
    if (linkat(folder->fd, temp, folder->fd, name, 0) != 0)
        err = failed(folder, name);
    unlinkat(folder->fd, temp, 0);
    return err;
}

static int file_replace(const struct folder *folder, const char *name, const struct text *text) {
    char temp[64];
    struct stat old;
    snprintf(temp, sizeof(temp), ".%s.new", name);
    if (fstatat(folder->fd, name, &old, 0) != 0)
        return failed(folder, name);
    int err = write_beside(folder, temp, text, 0600, &old);
    if (err != TAS_OK)
        return err;
    if (renameat(folder->fd, temp, folder->fd, name) != 0 || fsync(folder->fd) != 0)
        err = failed(folder, name);
    unlinkat(folder->fd, temp, 0);
    return err;
}

/* ---- keys ---- */

/* The next after the last one that was given out, so that all 255 come by before one comes again. */
static uint8_t next_kid(const struct mgr_signer_keys *keys) {
    unsigned kid = keys->n ? keys->keys[keys->n - 1].public_part.kid : 0;
    bool is_taken = true;
    while (is_taken) {
        kid = kid % UINT8_MAX + 1;
        is_taken = false;
        for (size_t i = 0; i < keys->n; i++)
            is_taken = is_taken || keys->keys[i].public_part.kid == kid;
    }
    return (uint8_t)kid;
}

static int add_keys(struct mgr_signer_keys *keys, uint64_t from_ms) {
    for (uint8_t use = 1; use <= USES; use++) {
        struct mgr_signer_key key = {.public_part = {.kid = next_kid(keys),
                                                     .use = use,
                                                     .from_ms = from_ms,
                                                     .to_ms = from_ms + MGR_KEY_DAYS * DAY_MS}};
        tas_random(key.seed, sizeof(key.seed));
        int err = tas_crypto_native()->ed25519_public(key.public_part.pk, key.seed);
        keys->keys[keys->n++] = key;
        tas_wipe(&key, sizeof(key));
        if (err != TAS_OK)
            return err;
    }
    return TAS_OK;
}

/* And looks whether others will take it. */
static int sign_keyset(struct mgr_signer_keys *keys, const uint8_t root_seed[32]) {
    struct tas_keyset set = {
        .sequence = keys->sequence, .issued_ms = keys->issued_ms, .count = (unsigned)keys->n};
    for (size_t i = 0; i < keys->n; i++)
        set.keys[i] = keys->keys[i].public_part;
    int len = tas_keyset_encode(&set, keys->keyset, sizeof(keys->keyset) - TAS_SIG_LEN);
    if (len < 0)
        return len;
    struct tas_bytes part = tas_bytes_of(keys->keyset, (size_t)len);
    keys->keyset_len = (size_t)len + TAS_SIG_LEN;
    int err = tas_sign(tas_crypto_native(), keys->keyset + len, root_seed, "TSK1 keyset", &part, 1);
    return err == TAS_OK ? tas_keyset_decode(&set, tas_bytes_of(keys->keyset, keys->keyset_len)) : err;
}

static void print_signer(struct text *text, const struct mgr_signer_keys *keys) {
    text->len = 0;
    text_add(text, "# Signing keys of this installation: for the signer only. Made by tasukictl keyset.\n");
    text_add_line(text, "root", keys->root, sizeof(keys->root));
    text_add_line(text, "keyset", keys->keyset, keys->keyset_len);
    for (size_t i = 0; i < keys->n; i++) {
        const struct tas_msg_keyset_key *key = &keys->keys[i].public_part;
        text_add(text, "key \"%u\" {\n    use = \"%s\"\n    from = %llu\n    to = %llu\n    ", key->kid,
                 mgr_keyfile_use_name(key->use), (unsigned long long)(key->from_ms / SECOND_MS),
                 (unsigned long long)(key->to_ms / SECOND_MS));
        text_add_line(text, "seed", keys->keys[i].seed, sizeof(keys->keys[i].seed));
        text_add(text, "}\n");
    }
}

/* ---- init ---- */

/* What is worked with, all of it in memory for secrets. */
struct bench {
    uint8_t root_seed[32];
    struct mgr_signer_keys keys;
    struct mgr_server_keys server;
    struct text text;
};

static struct bench *bench_new(char why[MGR_KEYFILE_WHY]) {
    struct bench *bench = tas_secret_locked.alloc(sizeof(*bench));
    if (bench)
        bench->text.mem = tas_secret_locked.alloc(TEXT_CAP);
    if (bench && bench->text.mem)
        return bench;
    tas_secret_locked.release(bench, sizeof(*bench));
    snprintf(why, MGR_KEYFILE_WHY, "out of memory");
    return NULL;
}

static void bench_free(struct bench *bench) {
    text_free(&bench->text);
    tas_secret_locked.release(bench, sizeof(*bench));
}

static const char *const names[] = {"root.key", "root.pub", "server.keys", "signer.keys"};
enum { FILES = sizeof(names) / sizeof(names[0]) };

static void print_file(struct bench *b, size_t which) {
    b->text.len = 0;
    switch (which) {
    case 0:
        text_add_hex(&b->text, b->root_seed, sizeof(b->root_seed));
        text_add(&b->text, "\n");
        break;
    case 1:
        text_add_hex(&b->text, b->keys.root, sizeof(b->keys.root));
        text_add(&b->text, "\n");
        break;
    case 2:
        text_add(&b->text, "# Secrets that all management servers of this installation share.\n");
        text_add_line(&b->text, "number", b->server.number, sizeof(b->server.number));
        text_add_line(&b->text, "token", b->server.token, sizeof(b->server.token));
        text_add_line(&b->text, "nonce", b->server.nonce, sizeof(b->server.nonce));
        break;
    default:
        print_signer(&b->text, &b->keys);
    }
}

/* All four or none. */
static int create_files(const struct folder *folder, struct bench *b) {
    struct stat st;
    for (size_t i = 0; i < FILES; i++) {
        if (fstatat(folder->fd, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
            errno = EEXIST;
            return failed(folder, names[i]);
        }
    }
    size_t made = 0;
    int err = TAS_OK;
    while (err == TAS_OK && made < FILES) {
        print_file(b, made);
        err = file_create(folder, names[made], &b->text, made == 1 ? 0644 : 0600);
        made += err == TAS_OK;
    }
    if (err == TAS_OK && fsync(folder->fd) != 0)
        err = failed(folder, "");
    while (err != TAS_OK && made > 0)
        unlinkat(folder->fd, names[--made], 0);
    return err;
}

int mgr_keyfile_init(const char *dir, uint64_t now_ms, char why[MGR_KEYFILE_WHY]) {
    struct folder folder = {.path = dir, .why = why};
    if (mkdir(dir, 0750) != 0 && errno != EEXIST)
        return failed(&folder, "");
    int err = folder_open(&folder);
    if (err != TAS_OK)
        return err;
    struct bench *b = bench_new(why);
    err = b ? TAS_OK : TAS_E_NOMEM;
    if (b) {
        tas_random(b->root_seed, sizeof(b->root_seed));
        tas_random(&b->server, sizeof(b->server));
        b->keys.sequence = 1;
        b->keys.issued_ms = now_ms;
        err = tas_crypto_native()->ed25519_public(b->keys.root, b->root_seed);
        if (err == TAS_OK)
            err = add_keys(&b->keys, (now_ms / SECOND_MS - BACK_S) * SECOND_MS);
        if (err == TAS_OK)
            err = sign_keyset(&b->keys, b->root_seed);
        if (err != TAS_OK)
            snprintf(why, MGR_KEYFILE_WHY, "the keys cannot be made: %s", tas_err_text(err));
        else
            err = create_files(&folder, b);
        bench_free(b);
    }
    close(folder.fd);
    return err;
}

/* ---- rotate ---- */

/* 64 digits and perhaps a line feed. */
int mgr_keyfile_load_root(const char *path, uint8_t seed[32], char why[MGR_KEYFILE_WHY]) {
    char text[2 * 32 + 3];
    int err = mgr_keyfile_check_mode(path, why);
    if (err != TAS_OK)
        return err;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return mgr_keyfile_wrong(why, path, strerror(error));
    if (n > 0 && text[n - 1] == '\n')
        n--;
    text[n] = '\0';
    err = tas_hex_decode(seed, 32, text);
    tas_wipe(text, sizeof(text));
    return err == TAS_OK ? TAS_OK : mgr_keyfile_wrong(why, path, "a root key is 64 hexadecimal digits");
}

static int read_root(struct bench *b, const char *path, char why[MGR_KEYFILE_WHY]) {
    uint8_t root[32];
    int err = mgr_keyfile_load_root(path, b->root_seed, why);
    if (err != TAS_OK)
        return err;
    if (tas_crypto_native()->ed25519_public(root, b->root_seed) != TAS_OK ||
        memcmp(root, b->keys.root, sizeof(root)) != 0)
        return mgr_keyfile_wrong(why, path, "not the root of these keys");
    return TAS_OK;
}

static void drop_key(struct mgr_signer_keys *keys, size_t i) {
    keys->n--;
    memmove(&keys->keys[i], &keys->keys[i + 1], (keys->n - i) * sizeof(keys->keys[0]));
    tas_wipe(&keys->keys[keys->n], sizeof(keys->keys[0]));
}

/* The key that expired first; n: none has expired. */
static size_t longest_expired(const struct mgr_signer_keys *keys, uint64_t now_ms) {
    size_t found = keys->n;
    for (size_t i = 0; i < keys->n; i++) {
        uint64_t to_ms = keys->keys[i].public_part.to_ms;
        if (to_ms <= now_ms && (found == keys->n || to_ms < keys->keys[found].public_part.to_ms))
            found = i;
    }
    return found;
}

/* Away with what expired long ago, and with more when there is no room for new ones. False: no room still. */
static bool make_room(struct mgr_signer_keys *keys, uint64_t now_ms) {
    size_t i;
    while ((i = longest_expired(keys, now_ms)) < keys->n) {
        bool is_old = now_ms - keys->keys[i].public_part.to_ms >= MGR_KEY_KEPT_DAYS * DAY_MS;
        if (!is_old && keys->n + USES <= TAS_KEYSET_MAX_KEYS)
            break;
        drop_key(keys, i);
    }
    return keys->n + USES <= TAS_KEYSET_MAX_KEYS;
}

/* When new keys begin: a day ahead, but not after the present ones of some use have ended. */
static uint64_t begin_of_new(const struct mgr_signer_keys *keys, uint64_t now_ms) {
    uint64_t now_s = now_ms / SECOND_MS;
    uint64_t from_s = now_s + MGR_KEY_AHEAD_S;
    for (uint8_t use = 1; use <= USES; use++) {
        uint64_t end_s = now_s - BACK_S;
        for (size_t i = 0; i < keys->n; i++) {
            const struct tas_msg_keyset_key *key = &keys->keys[i].public_part;
            if (key->use == use && key->to_ms / SECOND_MS > end_s)
                end_s = key->to_ms / SECOND_MS;
        }
        from_s = end_s < from_s ? end_s : from_s;
    }
    return from_s * SECOND_MS;
}

static int rotate_keys(struct mgr_signer_keys *keys, uint64_t now_ms) {
    uint64_t from_ms = begin_of_new(keys, now_ms);
    uint64_t limit_ms = from_ms + MGR_KEY_OVERLAP_S * SECOND_MS;
    for (size_t i = 0; i < keys->n; i++) {
        struct tas_msg_keyset_key *key = &keys->keys[i].public_part;
        key->to_ms = key->to_ms < limit_ms ? key->to_ms : limit_ms;
    }
    keys->sequence++;
    keys->issued_ms = now_ms;
    return add_keys(keys, from_ms);
}

static int rotate(const struct folder *folder, struct bench *b, const char *root_key, uint64_t now_ms) {
    char path[PATH_CAP];
    snprintf(path, sizeof(path), "%s/signer.keys", folder->path);
    int err = mgr_keyfile_load_signer(path, &b->keys, folder->why);
    if (err == TAS_OK)
        err = read_root(b, root_key, folder->why);
    if (err != TAS_OK)
        return err;
    if (now_ms < b->keys.issued_ms || b->keys.sequence == UINT32_MAX)
        return mgr_keyfile_wrong(folder->why, path,
                                 "these keys were made later than it is now: is the clock right?");
    if (!make_room(&b->keys, now_ms)) {
        mgr_keyfile_wrong(folder->why, path, "too many keys are valid still: wait until some have expired");
        return TAS_E_STATE;
    }
    err = rotate_keys(&b->keys, now_ms);
    if (err == TAS_OK)
        err = sign_keyset(&b->keys, b->root_seed);
    if (err != TAS_OK) {
        snprintf(folder->why, MGR_KEYFILE_WHY, "the keys cannot be made: %s", tas_err_text(err));
        return err;
    }
    print_signer(&b->text, &b->keys);
    return file_replace(folder, "signer.keys", &b->text);
}

int mgr_keyfile_rotate(const char *dir, const char *root_key, uint64_t now_ms, char why[MGR_KEYFILE_WHY]) {
    struct folder folder = {.path = dir, .why = why};
    int err = folder_open(&folder);
    if (err != TAS_OK)
        return err;
    struct bench *b = bench_new(why);
    err = b ? rotate(&folder, b, root_key, now_ms) : TAS_E_NOMEM;
    if (b)
        bench_free(b);
    close(folder.fd);
    return err;
}
