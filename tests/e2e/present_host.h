/* For the tests and the measurement of src/operator/present: a protocol thread that calls it, pictures, and
 * what the screen must show. What fails here fails the test. */
#pragma once

#include "operator/present/present.h"
#include "xserver.h"

struct host;

/* Starts a thread with a loop. */
struct host *host_start(void);

/* Opens a view; the name of the way is in ops. Returns what ops->open() did. */
int host_open(struct host *host, const struct present_ops *ops, const char *display,
              struct present_surface *surface, char *why, size_t why_cap);
void host_close(struct host *host); /* the view; NULL is fine */
void host_stop(struct host *host);  /* closes, ends the thread, frees */

/* The calls of present.h on the thread; what is passed may go when they return. */
int host_place(struct host *host, unsigned long window, int32_t x, int32_t y, const struct present_fit *fit);
int host_picture(struct host *host, const struct tas_picture *pic, const struct tas_tiles *changed);
int host_pointer(struct host *host, const struct present_pointer *pointer);

/* Time that the last of these calls took on the thread. */
uint64_t host_call_us(const struct host *host);

/* Every px another value, which depends on the seed. */
struct tas_picture *noise_picture(uint32_t width, uint32_t height, uint32_t seed);

/* Makes a rectangle of the picture noise of another seed, and shows that. */
void change_rect(struct host *host, struct tas_picture *pic, struct present_rect rect, uint32_t seed);

/* The px that a fit of the picture must look like; freed with free(). */
uint32_t *wanted_px(const struct present_fit *fit, const struct tas_picture *pic);

/* How many px of the screen, from x, y on, are not as wanted; -1: cannot be read. */
long differing_px(struct server *s, int16_t x, int16_t y, const struct present_fit *fit,
                  const uint32_t *wanted);

/* Waits until the screen shows that. `turn` (may be NULL) is called again and again meanwhile. */
void wait_for_px(struct server *s, int16_t x, int16_t y, const struct present_fit *fit,
                 const uint32_t *wanted, void (*turn)(void));
void wait_for_picture(struct server *s, int16_t x, int16_t y, const struct present_fit *fit,
                      const struct tas_picture *pic, void (*turn)(void));
