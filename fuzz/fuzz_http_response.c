/* An answer as it comes to an HTTP client, and what a proxy's challenge names. Laws: the same answer however
 * the bytes are cut; never more of a body than fits; what is kept of the head holds no line break; a body
 * that the end of the connection closes is never whole by itself. */
#include "http/client_private.h"

#include <assert.h>

enum { BODY_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct got {
    struct tas_http_response response;
    struct tas_buf body;
    size_t used;
    int err;
};

static void feed(struct got *got, struct tas_bytes in, size_t step, bool is_of_head) {
    *got = (struct got){.err = TAS_E_MORE};
    tas_buf_init(&got->body, BODY_MAX);
    tas_http_response_init(&got->response, is_of_head);
    while (got->used < in.len && got->err == TAS_E_MORE) {
        size_t n = in.len - got->used < step ? in.len - got->used : step;
        size_t used = 0;
        got->err =
            tas_http_response_feed(&got->response, tas_bytes_of(in.ptr + got->used, n), &used, &got->body);
        assert(used <= n && got->body.len <= BODY_MAX);
        assert(got->err != TAS_E_MORE || used == n);
        got->used += used;
    }
}

static void must_be_lawful(const struct got *got) {
    const struct tas_http_response *r = &got->response;
    assert(!strpbrk(r->content_type, "\r\n") && strlen(r->content_type) <= TAS_HTTP_TYPE_MAX);
    assert(r->retry_after_s >= -1);
    if (got->err == TAS_OK)
        assert(r->has_head && r->status >= 200 && r->status <= 999 && !tas_http_response_is_open_ended(r));
    if (tas_http_response_is_open_ended(r))
        assert(!r->is_kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len < 2)
        return 0;
    bool is_of_head = data[0] & 0x80;
    size_t step = 1 + data[0] % 64u;
    struct tas_bytes in = tas_bytes_of(data + 1, len - 1);
    struct got whole;
    struct got cut;
    feed(&whole, in, in.len, is_of_head);
    feed(&cut, in, step, is_of_head);
    must_be_lawful(&whole);
    must_be_lawful(&cut);
    assert(whole.err == cut.err && whole.response.has_head == cut.response.has_head);
    if (whole.err == TAS_OK || whole.err == TAS_E_MORE) {
        assert(whole.used == cut.used && whole.response.status == cut.response.status);
        assert(strcmp(whole.response.content_type, cut.response.content_type) == 0);
        assert(tas_bytes_equal(tas_buf_peek(&whole.body), tas_buf_peek(&cut.body)));
    }
    tas_http_response_fini(&whole.response);
    tas_http_response_fini(&cut.response);
    tas_buf_fini(&whole.body);
    tas_buf_fini(&cut.body);
    assert(http_auth_schemes(in) <= 15);
    return 0;
}
