#include "operator/present/scale.h"

#include "base/wipe.h"
#include "operator/present/mix_private.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PX = 0xffffff }; /* what counts of a picture's px: the rest is its codec's */

static const double NOTHING = 1e-9; /* a weight that is 0 but for rounding */

/* How the px of one axis are made: px i from the `taps` px at first[i], as weights[i * taps] and the next
 * say. So many for each, some weighing nothing, because a loop of fixed length is faster. */
struct axis {
    uint32_t count, taps;
    uint32_t *first;
    int16_t *weights;
};

struct present_scale {
    struct present_fit fit;
    struct present_rect target, source;
    struct axis across, down; /* empty when copied 1:1 */
    bool is_mixed;            /* otherwise each px is one of the picture's */
    int16_t *lanes;           /* a row between the passes */
    size_t lanes_len;
};

/* ---- how px are made ---- */

/* Keys' cubic: it goes through the px, and past them at an edge, so that the edge stays steep. */
static double cubic(double x) {
    const double a = -0.6;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

static double smaller(double a, double b) {
    return a < b ? a : b;
}

/* An axis of which px are being made. */
struct maker {
    enum present_filter filter;
    double ratio;  /* remote px for a px */
    int64_t last;  /* remote px */
    double *share; /* of each of `taps` px */
    uint32_t taps;
};

/* What remote px `at` weighs in px i; not yet in relation to the others. */
static double weight(const struct maker *maker, uint32_t i, int64_t at) {
    double ratio = maker->ratio, centre = (i + 0.5) * ratio - 0.5;
    if (maker->filter == PRESENT_CUBIC)
        return cubic(((double)at - centre) / (ratio > 1 ? ratio : 1));
    double from = fmax(i * ratio, (double)at), to = smaller((i + 1) * ratio, (double)at + 1);
    return to > from ? to - from : 0;
}

/* The first remote px that has a weight, and the last; perhaps beyond the picture. */
static void reach(const struct maker *maker, uint32_t i, int64_t *from, int64_t *to) {
    double ratio = maker->ratio, centre = (i + 0.5) * ratio - 0.5;
    double most = maker->filter == PRESENT_CUBIC ? 2 * (ratio > 1 ? ratio : 1) : ratio / 2 + 0.5;
    *from = (int64_t)ceil(centre - most);
    *to = (int64_t)floor(centre + most);
}

static uint32_t taps_of(uint32_t remote, uint32_t target, enum present_filter filter) {
    uint32_t taps = 1;
    if (filter == PRESENT_CUBIC)
        taps = target > remote ? 4 : (4 * remote + target - 1) / target;
    if (filter == PRESENT_BOX)
        /* Whole px, or as many as fit and one cut at each end. */
        taps = remote % target == 0 ? remote / target : remote / target + 2;
    return taps + taps % 2;
}

static int64_t between(int64_t value, int64_t min, int64_t max) {
    return value > max ? max : value < min ? min : value;
}

/* The whole numbers that have the sum `one`: what rounding takes, the largest gets. */
static void round_weights(const struct maker *maker, int16_t *weights, int one) {
    double sum = 0;
    uint32_t largest = 0;
    int rest = one;
    for (uint32_t k = 0; k < maker->taps; k++)
        sum += maker->share[k];
    for (uint32_t k = 0; k < maker->taps; k++) {
        weights[k] = (int16_t)lround(maker->share[k] / sum * one);
        rest -= weights[k];
        largest = weights[k] > weights[largest] ? k : largest;
    }
    weights[largest] = (int16_t)(weights[largest] + rest);
}

/* What lies beyond the edge looks like the px at the edge. */
static uint32_t make_px(const struct maker *maker, uint32_t i, int16_t *weights, int one) {
    int64_t from, to;
    reach(maker, i, &from, &to);
    while (to - from >= (int64_t)maker->taps && fabs(weight(maker, i, from)) < NOTHING)
        from++; /* both ends are just out of reach */
    int64_t first = between(from, 0, between(maker->last + 1 - (int64_t)maker->taps, 0, INT64_MAX));
    for (uint32_t k = 0; k < maker->taps; k++)
        maker->share[k] = 0;
    for (int64_t at = from; at <= to; at++) {
        double share = weight(maker, i, at);
        int64_t tap = between(at, 0, maker->last) - first;
        if (fabs(share) >= NOTHING && tap >= 0 && tap < (int64_t)maker->taps)
            maker->share[tap] += share;
    }
    round_weights(maker, weights, one);
    return (uint32_t)first;
}

static void axis_fini(struct axis *axis) {
    free(axis->first);
    free(axis->weights);
}

/* one: the sum of the weights. */
static int axis_init(struct axis *axis, uint32_t remote, uint32_t target, int one) {
    enum present_filter filter = present_fit_filter(remote, target);
    struct maker maker = {filter, (double)remote / target, (int64_t)remote - 1, NULL, 0};
    axis->count = target;
    axis->taps = maker.taps = taps_of(remote, target, filter);
    axis->first = calloc(target, sizeof(*axis->first));
    axis->weights = calloc((size_t)target * axis->taps, sizeof(*axis->weights));
    maker.share = calloc(axis->taps, sizeof(*maker.share));
    bool has_memory = axis->first && axis->weights && maker.share;
    for (uint32_t i = 0; has_memory && i < target; i++) {
        int16_t *weights = axis->weights + (size_t)i * axis->taps;
        if (filter == PRESENT_COPY || filter == PRESENT_NEAREST) {
            axis->first[i] = (uint32_t)((uint64_t)i * remote / target);
            weights[0] = (int16_t)one;
        } else {
            axis->first[i] = make_px(&maker, i, weights, one);
        }
    }
    free(maker.share);
    return has_memory ? TAS_OK : TAS_E_NOMEM;
}

static int axes_init(struct axis *across, struct axis *down, const struct present_rect *remote,
                     const struct present_rect *target) {
    int err = axis_init(across, remote->width, target->width, PRESENT_COLUMNS_ONE);
    return err == TAS_OK ? axis_init(down, remote->height, target->height, PRESENT_ROWS_ONE) : err;
}

/* Room for a row of lanes, and for what weighs nothing behind it. */
static size_t lanes_len(const struct axis *across, uint32_t width) {
    return ((size_t)width + across->taps) * PRESENT_LANES * sizeof(int16_t);
}

/* The target's columns from..to - 1 of its row y; `keep` and `top` as in mix_private.h. */
static void mix(const struct axis *across, const struct axis *down, int16_t *lanes, const uint32_t *px,
                size_t stride, uint32_t width, uint32_t y, struct present_columns *part, uint32_t from,
                uint32_t to, uint32_t *out) {
    uint32_t first = across->first[from], end = across->first[to - 1] + across->taps;
    end = end < width ? end : width;
    present_mix_rows(lanes, (const uint8_t *)(px + (size_t)down->first[y] * stride + first),
                     stride * sizeof(*px), down->weights + (size_t)y * down->taps, down->taps,
                     (size_t)(end - first) * PRESENT_LANES);
    part->first = across->first + from;
    part->weights = across->weights + (size_t)from * across->taps;
    part->taps = across->taps;
    part->offset = first;
    part->count = to - from;
    present_mix_columns(out, lanes, part);
}

/* ---- drawing ---- */

static bool is_copied(const struct present_scale *scale) {
    return scale->across.count == 0;
}

/* A colour that is brighter than its opacity allows: the filter has gone past an edge. */
static uint32_t premultiplied(uint32_t px) {
    uint32_t alpha = px >> 24, out = alpha << 24;
    for (int s = 0; s < 24; s += 8) {
        uint32_t colour = px >> s & 255;
        out |= (colour < alpha ? colour : alpha) << s;
    }
    return out;
}

int present_scale_image(const uint32_t *in, uint32_t width, uint32_t height, uint32_t *out,
                        uint32_t out_width, uint32_t out_height) {
    const struct present_rect remote = {0, 0, width, height}, target = {0, 0, out_width, out_height};
    struct axis across = {0}, down = {0};
    struct present_columns part = {.keep = UINT32_MAX};
    int16_t *lanes = NULL;
    size_t len = 0;
    int err = axes_init(&across, &down, &remote, &target);

    if (err == TAS_OK) {
        len = lanes_len(&across, width);
        lanes = calloc(1, len);
        err = lanes ? TAS_OK : TAS_E_NOMEM;
    }
    for (uint32_t y = 0; err == TAS_OK && y < out_height; y++) {
        uint32_t *row = out + (size_t)y * out_width;
        mix(&across, &down, lanes, in, width, width, y, &part, 0, out_width, row);
        for (uint32_t x = 0; x < out_width; x++)
            row[x] = premultiplied(row[x]);
    }
    axis_fini(&across);
    axis_fini(&down);
    if (lanes)
        tas_wipe(lanes, len);
    free(lanes);
    return err;
}

static bool is_whole(uint32_t remote, uint32_t target) {
    enum present_filter filter = present_fit_filter(remote, target);
    return filter == PRESENT_COPY || filter == PRESENT_NEAREST;
}

struct present_scale *present_scale_new(const struct present_fit *fit) {
    struct present_scale *scale = calloc(1, sizeof(*scale));
    if (!scale)
        return NULL;
    scale->fit = *fit;
    scale->target = present_fit_target(fit);
    scale->source = present_fit_source(fit);
    struct present_rect remote = scale->source;
    bool has_same_size = scale->target.width == remote.width && scale->target.height == remote.height;
    if (has_same_size || scale->target.width == 0)
        return scale;
    scale->is_mixed =
        !is_whole(remote.width, scale->target.width) || !is_whole(remote.height, scale->target.height);
    if (axes_init(&scale->across, &scale->down, &remote, &scale->target) == TAS_OK) {
        scale->lanes_len = lanes_len(&scale->across, remote.width);
        scale->lanes = calloc(1, scale->lanes_len);
    }
    if (scale->lanes)
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
    for (size_t i = 0; i < n; i++)
        out[i] = (in[i] & PX) | top;
}

static void repeat(uint32_t *out, const uint32_t *in, const uint32_t *first, size_t n, uint32_t top) {
    for (size_t i = 0; i < n; i++)
        out[i] = (in[first[i]] & PX) | top;
}

/* The target's columns from..to - 1 of its row y. */
static void draw_row(struct present_scale *scale, const struct tas_picture *pic, uint32_t y, uint32_t from,
                     uint32_t to, uint32_t *out, uint32_t top) {
    const struct axis *across = &scale->across, *down = &scale->down;
    const uint32_t *px = pic->px + (size_t)scale->source.y * pic->stride + (size_t)scale->source.x;
    struct present_columns part = {.keep = PX, .top = top};
    if (is_copied(scale))
        copy(out, px + (size_t)y * pic->stride + from, to - from, top);
    else if (!scale->is_mixed)
        repeat(out, px + (size_t)down->first[y] * pic->stride, across->first + from, to - from, top);
    else
        mix(across, down, scale->lanes, px, pic->stride, pic->width, y, &part, from, to, out);
}

/* Is row y of the target the same as the one above it? */
static bool is_repeated(const struct present_scale *scale, uint32_t y) {
    const struct axis *down = &scale->down;
    return !scale->is_mixed && !is_copied(scale) && y > 0 && down->first[y] == down->first[y - 1];
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
