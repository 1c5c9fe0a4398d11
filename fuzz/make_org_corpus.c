/* Writes the starting corpus of fuzz_org: make_org_corpus FOLDER (usually fuzz/corpus/org). The same at every
 * run. */
#include "base/hex.h"
#include "crypto/crypto.h"
#include "org/org.h"

#include <assert.h>
#include <stdio.h>
#include <sys/stat.h>

enum { FIND = 0, READ = 1, WRITE = 2, NAMES_AT = 64, OURS_AT = 128, TABLE_AT = OURS_AT + ORG_SECTION };

static const char *folder;
static const uint8_t root_seed[32] = {7}; /* as in fuzz_org.c */

static void save(const char *name, uint8_t which, const void *bytes, size_t len) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert(file);
    bool ok = fwrite(&which, 1, 1, file) == 1 && fwrite(bytes, 1, len, file) == len;
    assert(fclose(file) == 0 && ok);
}

static void put(uint8_t *at, uint64_t value, size_t n) {
    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static void programs(void) {
    static uint8_t elf[TABLE_AT + 3 * 64] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    static const char names[] = "\0.tasuki_org\0.shstrtab";
    static const uint64_t sections[3][4] = {
        {0}, {1, 1, OURS_AT, ORG_SECTION}, {13, 3, NAMES_AT, sizeof(names)}};
    put(elf + 40, TABLE_AT, 8);
    put(elf + 58, 64, 2);
    put(elf + 60, 3, 2);
    put(elf + 62, 2, 2);
    memcpy(elf + NAMES_AT, names, sizeof(names));
    for (size_t i = 0; i < 3; i++) {
        uint8_t *at = elf + TABLE_AT + 64 * i;
        put(at, sections[i][0], 4);
        put(at + 4, sections[i][1], 4);
        put(at + 24, sections[i][2], 8);
        put(at + 32, sections[i][3], 8);
    }
    save("program", FIND, elf, sizeof(elf));
    save("header", FIND, elf, 64);
    put(elf + TABLE_AT + 64 + 24, TABLE_AT, 8);
    save("over_the_table", FIND, elf, sizeof(elf));
}

static void texts(void) {
    static const char form[] = "{\"organisation\":\"%s\",\"managers\":[{\"url\":\"%s\",\"address\":\"%s\"}],"
                               "\"downloads\":[{\"url\":\"https://"
                               "get.tasuki.test:8443\"}],\"ca\":%s,\"root\":\"%s\",\"sequence\":%d}";
    static const char pem[] = "\"-----BEGIN CERTIFICATE-----\\nAA==\\n-----END CERTIFICATE-----\\n\"";
    uint8_t root[32];
    uint8_t section[ORG_SECTION];
    char root_hex[65];
    char json[1024];
    char why[ORG_WHY];
    int err = tas_crypto_native()->ed25519_public(root, root_seed);
    assert(err == TAS_OK);
    tas_hex_encode(root_hex, tas_bytes_of(root, sizeof(root)));
    int n = snprintf(json, sizeof(json), form, "\xe4\xbe\x8b", "https://m1.tasuki.test", "127.83.0.1:443",
                     pem, root_hex, 3);
    save("text", WRITE, json, (size_t)n);
    err = org_write(section, tas_bytes_of(json, (size_t)n), root_seed, why);
    assert(err == TAS_OK);
    save("section", READ, section, 8 + 4 + (size_t)n + 64);
    section[8 + 4 + n] ^= 1;
    save("badly_signed", READ, section, 8 + 4 + (size_t)n + 64);
    save("empty", READ, "", 0);
    n = snprintf(json, sizeof(json), form, "a", "https://a", "[::1]:443", "null", root_hex, 0);
    save("text_v6", WRITE, json, (size_t)n);
    n = snprintf(json, sizeof(json), form, "a", "https://a/b", "127.0.0.1", "7", "00", -1);
    save("text_bad", WRITE, json, (size_t)n);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "make_org_corpus FOLDER\n");
        return 2;
    }
    folder = argv[1];
    (void)mkdir(folder, 0777);
    programs();
    texts();
    return 0;
}
