/* Views of bytes that somebody else owns, and big-endian reading and writing. No allocation. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `len` bytes at `ptr`, borrowed. ptr may be NULL when len is 0. */
struct tas_bytes {
    const uint8_t *ptr;
    size_t len;
};

static inline struct tas_bytes tas_bytes_of(const void *ptr, size_t len) {
    return (struct tas_bytes){.ptr = ptr, .len = len};
}

/* Same bytes, compared in variable time: for what is public only. */
static inline bool tas_bytes_equal(struct tas_bytes a, struct tas_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Reads from the front of `in`. After the first read past the end `bad` is true and every read gives zeros:
 * a parser reads everything, then looks at `bad` once. */
struct tas_reader {
    struct tas_bytes in;
    bool bad;
};

static inline struct tas_reader tas_reader_of(struct tas_bytes in) {
    return (struct tas_reader){.in = in};
}

/* `n` bytes, borrowed from the input; empty and `bad` when there are fewer. */
static inline struct tas_bytes tas_read_bytes(struct tas_reader *r, size_t n) {
    if (r->bad || r->in.len < n) {
        r->bad = true;
        return (struct tas_bytes){0};
    }
    struct tas_bytes got = {r->in.ptr, n};
    if (n > 0)
        r->in.ptr += n;
    r->in.len -= n;
    return got;
}

static inline uint64_t tas_read_uint(struct tas_reader *r, size_t n) {
    struct tas_bytes b = tas_read_bytes(r, n);
    uint64_t v = 0;
    for (size_t i = 0; i < b.len; i++)
        v = v << 8 | b.ptr[i];
    return v;
}

static inline uint8_t tas_read_u8(struct tas_reader *r) {
    return (uint8_t)tas_read_uint(r, 1);
}
static inline uint16_t tas_read_u16(struct tas_reader *r) {
    return (uint16_t)tas_read_uint(r, 2);
}
static inline uint32_t tas_read_u32(struct tas_reader *r) {
    return (uint32_t)tas_read_uint(r, 4);
}
static inline uint64_t tas_read_u64(struct tas_reader *r) {
    return tas_read_uint(r, 8);
}

/* Skips `n` bytes that must all be zero; anything else makes the reader bad. */
static inline void tas_read_zero(struct tas_reader *r, size_t n) {
    struct tas_bytes b = tas_read_bytes(r, n);
    for (size_t i = 0; i < b.len; i++)
        if (b.ptr[i] != 0)
            r->bad = true;
}

/* Writes into `cap` bytes at `out`. A write that does not fit sets `bad` and writes nothing. */
struct tas_writer {
    uint8_t *out;
    size_t cap;
    size_t len;
    bool bad;
};

static inline struct tas_writer tas_writer_of(uint8_t *out, size_t cap) {
    return (struct tas_writer){.out = out, .cap = cap};
}

static inline void tas_write_bytes(struct tas_writer *w, const void *from, size_t n) {
    if (w->bad || w->cap - w->len < n) {
        w->bad = true;
        return;
    }
    if (n > 0)
        memcpy(w->out + w->len, from, n);
    w->len += n;
}

static inline void tas_write_uint(struct tas_writer *w, uint64_t v, size_t n) {
    uint8_t b[8];
    for (size_t i = 0; i < n; i++)
        b[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    tas_write_bytes(w, b, n);
}

static inline void tas_write_u8(struct tas_writer *w, uint8_t v) {
    tas_write_uint(w, v, 1);
}
static inline void tas_write_u16(struct tas_writer *w, uint16_t v) {
    tas_write_uint(w, v, 2);
}
static inline void tas_write_u32(struct tas_writer *w, uint32_t v) {
    tas_write_uint(w, v, 4);
}
static inline void tas_write_u64(struct tas_writer *w, uint64_t v) {
    tas_write_uint(w, v, 8);
}
static inline void tas_write_zero(struct tas_writer *w, size_t n) {
    static const uint8_t zeros[64];
    for (; n > sizeof(zeros); n -= sizeof(zeros))
        tas_write_bytes(w, zeros, sizeof(zeros));
    tas_write_bytes(w, zeros, n);
}
