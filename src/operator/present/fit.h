/* Where a remote screen lies in a viewport, and which remote pixel is under a local one. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct present_rect {
    int32_t x, y;
    uint32_t width, height;
};

struct present_fit {
    uint32_t width, height;               /* of the viewport, device px */
    uint32_t remote_width, remote_height; /* of the remote screen, px; 0: none */
    bool is_scaled;                       /* to fit, keeping the aspect; otherwise 1:1 */
    int32_t scroll_x, scroll_y; /* 1:1: remote px at the upper left corner; clipped to what is there */
    uint32_t zoom;              /* 1:1: sides of a remote px, in the viewport's px; 0 is 1 */
};

/* How the pixels of one axis are made. */
enum present_filter {
    PRESENT_COPY,    /* as many as there are */
    PRESENT_NEAREST, /* a whole number of times as many: each is repeated */
    PRESENT_CUBIC,   /* any other number, more than half: of the four nearest, or as many more as there are
                      * fewer px; goes past an edge a little, which keeps text sharp */
    PRESENT_BOX,     /* at most half: the mean of what a pixel covers */
};

/* What part of the viewport is covered with the remote screen (centred when smaller). */
struct present_rect present_fit_target(const struct present_fit *fit);

/* What part of the remote screen is on it: all of it when scaled, otherwise from the scrolling on, clipped to
 * what is there. */
struct present_rect present_fit_source(const struct present_fit *fit);

/* The remote px under a viewport's px, clipped to the screen (a drag that leaves the viewport goes on at the
 * edge). False: there is no screen, or no viewport. *is_inside: the px was on it. */
bool present_fit_to_remote(const struct present_fit *fit, int32_t x, int32_t y, uint32_t *remote_x,
                           uint32_t *remote_y, bool *is_inside);

/* The viewport's px in which the middle of a remote px lies; with scrolling it may be outside. False: there
 * is no screen, or no viewport. */
bool present_fit_to_local(const struct present_fit *fit, uint32_t remote_x, uint32_t remote_y, int32_t *x,
                          int32_t *y);

/* The viewport's px that a remote rectangle touches, with the margin that scaling filters need; clipped. */
struct present_rect present_fit_damage(const struct present_fit *fit, const struct present_rect *remote);

/* For an axis with `remote` px that are shown on `target` px (neither 0). */
enum present_filter present_fit_filter(uint32_t remote, uint32_t target);
