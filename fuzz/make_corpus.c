/* Writes the starting corpora of all targets but codec: make_corpus FOLDER (usually fuzz/corpus). The same at
 * every run; a change of the wire shows as a change of these files. */
#include "kit.h"
#include "wire/record.h"
#include "wire/signed.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *root;

static void save(const char *target, const char *name, const void *bytes, size_t len) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", root, target);
    (void)mkdir(path, 0777); /* there already: fopen() tells if not */
    snprintf(path, sizeof(path), "%s/%s/%s", root, target, name);
    FILE *file = fopen(path, "wb");
    assert(file);
    size_t n = fwrite(bytes, 1, len, file);
    assert(n == len && fclose(file) == 0);
}

static void save_text(const char *target, const char *name, const char *text) {
    save(target, name, text, strlen(text));
}

/* ---- messages: every third layout, as short as it may be ---- */

/* clang-format off */
static void messages(void) {
    uint8_t out[1024] = {0};
    uint8_t which = 0;
#define ONE(name) { \
        static const uint8_t zeros[400]; \
        struct tas_msg_##name msg; \
        for (size_t n = 0; which % 3 == 0 && n <= sizeof(zeros); n++) { \
            if (tas_msg_##name##_decode(&msg, tas_bytes_of(zeros, n)) != TAS_OK) \
                continue; \
            out[0] = which; \
            int len = tas_msg_##name##_encode(&msg, out + 1, sizeof(out) - 1); \
            assert(len >= 0); \
            save("messages", #name, out, 1 + (size_t)len); \
            break; \
        } \
        which++; \
    }
#define LAYOUT(NAME, name, size)    ONE(name)
#define RECORD(id, NAME, name)      ONE(name)
#define MESSAGE(id, NAME, name, ch) ONE(name)
#include "wire/fields_ignore.h"
#include "wire/messages.def"
#include "wire/fields_undef.h"
}
/* clang-format on */

/* ---- records ---- */

static size_t record(uint8_t *out, uint8_t type, uint8_t pf, struct tas_bytes payload) {
    tas_record_head_encode(out, type, pf, 1, payload.len);
    if (payload.len)
        memcpy(out + TAS_RECORD_HEAD, payload.ptr, payload.len);
    return TAS_RECORD_HEAD + payload.len;
}

static void records(void) {
    static const char body[] =
        "the body of a fragment, a little longer than sixty-four bytes, so that it has padding";
    uint8_t out[2048], plain[256];
    size_t len = 0;
    for (unsigned flags = 0; flags < 4; flags++) {
        struct tas_fragment frag = {.ch = 7,
                                    .is_start = flags & 1,
                                    .is_fin = flags & 2,
                                    .type = TAS_MESSAGE_CHAT,
                                    .total = 400,
                                    .body = tas_bytes_of(body, sizeof(body))};
        int n = tas_fragment_encode(&frag, 64, plain, sizeof(plain));
        assert(n > 0);
        uint8_t pf =
            (uint8_t)(1 | (frag.is_start ? TAS_PF_UNIT_START : 0) | (frag.is_fin ? TAS_PF_UNIT_END : 0));
        size_t one = record(out + len, TAS_RECORD_DATA, pf, tas_bytes_of(plain, (size_t)n));
        static const char *const names[] = {"middle", "start", "fin", "whole"};
        save("record", names[flags], out + len, one);
        len += one;
    }
    save("record", "stream", out, len);
    save("record", "cut", out, len - 5);
    len = record(out, TAS_RECORD_PING, 0, tas_bytes_of("12345678", 8));
    len += record(out + len, TAS_RECORD_CLOSE, 0,
                  tas_bytes_of("\0\x0e"
                               "bye",
                               5));
    save("record", "ping_close", out, len);
    out[6] = 0x40; /* over the limit */
    save("record", "too_long", out, TAS_RECORD_HEAD);
    out[1] = 0x20; /* an unknown bit of pf */
    out[6] = 0;
    save("record", "unknown_pf", out, TAS_RECORD_HEAD + 8);
}

/* ---- keysets and names ---- */

static void keysets(void) {
    uint8_t out[TAS_KEYSET_MAX_LEN];
    static const unsigned counts[] = {1, 2, 16};
    static const char *const names[] = {"one", "two", "sixteen"};
    for (unsigned i = 0; i < 3; i++) {
        struct tas_keyset set = {.sequence = 1, .issued_ms = 2, .count = counts[i]};
        for (unsigned k = 0; k < counts[i]; k++)
            set.keys[k] = (struct tas_msg_keyset_key){.kid = (uint8_t)(k / 2),
                                                      .use = (uint8_t)(k % 2 + 1),
                                                      .from_ms = k * 1000,
                                                      .to_ms = k % 3 ? UINT64_MAX : k * 1000 + 1};
        int n = tas_keyset_encode(&set, out, sizeof(out));
        assert(n > 0);
        memset(out + n, 0x5a, 64);
        save("keyset", names[i], out, (size_t)n + 64);
    }
    save("keyset", "name", "Anna \xe5\x8a\xa9\0\0\0\0", 12);
    save("keyset", "turned_name",
         "Anna\xe2\x80\xae"
         "b\0\0",
         10);
}

/* ---- scripts ---- */

static void handshakes(void) {
    save("handshake", "good", "\x1f\x00\x01\x00", 4); /* H1 to the host, H2 to the viewer, H3 to the host */
    save("handshake", "good_sodium", "\x00\x00\x01\x00", 4);
    save("handshake", "h2_changed", "\x1e\x00\x03\x20\x01\x00", 6);
    save("handshake", "h1_changed", "\x1e\x02\x03\x02\x01\x00", 6);
    save("handshake", "h3_changed", "\x1e\x00\x01\x02\x30\x80", 6);
    save("handshake", "max_rec_changed", "\x1e\x00\x01\x02\x0d\x80", 6);
    save("handshake", "reflected", "\x1e\x07\x00\x06\x01", 5);
    save("handshake", "repeated", "\x1e\x00\x00\x01\x01\x00\x00", 7);
    struct kit kit;
    kit_init(&kit, &tas_crypto_sodium, TAS_SUITE_CHACHA20);
    uint8_t raw[3 + TAS_SIZE_H1 + 2] = {0x00, 0x04, TAS_SIZE_H1};
    memcpy(raw + 3, kit.h1, TAS_SIZE_H1);
    save("handshake", "invented", raw, sizeof(raw));
}

static void auths(void) {
    static const char *const names[] = {"auth_host", "rs2", "auth_viewer", "rs1"};
    for (uint8_t what = 0; what < 4; what++) {
        bool is_viewers = what & 2;
        uint8_t script[] = {(uint8_t)(what | (is_viewers ? 0 : 4)), 0, 100, 0x01};
        char name[32];
        save("auth_resume", names[what], script, 1);
        snprintf(name, sizeof(name), "%s_changed", names[what]);
        save("auth_resume", name, script, sizeof(script));
        script[0] ^= 4;
        snprintf(name, sizeof(name), "%s_reflected", names[what]);
        save("auth_resume", name, script, 1);
    }
    uint8_t raw[1 + TAS_SIZE_RS] = {9, 4, 1, 2, KIT_SLOT};
    save("auth_resume", "raw", raw, sizeof(raw));
}

static void seals(void) {
    uint8_t out[192];
    size_t n = 0;
    for (unsigned i = 0; n < sizeof(out); i++) { /* to and fro through all classes, over several updates */
        uint8_t who = (uint8_t)((i & 1) << 3 | (i >> 1 & 3) << 4);
        const uint8_t both[] = {who, (uint8_t)i, (uint8_t)(who | 1)};
        memcpy(out + n, both, sizeof(both));
        n += sizeof(both);
    }
    save("seal", "updates", out, n);
    save("seal", "replay", "\x00\x05\x01\x02\x00\x05\x02\x01", 8);
    save("seal", "skip", "\x00\x05\x00\x06\x03\x01\x01", 7);
    save("seal", "change", "\x18\x05\x1c\x00\x01\x1c\x1f\x80\x1c\xff\x04\x19", 12);
    save("seal", "reflect", "\x00\x05\x05\x0d\x01\x08\x05\x0d\x05\x09", 10);
    save("seal", "wait", "\x00\x05\x01\x08\x05\x09\x07\xff\x20\x05\x21", 11);
    save("seal", "raw", "\x06\x00\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 27);
}

static void texts(void) {
    save_text("text", "code", "482-913-527");
    save_text("text", "code_blanks", " 482 913 527 ");
    save_text("text", "code_long", "482-913-5270");
    save_text("text", "hex", "00fFaA09");
    save_text("text", "utf8", "Gr\xc3\xbc\xc3\x9f \xe5\x8a\xa9 \xf0\x9f\x98\x80");
    save_text("text", "overlong", "a\xc0\x80\xe0\x80\x80");
    save_text("text", "surrogate", "\xed\xa0\x80");
    save_text("text", "beyond", "\xf4\x8f\xbf\xbf\xf4\x90\x80\x80");
    save_text("text", "bidi", "Anna\xe2\x80\xaegpj");
    save_text("text", "quote", "a \"b\" \\ c\n\x1b[0m\x7f");
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "make_corpus FOLDER\n");
        return 2;
    }
    root = argv[1];
    messages();
    records();
    keysets();
    handshakes();
    auths();
    seals();
    texts();
    return 0;
}
