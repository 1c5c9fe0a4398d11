#include "operator/present/present.h"

#include "operator/present/surface_private.h"
#include "operator/present/view_private.h"

#include <stdio.h>
#include <stdlib.h>

struct present {
    struct present_surface *surface; /* borrowed */
    struct present_view view;
    bool is_placed;
    bool is_ours;           /* the pointer is the widget's cursor */
    uint32_t cursor_source; /* revision of the sprite from which that was made; 0: of none */
};

static void cairo_close(struct present *p) {
    if (!p)
        return;
    present_surface_clear(p->surface);
    present_view_fini(&p->view);
    free(p);
}

static int cairo_open(struct present **out, struct tas_loop *loop, const char *display,
                      struct present_surface *surface, char *why, size_t why_cap) {
    (void)loop, (void)display;
    if (!surface) {
        snprintf(why, why_cap, "There is no window to draw in.");
        return TAS_E_ABSENT;
    }
    struct present *p = calloc(1, sizeof(*p));
    if (!p)
        return TAS_E_NOMEM;
    p->surface = surface;
    *out = p;
    return TAS_OK;
}

static int update_cursor(struct present *p) {
    const struct present_sprite *sprite = &p->view.sprite;
    uint32_t wanted = p->is_ours ? sprite->revision : 0;
    if (wanted == p->cursor_source)
        return TAS_OK;
    int err = present_surface_cursor(p->surface, p->is_ours ? sprite : NULL);
    if (err == TAS_OK)
        p->cursor_source = wanted;
    return err;
}

static int cairo_place(struct present *p, const struct present_place *place) {
    int err = present_view_place(&p->view, &place->fit);
    if (err != TAS_OK)
        return err;
    p->is_placed = place->window != 0 && place->fit.width > 0 && place->fit.height > 0;
    if (!p->is_placed) {
        present_surface_clear(p->surface);
        present_view_spoil(&p->view);
    }
    return update_cursor(p);
}

/* Only the pointer, or the picture and what lies on it. */
static int draw(struct present *p, const struct tas_picture *pic, const pixman_region32_t *damage,
                bool is_pointer) {
    struct present_canvas canvas;
    if (!present_surface_begin(p->surface, p->view.fit.width, p->view.fit.height, &canvas))
        return TAS_E_NOMEM;
    if (is_pointer)
        present_view_move(&p->view, &canvas);
    else
        present_view_draw(&p->view, pic, damage, &canvas);
    present_surface_end(p->surface, damage);
    return TAS_OK;
}

static int cairo_picture(struct present *p, const struct tas_picture *pic, const struct tas_tiles *changed) {
    pixman_region32_t damage;
    if (!p->is_placed)
        return TAS_OK;
    pixman_region32_init(&damage);
    int err = present_view_look(&p->view, pic, changed, &damage);
    if (err == TAS_OK && pixman_region32_not_empty(&damage))
        err = draw(p, pic, &damage, false);
    pixman_region32_fini(&damage);
    return err == TAS_OK ? update_cursor(p) : err;
}

static int cairo_pointer(struct present *p, const struct present_pointer *pointer) {
    pixman_region32_t damage;
    pixman_region32_init(&damage);
    int err = present_view_point(&p->view, pointer, &damage);
    p->is_ours = pointer->is_ours;
    if (p->is_placed && pixman_region32_not_empty(&damage)) {
        int drawn = draw(p, NULL, &damage, true);
        err = err == TAS_OK ? drawn : err;
    }
    pixman_region32_fini(&damage);
    int shown = update_cursor(p);
    return err == TAS_OK ? shown : err;
}

const struct present_ops present_cairo = {
    .name = "cairo",
    .open = cairo_open,
    .close = cairo_close,
    .place = cairo_place,
    .picture = cairo_picture,
    .pointer = cairo_pointer,
};
