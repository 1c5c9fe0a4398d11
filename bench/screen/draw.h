/* Boxes and text. */
#pragma once

#include <cairo/cairo.h>
#include <stdint.h>

#define DRAW_SANS  "DejaVu Sans, Noto Sans CJK JP 15px"
#define DRAW_SMALL "DejaVu Sans, Noto Sans CJK JP 13px"
#define DRAW_MONO  "DejaVu Sans Mono, Noto Sans Mono CJK JP 14px"
#define DRAW_SERIF "DejaVu Serif, Noto Serif CJK JP 16px"
#define DRAW_TITLE "DejaVu Sans, Noto Sans CJK JP Bold 26px"

enum { DRAW_TITLE_HEIGHT = 30 };

/* Pixels in memory to draw into; the memory is wiped by nobody. What fails ends the program. */
cairo_t *draw_on(uint32_t *px, int width, int height);

void draw_box(cairo_t *cairo, int x, int y, int width, int height, uint32_t colour);

/* Broken into lines of `width` px if that is not 0. Returns how wide and, if wanted, how high it is. */
int draw_text(cairo_t *cairo, const char *font, int x, int y, int width, uint32_t colour, const char *text,
              int *height);

/* The frame of a window with its title; its inside is for others. */
void draw_window(cairo_t *cairo, int x, int y, int width, int height, const char *title);

/* A desktop: a gradient, icons, a bar at the bottom. */
void draw_desktop(cairo_t *cairo, int width, int height);
