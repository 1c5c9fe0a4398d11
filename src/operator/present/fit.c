#include "operator/present/fit.h"

static int64_t between(int64_t value, int64_t min, int64_t max) {
    return value < min ? min : value > max ? max : value;
}

/* Towards minus infinity; by > 0. */
static int64_t divide(int64_t value, int64_t by) {
    int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

static bool is_there(const struct present_fit *fit) {
    return fit->width > 0 && fit->height > 0 && fit->remote_width > 0 && fit->remote_height > 0;
}

/* `length` of the side of which `of` are `in`, rounded, at least 1. */
static uint64_t share(uint64_t length, uint64_t in, uint64_t of) {
    uint64_t value = (length * in + of / 2) / of;
    return value > 0 ? value : 1;
}

static void scaled_size(const struct present_fit *fit, uint32_t *width, uint32_t *height) {
    uint64_t fitting = share(fit->width, fit->remote_height, fit->remote_width);
    if (fitting <= fit->height) {
        *width = fit->width;
        *height = (uint32_t)fitting;
    } else {
        *width = (uint32_t)share(fit->height, fit->remote_width, fit->remote_height);
        *height = fit->height;
    }
}

static uint32_t zoom_of(const struct present_fit *fit) {
    return fit->zoom > 1 ? fit->zoom : 1;
}

/* px of the viewport that 1:1 covers: none of the remote px is cut, unless there is room for less than one.
 */
static uint32_t shown_of(uint32_t room, uint32_t remote, uint32_t zoom) {
    uint64_t all = (uint64_t)remote * zoom;
    if (all <= room)
        return (uint32_t)all;
    return room < zoom ? room : room - room % zoom;
}

/* The remote px on so many of the viewport's. */
static uint32_t remote_of(uint32_t shown, uint32_t zoom) {
    return shown < zoom ? 1 : shown / zoom;
}

struct present_rect present_fit_target(const struct present_fit *fit) {
    if (!is_there(fit))
        return (struct present_rect){0};
    uint32_t width = shown_of(fit->width, fit->remote_width, zoom_of(fit));
    uint32_t height = shown_of(fit->height, fit->remote_height, zoom_of(fit));
    if (fit->is_scaled)
        scaled_size(fit, &width, &height);
    return (struct present_rect){
        .x = (int32_t)((fit->width - width) / 2),
        .y = (int32_t)((fit->height - height) / 2),
        .width = width,
        .height = height,
    };
}

static uint32_t origin(int32_t scroll, uint32_t shown, uint32_t remote, uint32_t zoom) {
    return (uint32_t)between(scroll, 0, remote - remote_of(shown, zoom));
}

struct present_rect present_fit_source(const struct present_fit *fit) {
    struct present_rect target = present_fit_target(fit);
    uint32_t zoom = zoom_of(fit);
    if (!is_there(fit))
        return (struct present_rect){0};
    if (fit->is_scaled)
        return (struct present_rect){0, 0, fit->remote_width, fit->remote_height};
    return (struct present_rect){
        .x = (int32_t)origin(fit->scroll_x, target.width, fit->remote_width, zoom),
        .y = (int32_t)origin(fit->scroll_y, target.height, fit->remote_height, zoom),
        .width = remote_of(target.width, zoom),
        .height = remote_of(target.height, zoom),
    };
}

/* One axis of the way there and back: px of the target and of the remote screen. */
struct axis {
    int64_t start;          /* of the target in the viewport */
    int64_t target, remote; /* px that stand for each other */
    int64_t origin;         /* the first of these remote px */
    int64_t screen;         /* px of the remote screen */
};

static void axes_of(const struct present_fit *fit, struct axis *across, struct axis *down) {
    struct present_rect target = present_fit_target(fit), source = present_fit_source(fit);
    *across = (struct axis){target.x, target.width, source.width, source.x, fit->remote_width};
    *down = (struct axis){target.y, target.height, source.height, source.y, fit->remote_height};
}

static uint32_t axis_to_remote(const struct axis *axis, int64_t at) {
    int64_t middle = 2 * (at - axis->start) + 1;
    int64_t remote = divide(middle * axis->remote, 2 * axis->target) + axis->origin;
    return (uint32_t)between(remote, 0, axis->screen - 1);
}

static int32_t axis_to_local(const struct axis *axis, int64_t remote) {
    int64_t middle = 2 * (remote - axis->origin) + 1;
    return (int32_t)between(divide(middle * axis->target, 2 * axis->remote) + axis->start, INT32_MIN,
                            INT32_MAX);
}

bool present_fit_to_remote(const struct present_fit *fit, int32_t x, int32_t y, uint32_t *remote_x,
                           uint32_t *remote_y, bool *is_inside) {
    if (!is_there(fit))
        return false;
    struct axis across, down;
    axes_of(fit, &across, &down);
    *remote_x = axis_to_remote(&across, x);
    *remote_y = axis_to_remote(&down, y);
    *is_inside = x >= across.start && x < across.start + across.target && y >= down.start &&
                 y < down.start + down.target;
    return true;
}

bool present_fit_to_local(const struct present_fit *fit, uint32_t remote_x, uint32_t remote_y, int32_t *x,
                          int32_t *y) {
    if (!is_there(fit))
        return false;
    struct axis across, down;
    axes_of(fit, &across, &down);
    *x = axis_to_local(&across, remote_x);
    *y = axis_to_local(&down, remote_y);
    return true;
}

enum present_filter present_fit_filter(uint32_t remote, uint32_t target) {
    if (target == remote)
        return PRESENT_COPY;
    if (target > remote)
        return target % remote == 0 ? PRESENT_NEAREST : PRESENT_CUBIC;
    return (uint64_t)2 * target > remote ? PRESENT_CUBIC : PRESENT_BOX;
}

/* The target's px [*first, *end) whose value depends on the remote px [from, to), not clipped. */
static void axis_damage(const struct axis *axis, int64_t from, int64_t to, int64_t *first, int64_t *end) {
    int64_t t = axis->target, r = axis->remote;
    from -= axis->origin;
    to -= axis->origin;
    if (present_fit_filter((uint32_t)r, (uint32_t)t) != PRESENT_CUBIC) {
        *first = divide(from * t, r);
        *end = divide(to * t + r - 1, r);
        return;
    }
    /* Pixel i is made around (i + 1/2) * r / t - 1/2, of what is less than 2 px away: of the remote ones, or
     * of the target's where those are fewer. */
    int64_t reach = t > r ? 4 * t : 4 * r;
    *first = divide((2 * from + 1) * t - r - reach, 2 * r) + 1;
    *end = divide((2 * to - 1) * t - r + reach + 2 * r - 1, 2 * r);
}

/* The same clipped to what is shown, as a place in the viewport; false: nothing. */
static bool axis_touched(const struct axis *axis, int64_t at, uint32_t length, int32_t *start,
                         uint32_t *count) {
    int64_t from = between(at, 0, axis->screen);
    int64_t to = between(at + length, 0, axis->screen);
    if (from >= to)
        return false;
    int64_t first, end;
    axis_damage(axis, from, to, &first, &end);
    first = between(first, 0, axis->target);
    end = between(end, first, axis->target);
    *start = (int32_t)(axis->start + first);
    *count = (uint32_t)(end - first);
    return end > first;
}

struct present_rect present_fit_damage(const struct present_fit *fit, const struct present_rect *remote) {
    struct present_rect out = {0};
    if (!is_there(fit))
        return out;
    struct axis across, down;
    axes_of(fit, &across, &down);
    if (!axis_touched(&across, remote->x, remote->width, &out.x, &out.width) ||
        !axis_touched(&down, remote->y, remote->height, &out.y, &out.height))
        return (struct present_rect){0};
    return out;
}
