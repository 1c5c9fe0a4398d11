/* The installation's keys on disk, in folders of their own under /tmp. */
#include "crypto/crypto.h"
#include "manager/keyfile.h"
#include "oom.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define T0     (UINT64_C(1795000000) * SECOND + 123) /* 2026-11 */

enum { PATH_LEN = 256, FILE_MAX = 16 * 1024 };

static char dir[64];
static char why[MGR_KEYFILE_WHY];

static const char *in_dir(const char *name) {
    static char paths[4][PATH_LEN];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, PATH_LEN, "%s/%s", dir, name);
    return path;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static int make_dir(void **state) {
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/tasuki-keyfile-XXXXXX");
    why[0] = '\0';
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void must(int err) {
    if (err != TAS_OK)
        fail_msg("%s: %s", tas_err_name(err), why);
}

static struct mgr_signer_keys loaded(void) {
    struct mgr_signer_keys keys;
    must(mgr_keyfile_load_signer(in_dir("signer.keys"), &keys, why));
    return keys;
}

static mode_t mode_of(const char *name) {
    struct stat st;
    assert_int_equal(stat(in_dir(name), &st), 0);
    return st.st_mode & 0777;
}

static size_t read_text(const char *name, char text[FILE_MAX]) {
    FILE *f = fopen(in_dir(name), "re");
    assert_non_null(f);
    size_t len = fread(text, 1, FILE_MAX - 1, f);
    text[len] = '\0';
    fclose(f);
    return len;
}

static void write_text(const char *name, const char *text, size_t len) {
    FILE *f = fopen(in_dir(name), "we");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(in_dir(name), 0600), 0);
}

static struct tas_keyset keyset_of(const struct mgr_signer_keys *keys) {
    struct tas_keyset set;
    assert_int_equal(tas_keyset_decode(&set, tas_bytes_of(keys->keyset, keys->keyset_len)), TAS_OK);
    assert_int_equal(tas_verify(tas_crypto_native(), set.sig, keys->root, "TSK1 keyset", &set.signed_part, 1),
                     TAS_OK);
    return set;
}

/* ---- init ---- */

static void init_makes_four_files_that_others_cannot_read(void **state) {
    (void)state;
    must(mgr_keyfile_init(dir, T0, why));
    assert_int_equal(mode_of("root.key"), 0600);
    assert_int_equal(mode_of("signer.keys"), 0600);
    assert_int_equal(mode_of("server.keys"), 0600);
    assert_int_equal(mode_of("root.pub"), 0644);

    struct mgr_signer_keys keys = loaded();
    struct tas_keyset set = keyset_of(&keys);
    assert_int_equal(set.sequence, 1);
    assert_int_equal(set.issued_ms, T0);
    assert_int_equal(set.count, 3);
    for (uint8_t use = 1; use <= 3; use++) {
        const struct tas_msg_keyset_key *key =
            tas_keyset_find(&set, use, use, T0 - 59 * SECOND, 0); /* kid = use */
        assert_non_null(key);
        assert_int_equal(key->to_ms - key->from_ms, 180 * DAY);
        assert_null(tas_keyset_find(&set, use, use, T0 + 180 * DAY, 0));
        assert_non_null(mgr_keyfile_newest(&keys, use, T0));
    }
    char text[FILE_MAX];
    assert_int_equal(read_text("root.pub", text), 65);
    assert_int_equal(read_text("root.key", text), 65);
}

static void every_installation_has_keys_of_its_own(void **state) {
    (void)state;
    must(mgr_keyfile_init(in_dir("a"), T0, why));
    must(mgr_keyfile_init(in_dir("b"), T0, why));
    struct mgr_server_keys a, b;
    must(mgr_keyfile_load_server(in_dir("a/server.keys"), &a, why));
    must(mgr_keyfile_load_server(in_dir("b/server.keys"), &b, why));
    assert_memory_not_equal(a.number, b.number, 32);
    assert_memory_not_equal(a.number, a.token, 32);
    assert_memory_not_equal(a.token, a.nonce, 32);
    struct stat st;
    assert_int_equal(stat(in_dir("a"), &st), 0);
    assert_int_equal(st.st_mode & 07, 0);
}

static void init_overwrites_nothing_and_leaves_nothing_half(void **state) {
    (void)state;
    static const char *const names[] = {"root.key", "root.pub", "server.keys", "signer.keys"};
    for (size_t i = 0; i < 4; i++) {
        write_text(names[i], "mine", 4);
        assert_int_equal(mgr_keyfile_init(dir, T0, why), TAS_E_STATE);
        assert_non_null(strstr(why, names[i]));
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(access(in_dir(names[k]), F_OK) == 0, k == i);
        char text[FILE_MAX];
        assert_int_equal(read_text(names[i], text), 4);
        assert_int_equal(unlink(in_dir(names[i])), 0);
    }
    assert_int_equal(symlink("/nowhere", in_dir("signer.keys")), 0); /* nor through a link */
    assert_int_equal(mgr_keyfile_init(dir, T0, why), TAS_E_STATE);
}

static void init_says_which_folder_cannot_be_used(void **state) {
    (void)state;
    assert_int_equal(mgr_keyfile_init(in_dir("a/b"), T0, why), TAS_E_IO);
    assert_non_null(strstr(why, "/a/b"));
    write_text("file", "x", 1);
    assert_int_equal(mgr_keyfile_init(in_dir("file"), T0, why), TAS_E_IO);
}

static void one_init_or_rotate_at_a_time(void **state) {
    (void)state;
    must(mgr_keyfile_init(in_dir("a"), T0, why));
    int fd = open(in_dir("a"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(mgr_keyfile_init(in_dir("a"), T0, why), TAS_E_STATE);
    assert_int_equal(mgr_keyfile_rotate(in_dir("a"), in_dir("a/root.key"), T0, why), TAS_E_STATE);
    close(fd);
    must(mgr_keyfile_rotate(in_dir("a"), in_dir("a/root.key"), T0, why));
}

static void a_crash_in_the_middle_of_writing_does_not_stop_the_next(void **state) {
    (void)state;
    write_text(".root.key.new", "half", 4);
    must(mgr_keyfile_init(dir, T0, why));
    write_text(".signer.keys.new", "half", 4);
    must(mgr_keyfile_rotate(dir, in_dir("root.key"), T0, why));
    assert_int_equal(access(in_dir(".signer.keys.new"), F_OK), -1);
}

/* ---- rotate ---- */

static int rotate(uint64_t now_ms) {
    return mgr_keyfile_rotate(dir, in_dir("root.key"), now_ms, why);
}

static void a_rotation_publishes_a_day_ahead_and_overlaps_by_26_hours(void **state) {
    (void)state;
    must(mgr_keyfile_init(dir, T0, why));
    uint64_t now = T0 + 100 * DAY;
    must(rotate(now));
    struct mgr_signer_keys keys = loaded();
    struct tas_keyset set = keyset_of(&keys);
    uint64_t from = now / SECOND * SECOND + 24 * HOUR;
    assert_int_equal(set.sequence, 2);
    assert_int_equal(set.issued_ms, now);
    assert_int_equal(set.count, 6);
    for (uint8_t use = 1; use <= 3; use++) {
        uint8_t old = use, fresh = (uint8_t)(use + 3);
        assert_int_equal(mgr_keyfile_newest(&keys, use, now)->public_part.kid, old);
        assert_int_equal(mgr_keyfile_newest(&keys, use, from - 1)->public_part.kid, old);
        assert_int_equal(mgr_keyfile_newest(&keys, use, from)->public_part.kid, fresh);
        assert_non_null(tas_keyset_find(&set, old, use, from + 26 * HOUR - 1, 0));
        assert_null(tas_keyset_find(&set, old, use, from + 26 * HOUR, 0));
        assert_non_null(tas_keyset_find(&set, fresh, use, from + 180 * DAY - 1, 0));
        assert_null(tas_keyset_find(&set, fresh, use, from + 180 * DAY, 0));
    }
}

/* What an old key signed before the change is accepted after it, and so is what the new one signs. */
static void signatures_from_before_and_after_the_change_hold(void **state) {
    (void)state;
    const struct tas_crypto *c = tas_crypto_native();
    static const uint8_t ticket[128] = "a ticket";
    struct tas_bytes part = tas_bytes_of(ticket, sizeof(ticket));
    must(mgr_keyfile_init(dir, T0, why));
    must(rotate(T0 + DAY));
    struct mgr_signer_keys keys = loaded();
    struct tas_keyset set = keyset_of(&keys);
    uint64_t change = (T0 + DAY) / SECOND * SECOND + 24 * HOUR;
    for (uint64_t at = change - 2; at <= change + 2; at++) {
        const struct mgr_signer_key *key = mgr_keyfile_newest(&keys, TAS_USE_TICKET, at);
        uint8_t sig[64];
        assert_int_equal(tas_sign(c, sig, key->seed, "TSK1 ticket", &part, 1), TAS_OK);
        for (uint64_t seen = at; seen <= at + 24 * HOUR; seen += HOUR) {
            const struct tas_msg_keyset_key *found =
                tas_keyset_find(&set, key->public_part.kid, TAS_USE_TICKET, seen, 0);
            assert_non_null(found);
            assert_int_equal(tas_verify(c, sig, found->pk, "TSK1 ticket", &part, 1), TAS_OK);
        }
    }
}

static void a_rotation_after_everything_has_expired_counts_at_once(void **state) {
    (void)state;
    must(mgr_keyfile_init(dir, T0, why));
    uint64_t now = T0 + 200 * DAY;
    must(rotate(now));
    struct mgr_signer_keys keys = loaded();
    assert_int_equal(mgr_keyfile_newest(&keys, TAS_USE_TICKET, now)->public_part.kid, 4);
    assert_non_null(mgr_keyfile_newest(&keys, TAS_USE_TICKET, now - 60 * SECOND));
}

static void a_rotation_in_the_last_day_leaves_no_gap(void **state) {
    (void)state;
    must(mgr_keyfile_init(dir, T0, why));
    uint64_t end = loaded().keys[0].public_part.to_ms;
    must(rotate(end - 3 * HOUR));
    struct mgr_signer_keys keys = loaded();
    assert_int_equal(mgr_keyfile_newest(&keys, TAS_USE_TICKET, end - 1)->public_part.kid, 1);
    assert_int_equal(mgr_keyfile_newest(&keys, TAS_USE_TICKET, end)->public_part.kid, 4);
}

static bool has_kid(const struct mgr_signer_keys *keys, uint8_t kid) {
    for (size_t i = 0; i < keys->n; i++)
        if (keys->keys[i].public_part.kid == kid)
            return true;
    return false;
}

static void an_expired_key_is_kept_for_30_days(void **state) {
    (void)state;
    must(mgr_keyfile_init(dir, T0, why));
    must(rotate(T0 + DAY));
    uint64_t old_end = loaded().keys[0].public_part.to_ms;
    must(rotate(old_end + 30 * DAY - 1));
    struct mgr_signer_keys keys = loaded();
    assert_int_equal(keys.n, 9);
    assert_true(has_kid(&keys, 1));
    must(rotate(old_end + 30 * DAY));
    keys = loaded();
    assert_int_equal(keys.n, 9);
    assert_false(has_kid(&keys, 1));
}

/* For years: each KEYSET is sound, never more than 16 keys, always a key that signs, and no kid comes again
 * soon. */
static void monthly_rotations_go_on_for_ten_years(void **state) {
    (void)state;
    must(mgr_keyfile_init(dir, T0, why));
    uint64_t last_seen[256] = {0};
    for (unsigned month = 1; month <= 120; month++) {
        uint64_t now = T0 + month * 30 * DAY;
        must(rotate(now));
        struct mgr_signer_keys keys = loaded();
        struct tas_keyset set = keyset_of(&keys);
        assert_int_equal(set.sequence, month + 1);
        assert_true(set.count <= 12);
        for (uint8_t use = 1; use <= 3; use++)
            for (uint64_t at = now; at < now + 30 * DAY; at += 7 * HOUR)
                assert_non_null(mgr_keyfile_newest(&keys, use, at));
        for (size_t i = keys.n - 3; i < keys.n; i++) {
            uint8_t kid = keys.keys[i].public_part.kid;
            assert_true(kid > 0);
            assert_true(last_seen[kid] == 0 || last_seen[kid] + 60 * DAY < now);
        }
        for (size_t i = 0; i < keys.n; i++)
            last_seen[keys.keys[i].public_part.kid] = keys.keys[i].public_part.to_ms;
    }
}

static void too_many_rotations_at_once_are_refused_and_change_nothing(void **state) {
    (void)state;
    must(mgr_keyfile_init(dir, T0, why));
    uint64_t now = T0;
    for (unsigned i = 0; i < 4; i++)
        must(rotate(now += 60 * SECOND));
    char before[FILE_MAX], after[FILE_MAX];
    read_text("signer.keys", before);
    assert_int_equal(loaded().n, 15);
    assert_int_equal(rotate(now + 60 * SECOND), TAS_E_STATE);
    read_text("signer.keys", after);
    assert_string_equal(before, after);
    must(rotate(now + 3 * DAY)); /* the first have expired: they make room though 30 days have not passed */
    assert_true(loaded().n <= 16);
}

static void a_rotation_with_a_clock_that_is_behind_is_refused(void **state) {
    (void)state;
    must(mgr_keyfile_init(dir, T0, why));
    assert_int_equal(rotate(T0 - 1), TAS_E_CONFIG);
    assert_non_null(strstr(why, "clock"));
}

static void a_rotation_needs_the_root_of_these_keys(void **state) {
    (void)state;
    char text[FILE_MAX];
    must(mgr_keyfile_init(dir, T0, why));
    must(mgr_keyfile_init(in_dir("other"), T0, why));
    assert_int_equal(mgr_keyfile_rotate(dir, in_dir("other/root.key"), T0, why), TAS_E_CONFIG);
    assert_int_equal(mgr_keyfile_rotate(dir, in_dir("absent"), T0, why), TAS_E_CONFIG);
    assert_int_equal(mgr_keyfile_rotate(dir, dir, T0, why), TAS_E_CONFIG);
    assert_int_equal(mgr_keyfile_rotate(in_dir("absent"), in_dir("root.key"), T0, why), TAS_E_IO);
    size_t len = read_text("root.key", text);
    static const char *const bad[] = {"", "\n", "00", "zz"};
    for (size_t i = 0; i < 4; i++) {
        write_text("bad.key", bad[i], strlen(bad[i]));
        assert_int_equal(mgr_keyfile_rotate(dir, in_dir("bad.key"), T0, why), TAS_E_CONFIG);
    }
    text[len] = 'a';
    write_text("bad.key", text, len + 1);
    assert_int_equal(mgr_keyfile_rotate(dir, in_dir("bad.key"), T0, why), TAS_E_CONFIG);
    write_text("no-line-feed.key", text, len - 1);
    must(mgr_keyfile_rotate(dir, in_dir("no-line-feed.key"), T0, why));
    assert_int_equal(chmod(in_dir("root.key"), 0604), 0);
    assert_int_equal(rotate(T0), TAS_E_CONFIG);
    assert_int_equal(loaded().sequence, 2);
}

static void a_rotated_file_keeps_owner_group_and_mode(void **state) {
    (void)state;
    struct stat st;
    must(mgr_keyfile_init(dir, T0, why));
    assert_int_equal(chmod(in_dir("signer.keys"), 0640), 0);
    bool is_root = chown(in_dir("signer.keys"), 65534, 1) == 0;
    must(rotate(T0));
    assert_int_equal(mode_of("signer.keys"), 0640);
    assert_int_equal(stat(in_dir("signer.keys"), &st), 0);
    if (is_root) {
        assert_int_equal(st.st_uid, 65534);
        assert_int_equal(st.st_gid, 1);
    }
}

/* ---- reading ---- */

static void files_that_others_may_read_are_refused(void **state) {
    (void)state;
    static const mode_t good[] = {0600, 0400, 0640, 0440};
    static const mode_t bad[] = {0604, 0602, 0601, 0644, 0660, 0666, 0620};
    struct mgr_signer_keys keys;
    struct mgr_server_keys server;
    must(mgr_keyfile_init(dir, T0, why));
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(chmod(in_dir("signer.keys"), good[i]), 0);
        assert_int_equal(chmod(in_dir("server.keys"), good[i]), 0);
        must(mgr_keyfile_load_signer(in_dir("signer.keys"), &keys, why));
        must(mgr_keyfile_load_server(in_dir("server.keys"), &server, why));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(chmod(in_dir("signer.keys"), bad[i]), 0);
        assert_int_equal(chmod(in_dir("server.keys"), bad[i]), 0);
        assert_int_equal(mgr_keyfile_load_signer(in_dir("signer.keys"), &keys, why), TAS_E_CONFIG);
        assert_non_null(strstr(why, "chmod"));
        assert_int_equal(mgr_keyfile_load_server(in_dir("server.keys"), &server, why), TAS_E_CONFIG);
        assert_non_null(strstr(why, "chmod"));
    }
}

static void what_is_no_file_is_refused(void **state) {
    (void)state;
    struct mgr_signer_keys keys;
    struct mgr_server_keys server;
    assert_int_equal(mgr_keyfile_load_signer(in_dir("absent"), &keys, why), TAS_E_CONFIG);
    assert_non_null(strstr(why, "No such file"));
    assert_int_equal(mgr_keyfile_load_server(dir, &server, why), TAS_E_CONFIG);
    assert_int_equal(mgr_keyfile_load_signer("/dev/null", &keys, why), TAS_E_CONFIG);
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    assert_int_equal(mgr_keyfile_load_signer(in_dir("fifo"), &keys, why),
                     TAS_E_CONFIG); /* and does not wait for a writer */
}

/* Replaces the first `from` in signer.keys by `to`; the file must be refused then, and is put back. */
static void signer_without(const char *from, const char *to, const char *word) {
    char text[FILE_MAX], changed[2 * FILE_MAX];
    size_t len = read_text("signer.keys", text);
    char *at = strstr(text, from);
    assert_non_null(at);
    int n = snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    write_text("signer.keys", changed, (size_t)n);
    struct mgr_signer_keys keys = {.n = 77};
    why[0] = '\0';
    int err = mgr_keyfile_load_signer(in_dir("signer.keys"), &keys, why);
    if (err != TAS_E_CONFIG || !strstr(why, word))
        fail_msg("%s -> %s: %s", from, to, why);
    assert_int_equal(keys.n, 77);
    write_text("signer.keys", text, len);
}

static void a_signer_file_that_does_not_agree_with_itself_is_refused(void **state) {
    (void)state;
    char text[FILE_MAX];
    char seed[65];
    must(mgr_keyfile_init(dir, T0, why));
    read_text("signer.keys", text);
    snprintf(seed, sizeof(seed), "%s", strstr(text, "seed = \"") + 8);
    char other[65];
    snprintf(other, sizeof(other), "%s", seed);
    other[10] = other[10] == '0' ? '1' : '0';

    signer_without(seed, other, "other keys");
    signer_without(seed, "00", "64 hexadecimal");
    signer_without("key \"1\"", "key \"9\"", "other keys");
    signer_without("key \"1\"", "key \"0\"", "1 to 255");
    signer_without("key \"1\"", "key \"256\"", "1 to 255");
    signer_without("key \"1\"", "key \"x\"", "1 to 255");
    signer_without("key \"1\"", "key \" 1\"", "1 to 255");
    signer_without("key \"1\"", "key \"2\"", "2");
    signer_without("\"ticket\"", "\"audit\"", "other keys");
    signer_without("\"ticket\"", "\"tickets\"", "use");
    signer_without("from = ", "from = 1", "other keys");
    signer_without("from = ", "from = -", "from");
    signer_without("to = ", "to = 9", "other keys");
    signer_without("to = ", "to = 999999999999", "to");
    signer_without("    to = ", "    too = ", "too");
    signer_without("root = \"", "root = \"00", "root");
    signer_without("keyset = \"01", "keyset = \"02", "keyset");
    signer_without("keyset = \"01", "keyset = \"0", "keyset");
    signer_without("keyset = \"", "keyset = \"01", "keyset");
    signer_without("key \"3\" {", "#", "");
    signer_without("key \"1\"", "ky \"1\"", "ky");
}

static void a_keyset_of_another_root_is_refused(void **state) {
    (void)state;
    char text[FILE_MAX], root[FILE_MAX];
    must(mgr_keyfile_init(dir, T0, why));
    must(mgr_keyfile_init(in_dir("other"), T0, why));
    read_text("other/root.pub", root);
    root[64] = '\0';
    read_text("signer.keys", text);
    char own[65];
    snprintf(own, sizeof(own), "%s", strstr(text, "root = \"") + 8);
    signer_without(own, root, "not signed");
}

static void a_file_cut_anywhere_is_refused(void **state) {
    (void)state;
    char text[FILE_MAX];
    must(mgr_keyfile_init(dir, T0, why));
    size_t len = read_text("signer.keys", text);
    struct mgr_signer_keys keys;
    for (size_t cut = 0; cut + 2 < len;
         cut += 7) { /* without its last line feed, and without the brace before, too */
        write_text("signer.keys", text, cut);
        assert_int_equal(mgr_keyfile_load_signer(in_dir("signer.keys"), &keys, why), TAS_E_CONFIG);
    }
    struct mgr_server_keys server;
    len = read_text("server.keys", text);
    for (size_t cut = 0; cut + 2 < len; cut += 7) {
        write_text("server.keys", text, cut);
        assert_int_equal(mgr_keyfile_load_server(in_dir("server.keys"), &server, why), TAS_E_CONFIG);
    }
}

/* Bytes changed here and there: never a crash, and what is taken is what was written. */
static void a_file_with_noise_gives_the_same_keys_or_none(void **state) {
    (void)state;
    char text[FILE_MAX];
    must(mgr_keyfile_init(dir, T0, why));
    struct mgr_signer_keys right = loaded();
    size_t len = read_text("signer.keys", text);
    uint32_t dice = 12345;
    unsigned taken = 0;
    for (unsigned i = 0; i < 1500; i++) {
        dice = dice * 1664525 + 1013904223;
        size_t at = (dice >> 8) % len;
        dice = dice * 1664525 + 1013904223;
        char was = text[at];
        text[at] = (char)(dice >> 24);
        write_text("signer.keys", text, len);
        struct mgr_signer_keys keys = {0};
        if (mgr_keyfile_load_signer(in_dir("signer.keys"), &keys, why) == TAS_OK) {
            assert_memory_equal(keys.keyset, right.keyset, right.keyset_len);
            for (size_t k = 0; k < right.n; k++)
                assert_memory_equal(keys.keys[k].seed, right.keys[k].seed, 32);
            taken++;
        }
        text[at] = was;
    }
    assert_true(taken < 200); /* in the comment, in spaces, a digit by itself or in the other case */
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void server_secrets_of_another_form_are_refused(void **state) {
    (void)state;
    struct mgr_server_keys server = {.number = {77}};
    static const char *const bad[] = {
        "",
        "number = \"00\"\n",
        "nummer = \"00\"\n",
        "number = \"zz\"\ntoken = \"00\"\nnonce = \"00\"\n",
        "number = \"" ZEROS "\"\ntoken = \"" ZEROS "\"\nnonce = \"" ZEROS "\"\ncursor = \"" ZEROS "\"\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_text("server.keys", bad[i], strlen(bad[i]));
        assert_int_equal(mgr_keyfile_load_server(in_dir("server.keys"), &server, why), TAS_E_CONFIG);
    }
    assert_int_equal(server.number[0], 77);
}

/* ---- without memory ---- */

static void without_memory_reading_fails_cleanly(void **state) {
    (void)state;
    must(mgr_keyfile_init(dir, T0, why));
    unsigned failed = 0;
    for (unsigned n = 1;; n++) {
        struct mgr_signer_keys keys;
        tas_oom_fail_at(n);
        int err = mgr_keyfile_load_signer(in_dir("signer.keys"), &keys, why);
        bool has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        if (!has_failed) {
            assert_int_equal(err, TAS_OK);
            break;
        }
        assert_int_equal(err, TAS_E_CONFIG);
        failed++;
    }
    assert_true(failed >= 2);
}

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(init_makes_four_files_that_others_cannot_read),
        IN_FOLDER(every_installation_has_keys_of_its_own),
        IN_FOLDER(init_overwrites_nothing_and_leaves_nothing_half),
        IN_FOLDER(init_says_which_folder_cannot_be_used),
        IN_FOLDER(one_init_or_rotate_at_a_time),
        IN_FOLDER(a_crash_in_the_middle_of_writing_does_not_stop_the_next),
        IN_FOLDER(a_rotation_publishes_a_day_ahead_and_overlaps_by_26_hours),
        IN_FOLDER(signatures_from_before_and_after_the_change_hold),
        IN_FOLDER(a_rotation_after_everything_has_expired_counts_at_once),
        IN_FOLDER(a_rotation_in_the_last_day_leaves_no_gap),
        IN_FOLDER(an_expired_key_is_kept_for_30_days),
        IN_FOLDER(monthly_rotations_go_on_for_ten_years),
        IN_FOLDER(too_many_rotations_at_once_are_refused_and_change_nothing),
        IN_FOLDER(a_rotation_with_a_clock_that_is_behind_is_refused),
        IN_FOLDER(a_rotation_needs_the_root_of_these_keys),
        IN_FOLDER(a_rotated_file_keeps_owner_group_and_mode),
        IN_FOLDER(files_that_others_may_read_are_refused),
        IN_FOLDER(what_is_no_file_is_refused),
        IN_FOLDER(a_signer_file_that_does_not_agree_with_itself_is_refused),
        IN_FOLDER(a_keyset_of_another_root_is_refused),
        IN_FOLDER(a_file_cut_anywhere_is_refused),
        IN_FOLDER(a_file_with_noise_gives_the_same_keys_or_none),
        IN_FOLDER(server_secrets_of_another_form_are_refused),
        IN_FOLDER(without_memory_reading_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
