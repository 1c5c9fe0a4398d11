/* Text from outside: UTF-8, hexadecimal, check codes, log lines.
 * Laws: valid UTF-8 is the same after reading and writing its code points, plain text is valid; what reads as
 * hex is written back the same but for case; a code that is taken is one that could have been shown; quoting
 * never holds a raw quote, control or byte over 7E. */
#include "base/hex.h"
#include "base/log.h"
#include "base/utf8.h"
#include "e2e/auth.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void utf8(struct tas_bytes text) {
    struct tas_reader r = tas_reader_of(text);
    uint8_t *again = malloc(text.len + 4);
    assert(again);
    size_t n = 0;
    while (r.in.len > 0 && !r.bad) {
        uint32_t cp = tas_utf8_next(&r);
        if (r.bad)
            break;
        assert(cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff));
        n += tas_utf8_put(again + n, cp);
        assert(n <= text.len);
    }
    assert(tas_utf8_is_valid(text) == !r.bad);
    assert(r.bad || (n == text.len && (n == 0 || memcmp(again, text.ptr, n) == 0)));
    assert(!tas_utf8_is_plain(text) || !r.bad);
    free(again);
}

static void hex(const char *text) {
    size_t len = strlen(text) / 2;
    uint8_t *bytes = malloc(len + 1);
    char *again = malloc(2 * len + 1);
    assert(bytes && again);
    if (tas_hex_decode(bytes, len, text) == TAS_OK) {
        tas_hex_encode(again, tas_bytes_of(bytes, len));
        assert(strlen(again) == strlen(text));
        for (size_t i = 0; i < 2 * len; i++)
            assert(again[i] == (text[i] >= 'A' && text[i] <= 'F' ? text[i] + 32 : text[i]));
    }
    free(bytes);
    free(again);
}

static void code(const char *typed) {
    uint32_t sas6, last3;
    if (tas_check_code_parse(&sas6, &last3, typed) != TAS_OK)
        return;
    char shown[TAS_CHECK_CODE_TEXT];
    uint32_t again6, again3;
    tas_check_code_text(shown, sas6, last3);
    int err = tas_check_code_parse(&again6, &again3, shown);
    assert(err == TAS_OK && again6 == sas6 && again3 == last3);
    for (const char *p = shown; *p; p++) /* the same digits in the same order */
        if (*p != '-') {
            typed += strcspn(typed, "0123456789");
            assert(*typed == *p);
            typed++;
        }
}

static void quote(const char *text, size_t cap) {
    char *out = malloc(cap);
    assert(out);
    size_t len = strlen(tas_log_quote(out, cap, text));
    assert(len < cap && len >= 2 && out[0] == '"' && out[len - 1] == '"');
    for (size_t i = 1; i < len - 1; i++) {
        assert(out[i] >= 0x20 && out[i] <= 0x7e && out[i] != '"');
        if (out[i] == '\\')
            i += out[i + 1] == 'u' ? 5 : 1;
        assert(i < len - 1);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    utf8(tas_bytes_of(data, len));
    char *text = malloc(len + 1);
    assert(text);
    if (len)
        memcpy(text, data, len);
    text[len] = '\0';
    hex(text);
    code(text);
    quote(text, 8 + (len ? data[0] : 0));
    quote(text, 6 * len + 16);
    free(text);
    return 0;
}
