/* Who may ask how often, in memory: sources (a v4 address, a v6 /64) that fail to log in, and how many of
 * their tries are on their way. A v6 /48 may have 4 times the failures and unknown sources' tries of a /64.
 * What must survive a restart or count at all servers together is in the database (limits.c, the lock of
 * accounts). All functions may be called from any thread and never block for long. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mgr_throttle;

enum mgr_throttle_verdict {
    MGR_MAY,  /* counted as on its way: mgr_throttle_over() must follow */
    MGR_BUSY, /* too many of this source, or of those that failed before, are on their way: again in a second
               */
    MGR_TOO_OFTEN, /* too many failures: again when the window is over */
};

/* failures_max: wrong logins that a source may make in five minutes. NULL: no memory. */
struct mgr_throttle *mgr_throttle_new(unsigned failures_max);
void mgr_throttle_free(struct mgr_throttle *t); /* NULL is fine */

/* A try arrives. wait_s: for TOO_OFTEN, until when. */
enum mgr_throttle_verdict mgr_throttle_begin(struct mgr_throttle *t, const uint8_t source[16],
                                             uint64_t now_us, unsigned *wait_s);
/* It is over, however it ended. */
void mgr_throttle_over(struct mgr_throttle *t, const uint8_t source[16]);
/* How it ended. A success forgives one failure and lets more tries of this source run at once. */
void mgr_throttle_failed(struct mgr_throttle *t, const uint8_t source[16], uint64_t now_us);
void mgr_throttle_succeeded(struct mgr_throttle *t, const uint8_t source[16], uint64_t now_us);

/* One request to an open route: false when the source sent more than 200 a second, 400 at once. */
bool mgr_throttle_request(struct mgr_throttle *t, const uint8_t source[16], uint64_t now_us);
