#include "http/server_private.h"

#include "http/source.h"

#include <stdlib.h>

enum { SHARE = 8, SHARE_LEAST = 8 }; /* one source may have this part of a queue */

struct tas_http_lane_run {
    struct tas_http *http;
    struct tas_http_lane lane;
    pthread_mutex_t lock; /* guards what is below, but the threads */
    pthread_cond_t wake;
    struct tas_http_work *first, **last;
    unsigned n_waiting, max_per_source;
    struct tas_http_sources *sources; /* of what waits */
    bool is_stopping;
    pthread_t *threads;
    unsigned n_threads;
};

void tas_http_work_run(struct tas_http_work *work, void *thread) {
    const struct tas_http_route *route = work->route;
    work->req.thread = thread;
    if (work->is_filling)
        route->fill(work->http->limits.ctx, &work->req, &work->reply);
    else
        route->fn(work->http->limits.ctx, &work->req, &work->reply);
}

static struct tas_http_work *take_first(struct tas_http_lane_run *lane) {
    struct tas_http_work *work = lane->first;
    if (!work)
        return NULL;
    lane->first = work->next;
    if (!lane->first)
        lane->last = &lane->first;
    work->next = NULL;
    lane->n_waiting--;
    tas_http_sources_remove(lane->sources, work->req.source);
    TAS_HTTP_COUNT(lane->http, queued, -1);
    return work;
}

static void *run(void *ctx) {
    struct tas_http_lane_run *lane = ctx;
    void *routes_ctx = lane->http->limits.ctx;
    void *thread = lane->lane.start ? lane->lane.start(routes_ctx) : NULL;
    for (;;) {
        pthread_mutex_lock(&lane->lock);
        while (!lane->first && !lane->is_stopping)
            pthread_cond_wait(&lane->wake, &lane->lock);
        struct tas_http_work *work = lane->is_stopping ? NULL : take_first(lane);
        pthread_mutex_unlock(&lane->lock);
        if (!work)
            break;
        if (!atomic_load(&work->is_gone)) /* nobody waits for it: others do */
            tas_http_work_run(work, thread);
        tas_http_finish(lane->http, work);
    }
    if (lane->lane.stop)
        lane->lane.stop(routes_ctx, thread);
    return NULL;
}

struct tas_http_lane_run *tas_http_lane_start(struct tas_http *http, const struct tas_http_lane *config) {
    struct tas_http_lane_run *lane = calloc(1, sizeof(*lane));
    if (!lane)
        return NULL;
    lane->http = http;
    lane->lane = *config;
    lane->last = &lane->first;
    lane->max_per_source = config->queue_max / SHARE;
    if (lane->max_per_source < SHARE_LEAST)
        lane->max_per_source = SHARE_LEAST;
    lane->sources = tas_http_sources_new();
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->wake, NULL);
    lane->threads = calloc(config->threads, sizeof(*lane->threads));
    while (lane->sources && lane->threads && lane->n_threads < config->threads &&
           pthread_create(&lane->threads[lane->n_threads], NULL, run, lane) == 0)
        lane->n_threads++;
    if (lane->sources && lane->threads && lane->n_threads == config->threads)
        return lane;
    tas_http_lane_stop(lane);
    tas_http_lane_free(lane);
    return NULL;
}

void tas_http_lane_stop(struct tas_http_lane_run *lane) {
    pthread_mutex_lock(&lane->lock);
    lane->is_stopping = true;
    pthread_cond_broadcast(&lane->wake);
    pthread_mutex_unlock(&lane->lock);
    while (lane->n_threads > 0)
        pthread_join(lane->threads[--lane->n_threads], NULL);
}

void tas_http_lane_free(struct tas_http_lane_run *lane) {
    pthread_cond_destroy(&lane->wake);
    pthread_mutex_destroy(&lane->lock);
    free(lane->threads);
    tas_http_sources_free(lane->sources);
    free(lane);
}

bool tas_http_lane_give(struct tas_http_lane_run *lane, struct tas_http_work *work) {
    pthread_mutex_lock(&lane->lock);
    bool fits = lane->n_waiting < lane->lane.queue_max && !lane->is_stopping &&
                tas_http_sources_add(lane->sources, work->req.source, lane->max_per_source);
    if (fits) {
        work->next = NULL;
        *lane->last = work;
        lane->last = &work->next;
        lane->n_waiting++;
        TAS_HTTP_COUNT(lane->http, queued, 1);
        pthread_cond_signal(&lane->wake);
    }
    pthread_mutex_unlock(&lane->lock);
    return fits;
}

struct tas_http_work *tas_http_lane_take(struct tas_http_lane_run *lane) {
    pthread_mutex_lock(&lane->lock);
    struct tas_http_work *work = take_first(lane);
    pthread_mutex_unlock(&lane->lock);
    return work;
}
