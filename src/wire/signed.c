#include "wire/signed.h"

#include "base/utf8.h"

static bool key_is_sound(const struct tas_keyset *set, unsigned i) {
    const struct tas_msg_keyset_key *key = &set->keys[i];
    if (key->use < TAS_USE_TICKET || key->use > TAS_USE_AUDIT || key->from_ms >= key->to_ms)
        return false;
    for (unsigned j = 0; j < i; j++)
        if (set->keys[j].kid == key->kid && set->keys[j].use == key->use)
            return false;
    return true;
}

int tas_keyset_decode(struct tas_keyset *out, struct tas_bytes in) {
    struct tas_reader r = tas_reader_of(in);
    struct tas_msg_keyset_head head;
    if (tas_msg_keyset_head_decode(&head, tas_read_bytes(&r, TAS_SIZE_KEYSET_HEAD)) != TAS_OK)
        return TAS_E_PROTO;
    if (head.ver != 1 || head.count == 0 || head.count > TAS_KEYSET_MAX_KEYS)
        return TAS_E_PROTO;
    struct tas_keyset set = {.sequence = head.sequence, .issued_ms = head.issued_ms, .count = head.count};
    for (unsigned i = 0; i < set.count; i++) {
        struct tas_bytes key = tas_read_bytes(&r, TAS_SIZE_KEYSET_KEY);
        if (tas_msg_keyset_key_decode(&set.keys[i], key) != TAS_OK || !key_is_sound(&set, i))
            return TAS_E_PROTO;
    }
    set.signed_part = tas_bytes_of(in.ptr, in.len - r.in.len);
    struct tas_bytes sig = tas_read_bytes(&r, sizeof(set.sig));
    if (r.bad || r.in.len > 0)
        return TAS_E_PROTO;
    memcpy(set.sig, sig.ptr, sizeof(set.sig));
    *out = set;
    return TAS_OK;
}

int tas_keyset_encode(const struct tas_keyset *set, uint8_t *out, size_t cap) {
    struct tas_msg_keyset_head head = {
        .ver = 1, .count = (uint8_t)set->count, .sequence = set->sequence, .issued_ms = set->issued_ms};
    int len = tas_msg_keyset_head_encode(&head, out, cap);
    for (unsigned i = 0; len > 0 && i < set->count; i++) {
        int more = tas_msg_keyset_key_encode(&set->keys[i], out + len, cap - (size_t)len);
        len = more < 0 ? more : len + more;
    }
    return len;
}

const struct tas_msg_keyset_key *tas_keyset_find(const struct tas_keyset *set, uint8_t kid, uint8_t use,
                                                 uint64_t now_ms, uint64_t slack_ms) {
    for (unsigned i = 0; i < set->count; i++) {
        const struct tas_msg_keyset_key *key = &set->keys[i];
        /* Subtractions of what is greater: a key may be valid until UINT64_MAX. */
        bool has_begun = now_ms >= key->from_ms || key->from_ms - now_ms <= slack_ms;
        bool has_ended = now_ms >= key->to_ms && now_ms - key->to_ms >= slack_ms;
        if (key->kid == kid && key->use == use && has_begun && !has_ended)
            return key;
    }
    return NULL;
}

int tas_text_field(struct tas_bytes *out, const uint8_t *field, size_t size) {
    size_t len = 0;
    while (len < size && field[len] != 0)
        len++;
    for (size_t i = len; i < size; i++)
        if (field[i] != 0)
            return TAS_E_PROTO;
    struct tas_bytes text = tas_bytes_of(field, len);
    if (len == 0 || !tas_utf8_is_plain(text))
        return TAS_E_PROTO;
    *out = text;
    return TAS_OK;
}
