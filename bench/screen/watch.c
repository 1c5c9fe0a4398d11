/* Looks at a display as a person does, about a thousand times a second, and notes when each frame is first
 * seen on it; presses keys and notes when they are seen; compares the whole display with another.
 *
 *   screen_watch DISPLAY ORIGINAL
 *
 * Commands, one a line:
 *   watch X Y KEYS   {"event":"watching"}: reads the strip there until the next command; KEYS 1: presses keys
 *   settle SINCE MS  {"event":"settled","psnr_1s":..,"exact_1s":..,"exact_after_s":..}: compares until the
 *                    displays are equal and a second since SINCE (µs) is over, at most so long; null: never.
 *                    Still reads the strip
 *   tell             {"event":"seen","frames":[[N,µs],..],"keys_us":[..],"keys_lost":N,"glances":N}
 *   point X Y        {"event":"pointed"}: clicks there */
#include "base/time.h"
#include "display.h"
#include "natural.h"
#include "strip.h"

#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <xcb/xtest.h>

enum {
    SEEN_MAX = 1 << 16,
    COMMAND_MAX = 64,
    GLANCE_US = 1000,     /* between two, half as much to half as much more */
    KEY_MIN_US = 80000,   /* from the sight of one key to the press of the next ... */
    KEY_MORE_US = 160000, /* ... and up to so much more */
    KEY_LOST_US = 5000000,
    COMPARE_US = 50000, /* between two comparisons */
    SECOND_US = 1000000,
    KEY_A = 38, /* as the X servers here number them */
};

struct watch {
    struct display display, original;
    struct image all, original_all, strip;
    int16_t x, y; /* of the strip */
    uint32_t seed;

    struct {
        unsigned frame;
        uint64_t us;
    } * seen;
    size_t n_seen, glances;
    struct strip last;
    bool has_last;

    bool is_pressing;
    uint64_t pressed_us; /* 0: no key is under way */
    uint64_t next_key_us;
    unsigned keys_before; /* in the strip */
    uint32_t key_us[SEEN_MAX / 64];
    size_t n_keys, keys_lost;
};

/* ---- keys ---- */

static void plan_key(struct watch *w, uint64_t now) {
    w->pressed_us = 0;
    w->next_key_us = now + KEY_MIN_US + natural_random(&w->seed) % KEY_MORE_US;
}

static void press(struct watch *w, uint64_t now) {
    xcb_test_fake_input(w->display.xcb, XCB_KEY_PRESS, KEY_A, 0, XCB_NONE, 0, 0, 0);
    xcb_test_fake_input(w->display.xcb, XCB_KEY_RELEASE, KEY_A, 0, XCB_NONE, 0, 0, 0);
    xcb_flush(w->display.xcb);
    w->keys_before = w->last.keys;
    w->pressed_us = now;
}

static void mind_keys(struct watch *w, uint64_t now, bool may_press) {
    if (w->pressed_us && w->last.keys != w->keys_before) {
        if (w->n_keys < sizeof(w->key_us) / sizeof(*w->key_us))
            w->key_us[w->n_keys++] = (uint32_t)(now - w->pressed_us);
        plan_key(w, now);
    } else if (w->pressed_us && now - w->pressed_us > KEY_LOST_US) {
        w->keys_lost++;
        plan_key(w, now);
    }
    if (may_press && !w->pressed_us && w->has_last && now >= w->next_key_us)
        press(w, tas_mono_us());
}

/* ---- watching ---- */

static void glance(struct watch *w) {
    struct strip strip;
    image_grab(&w->display, &w->strip, w->x, w->y);
    uint64_t now = tas_mono_us();
    w->glances++;
    if (!strip_read(w->strip.px, STRIP_WIDTH, &strip))
        return;
    if ((!w->has_last || strip.frame != w->last.frame) && w->n_seen < SEEN_MAX) {
        w->seen[w->n_seen].frame = strip.frame;
        w->seen[w->n_seen++].us = now;
    }
    w->last = strip;
    w->has_last = true;
}

static void tell_seen(const struct watch *w) {
    printf("{\"event\":\"seen\",\"frames\":[");
    for (size_t i = 0; i < w->n_seen; i++)
        printf("%s[%u,%" PRIu64 "]", i ? "," : "", w->seen[i].frame, w->seen[i].us);
    printf("],\"keys_us\":[");
    for (size_t i = 0; i < w->n_keys; i++)
        printf("%s%u", i ? "," : "", w->key_us[i]);
    printf("],\"keys_lost\":%zu,\"glances\":%zu}\n", w->keys_lost, w->glances);
    fflush(stdout);
}

static bool is_command_there(void) {
    struct pollfd fd = {STDIN_FILENO, POLLIN, 0};
    return poll(&fd, 1, 0) > 0;
}

static void wait_until(uint64_t us) {
    struct timespec at = {(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
        continue;
}

/* Until a moment, or until a command comes (unless at_least): not in step with what it looks at. */
static void watch_until(struct watch *w, uint64_t end, bool at_least, bool may_press) {
    uint64_t next = tas_mono_us();
    while (next < end && (at_least || !is_command_there())) {
        glance(w);
        if (w->is_pressing)
            mind_keys(w, tas_mono_us(), may_press);
        next += GLANCE_US / 2 + natural_random(&w->seed) % GLANCE_US;
        if (next < tas_mono_us())
            next = tas_mono_us();
        wait_until(next);
    }
}

static void start_watching(struct watch *w, const char *arguments) {
    char *rest;
    w->x = (int16_t)strtol(arguments, &rest, 10);
    w->y = (int16_t)strtol(rest, &rest, 10);
    w->is_pressing = strtol(rest, NULL, 10) != 0;
    w->n_seen = w->glances = w->n_keys = w->keys_lost = 0;
    w->has_last = false;
    printf("{\"event\":\"watching\"}\n");
    fflush(stdout);
    plan_key(w, tas_mono_us());
    watch_until(w, UINT64_MAX, false, true);
}

/* ---- comparing ---- */

struct likeness {
    double psnr, exact; /* dB, 99 when equal; share of the px */
};

static struct likeness likeness_of(const struct image *a, const struct image *b) {
    size_t len = (size_t)a->width * a->height, same = 0;
    uint64_t error = 0;
    for (size_t i = 0; i < len; i++) {
        uint32_t x = a->px[i] & 0xffffff, y = b->px[i] & 0xffffff;
        same += x == y;
        for (int s = 0; x != y && s < 24; s += 8) {
            int off = (int)(x >> s & 255) - (int)(y >> s & 255);
            error += (uint64_t)(off * off);
        }
    }
    double mean = (double)error / (3.0 * (double)len);
    return (struct likeness){error ? 10 * log10(255.0 * 255.0 / mean) : 99, (double)same / (double)len};
}

static struct likeness compare(struct watch *w) {
    image_grab(&w->original, &w->original_all, 0, 0);
    image_grab(&w->display, &w->all, 0, 0);
    return likeness_of(&w->all, &w->original_all);
}

/* The comparison at a second is the first one that begins after it. Frames and keys that are under way are
 * still watched for. */
static void settle(struct watch *w, const char *arguments) {
    char *rest;
    uint64_t since = strtoull(arguments, &rest, 10), limit = since + strtoull(rest, NULL, 10) * 1000;
    struct likeness at_1s = {0, 0};
    bool has_1s = false;
    uint64_t exact_us = 0;
    while (!has_1s || (!exact_us && tas_mono_us() < limit)) {
        uint64_t now = tas_mono_us();
        struct likeness l = compare(w);
        if (!has_1s && now >= since + SECOND_US) {
            at_1s = l;
            has_1s = true;
        }
        if (l.exact >= 1 && !exact_us)
            exact_us = now;
        uint64_t next = now + COMPARE_US;
        watch_until(w, !has_1s && next < since + SECOND_US && exact_us ? since + SECOND_US : next, true,
                    false);
    }
    printf("{\"event\":\"settled\",\"psnr_1s\":%.2f,\"exact_1s\":%.6f,\"exact_after_s\":", at_1s.psnr,
           at_1s.exact);
    if (exact_us)
        printf("%.2f}\n", exact_us > since ? (double)(exact_us - since) / 1e6 : 0);
    else
        printf("null}\n");
    fflush(stdout);
}

static void point(struct watch *w, const char *arguments) {
    char *rest;
    int16_t x = (int16_t)strtol(arguments, &rest, 10), y = (int16_t)strtol(rest, NULL, 10);
    xcb_test_fake_input(w->display.xcb, XCB_MOTION_NOTIFY, 0, 0, w->display.screen->root, x, y, 0);
    xcb_test_fake_input(w->display.xcb, XCB_BUTTON_PRESS, 1, 0, XCB_NONE, 0, 0, 0);
    xcb_test_fake_input(w->display.xcb, XCB_BUTTON_RELEASE, 1, 0, XCB_NONE, 0, 0, 0);
    free(xcb_get_input_focus_reply(w->display.xcb, xcb_get_input_focus(w->display.xcb), NULL));
    printf("{\"event\":\"pointed\"}\n");
    fflush(stdout);
}

static void take_command(struct watch *w, const char *line) {
    if (strncmp(line, "watch ", 6) == 0)
        start_watching(w, line + 6);
    else if (strcmp(line, "tell") == 0)
        tell_seen(w);
    else if (strncmp(line, "settle ", 7) == 0)
        settle(w, line + 7);
    else if (strncmp(line, "point ", 6) == 0)
        point(w, line + 6);
    else
        fail("no such command");
}

int main(int argc, char **argv) {
    static struct watch w = {.seed = 5};
    char line[COMMAND_MAX];
    if (argc != 3)
        fail("screen_watch DISPLAY ORIGINAL");
    w.display = display_open(argv[1]);
    w.original = display_open(argv[2]);
    if (w.display.width != w.original.width || w.display.height != w.original.height)
        fail("the displays have not the same size");
    w.all = image_new(&w.display, w.display.width, w.display.height);
    w.original_all = image_new(&w.original, w.original.width, w.original.height);
    w.strip = image_new(&w.display, STRIP_WIDTH, STRIP_HEIGHT);
    w.seen = calloc(SEEN_MAX, sizeof(*w.seen));
    if (!w.seen)
        fail("no memory");
    prctl(PR_SET_TIMERSLACK, 1000ul); /* ns */
    while (read_command(line, sizeof(line)))
        take_command(&w, line);
    return 0;
}
