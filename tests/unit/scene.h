/* Pictures as a screen shows them and what happens to them, from a seed: work for the codec's tests. The same
 * seed and calls give the same pictures on every machine. */
#pragma once

#include "codec/picture.h"

struct scene_random {
    uint64_t state;
};

struct scene_random scene_random_of(uint64_t seed);
uint32_t scene_next(struct scene_random *random);                  /* 32 random bits */
uint32_t scene_below(struct scene_random *random, uint32_t limit); /* 0 to limit - 1; limit >= 1 */
bool scene_chance(struct scene_random *random, uint32_t percent);

struct scene_rect {
    uint32_t x, y, w, h; /* px; inside the picture; w, h >= 1 */
};

/* A random rectangle inside `of`, at most `most` pixels wide and high. */
struct scene_rect scene_rect_in(struct scene_random *random, struct scene_rect of, uint32_t most);

enum scene_paint {
    SCENE_FLAT,
    SCENE_TEXT,     /* glyphs that return, in two colours and the shades between */
    SCENE_GRADIENT, /* many colours, all predictable */
    SCENE_PHOTO,    /* soft shapes under a little grain */
    SCENE_NOISE,
    SCENE_PAINTS,
};

void scene_paint(const struct tas_picture *pic, struct scene_rect rect, enum scene_paint paint,
                 struct scene_random *random);

enum scene_change {
    SCENE_PAINT,  /* a rectangle is painted afresh */
    SCENE_TYPE,   /* a few letters appear */
    SCENE_DOT,    /* one pixel changes */
    SCENE_SCROLL, /* a rectangle's content moves in it; behind it comes text */
    SCENE_DRAG,   /* a rectangle goes elsewhere; where it was the kept picture shows */
    SCENE_INVERT, /* a rectangle turns into its negative, or back */
    SCENE_REVERT, /* a rectangle shows what the kept picture has there */
    SCENE_TOUCH,  /* said to have changed, but has not */
    SCENE_CHANGES,
};

struct scene {
    struct tas_picture *pic;  /* what the screen shows now; owned */
    struct tas_picture *kept; /* what it showed at scene_keep(); owned */
    struct scene_random random;
    uint32_t most;  /* px, greatest width and height of a change; the whole picture at first */
    bool has_photo; /* may changes paint photographs and noise? true at first */
};

/* A screen with a few areas of all paints. NULL: no memory or not a valid size. */
struct scene *scene_new(uint32_t width, uint32_t height, uint64_t seed);
void scene_free(struct scene *scene); /* NULL is fine */

void scene_keep(struct scene *scene);

/* Changes the picture, and sets the tiles in which it may have. */
void scene_change(struct scene *scene, enum scene_change change, struct tas_tiles *tiles);
/* One change drawn at random. */
enum scene_change scene_change_any(struct scene *scene, struct tas_tiles *tiles);
