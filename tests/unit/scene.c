#include "scene.h"

#include <assert.h>
#include <stdlib.h>

enum {
    GLYPH_W = 8,
    GLYPH_H = 13,
    GLYPHS = 40,
    SOFT = 32,
    START_MOST = 300, /* px, of the areas that a new screen has */
    PHOTO_MOST = 64,  /* of photographs and noise, which are the most work by far */
};

/* --- chance --- */

struct scene_random scene_random_of(uint64_t seed) {
    return (struct scene_random){seed * 0x9e3779b97f4a7c15u + 1};
}

static uint64_t mix(uint64_t v) {
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
    v = (v ^ v >> 27) * 0x94d049bb133111ebu;
    return v ^ v >> 31;
}

uint32_t scene_next(struct scene_random *random) {
    random->state += 0x9e3779b97f4a7c15u;
    return (uint32_t)(mix(random->state) >> 32);
}

uint32_t scene_below(struct scene_random *random, uint32_t limit) {
    return (uint32_t)((uint64_t)scene_next(random) * limit >> 32);
}

bool scene_chance(struct scene_random *random, uint32_t percent) {
    return scene_below(random, 100) < percent;
}

struct scene_rect scene_rect_in(struct scene_random *random, struct scene_rect of, uint32_t most) {
    struct scene_rect rect;
    rect.w = 1 + scene_below(random, of.w < most ? of.w : most);
    rect.h = 1 + scene_below(random, of.h < most ? of.h : most);
    rect.x = of.x + scene_below(random, of.w - rect.w + 1);
    rect.y = of.y + scene_below(random, of.h - rect.h + 1);
    return rect;
}

/* --- paint --- */

/* What a paint is drawn with. */
struct brush {
    uint32_t colour[2];
    uint32_t step[3];
    uint64_t seed;
};

static uint32_t blend(uint32_t a, uint32_t b, uint32_t part, uint32_t whole) {
    uint32_t px = 0;
    for (unsigned shift = 0; shift < 24; shift += 8)
        px |= ((a >> shift & 255) * (whole - part) + (b >> shift & 255) * part) / whole << shift;
    return px;
}

static uint32_t text_at(const struct brush *brush, uint32_t x, uint32_t y) {
    uint64_t cell = mix(brush->seed ^ ((uint64_t)(y / GLYPH_H) << 32 | x / GLYPH_W));
    if (cell % 5 == 0 || y % GLYPH_H > GLYPH_H - 4 || x % GLYPH_W > GLYPH_W - 2)
        return brush->colour[0];
    uint64_t shape = mix(cell / 5 % GLYPHS << 16 | x % GLYPH_W << 8 | y % GLYPH_H / 2);
    return blend(brush->colour[0], brush->colour[1], shape % 3 ? 0 : 1 + (uint32_t)(shape >> 8) % 4, 4);
}

static uint32_t gradient_at(const struct brush *brush, uint32_t x, uint32_t y) {
    return ((x * brush->step[0] + y) & 255) << 16 | ((x + y * brush->step[1]) & 255) << 8 |
           ((x + y) * brush->step[2] >> 2 & 255);
}

/* Between the values at the four corners of a square of SOFT pixels. */
static uint32_t soft_at(uint64_t seed, uint32_t x, uint32_t y) {
    uint32_t corner[4];
    for (uint32_t i = 0; i < 4; i++)
        corner[i] = (uint32_t)mix(seed ^ ((uint64_t)(y / SOFT + i / 2) << 32 | (x / SOFT + i % 2)));
    return blend(blend(corner[0], corner[1], x % SOFT, SOFT), blend(corner[2], corner[3], x % SOFT, SOFT),
                 y % SOFT, SOFT);
}

static uint32_t photo_at(const struct brush *brush, uint32_t x, uint32_t y) {
    uint32_t grain = (uint32_t)mix(brush->seed + ((uint64_t)y << 32 | x));
    return blend(soft_at(brush->seed, x, y), grain, 1, 16);
}

static uint32_t noise_at(const struct brush *brush, uint32_t x, uint32_t y) {
    return (uint32_t)mix(brush->seed + ((uint64_t)y << 32 | x)) & TAS_RGB;
}

static uint32_t flat_at(const struct brush *brush, uint32_t x, uint32_t y) {
    (void)x, (void)y;
    return brush->colour[0];
}

void scene_paint(const struct tas_picture *pic, struct scene_rect rect, enum scene_paint paint,
                 struct scene_random *random) {
    static uint32_t (*const at[])(const struct brush *, uint32_t, uint32_t) = {
        [SCENE_FLAT] = flat_at,   [SCENE_TEXT] = text_at,   [SCENE_GRADIENT] = gradient_at,
        [SCENE_PHOTO] = photo_at, [SCENE_NOISE] = noise_at,
    };
    static const uint32_t colours[] = {0xffffff, 0, 0xf4f6fa, 0x202020, 0x1b4d8f, 0xd0d0d0};
    struct brush brush = {.seed = mix(scene_next(random))};
    for (unsigned i = 0; i < 2; i++)
        brush.colour[i] =
            scene_chance(random, 70) ? colours[scene_below(random, 6)] : scene_next(random) >> 8;
    for (unsigned i = 0; i < 3; i++)
        brush.step[i] = 1 + scene_below(random, 4);
    for (uint32_t y = rect.y; y < rect.y + rect.h; y++)
        for (uint32_t x = rect.x; x < rect.x + rect.w; x++)
            pic->px[(size_t)y * pic->stride + x] = at[paint](&brush, x, y);
}

/* --- the screen --- */

static struct scene_rect whole(const struct scene *scene) {
    return (struct scene_rect){0, 0, scene->pic->width, scene->pic->height};
}

static enum scene_paint any_paint(struct scene *scene) {
    return (enum scene_paint)scene_below(&scene->random, scene->has_photo ? SCENE_PAINTS : SCENE_PHOTO);
}

static uint32_t *row_of(const struct tas_picture *pic, uint32_t x, uint32_t y) {
    return pic->px + (size_t)y * pic->stride + x;
}

static void copy_rect(const struct tas_picture *to, struct scene_rect rect, const struct tas_picture *from) {
    for (uint32_t y = rect.y; y < rect.y + rect.h; y++)
        memcpy(row_of(to, rect.x, y), row_of(from, rect.x, y), rect.w * sizeof(*to->px));
}

static struct scene_rect paint_area(struct scene *scene, struct scene_rect rect, enum scene_paint paint) {
    uint32_t most = paint >= SCENE_PHOTO ? PHOTO_MOST : UINT32_MAX;
    rect.w = rect.w < most ? rect.w : most;
    rect.h = rect.h < most ? rect.h : most;
    scene_paint(scene->pic, rect, paint, &scene->random);
    return rect;
}

struct scene *scene_new(uint32_t width, uint32_t height, uint64_t seed) {
    struct scene *scene = calloc(1, sizeof(*scene));
    if (!scene)
        return NULL;
    scene->pic = tas_picture_new(width, height);
    scene->kept = tas_picture_new(width, height);
    if (!scene->pic || !scene->kept) {
        scene_free(scene);
        return NULL;
    }
    scene->random = scene_random_of(seed);
    scene->most = width > height ? width : height;
    scene->has_photo = true;
    for (unsigned i = 0; i < SCENE_PAINTS; i++)
        paint_area(scene, scene_rect_in(&scene->random, whole(scene), START_MOST), (enum scene_paint)i);
    scene_keep(scene);
    return scene;
}

void scene_free(struct scene *scene) {
    if (!scene)
        return;
    tas_picture_free(scene->pic);
    tas_picture_free(scene->kept);
    free(scene);
}

void scene_keep(struct scene *scene) {
    copy_rect(scene->kept, whole(scene), scene->pic);
}

/* --- changes --- */

static struct scene_rect change_type(struct scene *scene, struct scene_rect rect) {
    rect.w = rect.w < 3 * GLYPH_W ? rect.w : 3 * GLYPH_W;
    rect.h = rect.h < GLYPH_H ? rect.h : GLYPH_H;
    scene_paint(scene->pic, rect, SCENE_TEXT, &scene->random);
    return rect;
}

static struct scene_rect change_dot(struct scene *scene, struct scene_rect rect) {
    rect.w = rect.h = 1;
    *row_of(scene->pic, rect.x, rect.y) ^= 1u << scene_below(&scene->random, 24);
    return rect;
}

/* The content of rect moves right and down by dx, dy or the other way round. */
static void shift(const struct tas_picture *pic, struct scene_rect rect, uint32_t dx, uint32_t dy,
                  bool is_back) {
    for (uint32_t i = 0; i + dy < rect.h; i++) {
        uint32_t y = is_back ? rect.y + i : rect.y + rect.h - 1 - dy - i;
        uint32_t *near = row_of(pic, rect.x, y), *far = row_of(pic, rect.x + dx, y + dy);
        memmove(is_back ? near : far, is_back ? far : near, (rect.w - dx) * sizeof(*near));
    }
}

static struct scene_rect change_scroll(struct scene *scene, struct scene_rect rect) {
    bool is_back = scene_chance(&scene->random, 70);
    uint32_t dx = scene_chance(&scene->random, 25) ? scene_below(&scene->random, rect.w) : 0;
    uint32_t dy = dx && scene_chance(&scene->random, 70) ? 0 : scene_below(&scene->random, rect.h);
    shift(scene->pic, rect, dx, dy, is_back);
    struct scene_rect rows = {rect.x, is_back ? rect.y + rect.h - dy : rect.y, rect.w, dy};
    struct scene_rect columns = {is_back ? rect.x + rect.w - dx : rect.x, rect.y, dx, rect.h};
    scene_paint(scene->pic, rows, SCENE_TEXT, &scene->random);
    scene_paint(scene->pic, columns, SCENE_TEXT, &scene->random);
    return rect;
}

/* Gives what holds both places. */
static struct scene_rect change_drag(struct scene *scene, struct scene_rect rect) {
    struct scene_rect all = whole(scene);
    uint32_t *window = malloc((size_t)rect.w * rect.h * sizeof(*window));
    assert(window);
    for (uint32_t y = 0; y < rect.h; y++)
        memcpy(window + (size_t)y * rect.w, row_of(scene->pic, rect.x, rect.y + y), rect.w * sizeof(*window));
    copy_rect(scene->pic, rect, scene->kept);
    struct scene_rect to = rect;
    to.x = scene_below(&scene->random, all.w - rect.w + 1);
    to.y = scene_below(&scene->random, all.h - rect.h + 1);
    for (uint32_t y = 0; y < rect.h; y++)
        memcpy(row_of(scene->pic, to.x, to.y + y), window + (size_t)y * rect.w, rect.w * sizeof(*window));
    free(window);
    uint32_t left = to.x < rect.x ? to.x : rect.x, top = to.y < rect.y ? to.y : rect.y;
    uint32_t right = to.x > rect.x ? to.x : rect.x, bottom = to.y > rect.y ? to.y : rect.y;
    return (struct scene_rect){left, top, right + rect.w - left, bottom + rect.h - top};
}

static void change_invert(struct scene *scene, struct scene_rect rect) {
    for (uint32_t y = rect.y; y < rect.y + rect.h; y++)
        for (uint32_t x = rect.x; x < rect.x + rect.w; x++)
            *row_of(scene->pic, x, y) ^= TAS_RGB;
}

void scene_change(struct scene *scene, enum scene_change change, struct tas_tiles *tiles) {
    struct scene_rect rect = scene_rect_in(&scene->random, whole(scene), scene->most);
    switch (change) {
    case SCENE_PAINT:
        rect = paint_area(scene, rect, any_paint(scene));
        break;
    case SCENE_TYPE:
        rect = change_type(scene, rect);
        break;
    case SCENE_DOT:
        rect = change_dot(scene, rect);
        break;
    case SCENE_SCROLL:
        rect = change_scroll(scene, rect);
        break;
    case SCENE_DRAG:
        rect = change_drag(scene, rect);
        break;
    case SCENE_INVERT:
        change_invert(scene, rect);
        break;
    case SCENE_REVERT:
        copy_rect(scene->pic, rect, scene->kept);
        break;
    case SCENE_TOUCH:
    case SCENE_CHANGES:
        break;
    }
    tas_tiles_set_rect(tiles, (int32_t)rect.x, (int32_t)rect.y, rect.w, rect.h);
}

enum scene_change scene_change_any(struct scene *scene, struct tas_tiles *tiles) {
    enum scene_change change = (enum scene_change)scene_below(&scene->random, SCENE_CHANGES);
    scene_change(scene, change, tiles);
    return change;
}
