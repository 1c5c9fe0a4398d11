#include "operator/present/scale.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Weights are 8 bits so that the two passes stay within 16 bits a channel: the first (rows to one row) is
 * then plain arithmetic on bytes that compilers turn into vectors, and the second (px to one px) one
 * multiplication for all four channels. */
enum {
    ONE = 256, /* the sum of the weights of a px */
    LANES = 4, /* 16-bit channels of a px between the passes */
};

static const uint64_t HALVES = 0x0080008000800080, BYTES = 0x00ff00ff00ff00ff;

/* How the px of one axis are made: px i from the `taps` px at first[i], as weights[i * taps] and the next
 * say. So many for each, some weighing nothing, because a loop of fixed length is twice as fast. */
struct axis {
    uint32_t count, taps;
    uint32_t *first;
    uint16_t *weights;
};

struct present_scale {
    struct present_fit fit;
    struct present_rect target;
    uint32_t origin_x, origin_y;
    struct axis across, down; /* empty when copied 1:1 */
    uint16_t *lanes;          /* a row between the passes */
    size_t lanes_len;
};

/* ---- how px are made ---- */

static uint32_t taps_of(uint32_t remote, uint32_t target) {
    switch (present_fit_filter(remote, target)) {
    case PRESENT_BILINEAR:
        return remote > 1 ? 2 : 1;
    case PRESENT_BOX:
        /* Whole px, or as many as fit and one cut at each end. */
        return remote % target == 0 ? remote / target : remote / target + 2;
    default:
        return 1;
    }
}

static void make_bilinear(struct axis *axis, uint32_t i, uint64_t remote, uint16_t *weights) {
    uint64_t target = axis->count;
    uint64_t twice = (2 * (uint64_t)i + 1) * remote;   /* the middle of the px, in parts of 2 * target ... */
    uint64_t at = twice > target ? twice - target : 0; /* ... from the middle of the first remote px */
    uint64_t first = at / (2 * target);
    uint64_t second = (at % (2 * target) * ONE + target) / (2 * target);

    if (first + axis->taps > remote) {
        first = remote - axis->taps;
        second = ONE;
    }
    axis->first[i] = (uint32_t)first;
    weights[axis->taps - 1] = (uint16_t)second;
    weights[0] = (uint16_t)(axis->taps > 1 ? ONE - second : ONE);
}

/* Each remote px weighs as much as it is covered. What rounding takes from one the next one gets. */
static void make_box(struct axis *axis, uint32_t i, uint64_t remote, uint16_t *weights) {
    uint64_t target = axis->count;
    uint64_t from = i * remote, to = from + remote; /* in parts of `target` */
    uint64_t at = from / target, given = 0;
    uint64_t first = at + axis->taps <= remote ? at : remote - axis->taps;

    axis->first[i] = (uint32_t)first;
    for (; given < ONE; at++) {
        uint64_t edge = (at + 1) * target;
        uint64_t covered = (edge < to ? edge : to) - from;
        uint64_t weight = (covered * ONE + remote / 2) / remote - given;
        weights[at - first] = (uint16_t)weight;
        given += weight;
    }
}

static void make_px(struct axis *axis, uint32_t i, uint32_t remote, enum present_filter filter) {
    uint16_t *weights = axis->weights + (size_t)i * axis->taps;
    switch (filter) {
    case PRESENT_COPY:
    case PRESENT_NEAREST:
        axis->first[i] = (uint32_t)((uint64_t)i * remote / axis->count);
        weights[0] = ONE;
        break;
    case PRESENT_BILINEAR:
        make_bilinear(axis, i, remote, weights);
        break;
    case PRESENT_BOX:
        make_box(axis, i, remote, weights);
        break;
    }
}

static void axis_fini(struct axis *axis) {
    free(axis->first);
    free(axis->weights);
}

static int axis_init(struct axis *axis, uint32_t remote, uint32_t target) {
    axis->count = target;
    axis->taps = taps_of(remote, target);
    axis->first = calloc(target, sizeof(*axis->first));
    axis->weights = calloc((size_t)target * axis->taps, sizeof(*axis->weights));
    if (!axis->first || !axis->weights)
        return TAS_E_NOMEM;
    enum present_filter filter = present_fit_filter(remote, target);
    for (uint32_t i = 0; i < target; i++)
        make_px(axis, i, remote, filter);
    return TAS_OK;
}

/* The remote px [*first, *end) that the px from..to - 1 are made of. */
static void axis_range(const struct axis *axis, uint32_t from, uint32_t to, uint32_t *first, uint32_t *end) {
    *first = axis->first[from];
    *end = axis->first[to - 1] + axis->taps;
}

/* ---- the two passes ---- */

static void rows_start(uint16_t *lanes, const uint8_t *row, uint16_t weight, size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = (uint16_t)(row[i] * weight + ONE / 2);
}

static void rows_add(uint16_t *lanes, const uint8_t *row, uint16_t weight, size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = (uint16_t)(lanes[i] + row[i] * weight);
}

static void rows_end(uint16_t *lanes, size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = (uint16_t)(lanes[i] >> 8);
}

static void rows_widen(uint16_t *lanes, const uint8_t *row, size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = row[i];
}

/* The whole of what is most frequent in one go. */
static void rows_two(uint16_t *lanes, const uint8_t *a, uint16_t wa, const uint8_t *b, uint16_t wb,
                     size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = (uint16_t)((uint16_t)(a[i] * wa + b[i] * wb + ONE / 2) >> 8);
}

static void rows_three(uint16_t *lanes, const uint8_t *a, uint16_t wa, const uint8_t *b, uint16_t wb,
                       const uint8_t *c, uint16_t wc, size_t n) {
    for (size_t i = 0; i < n; i++)
        lanes[i] = (uint16_t)((uint16_t)(a[i] * wa + b[i] * wb + c[i] * wc + ONE / 2) >> 8);
}

/* Row y of the target, before the second pass: `width` px from remote column x on. */
static void mix_rows(uint16_t *lanes, const struct axis *down, uint32_t y, const uint32_t *px, size_t stride,
                     uint32_t x, uint32_t width) {
    const uint8_t *row = (const uint8_t *)(px + down->first[y] * stride + x);
    const uint16_t *w = down->weights + (size_t)y * down->taps;
    size_t n = (size_t)width * LANES, step = stride * sizeof(*px);
    uint32_t taps = down->taps;

    for (; taps > 1 && w[0] == 0; taps--, w++)
        row += step;
    while (taps > 1 && w[taps - 1] == 0)
        taps--;
    if (taps == 1) {
        rows_widen(lanes, row, n);
    } else if (taps == 2) {
        rows_two(lanes, row, w[0], row + step, w[1], n);
    } else if (taps == 3) {
        rows_three(lanes, row, w[0], row + step, w[1], row + 2 * step, w[2], n);
    } else {
        rows_start(lanes, row, w[0], n);
        for (uint32_t k = 1; k < taps; k++)
            rows_add(lanes, row + k * step, w[k], n);
        rows_end(lanes, n);
    }
}

static uint64_t load(const uint16_t *lanes, size_t px) {
    uint64_t value;
    memcpy(&value, lanes + px * LANES, sizeof(value));
    return value;
}

static uint32_t pack(uint64_t lanes) {
    lanes |= lanes >> 8;
    return (uint32_t)(lanes & 0xffff) | (uint32_t)(lanes >> 16 & 0xffff0000);
}

/* The target's columns from..to - 1; the lanes begin with remote column x. taps: the axis's, known to the
 * compiler in the frequent cases. */
static inline void mix_taps(uint32_t *out, const struct axis *across, uint32_t from, uint32_t to,
                            const uint16_t *lanes, uint32_t x, uint32_t top, uint32_t taps) {
    const uint16_t *weights = across->weights + (size_t)from * taps;
    for (uint32_t i = from; i < to; i++, weights += taps) {
        size_t at = across->first[i] - x;
        uint64_t sum = HALVES;
        for (uint32_t k = 0; k < taps; k++)
            sum += load(lanes, at + k) * weights[k];
        *out++ = pack(sum >> 8 & BYTES) | top;
    }
}

static void mix_columns(uint32_t *out, const struct axis *across, uint32_t from, uint32_t to,
                        const uint16_t *lanes, uint32_t x, uint32_t top) {
    if (across->taps == 1)
        mix_taps(out, across, from, to, lanes, x, top, 1);
    else if (across->taps == 2)
        mix_taps(out, across, from, to, lanes, x, top, 2);
    else if (across->taps == 3)
        mix_taps(out, across, from, to, lanes, x, top, 3);
    else
        mix_taps(out, across, from, to, lanes, x, top, across->taps);
}

/* ---- drawing ---- */

static bool is_copied(const struct present_scale *scale) {
    return scale->across.count == 0;
}

int present_scale_image(const uint32_t *in, uint32_t width, uint32_t height, uint32_t *out,
                        uint32_t out_width, uint32_t out_height) {
    struct axis across = {0}, down = {0};
    uint16_t *lanes = calloc((size_t)width * LANES, sizeof(*lanes));
    int err = lanes ? TAS_OK : TAS_E_NOMEM;

    if (err == TAS_OK)
        err = axis_init(&across, width, out_width);
    if (err == TAS_OK)
        err = axis_init(&down, height, out_height);
    for (uint32_t y = 0; err == TAS_OK && y < out_height; y++) {
        mix_rows(lanes, &down, y, in, width, 0, width);
        mix_columns(out + (size_t)y * out_width, &across, 0, out_width, lanes, 0, 0);
    }
    axis_fini(&across);
    axis_fini(&down);
    if (lanes)
        tas_wipe(lanes, (size_t)width * LANES * sizeof(*lanes));
    free(lanes);
    return err;
}

struct present_scale *present_scale_new(const struct present_fit *fit) {
    struct present_scale *scale = calloc(1, sizeof(*scale));
    if (!scale)
        return NULL;
    scale->fit = *fit;
    scale->target = present_fit_target(fit);
    present_fit_origin(fit, &scale->origin_x, &scale->origin_y);
    bool has_same_size =
        scale->target.width == fit->remote_width && scale->target.height == fit->remote_height;
    if (!fit->is_scaled || has_same_size || scale->target.width == 0)
        return scale;
    scale->lanes_len = (size_t)fit->remote_width * LANES * sizeof(*scale->lanes);
    scale->lanes = malloc(scale->lanes_len);
    if (scale->lanes && axis_init(&scale->across, fit->remote_width, scale->target.width) == TAS_OK &&
        axis_init(&scale->down, fit->remote_height, scale->target.height) == TAS_OK)
        return scale;
    present_scale_free(scale);
    return NULL;
}

void present_scale_free(struct present_scale *scale) {
    if (!scale)
        return;
    axis_fini(&scale->across);
    axis_fini(&scale->down);
    if (scale->lanes)
        tas_wipe(scale->lanes, scale->lanes_len);
    free(scale->lanes);
    free(scale);
}

static void fill(uint32_t *out, uint32_t value, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = value;
}

static void copy(uint32_t *out, const uint32_t *in, size_t n, uint32_t top) {
    if (top == 0) {
        memcpy(out, in, n * sizeof(*out));
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = in[i] | top;
}

/* The target's columns from..to - 1 of its row y. */
static void draw_row(struct present_scale *scale, const struct tas_picture *pic, uint32_t y, uint32_t from,
                     uint32_t to, uint32_t *out, uint32_t top) {
    if (is_copied(scale)) {
        copy(out, pic->px + (size_t)(scale->origin_y + y) * pic->stride + scale->origin_x + from, to - from,
             top);
        return;
    }
    uint32_t first, end;
    axis_range(&scale->across, from, to, &first, &end);
    mix_rows(scale->lanes, &scale->down, y, pic->px, pic->stride, first, end - first);
    mix_columns(out, &scale->across, from, to, scale->lanes, first, top);
}

/* Is row y of the target the same as the one above it? */
static bool is_repeated(const struct present_scale *scale, uint32_t y) {
    const struct axis *down = &scale->down;
    return down->taps == 1 && y > 0 && down->first[y] == down->first[y - 1];
}

/* What [from, to) and [start, start + length) have in common. */
static bool overlap(int64_t *from, int64_t *to, int64_t start, int64_t length) {
    if (*from < start)
        *from = start;
    if (*to > start + length)
        *to = start + length;
    return *from < *to;
}

void present_scale_draw(struct present_scale *scale, const struct tas_picture *pic, struct present_rect part,
                        const struct present_canvas *canvas) {
    const struct present_rect target = scale->target;
    int64_t left = part.x, right = left + part.width, top = part.y, bottom = top + part.height;
    if (!overlap(&left, &right, 0, scale->fit.width) || !overlap(&top, &bottom, 0, scale->fit.height))
        return;
    int64_t from = left, to = right;
    bool has_columns = pic && overlap(&from, &to, target.x, target.width);
    uint32_t around = (pic ? PRESENT_MARGIN : 0) | canvas->top;
    const uint32_t *above = NULL; /* the row that was drawn last */

    assert(!pic || (pic->width == scale->fit.remote_width && pic->height == scale->fit.remote_height));
    for (int64_t y = top; y < bottom; y++) {
        uint32_t *row = canvas->px + (size_t)y * canvas->stride;
        if (!has_columns || y < target.y || y >= target.y + (int64_t)target.height) {
            fill(row + left, around, (size_t)(right - left));
            continue;
        }
        fill(row + left, around, (size_t)(from - left));
        uint32_t at = (uint32_t)(y - target.y);
        if (above && is_repeated(scale, at))
            memcpy(row + from, above + from, (size_t)(to - from) * sizeof(*row));
        else
            draw_row(scale, pic, at, (uint32_t)(from - target.x), (uint32_t)(to - target.x), row + from,
                     canvas->top);
        fill(row + to, around, (size_t)(right - to));
        above = row;
    }
}
