/* Event streams. Laws: the same events come however the bytes are cut; texts hold no zero and are within
 * their bounds; a call takes no more than it was given. The first byte says how the second reading is cut. */
#include "http/sse.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void add(struct tas_buf *to, const char *text) {
    int err = tas_buf_append(to, tas_bytes_of(text, strlen(text) + 1));
    assert(err == TAS_OK);
}

/* All that came out, one text after the other. What ended it. */
static int read_all(struct tas_buf *out, struct tas_bytes in, size_t step) {
    struct tas_sse sse;
    tas_sse_init(&sse);
    tas_buf_init(out, 64 * (in.len + 1));
    int err = TAS_E_MORE;
    for (size_t at = 0; at < in.len && err == TAS_E_MORE;) {
        size_t n = in.len - at < step ? in.len - at : step;
        size_t used = n + 1;
        err = tas_sse_feed(&sse, tas_bytes_of(in.ptr + at, n), &used);
        if (err != TAS_OK && err != TAS_E_MORE)
            break;
        assert(used <= n && (used == n || err == TAS_OK) && (used > 0));
        at += used;
        if (err == TAS_OK) {
            assert(sse.event[0] && strlen(sse.text) <= TAS_SSE_EVENT_MAX);
            add(out, sse.id);
            add(out, sse.event);
            add(out, sse.text);
            err = TAS_E_MORE;
        }
    }
    tas_sse_fini(&sse);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len == 0)
        return 0;
    struct tas_bytes in = tas_bytes_of(data + 1, len - 1);
    struct tas_buf whole, cut;
    int err = read_all(&whole, in, in.len + 1);
    int err_cut = read_all(&cut, in, 1 + data[0] % 64u);
    assert(err == err_cut && tas_bytes_equal(tas_buf_peek(&whole), tas_buf_peek(&cut)));
    tas_buf_fini(&whole);
    tas_buf_fini(&cut);
    return 0;
}
