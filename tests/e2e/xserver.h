/* For the X11 tests: an X server of their own (Xvfb on a free number), a connection beside the one under
 * test, and programs. What fails here fails the test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <xcb/xcb.h>

enum {
    GIVE_UP_MS = 30 * 1000, /* every wait is for an event; without it the test fails after so long */
    WIDTH = 1000,           /* px, of set_up_server()'s screen: not whole tiles */
    HEIGHT = 700,
};

struct server {
    pid_t pid;
    char name[16]; /* ":7" */
    xcb_connection_t *xcb;
    xcb_screen_t *screen;
};

/* Starts Xvfb with a screen of `size` ("1000x700x24") and more arguments (up to a NULL; may itself be NULL).
 */
void start_server(struct server *s, const char *size, const char *const *more);
void stop_server(struct server *s);
void kill_server(struct server *s); /* SIGKILL; stop_server() must still follow */

/* For cmocka: *state is a struct server with a screen of WIDTH x HEIGHT, 24 bits. */
int set_up_server(void **state);
int tear_down_server(void **state);

/* Waits until everything sent through s->xcb is carried out. */
void sync_server(struct server *s);

/* Fills a rectangle of the root window, and waits until that is done. */
void draw(struct server *s, int16_t x, int16_t y, uint16_t w, uint16_t h, uint32_t colour);

/* Does the server hold this key (evdev code) for pressed? */
bool is_key_down(struct server *s, unsigned evdev);

void wait_readable(int fd);

/* Runs a program (argv ends with NULL; its standard error is dropped), which must succeed; up to cap - 1
 * bytes of its output go to `out`, ended by a NUL. */
void run_program(const char *const *argv, char *out, size_t cap);
