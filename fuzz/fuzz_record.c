/* A stream of L1 records as a relay connection brings it; what stands in DATA is read as a fragment.
 * Laws: a record is the same whether it comes whole or byte by byte; head and fragment are written again as
 * the same bytes; a length over the limit is refused as soon as the head is there. */
#include "wire/record.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void fragment(struct tas_bytes plain) {
    struct tas_fragment frag, back;
    if (tas_fragment_decode(&frag, plain) != TAS_OK)
        return;
    assert(frag.ch < TAS_CHANNELS && frag.body.len <= plain.len);
    assert(!frag.is_start || !frag.is_fin || frag.total == frag.body.len);
    assert(frag.is_start || frag.total == 0);
    uint8_t *again = malloc(plain.len + 64);
    assert(again);
    int n = tas_fragment_encode(&frag, 1, again, plain.len);
    assert(n > 0 && (size_t)n <= plain.len && plain.len - (size_t)n < 64);
    assert(memcmp(again, plain.ptr, (size_t)n) == 0);
    for (size_t i = (size_t)n; i < plain.len; i++)
        assert(plain.ptr[i] == 0);
    n = tas_fragment_encode(&frag, 64, again, plain.len + 64);
    assert(n > 0 && n % 64 == 0);
    assert(tas_fragment_decode(&back, tas_bytes_of(again, (size_t)n)) == TAS_OK);
    assert(tas_bytes_equal(back.body, frag.body) && back.type == frag.type && back.total == frag.total);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct tas_bytes in = tas_bytes_of(data, len);
    while (in.len > 0) {
        struct tas_record rec = {0};
        size_t used = 0;
        int err = tas_record_decode(&rec, &used, in);
        struct tas_reader r = tas_reader_of(in);
        (void)tas_read_u32(&r);
        uint32_t said = tas_read_u32(&r);
        assert(!r.bad || err == TAS_E_MORE);
        assert(r.bad || (said > TAS_RECORD_MAX) == (err == TAS_E_LIMIT));
        if (err != TAS_OK) {
            assert(used == 0 && rec.payload.ptr == NULL);
            return 0;
        }
        assert(used == TAS_RECORD_HEAD + rec.payload.len && used <= in.len && rec.payload.len == said);
        for (size_t cut = 0; cut < used; cut += 1 + cut / 8) {
            struct tas_record none;
            size_t nothing;
            assert(tas_record_decode(&none, &nothing, tas_bytes_of(in.ptr, cut)) == TAS_E_MORE);
        }
        uint8_t head[TAS_RECORD_HEAD];
        tas_record_head_encode(head, rec.type, rec.pf, rec.route, rec.payload.len);
        assert(memcmp(head, in.ptr, sizeof(head)) == 0);
        fragment(rec.payload);
        in = tas_bytes_of(in.ptr + used, in.len - used);
    }
    return 0;
}
