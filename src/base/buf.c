#include "base/buf.h"
#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>

void tas_buf_init(struct tas_buf *buf, size_t max) {
    *buf = (struct tas_buf){.max = max};
}

void tas_buf_fini(struct tas_buf *buf) {
    if (buf->mem)
        tas_wipe(buf->mem, buf->cap);
    free(buf->mem);
    *buf = (struct tas_buf){0};
}

size_t tas_buf_room(const struct tas_buf *buf) {
    return buf->max - buf->len;
}

/* Not realloc(): the old place may hold plaintext and is wiped before it goes back. */
static int grow(struct tas_buf *buf, size_t need) {
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < need)
        cap *= 2;
    if (cap > buf->max)
        cap = buf->max;
    uint8_t *mem = malloc(cap);
    if (!mem)
        return TAS_E_NOMEM;
    if (buf->mem) {
        memcpy(mem, buf->mem + buf->start, buf->len);
        tas_wipe(buf->mem, buf->cap);
        free(buf->mem);
    }
    buf->mem = mem;
    buf->cap = cap;
    buf->start = 0;
    return TAS_OK;
}

uint8_t *tas_buf_reserve(struct tas_buf *buf, size_t n) {
    if (n > tas_buf_room(buf))
        return NULL;
    if (buf->start + buf->len + n > buf->cap) {
        if (buf->len + n <= buf->cap) {
            memmove(buf->mem, buf->mem + buf->start, buf->len);
            tas_wipe(buf->mem + buf->len, buf->start); /* what is left of the old place */
            buf->start = 0;
        } else if (grow(buf, buf->len + n) != TAS_OK) {
            return NULL;
        }
    }
    return buf->mem + buf->start + buf->len;
}

void tas_buf_commit(struct tas_buf *buf, size_t n) {
    assert(buf->start + buf->len + n <= buf->cap);
    buf->len += n;
}

int tas_buf_append(struct tas_buf *buf, struct tas_bytes data) {
    if (data.len == 0)
        return TAS_OK;
    if (data.len > tas_buf_room(buf))
        return TAS_E_FULL;
    uint8_t *to = tas_buf_reserve(buf, data.len);
    if (!to)
        return TAS_E_NOMEM;
    memcpy(to, data.ptr, data.len);
    tas_buf_commit(buf, data.len);
    return TAS_OK;
}

struct tas_bytes tas_buf_peek(const struct tas_buf *buf) {
    return buf->len ? tas_bytes_of(buf->mem + buf->start, buf->len) : (struct tas_bytes){0};
}

void tas_buf_drop(struct tas_buf *buf, size_t n) {
    assert(n <= buf->len);
    if (n == 0)
        return;
    tas_wipe(buf->mem + buf->start, n);
    buf->start += n;
    buf->len -= n;
    if (buf->len == 0)
        buf->start = 0;
}

void tas_buf_shrink(struct tas_buf *buf) {
    if (buf->len == 0 && buf->mem) {
        size_t max = buf->max;
        tas_buf_fini(buf);
        tas_buf_init(buf, max);
    }
}
