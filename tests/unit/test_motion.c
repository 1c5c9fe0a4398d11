/* The moves of screen codec version 2: carrying them out, and finding them. */
#include "codec/motion_kernels_private.h"
#include "codec/motion_private.h"
#include "oom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RGB   0xffffffu
#define ROUGH 0x80000000u

enum {
    STRIDE_MORE = 5,      /* px, by which the rows of `was` are longer than the picture is wide */
    STRIPES_FIRST = 1600, /* seed; 1605 showed it */
};

/* ---- pictures ---- */

static uint32_t mix(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t h = a * 0x9e3779b1u ^ b * 0x85ebca6bu ^ c * 0xc2b2ae35u;
    h ^= h >> 15;
    h *= 0x2c1b3c6du;
    h ^= h >> 12;
    h *= 0x297a2d39u;
    return h ^ h >> 15;
}

struct random {
    uint32_t seed, at;
};

static uint32_t next_below(struct random *random, uint32_t limit) {
    return mix(random->seed, ++random->at, 77) % limit;
}

/* A colour for each place of an endless plane. */
typedef uint32_t paint_fn(int32_t x, int32_t y);

static uint32_t text(int32_t x, int32_t y) {
    uint32_t column = (uint32_t)(x + 90000) / 9, line = (uint32_t)(y + 90000) / 19;
    uint32_t px = (uint32_t)(x + 90000) % 9, py = (uint32_t)(y + 90000) % 19;
    uint32_t glyph = mix(column, line, 1) % 60;
    bool is_blank = py < 3 || py > 15 || px > 6 || glyph < 12 || column % 100 > 40 + mix(line, 0, 2) % 50;
    return is_blank || mix(glyph, px / 2, py / 2) % 3 ? 0xffffff
                                                      : 0x202020 + mix(glyph, px, py) % 3 * 0x303030;
}

static uint32_t other_text(int32_t x, int32_t y) {
    return text(x + 4001, y + 17000) ^ 0x0f0f00;
}

static uint32_t photo(int32_t x, int32_t y) {
    uint32_t grain = mix((uint32_t)x, (uint32_t)y, 3) % 8;
    uint32_t level = (uint32_t)(x / 3 + y / 5 + 9000) % 200 + grain;
    return level << 16 | (level + (uint32_t)(y + 9000) % 16) << 8 | (255 - level);
}

static uint32_t other_photo(int32_t x, int32_t y) {
    return photo(y + 333, x + 777) ^ 0x303030;
}

static uint32_t noise_1(int32_t x, int32_t y) {
    return mix((uint32_t)x, (uint32_t)y, 4) & RGB;
}

static uint32_t noise_2(int32_t x, int32_t y) {
    return mix((uint32_t)x, (uint32_t)y, 5) & RGB;
}

static uint32_t checkers(int32_t x, int32_t y) {
    return ((x >> 3) ^ (y >> 3)) & 1 ? 0xffffff : 0;
}

static uint32_t rules(int32_t x, int32_t y) {
    return y % 20 == 0 ? 0x8080ff : x == 100 ? 0xff8080 : 0xffffff;
}

static uint32_t white(int32_t x, int32_t y) {
    (void)x, (void)y;
    return 0xffffff;
}

struct rect {
    int32_t x, y, w, h;
};

/* Paints a rectangle with what the plane has (dx, dy) further. */
static void paint(const struct tas_picture *pic, struct rect r, paint_fn *fn, int32_t dx, int32_t dy) {
    for (int32_t y = r.y; y < r.y + r.h; y++)
        for (int32_t x = r.x; x < r.x + r.w; x++)
            pic->px[(size_t)y * pic->stride + (size_t)x] = fn(x + dx, y + dy);
}

static void paint_ellipse(const struct tas_picture *pic, struct rect r, paint_fn *fn) {
    for (int32_t y = 0; y < r.h; y++)
        for (int32_t x = 0; x < r.w; x++) {
            int64_t u = (2 * x - r.w) * r.h, v = (2 * y - r.h) * r.w, one = (int64_t)r.w * r.h;
            if (u * u + v * v <= one * one)
                pic->px[(size_t)(r.y + y) * pic->stride + (size_t)(r.x + x)] = fn(x, y);
        }
}

static struct tas_picture picture_new(uint32_t width, uint32_t height, uint32_t stride) {
    struct tas_picture pic = {NULL, width, height, stride};
    /* not a pixel more than must be there, so that ASan sees a read past the end */
    pic.px = calloc((size_t)stride * (height - 1) + width, sizeof(*pic.px));
    assert_non_null(pic.px);
    return pic;
}

static void copy(const struct tas_picture *to, const struct tas_picture *from) {
    for (uint32_t y = 0; y < to->height; y++)
        memcpy(to->px + (size_t)y * to->stride, from->px + (size_t)y * from->stride,
               to->width * sizeof(*to->px));
}

static size_t differing(const struct tas_picture *a, const struct tas_picture *b) {
    size_t count = 0;
    for (uint32_t y = 0; y < a->height; y++)
        for (uint32_t x = 0; x < a->width; x++)
            count += ((a->px[(size_t)y * a->stride + x] ^ b->px[(size_t)y * b->stride + x]) & RGB) != 0;
    return count;
}

/* ---- carrying out ---- */

static void a_move_is_valid_only_when_both_ends_lie_inside(void **state) {
    (void)state;
    static const struct {
        struct tas_move move;
        bool is_valid;
    } cases[] = {
        {{0, 0, 99, 50, 1, 0}, true},
        {{0, 0, 100, 50, 1, 0}, false},
        {{1, 0, 99, 50, -1, 0}, true},
        {{0, 0, 99, 50, -1, 0}, false},
        {{0, 1, 100, 49, 0, -1}, true},
        {{0, 0, 100, 49, 0, 1}, true},
        {{0, 0, 100, 50, 0, 1}, false},
        {{5, 5, 0, 9, 1, 1}, false},
        {{5, 5, 9, 0, 1, 1}, false},
        {{5, 5, 9, 9, 0, 0}, false},
        {{99, 49, 1, 1, -99, -49}, true},
        {{100, 0, 1, 1, -1, 0}, false},
        {{0, 50, 1, 1, 0, -1}, false},
        {{65535, 0, 65535, 1, -32768, 0}, false},
        {{0, 65535, 1, 65535, 0, -32768}, false},
        {{0, 0, 1, 1, 32767, 0}, false},
        {{0, 0, 1, 1, 99, 49}, true},
        {{0, 0, 1, 1, 99, 50}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(tas_move_is_valid(&cases[i].move, 100, 50), cases[i].is_valid);
}

static void apply_plainly(const struct tas_picture *pic, const struct tas_move *moves, unsigned count) {
    struct tas_picture was = picture_new(pic->width, pic->height, pic->stride);
    copy(&was, pic);
    for (unsigned i = 0; i < count; i++)
        for (int32_t y = moves[i].y; y < moves[i].y + moves[i].h; y++)
            for (int32_t x = moves[i].x; x < moves[i].x + moves[i].w; x++)
                pic->px[(size_t)y * pic->stride + (size_t)x] =
                    was.px[(size_t)(y + moves[i].dy) * was.stride + (size_t)(x + moves[i].dx)];
    free(was.px);
}

static struct tas_move random_move(struct random *random, uint32_t width, uint32_t height, uint32_t most) {
    struct tas_move move;
    do {
        uint32_t w = 1 + next_below(random, width < most ? width : most);
        uint32_t h = 1 + next_below(random, height < most ? height : most);
        uint32_t x = next_below(random, width - w + 1), y = next_below(random, height - h + 1);
        int32_t dx = (int32_t)next_below(random, width - w + 1) - (int32_t)x;
        int32_t dy = (int32_t)next_below(random, height - h + 1) - (int32_t)y;
        move =
            (struct tas_move){(uint16_t)x, (uint16_t)y, (uint16_t)w, (uint16_t)h, (int16_t)dx, (int16_t)dy};
    } while (move.dx == 0 && move.dy == 0);
    assert_true(tas_move_is_valid(&move, width, height));
    return move;
}

static void apply(const struct tas_picture *pic, const struct tas_move *moves, unsigned count) {
    size_t pixels = 0;
    for (unsigned i = 0; i < count; i++)
        pixels += (size_t)moves[i].w * moves[i].h;
    uint32_t *scratch = malloc((pixels + 1) * sizeof(*scratch));
    assert_non_null(scratch);
    tas_moves_apply(pic, moves, count, scratch);
    free(scratch);
}

static void moves_happen_as_if_all_at_once(void **state) {
    (void)state;
    struct random random = {1, 0};
    for (unsigned round = 0; round < 1500; round++) {
        uint32_t width = 2 + next_below(&random, 60), height = 1 + next_below(&random, 40);
        uint32_t most = round % 2 ? 60 : 6;
        struct tas_move moves[TAS_MOVES_MAX];
        unsigned count = round % 50 ? next_below(&random, 12) : TAS_MOVES_MAX;
        for (unsigned i = 0; i < count; i++)
            moves[i] = random_move(&random, width, height, most);
        struct tas_picture got = picture_new(width, height, width + STRIDE_MORE);
        struct tas_picture want = picture_new(width, height, width + STRIDE_MORE);
        struct rect all = {0, 0, (int32_t)width, (int32_t)height};
        paint(&got, all, noise_1, (int32_t)round, 0);
        copy(&want, &got);
        apply(&got, moves, count);
        apply_plainly(&want, moves, count);
        assert_memory_equal(got.px, want.px, ((size_t)got.stride * (height - 1) + width) * sizeof(*got.px));
        free(got.px);
        free(want.px);
    }
}

static void the_top_byte_of_a_pixel_moves_with_it(void **state) {
    (void)state;
    struct tas_picture pic = picture_new(3, 1, 3);
    pic.px[0] = ROUGH | 0x123456;
    apply(&pic, &(struct tas_move){2, 0, 1, 1, -2, 0}, 1);
    assert_int_equal(pic.px[2], ROUGH | 0x123456);
    free(pic.px);
}

/* ---- kernels ---- */

enum { KERNEL_STRIDE = 61, KERNEL_ROWS = 20 };

/* Two areas that are mostly alike, with rough pixels in the first. */
static void fill_areas(struct random *random, uint32_t *a, uint32_t *b, uint32_t colours, uint32_t changes) {
    for (unsigned i = 0; i < KERNEL_STRIDE * KERNEL_ROWS; i++) {
        uint32_t flat = i % KERNEL_STRIDE / 9 % 2 ? 0 : next_below(random, colours);
        b[i] = flat * 0x010203;
        a[i] = b[i] ^ (next_below(random, 1000) < changes ? 1u << next_below(random, 24) : 0);
        a[i] |= next_below(random, 2) ? ROUGH : 0;
    }
}

static void all_kernels_count_alike(void **state) {
    (void)state;
    const struct tas_motion_kernels *fast = tas_motion_kernels(), *plain = tas_motion_kernels_plain();
    static uint32_t a[KERNEL_STRIDE * KERNEL_ROWS], b[KERNEL_STRIDE * KERNEL_ROWS];
    struct random random = {2, 0};
    for (unsigned round = 0; round < 2000; round++) {
        fill_areas(&random, a, b, 1 + next_below(&random, 9), next_below(&random, 1 + round % 200));
        unsigned w = round % 2 ? 16 : 1 + next_below(&random, 16), h = 1 + next_below(&random, 16);
        uint32_t at = 1 + next_below(&random, 8);
        uint16_t masks[2][16] = {{0}};
        fast->masks(a + at, KERNEL_STRIDE, b, KERNEL_STRIDE, w, h, masks[0]);
        plain->masks(a + at, KERNEL_STRIDE, b, KERNEL_STRIDE, w, h, masks[1]);
        assert_memory_equal(masks[0], masks[1], sizeof(masks[0]));
        assert_int_equal(fast->count(a, KERNEL_STRIDE, b, KERNEL_STRIDE, w, h),
                         plain->count(a, KERNEL_STRIDE, b, KERNEL_STRIDE, w, h));
        assert_int_equal(fast->texture(a + at, KERNEL_STRIDE, w, h),
                         plain->texture(a + at, KERNEL_STRIDE, w, h));
        uint8_t wrong[2][3] = {{0, 255, (uint8_t)(round % 20)}, {0, 255, (uint8_t)(round % 20)}};
        fast->count_strip(a, 4 * KERNEL_STRIDE, b, 4 * KERNEL_STRIDE, 3, wrong[0], 10);
        plain->count_strip(a, 4 * KERNEL_STRIDE, b, 4 * KERNEL_STRIDE, 3, wrong[1], 10);
        assert_memory_equal(wrong[0], wrong[1], sizeof(wrong[0]));
    }
}

static void all_kernels_choose_the_same_anchors_rough_or_not(void **state) {
    (void)state;
    const struct tas_motion_kernels *fast = tas_motion_kernels(), *plain = tas_motion_kernels_plain();
    static uint32_t a[KERNEL_STRIDE * KERNEL_ROWS], b[KERNEL_STRIDE * KERNEL_ROWS];
    struct random random = {3, 0};
    unsigned chosen = 0;
    for (unsigned round = 0; round < 2000; round++) {
        fill_areas(&random, a, b, 200, 0);
        uint16_t places[3][KERNEL_STRIDE];
        unsigned n = next_below(&random, KERNEL_STRIDE - 16);
        uint32_t select = round % 2 ? 0xc0000000 : 0x80000000;
        unsigned count = fast->anchors(a + 1, KERNEL_STRIDE, n, select, places[0]);
        assert_int_equal(plain->anchors(a + 1, KERNEL_STRIDE, n, select, places[1]), count);
        assert_int_equal(plain->anchors(b + 1, KERNEL_STRIDE, n, select, places[2]), count);
        assert_memory_equal(places[0], places[1], count * sizeof(uint16_t));
        assert_memory_equal(places[0], places[2], count * sizeof(uint16_t));
        chosen += count;
    }
    assert_true(chosen > 1000);
}

/* ---- finding ---- */

struct pair {
    struct tas_picture was, now;
    struct rect all;
    struct tas_tiles changed;
    struct tas_motion *motion;
    struct tas_move moves[TAS_MOVES_MAX];
    unsigned count;
    size_t before, after; /* px that differ */
};

static struct pair pair_new(uint32_t width, uint32_t height) {
    struct pair p = {.was = picture_new(width, height, width + STRIDE_MORE),
                     .now = picture_new(width, height, width),
                     .all = {0, 0, (int32_t)width, (int32_t)height},
                     .motion = tas_motion_new(width, height)};
    assert_non_null(p.motion);
    assert_int_equal(tas_tiles_init(&p.changed, width, height), TAS_OK);
    return p;
}

static void pair_free(struct pair *p) {
    free(p->was.px);
    free(p->now.px);
    tas_tiles_fini(&p->changed);
    tas_motion_free(p->motion);
}

static void mark_changes(struct pair *p) {
    tas_tiles_clear(&p->changed);
    for (uint32_t y = 0; y < p->now.height; y++)
        for (uint32_t x = 0; x < p->now.width; x++)
            if ((p->was.px[(size_t)y * p->was.stride + x] ^ p->now.px[(size_t)y * p->now.stride + x]) & RGB)
                tas_tiles_set(&p->changed, x / TAS_TILE, y / TAS_TILE);
}

static bool tile_differs(const struct pair *p, uint32_t tx, uint32_t ty) {
    bool differs = false;
    for (uint32_t y = ty * TAS_TILE; y < (ty + 1) * TAS_TILE && y < p->now.height; y++)
        for (uint32_t x = tx * TAS_TILE; x < (tx + 1) * TAS_TILE && x < p->now.width; x++)
            differs |=
                ((p->was.px[y * p->was.stride + x] ^ p->now.px[y * p->now.stride + x]) & 0xffffff) != 0;
    return differs;
}

/* What the search says of tiles holds once the moves are carried out. */
static void check_tiles(const struct pair *p) {
    for (uint32_t ty = 0; ty < p->changed.down; ty++)
        for (uint32_t tx = 0; tx < p->changed.across; tx++) {
            enum tas_motion_tile tile = tas_motion_tile_after(p->motion, tx, ty);
            if (tile != TAS_MOTION_TILE_UNKNOWN)
                assert_int_equal(tile_differs(p, tx, ty), tile == TAS_MOTION_TILE_WRONG);
        }
}

/* Finds the moves, checks what holds for all of them, and carries them out in `was`. */
static void find(struct pair *p) {
    uint64_t pixels = 0;
    mark_changes(p);
    p->before = differing(&p->was, &p->now);
    p->count = tas_motion_find(p->motion, &p->was, &p->now, &p->changed, p->moves);
    assert_true(p->count <= TAS_MOVES_MAX);
    for (unsigned i = 0; i < p->count; i++) {
        assert_true(tas_move_is_valid(&p->moves[i], p->now.width, p->now.height));
        pixels += (uint64_t)p->moves[i].w * p->moves[i].h;
    }
    assert_true(pixels <= (uint64_t)2 * p->now.width * p->now.height);
    apply(&p->was, p->moves, p->count);
    check_tiles(p);
    p->after = differing(&p->was, &p->now);
    assert_true(p->after <= p->before);
}

static size_t area_of(struct rect r) {
    return (size_t)r.w * (size_t)r.h;
}

static size_t exposed_by(struct rect r, int32_t dx, int32_t dy) {
    return area_of(r) - area_of((struct rect){0, 0, r.w - abs(dx), r.h - abs(dy)});
}

static void a_pane_off_the_grid_scrolls_to_the_pixel(void **state) {
    (void)state;
    static const int32_t steps[][2] = {{0, -60}, {0, 37}, {13, 0}, {-8, 5}, {0, 1}, {-200, -100}};
    const struct rect pane = {37, 51, 553, 383};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        struct pair p = pair_new(640, 480);
        int32_t dx = steps[i][0], dy = steps[i][1];
        paint(&p.was, p.all, photo, 0, 0);
        paint(&p.was, pane, text, 0, 0);
        copy(&p.now, &p.was);
        paint(&p.now, pane, text, dx, dy);
        find(&p);
        assert_in_range(p.count, 1, 4);
        assert_true(p.after <= exposed_by(pane, dx, dy));
        pair_free(&p);
    }
}

static void a_scroll_that_goes_on_is_followed(void **state) {
    (void)state;
    static const int32_t steps[] = {30, 30, 30, 45, 44, 0, 45, -45, 7};
    struct pair p = pair_new(1000, 700);
    int32_t at = 0;
    paint(&p.was, p.all, text, 0, 0);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        at += steps[i];
        paint(&p.now, p.all, text, 0, at);
        find(&p);
        assert_true(p.after <= exposed_by(p.all, 0, steps[i]));
        copy(&p.was, &p.now);
    }
    pair_free(&p);
}

static void a_window_is_dragged_over_a_photo(void **state) {
    (void)state;
    struct pair p = pair_new(800, 600);
    const struct rect from = {101, 77, 301, 203}, to = {143, 96, 301, 203};
    paint(&p.was, p.all, photo, 0, 0);
    copy(&p.now, &p.was);
    paint(&p.was, from, other_text, -from.x, -from.y);
    paint(&p.now, to, other_text, -to.x, -to.y);
    find(&p);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.moves[0].x, to.x);
    assert_int_equal(p.moves[0].y, to.y);
    assert_int_equal(p.moves[0].w, to.w);
    assert_int_equal(p.moves[0].h, to.h);
    assert_int_equal(p.moves[0].dx, from.x - to.x);
    assert_int_equal(p.moves[0].dy, from.y - to.y);
    pair_free(&p);
}

static void two_panes_scroll_by_themselves(void **state) {
    (void)state;
    struct pair p = pair_new(900, 600);
    const struct rect left = {21, 30, 403, 507}, right = {451, 61, 409, 444};
    paint(&p.was, p.all, white, 0, 0);
    paint(&p.was, left, text, 0, 0);
    paint(&p.was, right, other_text, 0, 0);
    copy(&p.now, &p.was);
    paint(&p.now, left, text, 0, 60);
    paint(&p.now, right, other_text, 17, -33);
    find(&p);
    assert_in_range(p.count, 2, 6);
    assert_true(p.after <= exposed_by(left, 0, 60) + exposed_by(right, 17, -33));
    pair_free(&p);
}

/* A film's background pans; two ellipses go across it on ways of their own. */
static void a_pan_with_things_going_across_is_explained(void **state) {
    (void)state;
    static const uint32_t sizes[][2] = {{960, 540}, {1920, 1080}};
    for (unsigned i = 0; i < 2; i++) {
        struct pair p = pair_new(sizes[i][0], sizes[i][1]);
        int32_t h = p.all.h;
        struct rect first = {150, h / 4, 150, 110}, second = {500, h / 2, 190, 170};
        paint(&p.was, p.all, photo, 0, 0);
        paint_ellipse(&p.was, first, other_photo);
        paint_ellipse(&p.was, second, noise_2);
        first.x += 9, first.y -= 5;
        second.x -= 12, second.y += 4;
        paint(&p.now, p.all, photo, 7, 3);
        paint_ellipse(&p.now, first, other_photo);
        paint_ellipse(&p.now, second, noise_2);
        find(&p);
        assert_true(p.after * 20 < p.before);
        pair_free(&p);
    }
}

static void rough_pixels_move_like_any_others(void **state) {
    (void)state;
    struct pair p = pair_new(500, 400), rough = pair_new(500, 400);
    paint(&p.was, p.all, text, 0, 0);
    paint(&p.now, p.all, text, 3, 41);
    copy(&rough.was, &p.was);
    copy(&rough.now, &p.now);
    for (size_t i = 0; i < (size_t)rough.was.stride * 399; i++)
        rough.was.px[i] |= mix((uint32_t)i, 0, 9) % 2 ? ROUGH : 0;
    find(&p);
    find(&rough);
    assert_true(p.count > 0);
    assert_int_equal(p.count, rough.count);
    assert_memory_equal(p.moves, rough.moves, p.count * sizeof(*p.moves));
    pair_free(&p);
    pair_free(&rough);
}

/* Every other row is plain: a look at every other row sees nothing. */
static uint32_t striped(int32_t x, int32_t y) {
    return y & 1 && mix((uint32_t)x, (uint32_t)y, 3) % 16 == 0 ? mix((uint32_t)x, (uint32_t)y, 9) & RGB
                                                               : 0xffffff;
}

static uint32_t sparse_text(int32_t x, int32_t y) {
    uint32_t spot = mix((uint32_t)(x + 90000), (uint32_t)(y + 90000), 11);
    return spot % 4 ? 0xeeeeee : spot & RGB;
}

/* Rectangles of one vector that cut blocks which later ones of the same vector cover. */
static void windows_that_move_together_over_stripes_leave_no_pixel_wrong(void **state) {
    (void)state;
    for (uint32_t seed = STRIPES_FIRST; seed < STRIPES_FIRST + 60; seed++) {
        struct random random = {seed, 0};
        struct pair p = pair_new(200 + next_below(&random, 500), 150 + next_below(&random, 400));
        int32_t dx = (int32_t)next_below(&random, 41) - 20, dy = 2 * ((int32_t)next_below(&random, 31) - 15);
        paint(&p.was, p.all, striped, 0, 0);
        paint(&p.now, p.all, striped, 0, 0);
        for (uint32_t windows = 1 + next_below(&random, 6); windows > 0; windows--) {
            struct rect r = {.w = 20 + (int32_t)next_below(&random, 150),
                             .h = 20 + (int32_t)next_below(&random, 120)};
            r.x = (int32_t)next_below(&random, p.now.width - (uint32_t)r.w);
            r.y = (int32_t)next_below(&random, p.now.height - (uint32_t)r.h);
            paint(&p.was, r, sparse_text, 0, 0);
            paint(&p.now, r, sparse_text, dx, dy);
        }
        mark_changes(&p);
        p.count = tas_motion_find(p.motion, &p.was, &p.now, &p.changed, p.moves);
        apply(&p.was, p.moves, p.count);
        check_tiles(&p); /* more blocks may differ than before, but it is known which */
        pair_free(&p);
    }
}

static void nothing_moves_in_a_picture_that_stands_still(void **state) {
    (void)state;
    struct pair p = pair_new(300, 200);
    paint(&p.was, p.all, text, 0, 0);
    copy(&p.now, &p.was);
    find(&p);
    assert_int_equal(p.count, 0);
    tas_tiles_set_all(&p.changed);
    assert_int_equal(tas_motion_find(p.motion, &p.was, &p.now, &p.changed, p.moves), 0);
    pair_free(&p);
}

/* The same searches give the same moves; and whatever they find, find() checks. */
static void find_twice(struct pair *p, struct tas_motion *again) {
    struct tas_move moves[TAS_MOVES_MAX];
    mark_changes(p);
    unsigned count = tas_motion_find(again, &p->was, &p->now, &p->changed, moves);
    find(p);
    assert_int_equal(count, p->count);
    assert_memory_equal(moves, p->moves, count * sizeof(*moves));
}

static void pictures_of_all_kinds_and_sizes_get_no_worse(void **state) {
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1},    {15, 17},  {64, 64}, {1919, 1079},
                                        {3000, 1}, {1, 2000}, {130, 33}};
    static paint_fn *const kinds[][2] = {
        {text, text},       {text, white},        {white, text},  {photo, photo},     {noise_1, noise_2},
        {noise_1, noise_1}, {checkers, checkers}, {rules, rules}, {text, other_text}, {checkers, text}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct pair p = pair_new(sizes[i][0], sizes[i][1]);
        struct tas_motion *again = tas_motion_new(sizes[i][0], sizes[i][1]);
        assert_non_null(again);
        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
            paint(&p.was, p.all, kinds[k][0], 0, 0);
            paint(&p.now, p.all, kinds[k][1], 1, 5);
            find_twice(&p, again);
        }
        tas_motion_free(again);
        pair_free(&p);
    }
}

static void rearrange(struct pair *p, struct random *random) {
    struct tas_move moves[40];
    unsigned count = next_below(random, 40);
    for (unsigned i = 0; i < count; i++)
        moves[i] = random_move(random, p->now.width, p->now.height, 1 + next_below(random, 300));
    copy(&p->now, &p->was);
    apply(&p->now, moves, count);
    for (size_t i = 0; i < (size_t)p->now.stride * p->now.height; i++)
        p->now.px[i] &= RGB;
}

static void pictures_cut_up_at_random_get_no_worse(void **state) {
    (void)state;
    static paint_fn *const kinds[] = {text, photo, checkers, noise_1, rules};
    struct random random = {5, 0};
    for (unsigned round = 0; round < 60; round++) {
        struct pair p = pair_new(2 + next_below(&random, 700), 1 + next_below(&random, 500));
        paint(&p.was, p.all, kinds[round % 5], 0, 0);
        struct tas_motion *again = tas_motion_new(p.now.width, p.now.height);
        assert_non_null(again);
        for (unsigned step = 0; step < 3; step++) {
            rearrange(&p, &random);
            find_twice(&p, again);
            copy(&p.was, &p.now);
        }
        tas_motion_free(again);
        pair_free(&p);
    }
}

static void a_search_without_memory_is_none(void **state) {
    (void)state;
    for (unsigned n = 1;; n++) {
        tas_oom_fail_at(n);
        struct tas_motion *motion = tas_motion_new(200, 100);
        bool has_failed = tas_oom_count() >= n;
        tas_oom_fail_at(0);
        assert_true((motion == NULL) == has_failed);
        tas_motion_free(motion);
        if (!has_failed)
            break;
    }
    assert_null(tas_motion_new(0, 1));
    tas_motion_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_is_valid_only_when_both_ends_lie_inside),
        cmocka_unit_test(moves_happen_as_if_all_at_once),
        cmocka_unit_test(the_top_byte_of_a_pixel_moves_with_it),
        cmocka_unit_test(all_kernels_count_alike),
        cmocka_unit_test(all_kernels_choose_the_same_anchors_rough_or_not),
        cmocka_unit_test(a_pane_off_the_grid_scrolls_to_the_pixel),
        cmocka_unit_test(a_scroll_that_goes_on_is_followed),
        cmocka_unit_test(a_window_is_dragged_over_a_photo),
        cmocka_unit_test(two_panes_scroll_by_themselves),
        cmocka_unit_test(a_pan_with_things_going_across_is_explained),
        cmocka_unit_test(rough_pixels_move_like_any_others),
        cmocka_unit_test(windows_that_move_together_over_stripes_leave_no_pixel_wrong),
        cmocka_unit_test(nothing_moves_in_a_picture_that_stands_still),
        cmocka_unit_test(pictures_of_all_kinds_and_sizes_get_no_worse),
        cmocka_unit_test(pictures_cut_up_at_random_get_no_worse),
        cmocka_unit_test(a_search_without_memory_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
