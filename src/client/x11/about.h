/* What an X server knows of its screens and its keyboard. The bytes come from monitors and from any program
 * of the desktop: raw, to be read with care (client/linux/device_parse.c). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAS_X11_DISPLAYS_MAX = 16, TAS_X11_EDID = 128, TAS_X11_RULES_MAX = 512 };

struct tas_x11_display {
    uint8_t name[64]; /* of the output: "HDMI-1" */
    size_t name_len;
    uint8_t edid[TAS_X11_EDID];   /* the monitor's first block */
    size_t edid_len;              /* 0: it says nothing */
    int16_t x, y;                 /* px */
    uint16_t width, height;       /* px */
    uint32_t width_mm, height_mm; /* 0: not known */
    bool is_primary;
};

struct tas_x11_about {
    struct tas_x11_display displays[TAS_X11_DISPLAYS_MAX]; /* those that show something */
    size_t n_displays;
    size_t n_more;                    /* for which there was no place */
    uint8_t rules[TAS_X11_RULES_MAX]; /* _XKB_RULES_NAMES of the root window */
    size_t rules_len;
};

/* False: there is no such display. Waits for its answers. */
bool tas_x11_about(struct tas_x11_about *out, const char *display);
