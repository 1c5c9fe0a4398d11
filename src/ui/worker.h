/* The protocol thread of a tool: a loop on a thread of its own, which can be told to end and then has three
 * seconds to say good-bye. */
#pragma once

#include "net/loop.h"

#include <pthread.h>
#include <stdbool.h>

struct ui_worker_calls {
    void (*on_start)(void *ctx); /* the first thing on the thread */
    void (*on_stop)(void *ctx);  /* end what runs, then ui_worker_leave() */
    void (*on_end)(void *ctx);   /* the last thing on the thread; NULL: nothing */
};

struct ui_worker {
    struct tas_loop *loop; /* for watches and timers of the owner's, to be freed before ui_worker_close() */
    struct tas_timer *farewell;
    const struct ui_worker_calls *calls;
    void *ctx;
    pthread_t thread;
};

/* SIGPIPE is ignored from then on. False: no memory or descriptors. ui_worker_close() in any case. */
bool ui_worker_open(struct ui_worker *worker, const struct ui_worker_calls *calls, void *ctx);
bool ui_worker_start(struct ui_worker *worker); /* false: no thread */

/* On the thread: the loop ends after this turn; or in three seconds, if nobody calls leave before. */
void ui_worker_leave(struct ui_worker *worker);
void ui_worker_leave_soon(struct ui_worker *worker);

/* From another thread: on_stop is called, with three seconds to go, and the thread's end awaited. */
void ui_worker_stop(struct ui_worker *worker);
void ui_worker_close(struct ui_worker *worker);
