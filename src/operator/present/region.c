#include "operator/present/region_private.h"

enum { EVERYTHING = 1 << 20 }; /* px, beyond any viewport */

static void become_everything(pixman_region32_t *region) {
    pixman_region32_fini(region);
    pixman_region32_init_rect(region, 0, 0, EVERYTHING, EVERYTHING);
}

void present_region_add(pixman_region32_t *region, struct present_rect rect) {
    if (rect.width > 0 && rect.height > 0 &&
        !pixman_region32_union_rect(region, region, rect.x, rect.y, rect.width, rect.height))
        become_everything(region);
}

void present_region_join(pixman_region32_t *region, const pixman_region32_t *more) {
    if (!pixman_region32_union(region, region, more))
        become_everything(region);
}

void present_region_remove(pixman_region32_t *region, const pixman_region32_t *less) {
    if (!pixman_region32_subtract(region, region, less))
        become_everything(region);
}

bool present_region_meets(const pixman_region32_t *region, struct present_rect rect) {
    pixman_box32_t box = {rect.x, rect.y, rect.x + (int32_t)rect.width, rect.y + (int32_t)rect.height};
    return rect.width > 0 && rect.height > 0 &&
           pixman_region32_contains_rectangle(region, &box) != PIXMAN_REGION_OUT;
}

static int32_t within(int32_t value, uint32_t max) {
    return value < 0 ? 0 : value > (int32_t)max ? (int32_t)max : value;
}

bool present_box_clip(struct present_rect *out, const pixman_box32_t *box, uint32_t width, uint32_t height) {
    int32_t left = within(box->x1, width), right = within(box->x2, width);
    int32_t top = within(box->y1, height), bottom = within(box->y2, height);
    if (left >= right || top >= bottom)
        return false;
    *out = (struct present_rect){left, top, (uint32_t)(right - left), (uint32_t)(bottom - top)};
    return true;
}
