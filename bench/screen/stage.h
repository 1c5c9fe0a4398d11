/* What the load shows: pixels that a scene draws into, and what of them it has changed. */
#pragma once

#include <cairo/cairo.h>
#include <stddef.h>
#include <stdint.h>

enum { CHANGES_MAX = 8 };

struct area {
    int x, y, width, height;
};

struct stage {
    uint32_t *px; /* rows of `width` px */
    int width, height;
    cairo_t *cairo; /* draws into px */
    struct area changes[CHANGES_MAX];
    int n_changes;
    int strip_x, strip_y;
};

/* Tells that this was drawn; clipped. */
void stage_changed(struct stage *stage, struct area area);

/* Copies a part of other pixels, from (x, y) of them on, and tells so. */
void stage_copy(struct stage *stage, struct area to, const uint32_t *px, int stride, int x, int y);

struct scene {
    const char *name;
    unsigned per_s; /* steps; 0: none */
    void (*begin)(struct stage *stage);
    void (*step)(struct stage *stage, unsigned n);
    void (*key)(struct stage *stage); /* NULL: a key changes nothing but the strip */
};

/* NULL: there is none of this name. */
const struct scene *scene_find(const char *name);
