#include "wasm/scan_private.h"

#include "lossy/jpeg.h"

#include <stdlib.h>

enum {
    CODE_MAX = 16, /* bits of the longest Huffman code */
    COEFFICIENTS = 64,
    DHT = 0xc4,
    SOS = 0xda,
};

/* What each 16 bits begin with: the length of the code and its value; length 0: no code. */
struct symbol {
    uint8_t len, value;
};
struct table {
    struct symbol of[1 << CODE_MAX];
};

/* DC and AC, luma and chroma. */
struct tables {
    struct table dc[2], ac[2];
};

/* T.81, annex C: codes of each length count on from those before. */
static void fill_table(struct table *table, const uint8_t lengths[CODE_MAX], const uint8_t *values) {
    uint32_t code = 0; /* in 16 bits, high ones first */
    for (unsigned len = 1; len <= CODE_MAX; len++)
        for (unsigned i = 0; i < lengths[len - 1]; i++) {
            uint32_t span = 1u << (CODE_MAX - len);
            for (uint32_t j = 0; j < span; j++)
                table->of[code + j] = (struct symbol){(uint8_t)len, *values};
            code += span;
            values++;
        }
}

/* The tables are those of the head that every scan goes with. */
static int read_tables(struct tables *tables) {
    static const struct tas_jpeg_shape any = {.width = 16, .height = 16, .quality = 50};
    uint8_t head[TAS_JPEG_HEAD_MAX];
    size_t len;
    int err = tas_jpeg_head(&any, head, &len);
    if (err != TAS_OK)
        return err;
    struct tas_reader r = tas_reader_of(tas_bytes_of(head, len));
    tas_read_bytes(&r, 2);
    for (uint8_t code = 0; code != SOS && !r.bad;) {
        tas_read_u8(&r);
        code = tas_read_u8(&r);
        struct tas_reader body = tas_reader_of(tas_read_bytes(&r, tas_read_u16(&r) - 2u));
        while (code == DHT && body.in.len > 0) {
            uint8_t id = tas_read_u8(&body);
            struct tas_bytes lengths = tas_read_bytes(&body, CODE_MAX);
            size_t count = 0;
            for (size_t i = 0; i < lengths.len; i++)
                count += lengths.ptr[i];
            struct tas_bytes values = tas_read_bytes(&body, count);
            if (body.bad)
                return TAS_E_PROTO;
            fill_table(id & 0x10 ? &tables->ac[id & 1] : &tables->dc[id & 1], lengths.ptr, values.ptr);
        }
    }
    return r.bad ? TAS_E_PROTO : TAS_OK;
}

/* The scan's bits; a zero byte behind each 0xff is none of them. */
struct bits {
    struct tas_bytes in;
    uint64_t held; /* the next n bits, lowest last */
    unsigned n;
    bool bad;
};

static void fetch(struct bits *b) {
    while (b->n <= 48 && b->in.len > 0) {
        uint8_t byte = *b->in.ptr;
        size_t step = byte == 0xff ? 2 : 1;
        if (step == 2 && (b->in.len < 2 || b->in.ptr[1] != 0)) {
            b->bad = true; /* a marker: a scan has none */
            b->in.len = 0;
            return;
        }
        b->in.ptr += step;
        b->in.len -= step;
        b->held = b->held << 8 | byte;
        b->n += 8;
    }
}

static void skip(struct bits *b, unsigned n) {
    if (n > b->n)
        b->bad = true;
    else
        b->n -= n;
}

static uint8_t read_symbol(struct bits *b, const struct table *table) {
    fetch(b);
    uint64_t next = b->n >= CODE_MAX ? b->held >> (b->n - CODE_MAX) : b->held << (CODE_MAX - b->n);
    struct symbol symbol = table->of[next & 0xffff];
    b->bad |= symbol.len == 0;
    skip(b, symbol.len);
    return symbol.value;
}

/* Each symbol says how many zeros it skips and how many bits of a value follow. */
static void read_block(struct bits *b, const struct table *dc, const struct table *ac) {
    skip(b, read_symbol(b, dc) & 15);
    for (unsigned k = 1; k < COEFFICIENTS && !b->bad;) {
        uint8_t symbol = read_symbol(b, ac);
        if (symbol == 0)
            return;
        k += (symbol >> 4) + 1u;
        skip(b, symbol & 15);
        b->bad |= k > COEFFICIENTS;
    }
}

/* 8 pixels square in full colour, else 16 with four blocks of luma. */
static void read_unit(struct bits *b, const struct tables *tables, bool is_full_colour) {
    for (int i = 0; i < (is_full_colour ? 1 : 4) && !b->bad; i++)
        read_block(b, &tables->dc[0], &tables->ac[0]);
    for (int i = 0; i < 2 && !b->bad; i++)
        read_block(b, &tables->dc[1], &tables->ac[1]);
}

int wasm_scan_blocks(struct tas_bytes scan, bool is_full_colour, uint32_t *blocks) {
    struct tables *tables = calloc(1, sizeof(*tables));
    if (!tables)
        return TAS_E_NOMEM;
    struct bits b = {.in = scan};
    uint32_t units = 0, per_block = is_full_colour ? 4 : 1;
    int err = read_tables(tables);
    for (fetch(&b); err == TAS_OK && !b.bad && b.n >= 8; fetch(&b)) { /* fewer fill up the last byte */
        read_unit(&b, tables, is_full_colour);
        units++;
    }
    free(tables);
    if (err != TAS_OK)
        return err;
    if (b.bad || units == 0 || units % per_block != 0)
        return TAS_E_PROTO;
    *blocks = units / per_block;
    return TAS_OK;
}
