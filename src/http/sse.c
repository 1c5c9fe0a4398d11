#include "http/sse.h"

#include <string.h>

void tas_sse_init(struct tas_sse *sse) {
    *sse = (struct tas_sse){.text = ""};
    tas_buf_init(&sse->line, TAS_SSE_EVENT_MAX);
    tas_buf_init(&sse->data, TAS_SSE_EVENT_MAX + 1); /* with the closing line feed */
}

void tas_sse_fini(struct tas_sse *sse) {
    tas_buf_fini(&sse->line);
    tas_buf_fini(&sse->data);
}

static void forget_event(struct tas_sse *sse) {
    sse->event[0] = '\0';
    sse->id[0] = '\0';
    sse->text = "";
    tas_buf_drop(&sse->data, sse->data.len);
    tas_buf_shrink(&sse->data);
    sse->is_given = false;
}

static int limit_of(int err) {
    return err == TAS_E_FULL ? TAS_E_LIMIT : err;
}

static int keep_name(char out[TAS_SSE_NAME_MAX + 1], struct tas_bytes value) {
    if (value.len > TAS_SSE_NAME_MAX)
        return TAS_E_LIMIT;
    if (value.len)
        memcpy(out, value.ptr, value.len);
    out[value.len] = '\0';
    return TAS_OK;
}

static bool is_field(struct tas_bytes name, const char *wanted) {
    return tas_bytes_equal(name, tas_bytes_of(wanted, strlen(wanted)));
}

static int on_field(struct tas_sse *sse, struct tas_bytes name, struct tas_bytes value) {
    if (is_field(name, "event"))
        return keep_name(sse->event, value);
    if (is_field(name, "id"))
        return keep_name(sse->id, value);
    if (!is_field(name, "data"))
        return TAS_OK; /* "retry" and what the future brings */
    int err = tas_buf_append(&sse->data, value);
    return limit_of(err == TAS_OK ? tas_buf_append(&sse->data, tas_bytes_of("\n", 1)) : err);
}

/* An empty line: TAS_OK when it closes an event, TAS_E_MORE when there was none. */
static int on_blank(struct tas_sse *sse) {
    struct tas_bytes data = tas_buf_peek(&sse->data);
    if (data.len == 0) {
        forget_event(sse);
        return TAS_E_MORE;
    }
    sse->data.mem[sse->data.start + data.len - 1] = '\0'; /* the line feed of the last line */
    sse->text = (const char *)data.ptr;
    if (!sse->event[0])
        memcpy(sse->event, "message", sizeof("message"));
    sse->is_given = true;
    return TAS_OK;
}

/* A line without its end. TAS_E_MORE: go on. */
static int on_line(struct tas_sse *sse, struct tas_bytes line) {
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (!sse->has_line && line.len >= sizeof(mark) && memcmp(line.ptr, mark, sizeof(mark)) == 0)
        line = tas_bytes_of(line.ptr + sizeof(mark), line.len - sizeof(mark));
    sse->has_line = true;
    if (line.len == 0)
        return on_blank(sse);
    if (memchr(line.ptr, '\0', line.len))
        return TAS_E_PROTO;
    const uint8_t *colon = memchr(line.ptr, ':', line.len);
    if (colon == line.ptr)
        return TAS_E_MORE; /* a comment */
    size_t name_len = colon ? (size_t)(colon - line.ptr) : line.len;
    struct tas_bytes value = {0};
    if (colon)
        value = tas_bytes_of(colon + 1, line.len - name_len - 1);
    if (value.len && value.ptr[0] == ' ')
        value = tas_bytes_of(value.ptr + 1, value.len - 1);
    int err = on_field(sse, tas_bytes_of(line.ptr, name_len), value);
    return err == TAS_OK ? TAS_E_MORE : err;
}

/* Where the first line end of `bytes` is; their length when there is none. */
static size_t find_end(struct tas_bytes bytes) {
    size_t n = 0;
    while (n < bytes.len && bytes.ptr[n] != '\n' && bytes.ptr[n] != '\r')
        n++;
    return n;
}

/* The line that `part` completes. */
static int complete_line(struct tas_sse *sse, struct tas_bytes part) {
    if (sse->line.len == 0)
        return part.len > TAS_SSE_EVENT_MAX ? TAS_E_LIMIT : on_line(sse, part);
    int err = tas_buf_append(&sse->line, part);
    if (err != TAS_OK)
        return limit_of(err);
    err = on_line(sse, tas_buf_peek(&sse->line));
    tas_buf_drop(&sse->line, sse->line.len);
    tas_buf_shrink(&sse->line);
    return err;
}

int tas_sse_feed(struct tas_sse *sse, struct tas_bytes bytes, size_t *used) {
    if (sse->is_given)
        forget_event(sse);
    size_t at = 0;
    int err = TAS_E_MORE;
    while (err == TAS_E_MORE && at < bytes.len) {
        if (sse->is_after_cr && bytes.ptr[at] == '\n')
            at++;
        sse->is_after_cr = false;
        struct tas_bytes rest = tas_bytes_of(bytes.ptr + at, bytes.len - at);
        size_t n = find_end(rest);
        if (n == rest.len) {
            err = n ? tas_buf_append(&sse->line, rest) : TAS_OK;
            *used = bytes.len;
            return err == TAS_OK ? TAS_E_MORE : limit_of(err);
        }
        sse->is_after_cr = rest.ptr[n] == '\r';
        err = complete_line(sse, tas_bytes_of(rest.ptr, n));
        at += n + 1;
    }
    *used = at;
    return err;
}
