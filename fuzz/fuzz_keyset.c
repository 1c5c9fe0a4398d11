/* KEYSETs. Laws: what decodes is written again as the same bytes; the signed part and the signature are all
 * of it; no kid stands twice for a use; every key is found at its own times and not outside; names are plain
 * text. */
#include "base/utf8.h"
#include "wire/signed.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void name(struct tas_bytes in) {
    struct tas_bytes text = {0};
    if (tas_text_field(&text, in.ptr, in.len) != TAS_OK)
        return;
    assert(text.len > 0 && text.len <= in.len && text.ptr == in.ptr);
    assert(tas_utf8_is_plain(text) && !memchr(text.ptr, 0, text.len));
    for (size_t i = text.len; i < in.len; i++)
        assert(in.ptr[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct tas_keyset set = {.count = 77};
    struct tas_bytes in = tas_bytes_of(data, len);
    name(in);
    if (tas_keyset_decode(&set, in) != TAS_OK) {
        assert(set.count == 77);
        return 0;
    }
    assert(set.count >= 1 && set.count <= TAS_KEYSET_MAX_KEYS && len <= TAS_KEYSET_MAX_LEN);
    uint8_t again[TAS_KEYSET_MAX_LEN];
    int n = tas_keyset_encode(&set, again, sizeof(again));
    assert(n > 0 && (size_t)n + sizeof(set.sig) == len);
    memcpy(again + n, set.sig, sizeof(set.sig));
    assert(memcmp(again, data, len) == 0);
    assert(set.signed_part.ptr == data && set.signed_part.len == (size_t)n);
    for (unsigned i = 0; i < set.count; i++) {
        const struct tas_msg_keyset_key *key = &set.keys[i];
        assert(key->from_ms < key->to_ms);
        assert(tas_keyset_find(&set, key->kid, key->use, key->from_ms, 0) == key);
        assert(tas_keyset_find(&set, key->kid, key->use, key->to_ms - 1, 30000) == key);
        assert(!tas_keyset_find(&set, key->kid, key->use, key->to_ms, 0));
        assert(key->from_ms == 0 || !tas_keyset_find(&set, key->kid, key->use, key->from_ms - 1, 0));
    }
    return 0;
}
