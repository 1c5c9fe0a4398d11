#include "lossy/jpeg.h"
#include "base/wipe.h"

#include <assert.h>
#include <setjmp.h>
#include <stdio.h> /* jpeglib.h wants it before */
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

/* A pixel's bytes are B, G, R and the top one then. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "JCS_EXT_BGRX is a pixel of ours");

enum {
    ROWS = 16,    /* given to or taken from libjpeg at a time */
    EOI_LEN = 2,  /* bytes */
    TAIL_CAP = 3, /* an EOI, and one that shows that there was more */
};

/* What the buffers that libjpeg asks for one after the other are. */
enum part { PART_HEAD, PART_SCAN, PART_END, PART_NONE };

struct tas_jpeg {
    struct jpeg_error_mgr errors;
    jmp_buf failed; /* libjpeg's functions come back here, with `err` */
    int err;
    struct jpeg_compress_struct enc;
    struct jpeg_decompress_struct dec;
    struct jpeg_destination_mgr sink;
    struct jpeg_source_mgr source;
    enum part part;

    uint8_t head[TAS_JPEG_HEAD_MAX]; /* of the shape in work */
    size_t head_len;
    struct tas_bytes scan; /* being decoded, borrowed */
    uint8_t *out;          /* the scan being coded, borrowed */
    size_t cap;
    uint8_t own_head[TAS_JPEG_HEAD_MAX]; /* as libjpeg wrote it */
    uint8_t tail[TAIL_CAP];              /* what did not fit into out */
};

/* --- when libjpeg gives up --- */

static _Noreturn void fail(struct tas_jpeg *jpeg, int err) {
    jpeg->err = err;
    longjmp(jpeg->failed, 1);
}

static _Noreturn void on_error(j_common_ptr info) {
    fail(info->client_data, info->err->msg_code == JERR_OUT_OF_MEMORY ? TAS_E_NOMEM : TAS_E_PROTO);
}

/* Warnings have negative levels: libjpeg would go on with grey. Others tell what it does. */
static void on_message(j_common_ptr info, int level) {
    if (level < 0)
        fail(info->client_data, TAS_E_PROTO);
}

static void no_output(j_common_ptr info) {
    (void)info;
}

/* --- where the coder writes to: the head, which is thrown away, the scan, and what comes after it --- */

static void sink_to(struct tas_jpeg *jpeg, enum part part, uint8_t *out, size_t cap) {
    jpeg->part = part;
    jpeg->sink.next_output_byte = out;
    jpeg->sink.free_in_buffer = cap;
}

static void on_sink_init(j_compress_ptr enc) {
    struct tas_jpeg *jpeg = enc->client_data;
    sink_to(jpeg, PART_HEAD, jpeg->own_head, jpeg->head_len);
}

/* Called as soon as a part is full, even when nothing more is to come. */
static boolean on_sink_full(j_compress_ptr enc) {
    struct tas_jpeg *jpeg = enc->client_data;
    if (jpeg->part == PART_HEAD && jpeg->cap > 0)
        sink_to(jpeg, PART_SCAN, jpeg->out, jpeg->cap);
    else if (jpeg->part == PART_SCAN)
        sink_to(jpeg, PART_END, jpeg->tail, sizeof(jpeg->tail));
    else
        fail(jpeg, TAS_E_FULL);
    return TRUE;
}

static void on_sink_end(j_compress_ptr enc) {
    (void)enc;
}

/* Bytes of the scan, when all is written; TAS_E_FULL goes by fail(). */
static size_t scan_len(struct tas_jpeg *jpeg) {
    assert(jpeg->part == PART_SCAN || jpeg->part == PART_END);
    size_t len = jpeg->part == PART_SCAN ? jpeg->cap - jpeg->sink.free_in_buffer
                                         : jpeg->cap + sizeof(jpeg->tail) - jpeg->sink.free_in_buffer;
    assert(len > EOI_LEN);
    return len - EOI_LEN;
}

/* --- where the decoder reads from: the head, the scan, EOI --- */

static void on_source_init(j_decompress_ptr dec) {
    struct tas_jpeg *jpeg = dec->client_data;
    jpeg->part = PART_HEAD;
    jpeg->source.next_input_byte = jpeg->head;
    jpeg->source.bytes_in_buffer = jpeg->head_len;
}

static boolean on_source_empty(j_decompress_ptr dec) {
    static const uint8_t eoi[EOI_LEN] = {0xff, 0xd9};
    struct tas_jpeg *jpeg = dec->client_data;
    if (jpeg->part > PART_SCAN)
        fail(jpeg, TAS_E_PROTO);
    struct tas_bytes next = jpeg->part == PART_HEAD ? jpeg->scan : tas_bytes_of(eoi, sizeof(eoi));
    jpeg->part++;
    jpeg->source.next_input_byte = next.ptr;
    jpeg->source.bytes_in_buffer = next.len;
    return TRUE;
}

/* For segments that a decoder does not know; there are none. */
static void on_source_skip(j_decompress_ptr dec, long count) {
    if (count > 0)
        fail(dec->client_data, TAS_E_PROTO);
}

static void on_source_end(j_decompress_ptr dec) {
    (void)dec;
}

/* --- life --- */

static int create(struct tas_jpeg *jpeg) {
    if (setjmp(jpeg->failed))
        return jpeg->err;
    jpeg_create_compress(&jpeg->enc);
    jpeg_create_decompress(&jpeg->dec);
    return TAS_OK;
}

struct tas_jpeg *tas_jpeg_new(void) {
    struct tas_jpeg *jpeg = calloc(1, sizeof(*jpeg));
    if (!jpeg)
        return NULL;
    jpeg->enc.err = jpeg->dec.err = jpeg_std_error(&jpeg->errors);
    jpeg->enc.client_data = jpeg->dec.client_data = jpeg;
    jpeg->errors.error_exit = on_error;
    jpeg->errors.emit_message = on_message;
    jpeg->errors.output_message = no_output;
    if (create(jpeg)) {
        tas_jpeg_free(jpeg);
        return NULL;
    }
    jpeg->sink = (struct jpeg_destination_mgr){.init_destination = on_sink_init,
                                               .empty_output_buffer = on_sink_full,
                                               .term_destination = on_sink_end};
    jpeg->source = (struct jpeg_source_mgr){.init_source = on_source_init,
                                            .fill_input_buffer = on_source_empty,
                                            .skip_input_data = on_source_skip,
                                            .resync_to_restart = jpeg_resync_to_restart,
                                            .term_source = on_source_end};
    jpeg->enc.dest = &jpeg->sink;
    jpeg->dec.src = &jpeg->source;
    return jpeg;
}

void tas_jpeg_free(struct tas_jpeg *jpeg) {
    if (!jpeg)
        return;
    jpeg_destroy_compress(&jpeg->enc);
    jpeg_destroy_decompress(&jpeg->dec);
    tas_wipe(jpeg, sizeof(*jpeg));
    free(jpeg);
}

/* --- coding --- */

/* Up to ROWS rows of the picture from y on, for libjpeg; gives their number. */
static JDIMENSION rows_of(const struct tas_picture *pic, uint32_t y, JSAMPROW rows[ROWS]) {
    JDIMENSION count = 0;
    for (; count < ROWS && y + count < pic->height; count++)
        rows[count] = (JSAMPROW)(pic->px + (size_t)(y + count) * pic->stride);
    return count;
}

static void set_encoder(struct jpeg_compress_struct *enc, const struct tas_jpeg_shape *shape) {
    enc->image_width = shape->width;
    enc->image_height = shape->height;
    enc->input_components = 4;
    enc->in_color_space = JCS_EXT_BGRX;
    jpeg_set_defaults(enc); /* YCbCr in 4:2:0, Annex K's Huffman tables */
    jpeg_set_quality(enc, shape->quality, TRUE);
    if (shape->is_full_colour)
        enc->comp_info[0].h_samp_factor = enc->comp_info[0].v_samp_factor = 1;
    enc->dct_method = JDCT_ISLOW;
}

static void encode_picture(struct tas_jpeg *jpeg, const struct tas_picture *pic,
                           const struct tas_jpeg_shape *shape) {
    struct jpeg_compress_struct *enc = &jpeg->enc;
    set_encoder(enc, shape);
    jpeg_start_compress(enc, TRUE);
    while (enc->next_scanline < enc->image_height) {
        JSAMPROW rows[ROWS];
        JDIMENSION count = rows_of(pic, enc->next_scanline, rows);
        jpeg_write_scanlines(enc, rows, count);
    }
    jpeg_finish_compress(enc);
}

int tas_jpeg_encode(struct tas_jpeg *jpeg, const struct tas_picture *pic, const struct tas_jpeg_shape *shape,
                    uint8_t *out, size_t cap, size_t *len) {
    assert(pic->width == shape->width && pic->height == shape->height);

    int err = tas_jpeg_head(shape, jpeg->head, &jpeg->head_len);
    if (err)
        return err;
    jpeg->out = out;
    jpeg->cap = cap;
    if (setjmp(jpeg->failed)) {
        jpeg_abort_compress(&jpeg->enc);
        return jpeg->err;
    }
    encode_picture(jpeg, pic, shape);
    /* Or the other side would decode with other tables. */
    assert(memcmp(jpeg->own_head, jpeg->head, jpeg->head_len) == 0);
    *len = scan_len(jpeg);
    return TAS_OK;
}

/* --- decoding --- */

/* No marker within: a second frame or other tables would make libjpeg work for another shape than ours. */
static bool scan_is_plain(struct tas_bytes scan) {
    const uint8_t *at = scan.ptr, *end = scan.ptr + scan.len;
    if (scan.len == 0)
        return false;
    while ((at = memchr(at, 0xff, (size_t)(end - at)))) {
        if (end - at < 2 || at[1] != 0)
            return false;
        at += 2;
    }
    return true;
}

/* libjpeg says what a JCS_EXT_BGRX's X is: 0xff. */
static void clear_top(uint32_t *px, size_t count) {
    for (size_t i = 0; i < count; i++)
        px[i] &= 0xffffff;
}

static void decode_picture(struct tas_jpeg *jpeg, const struct tas_picture *pic) {
    struct jpeg_decompress_struct *dec = &jpeg->dec;
    jpeg_read_header(dec, TRUE);
    assert(dec->image_width == pic->width && dec->image_height == pic->height);
    dec->out_color_space = JCS_EXT_BGRX;
    dec->dct_method = JDCT_ISLOW;
    dec->do_fancy_upsampling = FALSE; /* blocks side by side in an atlas are no neighbours on the screen */
    dec->do_block_smoothing = FALSE;
    jpeg_start_decompress(dec);
    while (dec->output_scanline < dec->output_height) {
        JSAMPROW rows[ROWS];
        uint32_t y = dec->output_scanline;
        JDIMENSION count = jpeg_read_scanlines(dec, rows, rows_of(pic, y, rows));
        for (uint32_t i = 0; i < count; i++)
            clear_top(pic->px + (size_t)(y + i) * pic->stride, pic->width);
    }
    jpeg_finish_decompress(dec); /* and nothing but EOI may follow */
}

int tas_jpeg_decode(struct tas_jpeg *jpeg, struct tas_bytes scan, const struct tas_jpeg_shape *shape,
                    const struct tas_picture *pic) {
    assert(pic->width == shape->width && pic->height == shape->height);

    int err = tas_jpeg_head(shape, jpeg->head, &jpeg->head_len);
    if (err)
        return err;
    if (!scan_is_plain(scan))
        return TAS_E_PROTO;
    jpeg->scan = scan;
    if (setjmp(jpeg->failed)) {
        jpeg_abort_decompress(&jpeg->dec);
        return jpeg->err;
    }
    decode_picture(jpeg, pic);
    return TAS_OK;
}
