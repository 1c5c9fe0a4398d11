/* What a tool is born with: the signed section, and where it lies in a program. */
#include "base/hex.h"
#include "crypto/crypto.h"
#include "org/org.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const uint8_t root_seed[32] = {7};
static char root_hex[65];
static char why[ORG_WHY];

#define MANAGERS                                                                                             \
    "\"managers\":[{\"url\":\"https://m1.tasuki.test\",\"address\":\"127.83.0.1:443\"},{\"url\":\"https://"  \
    "m2.tasuki.test:8443\"}]"
#define DOWNLOADS "\"downloads\":[{\"url\":\"https://get.tasuki.test\",\"address\":\"[::1]:443\"}]"
#define NAME      "\"organisation\":\"例株式会社\""
#define CA        "\"ca\":\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\""

static struct tas_bytes str(const char *text) {
    return tas_bytes_of(text, strlen(text));
}

/* The members given, root and sequence 3. */
static const char *json_of(const char *members) {
    static char text[ORG_SECTION * 2 + 256];
    snprintf(text, sizeof(text), "{%s,\"root\":\"%s\",\"sequence\":3}", members, root_hex);
    return text;
}

static int write_members(uint8_t section[ORG_SECTION], const char *members) {
    why[0] = '\0';
    return org_write(section, str(json_of(members)), root_seed, why);
}

static int set_up(void **state) {
    (void)state;
    uint8_t root[32];
    if (tas_crypto_native()->ed25519_public(root, root_seed) != TAS_OK)
        return -1;
    tas_hex_encode(root_hex, tas_bytes_of(root, sizeof(root)));
    return 0;
}

/* ---- the section ---- */

static void what_was_written_is_read(void **state) {
    (void)state;
    uint8_t section[ORG_SECTION];
    struct org org;
    assert_int_equal(write_members(section, NAME "," MANAGERS "," DOWNLOADS "," CA), TAS_OK);
    assert_int_equal(org_read(&org, tas_bytes_of(section, sizeof(section)), why), TAS_OK);
    assert_string_equal(org.organisation, "例株式会社");
    assert_int_equal(org.n_managers, 2);
    assert_string_equal(org.managers[0].url, "https://m1.tasuki.test");
    assert_string_equal(org.managers[0].address, "127.83.0.1:443");
    assert_string_equal(org.managers[1].url, "https://m2.tasuki.test:8443");
    assert_string_equal(org.managers[1].address, "");
    assert_int_equal(org.n_downloads, 1);
    assert_string_equal(org.downloads[0].address, "[::1]:443");
    assert_string_equal(org.ca_pem, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_int_equal(org.sequence, 3);
    uint8_t root[32];
    assert_int_equal(tas_hex_decode(root, sizeof(root), root_hex), TAS_OK);
    assert_memory_equal(org.root, root, sizeof(root));
}

static void the_layout_is_as_the_header_says(void **state) {
    (void)state;
    uint8_t section[ORG_SECTION];
    uint8_t signed_part[16 + ORG_SECTION] = "TSK1 org";
    uint8_t root[32];
    assert_int_equal(write_members(section, NAME "," MANAGERS "," DOWNLOADS ",\"ca\":null"), TAS_OK);
    const char *json = json_of(NAME "," MANAGERS "," DOWNLOADS ",\"ca\":null");
    size_t len = strlen(json);
    assert_memory_equal(section, "TSKORG1\0", 8);
    assert_int_equal(section[8], 0);
    assert_int_equal(section[9], 0);
    assert_int_equal(section[10] << 8 | section[11], len);
    assert_memory_equal(section + 12, json, len);
    memcpy(signed_part + 16, json, len);
    assert_int_equal(tas_hex_decode(root, sizeof(root), root_hex), TAS_OK);
    assert_int_equal(tas_ed25519_verify(tas_crypto_native(), section + 12 + len, root,
                                        tas_bytes_of(signed_part, 16 + len)),
                     TAS_OK);
    for (size_t i = 12 + len + 64; i < ORG_SECTION; i++)
        assert_int_equal(section[i], 0);
}

static void an_empty_section_is_told_from_a_damaged_one(void **state) {
    (void)state;
    static uint8_t section[ORG_SECTION];
    struct org org = {.sequence = 77};
    assert_int_equal(org_read(&org, tas_bytes_of(section, sizeof(section)), why), TAS_E_ABSENT);
    section[ORG_SECTION - 1] = 1;
    assert_int_equal(org_read(&org, tas_bytes_of(section, sizeof(section)), why), TAS_E_PROTO);
    section[ORG_SECTION - 1] = 0;
    assert_int_equal(org_read(&org, tas_bytes_of(section, ORG_SECTION - 1), why), TAS_E_PROTO);
    assert_int_equal(org_read(&org, tas_bytes_of(NULL, 0), why), TAS_E_PROTO);
    assert_int_equal(org.sequence, 77);
}

static void any_changed_bit_is_noticed(void **state) {
    (void)state;
    uint8_t section[ORG_SECTION];
    struct org org = {.sequence = 77};
    assert_int_equal(write_members(section, NAME "," MANAGERS "," DOWNLOADS), TAS_OK);
    size_t used = 12 + strlen(json_of(NAME "," MANAGERS "," DOWNLOADS)) + 64;
    for (size_t i = 0; i < ORG_SECTION; i += i < used + 8 ? 1 : 97) {
        section[i] ^= 1;
        why[0] = '\0';
        int err = org_read(&org, tas_bytes_of(section, sizeof(section)), why);
        if (err != TAS_E_AUTH && err != TAS_E_PROTO)
            fail_msg("byte %zu changed: %s", i, tas_err_name(err));
        assert_true(why[0]);
        section[i] ^= 1;
    }
    assert_int_equal(org.sequence, 77);
    assert_int_equal(org_read(&org, tas_bytes_of(section, sizeof(section)), why), TAS_OK);
}

static void a_section_moved_to_another_root_is_badly_signed(void **state) {
    (void)state;
    uint8_t section[ORG_SECTION];
    struct org org;
    assert_int_equal(write_members(section, NAME "," MANAGERS "," DOWNLOADS), TAS_OK);
    static const uint8_t other_seed[32] = {8};
    uint8_t other[32];
    char other_hex[65];
    assert_int_equal(tas_crypto_native()->ed25519_public(other, other_seed), TAS_OK);
    tas_hex_encode(other_hex, tas_bytes_of(other, sizeof(other)));
    uint8_t *at = memmem(section, sizeof(section), root_hex, 64);
    assert_non_null(at);
    memcpy(at, other_hex, 64);
    assert_int_equal(org_read(&org, tas_bytes_of(section, sizeof(section)), why), TAS_E_AUTH);
    assert_int_equal(org_write(section, str(json_of(NAME "," MANAGERS "," DOWNLOADS)), other_seed, why),
                     TAS_E_AUTH);
}

static void texts_of_another_form_are_refused_in_words(void **state) {
    (void)state;
    static const struct {
        const char *members, *word;
    } bad[] = {
        {MANAGERS "," DOWNLOADS, "organisation"},
        {"\"organisation\":\"\"," MANAGERS "," DOWNLOADS, "organisation"},
        {"\"organisation\":\"a\\u202eb\"," MANAGERS "," DOWNLOADS, "organisation"},
        {"\"organisation\":7," MANAGERS "," DOWNLOADS, "organisation"},
        {NAME "," DOWNLOADS, "managers"},
        {NAME ",\"managers\":[]," DOWNLOADS, "managers"},
        {NAME ",\"managers\":{}," DOWNLOADS, "managers"},
        {NAME ",\"managers\":[7]," DOWNLOADS, "managers"},
        {NAME ",\"managers\":[{\"address\":\"127.0.0.1:443\"}]," DOWNLOADS, "managers"},
        {NAME ",\"managers\":[{\"url\":\"https://a\",\"port\":1}]," DOWNLOADS, "managers"},
        {NAME "," MANAGERS, "downloads"},
        {NAME "," MANAGERS "," DOWNLOADS ",\"ca\":\"/etc/ssl/ca.pem\"", "ca"},
        {NAME "," MANAGERS "," DOWNLOADS ",\"ca\":7", "ca"},
        {NAME "," MANAGERS "," DOWNLOADS ",\"extra\":1", "unknown member"},
        {NAME "," MANAGERS "," DOWNLOADS ",\"sequence\":2", "not JSON"},
    };
    uint8_t section[ORG_SECTION];
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(write_members(section, bad[i].members), TAS_E_PROTO);
        if (!strstr(why, bad[i].word))
            fail_msg("%s: %s", bad[i].members, why);
    }
    static const char *const not_objects[] = {"", "7", "[]", "{", "{}", "{} x", "null"};
    for (size_t i = 0; i < sizeof(not_objects) / sizeof(not_objects[0]); i++)
        assert_int_equal(org_write(section, str(not_objects[i]), root_seed, why), TAS_E_PROTO);
}

static int with_url(const char *url, const char *address) {
    static uint8_t section[ORG_SECTION];
    char members[1024];
    snprintf(members, sizeof(members), "%s,\"managers\":[{\"url\":\"%s\",\"address\":\"%s\"}],%s", NAME, url,
             address, DOWNLOADS);
    return write_members(section, members);
}

static void a_url_is_https_and_a_name_and_perhaps_a_port(void **state) {
    (void)state;
    static const char *const good[] = {"https://a", "https://a.b", "https://m-1.tasuki.test:443",
                                       "https://127.0.0.1:65535", "https://A.Example"};
    static const char *const bad[] = {"",
                                      "https://",
                                      "http://a",
                                      "HTTPS://a",
                                      "https:/a",
                                      "https://a/",
                                      "https://a/b",
                                      "https://a?b",
                                      "https://a#b",
                                      "https://u@a",
                                      "https://u:p@a",
                                      "https://a:",
                                      "https://a:0",
                                      "https://a:0443",
                                      "https://a:65536",
                                      "https://a:4 4",
                                      "https://a:443/",
                                      "https://a:443:443",
                                      "https://a b",
                                      "https://.a",
                                      "https://a.",
                                      "https://a..b",
                                      "https://-a",
                                      "https://a-",
                                      "https://a-.b",
                                      "https://a_b",
                                      "https://例.test",
                                      "https://[::1]",
                                      "https://a\\\\b",
                                      "https://a%2fb",
                                      "ws://a"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (with_url(good[i], "") != TAS_OK)
            fail_msg("%s: %s", good[i], why);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (with_url(bad[i], "") != TAS_E_PROTO)
            fail_msg("%s is taken", bad[i]);
    char label[64 + 1];
    char url[128];
    memset(label, 'a', 64);
    label[64] = '\0';
    snprintf(url, sizeof(url), "https://%s.test", label);
    assert_int_equal(with_url(url, ""), TAS_E_PROTO);
    snprintf(url, sizeof(url), "https://%s.test", label + 1);
    assert_int_equal(with_url(url, ""), TAS_OK);
}

static void an_address_is_a_number_and_a_port(void **state) {
    (void)state;
    static const char *const good[] = {
        "",          "127.83.0.1:443",     "255.255.255.255:1",     "0.0.0.0:65535",
        "[::1]:443", "[2001:db8::1]:8443", "[::ffff:127.0.0.1]:443"};
    static const char *const bad[] = {"127.0.0.1",       "127.0.0.1:",    "127.0.0:443",  "127.0.0.1.1:443",
                                      "127.0.0.256:1",   "127.00.0.1:1",  "127.0..1:443", ".127.0.0.1:443",
                                      "a:443",           "127.0.0.1:0",   "::1:443",      "[::1]",
                                      "[::1:443",        "[]:443",        "[:]:443",      "[::g]:443",
                                      "127.0.0.1:99999", "localhost:443", ":443",         "[::1]x:443"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (with_url("https://a", good[i]) != TAS_OK)
            fail_msg("%s: %s", good[i], why);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (with_url("https://a", bad[i]) != TAS_E_PROTO)
            fail_msg("%s is taken", bad[i]);
}

static void lists_and_texts_have_their_limits(void **state) {
    (void)state;
    uint8_t section[ORG_SECTION];
    char members[ORG_SECTION * 2];
    for (int n = ORG_MANAGERS; n <= ORG_MANAGERS + 1; n++) {
        int len = snprintf(members, sizeof(members), "%s,%s,\"managers\":[", NAME, DOWNLOADS);
        for (int i = 0; i < n; i++)
            len += snprintf(members + len, sizeof(members) - (size_t)len, "%s{\"url\":\"https://m%d\"}",
                            i ? "," : "", i);
        snprintf(members + len, sizeof(members) - (size_t)len, "]");
        assert_int_equal(write_members(section, members), n == ORG_MANAGERS ? TAS_OK : TAS_E_PROTO);
    }
    /* spaces fill it to the last byte, and one too many */
    const char *json = json_of(NAME "," MANAGERS "," DOWNLOADS);
    size_t len = strlen(json);
    char text[ORG_SECTION];
    memset(text, ' ', sizeof(text));
    memcpy(text, json, len);
    struct org org;
    size_t most = ORG_SECTION - 12 - 64;
    assert_int_equal(org_write(section, tas_bytes_of(text, most), root_seed, why), TAS_OK);
    assert_int_equal(org_read(&org, tas_bytes_of(section, sizeof(section)), why), TAS_OK);
    assert_int_equal(org_write(section, tas_bytes_of(text, most + 1), root_seed, why), TAS_E_PROTO);
}

static void lengths_that_lie_are_refused(void **state) {
    (void)state;
    uint8_t section[ORG_SECTION];
    struct org org;
    assert_int_equal(write_members(section, NAME "," MANAGERS "," DOWNLOADS), TAS_OK);
    static const uint8_t lies[][4] = {{0xff, 0xff, 0xff, 0xff}, {0x7f, 0xff, 0xff, 0xff}, {0, 0, 0x20, 0},
                                      {0, 0, 0x1f, 0xb5},       {0, 0, 0x1f, 0xb4},       {0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        memcpy(section + 8, lies[i], 4);
        assert_int_equal(org_read(&org, tas_bytes_of(section, sizeof(section)), why), TAS_E_PROTO);
    }
}

/* ---- programs ---- */

enum {
    NAMES_AT = 64,
    OURS_AT = 128,
    TABLE_AT = OURS_AT + ORG_SECTION,
    SECTIONS = 3,
    ELF_LEN = TABLE_AT + SECTIONS * 64
};

static void put(uint8_t *at, uint64_t value, size_t n) {
    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void put_section(uint8_t *elf, size_t i, uint32_t name, uint32_t type, uint64_t offset,
                        uint64_t size) {
    uint8_t *at = elf + TABLE_AT + 64 * i;
    put(at, name, 4);
    put(at + 4, type, 4);
    put(at + 24, offset, 8);
    put(at + 32, size, 8);
}

/* Null section, .tasuki_org, .shstrtab. */
static void make_elf(uint8_t elf[ELF_LEN]) {
    static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    static const char names[] = "\0.tasuki_org\0.shstrtab"; /* .tasuki_org at 1, .shstrtab at 13 */
    memset(elf, 0, ELF_LEN);
    memcpy(elf, ident, sizeof(ident));
    put(elf + 40, TABLE_AT, 8);
    put(elf + 58, 64, 2);
    put(elf + 60, SECTIONS, 2);
    put(elf + 62, 2, 2);
    memcpy(elf + NAMES_AT, names, sizeof(names));
    put_section(elf, 1, 1, 1, OURS_AT, ORG_SECTION);
    put_section(elf, 2, 13, 3, NAMES_AT, sizeof(names));
}

static void the_section_is_found_in_a_program(void **state) {
    (void)state;
    static uint8_t elf[ELF_LEN];
    size_t offset = 0;
    make_elf(elf);
    assert_int_equal(org_find(tas_bytes_of(elf, sizeof(elf)), &offset, why), TAS_OK);
    assert_int_equal(offset, OURS_AT);
}

static void a_program_cut_anywhere_is_refused(void **state) {
    (void)state;
    static uint8_t elf[ELF_LEN];
    size_t offset = 77;
    make_elf(elf);
    for (size_t len = 0; len < ELF_LEN; len += len < 200 ? 1 : 61) {
        uint8_t *cut = malloc(len ? len : 1); /* of the exact length, for ASan */
        memcpy(cut, elf, len);
        assert_int_equal(org_find(tas_bytes_of(cut, len), &offset, why), TAS_E_PROTO);
        free(cut);
    }
    assert_int_equal(offset, 77);
}

static void programs_that_lie_are_refused(void **state) {
    (void)state;
    static const struct {
        size_t at;
        uint64_t value;
        size_t n;
        const char *why;
    } lies[] = {
        {0, 0x7e, 1, "no ELF"},
        {4, 1, 1, "32 bits"},
        {5, 2, 1, "big-endian"},
        {6, 0, 1, "no version"},
        {40, 0, 8, "no table"},
        {40, ELF_LEN - 64, 8, "table runs over the end"},
        {40, UINT64_MAX, 8, "table at the end of all numbers"},
        {40, UINT64_MAX - 63, 8, "table wraps"},
        {58, 40, 2, "entries of another size"},
        {60, 0, 2, "no sections"},
        {60, 4, 2, "more sections than there are"},
        {60, 0xffff, 2, "far more sections"},
        {62, 3, 2, "names in a section that is not there"},
        {62, 1, 2, "names in a section of another type"},
        {62, 0, 2, "names in the null section"},
        {TABLE_AT + 2 * 64 + 24, ELF_LEN, 8, "names behind the end"},
        {TABLE_AT + 2 * 64 + 32, UINT64_MAX, 8, "endless names"},
        {TABLE_AT + 2 * 64 + 32, 12, 8, "names cut in the middle of ours"},
        {TABLE_AT + 64, 0xffffffff, 4, "a name far away"},
        {TABLE_AT + 64, 2, 4, "another name"},
        {TABLE_AT + 64 + 4, 8, 4, "no bytes in the file"},
        {TABLE_AT + 64 + 24, ELF_LEN, 8, "ours behind the end"},
        {TABLE_AT + 64 + 24, UINT64_MAX - 100, 8, "ours wraps"},
        {TABLE_AT + 64 + 24, 0, 8, "ours over the header"},
        {TABLE_AT + 64 + 24, OURS_AT + 1, 8, "ours over the table"},
        {TABLE_AT + 64 + 32, ORG_SECTION - 1, 8, "too short"},
        {TABLE_AT + 64 + 32, ORG_SECTION + 1, 8, "too long"},
        {TABLE_AT + 64 + 32, 0, 8, "empty"},
        {TABLE_AT + 2 * 64, 1, 4, "two sections of the name"},
    };
    static uint8_t elf[ELF_LEN];
    size_t offset = 77;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        make_elf(elf);
        put(elf + lies[i].at, lies[i].value, lies[i].n);
        if (org_find(tas_bytes_of(elf, sizeof(elf)), &offset, why) != TAS_E_PROTO)
            fail_msg("a program is taken: %s", lies[i].why);
        assert_int_equal(offset, 77);
    }
}

/* As in a tool. volatile: it is filled after linking. */
ORG_IN_SECTION static const volatile uint8_t own_section[ORG_SECTION] = {'h', 'e', 'r', 'e'};

static void the_section_is_found_in_what_the_linker_made(void **state) {
    (void)state;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat st;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    size_t len = (size_t)st.st_size;
    uint8_t *file = malloc(len);
    size_t offset = 0;
    assert_non_null(file);
    assert_int_equal(read(fd, file, len), len);
    close(fd);
    if (org_find(tas_bytes_of(file, len), &offset, why) != TAS_OK)
        fail_msg("%s", why);
    assert_memory_equal(file + offset, "here", 4);
    assert_int_equal(own_section[0], 'h');
    free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(the_layout_is_as_the_header_says),
        cmocka_unit_test(an_empty_section_is_told_from_a_damaged_one),
        cmocka_unit_test(any_changed_bit_is_noticed),
        cmocka_unit_test(a_section_moved_to_another_root_is_badly_signed),
        cmocka_unit_test(texts_of_another_form_are_refused_in_words),
        cmocka_unit_test(a_url_is_https_and_a_name_and_perhaps_a_port),
        cmocka_unit_test(an_address_is_a_number_and_a_port),
        cmocka_unit_test(lists_and_texts_have_their_limits),
        cmocka_unit_test(lengths_that_lie_are_refused),
        cmocka_unit_test(the_section_is_found_in_a_program),
        cmocka_unit_test(a_program_cut_anywhere_is_refused),
        cmocka_unit_test(programs_that_lie_are_refused),
        cmocka_unit_test(the_section_is_found_in_what_the_linker_made),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
