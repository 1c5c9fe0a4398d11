#include "operator/present/view_private.h"

#include "base/wipe.h"

#include <stdlib.h>
#include <string.h>

enum {
    RUNS_MAX = (TAS_PICTURE_MAX / TAS_TILE + 1) / 2, /* of changed tiles in a row */
    UNDER_LEN = PRESENT_SPRITE_MAX * PRESENT_SPRITE_MAX * (int)sizeof(uint32_t),
};

void present_view_fini(struct present_view *view) {
    present_scale_free(view->scale);
    present_sprite_fini(&view->sprite);
    if (view->under)
        tas_wipe(view->under, UNDER_LEN);
    free(view->under);
    *view = (struct present_view){0};
}

void present_view_spoil(struct present_view *view) {
    view->is_drawn = view->is_picture = false;
    view->blended = (struct present_rect){0};
}

static bool is_same_fit(const struct present_fit *a, const struct present_fit *b) {
    return a->width == b->width && a->height == b->height && a->remote_width == b->remote_width &&
           a->remote_height == b->remote_height && a->is_scaled == b->is_scaled &&
           a->scroll_x == b->scroll_x && a->scroll_y == b->scroll_y && a->zoom == b->zoom;
}

int present_view_place(struct present_view *view, const struct present_fit *fit) {
    if (fit->width > TAS_PICTURE_MAX || fit->height > TAS_PICTURE_MAX)
        return TAS_E_LIMIT;
    if (view->scale && is_same_fit(fit, &view->fit))
        return TAS_OK;
    struct present_scale *scale = present_scale_new(fit);
    if (!scale)
        return TAS_E_NOMEM;
    present_scale_free(view->scale);
    view->scale = scale;
    view->fit = *fit;
    present_view_spoil(view);
    return present_sprite_fit(&view->sprite, fit);
}

/* ---- what changes ---- */

static struct present_rect all_of(const struct present_view *view) {
    return (struct present_rect){0, 0, view->fit.width, view->fit.height};
}

static bool is_size(const struct tas_tiles *tiles, const struct tas_picture *pic) {
    return tiles->across == tas_tiles_across(pic->width) && tiles->down == tas_tiles_across(pic->height);
}

/* Adds one row of tiles: its runs at once, so that many of them do not take the square of their number. */
static void add_row(const struct present_view *view, const struct tas_tiles *tiles, uint32_t ty,
                    pixman_region32_t *damage) {
    pixman_box32_t boxes[RUNS_MAX];
    int n = 0;

    for (uint32_t tx = 0; tx < tiles->across; tx++) {
        uint32_t start = tx;
        while (tx < tiles->across && tas_tiles_get(tiles, tx, ty))
            tx++;
        if (tx == start)
            continue;
        struct present_rect remote = {(int32_t)(start * TAS_TILE), (int32_t)(ty * TAS_TILE),
                                      (tx - start) * TAS_TILE, TAS_TILE};
        struct present_rect local = present_fit_damage(&view->fit, &remote);
        if (local.width > 0)
            boxes[n++] = (pixman_box32_t){local.x, local.y, local.x + (int32_t)local.width,
                                          local.y + (int32_t)local.height};
    }
    pixman_region32_t row;
    if (n > 0 && pixman_region32_init_rects(&row, boxes, n)) {
        present_region_join(damage, &row);
        pixman_region32_fini(&row);
    } else if (n > 0) {
        present_region_add(damage, all_of(view));
    }
}

int present_view_look(struct present_view *view, const struct tas_picture *pic,
                      const struct tas_tiles *changed, pixman_region32_t *damage) {
    if (!view->scale)
        return TAS_OK;
    if (pic && (pic->width != view->fit.remote_width || pic->height != view->fit.remote_height)) {
        struct present_fit fit = view->fit;
        fit.remote_width = pic->width;
        fit.remote_height = pic->height;
        int err = present_view_place(view, &fit);
        if (err != TAS_OK)
            return err;
    }
    if (!view->is_drawn || view->is_picture != (pic != NULL) ||
        (pic && (!changed || !is_size(changed, pic)))) {
        present_region_add(damage, all_of(view));
        return TAS_OK;
    }
    for (uint32_t ty = 0; pic && ty < changed->down; ty++)
        add_row(view, changed, ty, damage);
    if (present_region_meets(damage, view->blended))
        present_region_add(damage, view->blended); /* all of it is drawn anew, then the pointer on it */
    return TAS_OK;
}

/* ---- the pointer ---- */

/* Where it belongs: cut at the screen's edge, as the customer sees it. */
static struct present_rect sprite_place(const struct present_view *view, int32_t *left, int32_t *top) {
    const struct present_sprite *sprite = &view->sprite;
    struct present_rect target = present_fit_target(&view->fit);
    if (!view->is_blended || !view->is_picture || sprite->width == 0 ||
        !present_fit_to_local(&view->fit, view->pointer_x, view->pointer_y, left, top))
        return (struct present_rect){0};
    *left -= (int32_t)sprite->hot_x;
    *top -= (int32_t)sprite->hot_y;
    pixman_box32_t box = {*left - target.x, *top - target.y, *left - target.x + (int32_t)sprite->width,
                          *top - target.y + (int32_t)sprite->height};
    struct present_rect out;
    if (!present_box_clip(&out, &box, target.width, target.height))
        return (struct present_rect){0};
    out.x += target.x;
    out.y += target.y;
    return out;
}

static void copy_rect(uint32_t *out, size_t out_stride, const uint32_t *in, size_t in_stride,
                      const struct present_rect *size) {
    for (uint32_t y = 0; y < size->height; y++)
        memcpy(out + y * out_stride, in + y * in_stride, size->width * sizeof(*out));
}

static uint32_t *at(const struct present_canvas *canvas, const struct present_rect *rect) {
    return canvas->px + (size_t)rect->y * canvas->stride + (size_t)rect->x;
}

/* One channel; the image comes from outside and may be brighter than its opacity allows. */
static uint32_t over(uint32_t in, uint32_t below, uint32_t alpha) {
    uint32_t rest = below * (255 - alpha);
    uint32_t value = in + (rest + 127) / 255;
    return value > 255 ? 255 : value;
}

static uint32_t blend(uint32_t argb, uint32_t below) {
    uint32_t alpha = argb >> 24;
    return over(argb >> 16 & 255, below >> 16 & 255, alpha) << 16 |
           over(argb >> 8 & 255, below >> 8 & 255, alpha) << 8 | over(argb & 255, below & 255, alpha);
}

/* Takes the pointer off the canvas. */
static void lift(struct present_view *view, const struct present_canvas *canvas) {
    const struct present_rect *rect = &view->blended;
    if (rect->width > 0)
        copy_rect(at(canvas, rect), canvas->stride, view->under, rect->width, rect);
    view->blended = (struct present_rect){0};
}

/* Puts it where it belongs, onto a canvas without it. */
static void put_down(struct present_view *view, const struct present_canvas *canvas) {
    int32_t left = 0, top = 0;
    struct present_rect rect = sprite_place(view, &left, &top);
    if (rect.width == 0)
        return;
    uint32_t *out = at(canvas, &rect);
    const struct present_sprite *sprite = &view->sprite;
    const uint32_t *in = sprite->argb + (size_t)(rect.y - top) * sprite->width + (size_t)(rect.x - left);
    copy_rect(view->under, rect.width, out, canvas->stride, &rect);
    for (uint32_t y = 0; y < rect.height; y++)
        for (uint32_t x = 0; x < rect.width; x++) {
            uint32_t *px = out + y * canvas->stride + x;
            *px = blend(in[(size_t)y * sprite->width + x], *px) | canvas->top;
        }
    view->blended = rect;
}

int present_view_point(struct present_view *view, const struct present_pointer *pointer,
                       pixman_region32_t *damage) {
    uint32_t revision = view->sprite.revision;
    struct present_rect old = view->blended;
    int32_t left, top;

    int err = present_sprite_set(&view->sprite, pointer);
    if (err == TAS_OK)
        err = present_sprite_fit(&view->sprite, &view->fit);
    view->is_blended = pointer->is_shown && !pointer->is_ours;
    if (view->is_blended && !view->under)
        view->under = malloc(UNDER_LEN);
    if (!view->under) {
        err = view->is_blended ? TAS_E_NOMEM : err;
        view->is_blended = false;
    }
    view->pointer_x = pointer->x;
    view->pointer_y = pointer->y;
    struct present_rect new = sprite_place(view, &left, &top);
    if (view->sprite.revision != revision || new.x != old.x || new.y != old.y || new.width != old.width ||
        new.height != old.height) {
        present_region_add(damage, old);
        present_region_add(damage, new);
    }
    return err;
}

void present_view_move(struct present_view *view, const struct present_canvas *canvas) {
    lift(view, canvas);
    put_down(view, canvas);
}

/* ---- drawing ---- */

void present_view_draw(struct present_view *view, const struct tas_picture *pic,
                       const pixman_region32_t *damage, const struct present_canvas *canvas) {
    int n;
    if (!view->scale)
        return;
    const pixman_box32_t *boxes = pixman_region32_rectangles(damage, &n);
    bool is_pointer_gone = view->blended.width == 0 || present_region_meets(damage, view->blended);
    for (int i = 0; i < n; i++) {
        struct present_rect part;
        if (present_box_clip(&part, &boxes[i], view->fit.width, view->fit.height))
            present_scale_draw(view->scale, pic, part, canvas);
    }
    view->is_drawn = true;
    view->is_picture = pic != NULL;
    if (is_pointer_gone) {
        view->blended = (struct present_rect){0};
        put_down(view, canvas);
    }
}
