/* HTTP/1.1 heads, targets, hosts and chunked bodies. Laws: a head is found at the same place however the
 * bytes are cut; names and values lie inside it and hold no line break; a decoded path is a path; a chunked
 * body is the same however it is cut and never larger than it may be. */
#include "http/head.h"

#include <assert.h>
#include <stdlib.h>

enum { BODY_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must_be_inside(struct tas_bytes part, struct tas_bytes whole) {
    assert(part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
    for (size_t i = 0; i < part.len; i++)
        assert(part.ptr[i] != '\r' && part.ptr[i] != '\n' && part.ptr[i] != 0);
}

static void read_target(struct tas_bytes target) {
    char *mem = malloc(target.len + 2);
    const char *path;
    const char *query;
    assert(mem);
    if (tas_http_target_parse(target, mem, &path, &query) == TAS_OK) {
        assert(path[0] == '/' && strlen(path) <= target.len && strlen(query) <= target.len);
        assert(!strstr(path, "/../") && !strstr(path, "/./"));
    }
    free(mem);
}

static void read_head(struct tas_bytes in) {
    struct tas_reader r = tas_reader_of(in);
    struct tas_http_line line;
    struct tas_bytes name;
    struct tas_bytes value;
    uint64_t length;
    if (tas_http_line_take(&r, &line) != TAS_OK)
        return;
    must_be_inside(line.method, in);
    must_be_inside(line.target, in);
    assert(line.minor <= 1);
    read_target(line.target);
    while (tas_http_field_take(&r, &name, &value) == TAS_OK) {
        must_be_inside(name, in);
        must_be_inside(value, in);
        assert(name.len > 0 && tas_http_host_len(value) <= value.len);
        (void)tas_http_list_has(value, "close");
        if (tas_http_length_parse(value, &length) == TAS_OK)
            assert(length <= 999999999999999);
    }
}

/* Bytes used up to the end of the body, and what ended it. */
static int read_chunks(struct tas_buf *body, struct tas_bytes in, size_t step, size_t *total) {
    struct tas_http_chunks chunks = {0};
    int err = TAS_E_MORE;
    *total = 0;
    tas_buf_init(body, BODY_MAX);
    while (*total < in.len && err == TAS_E_MORE) {
        size_t n = in.len - *total < step ? in.len - *total : step;
        size_t used = 0;
        err = tas_http_chunks_take(&chunks, tas_bytes_of(in.ptr + *total, n), &used, body);
        assert(used <= n && body->len <= BODY_MAX);
        assert(err != TAS_E_MORE || used == n);
        *total += used;
    }
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    if (len == 0)
        return 0;
    struct tas_bytes in = tas_bytes_of(data + 1, len - 1);
    size_t step = 1 + data[0] % 64u;
    size_t scanned = 0;
    size_t head = tas_http_head_len(in, &scanned);
    size_t again = 0;
    scanned = 0;
    for (size_t n = 0; n < in.len && again == 0;) {
        n = n + step < in.len ? n + step : in.len;
        again = tas_http_head_len(tas_bytes_of(in.ptr, n), &scanned);
    }
    assert(head == again);
    if (head)
        read_head(tas_bytes_of(in.ptr, head));
    struct tas_buf whole;
    struct tas_buf cut;
    size_t used_whole;
    size_t used_cut;
    int err = read_chunks(&whole, in, in.len + 1, &used_whole);
    int err_cut = read_chunks(&cut, in, step, &used_cut);
    assert(err == err_cut);
    if (err == TAS_OK)
        assert(used_whole == used_cut && tas_bytes_equal(tas_buf_peek(&whole), tas_buf_peek(&cut)));
    tas_buf_fini(&whole);
    tas_buf_fini(&cut);
    return 0;
}
