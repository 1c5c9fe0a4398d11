/* A connection to an X server with pictures in memory that both share, and the commands that the programs of
 * this bench are given. What fails ends the program. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>

struct display {
    xcb_connection_t *xcb;
    xcb_screen_t *screen;
    uint16_t width, height;
};

struct image {
    uint32_t *px; /* 0xRRGGBB, the top byte is anything; rows of `width` px */
    uint16_t width, height;
    xcb_shm_seg_t segment;
};

_Noreturn void fail(const char *why);

struct display display_open(const char *name);
struct image image_new(const struct display *d, uint16_t width, uint16_t height);

/* Fills the image from the root window. */
void image_grab(const struct display *d, const struct image *image, int16_t x, int16_t y);

/* One line of standard input, without its end; call it when that is readable. False: it is closed. */
bool read_command(char *line, size_t cap);
