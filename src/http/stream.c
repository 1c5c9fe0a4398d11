#include "http/server_private.h"

#include "http/message_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BUCKETS = 4096,
    SILENCE_US = 15 * 1000 * 1000, /* then a comment goes, so that the line stays open */
    TICK_US = 250 * 1000,
    TICKS = 60, /* streams that fell silent together get their comments spread over this many */
    TICK_LEAST = 64,
};

/* Text on its way to many streams. Owned by the publisher, then by the inbox, then by its streams together.
 */
struct tas_http_event {
    struct tas_http_event *next; /* in the inbox */
    uint64_t topic;
    bool ends_topic;
    unsigned refs; /* the loop's thread only */
    size_t len;
    char text[];
};

struct waiting {
    struct tas_http_event *event;
    struct waiting *next;
};

struct tas_http_stream {
    struct tas_http_exchange *x;
    struct topic *topic;                         /* NULL: it ends when what waits has gone */
    struct tas_http_stream *prev, *next;         /* of the topic, oldest first */
    struct tas_http_stream *all_prev, *all_next; /* of all, longest silent first */
    uint64_t heard_us;
    struct waiting *first, **last;
    size_t waiting_len, at; /* at: of the first event */
    bool is_torn;           /* it could not keep up */
};

struct topic {
    uint64_t id;
    struct topic *chain;
    struct tas_http_stream *first, *last;
    unsigned n;
};

struct tas_http_topics {
    pthread_mutex_t lock; /* held by the loop's thread while it changes buckets, by others while they look */
    struct topic *buckets[BUCKETS];
    struct tas_http_stream *first, *last;
    unsigned n;
    struct tas_http_event *comment;
};

/* ---- topics ---- */

static struct tas_http_event *event_new(uint64_t topic, size_t len) {
    struct tas_http_event *event = calloc(1, sizeof(*event) + len + 1);
    if (!event)
        return NULL;
    event->topic = topic;
    event->len = len;
    event->refs = 1;
    return event;
}

static void event_unref(struct tas_http_event *event) {
    if (--event->refs == 0)
        free(event);
}

void tas_http_events_free(struct tas_http_event *events) {
    while (events) {
        struct tas_http_event *event = events;
        events = event->next;
        free(event);
    }
}

struct tas_http_topics *tas_http_topics_new(void) {
    static const char comment[] = ":\n\n";
    struct tas_http_topics *topics = calloc(1, sizeof(*topics));
    if (!topics)
        return NULL;
    topics->comment = event_new(0, sizeof(comment) - 1);
    if (!topics->comment) {
        free(topics);
        return NULL;
    }
    memcpy(topics->comment->text, comment, sizeof(comment));
    pthread_mutex_init(&topics->lock, NULL);
    return topics;
}

void tas_http_topics_free(struct tas_http_topics *topics) {
    if (!topics)
        return;
    assert(!topics->first);
    event_unref(topics->comment);
    pthread_mutex_destroy(&topics->lock);
    free(topics);
}

static struct topic **find(struct tas_http_topics *topics, uint64_t id) {
    uint64_t mixed = id * UINT64_C(0x9e3779b97f4a7c15);
    struct topic **at = &topics->buckets[mixed >> 52];
    while (*at && (*at)->id != id)
        at = &(*at)->chain;
    return at;
}

bool tas_http_has_streams(struct tas_http *http, uint64_t topic) {
    pthread_mutex_lock(&http->topics->lock);
    bool found = *find(http->topics, topic) != NULL;
    pthread_mutex_unlock(&http->topics->lock);
    return found;
}

/* ---- the list of all, longest silent first ---- */

static void unlink_all(struct tas_http_topics *topics, struct tas_http_stream *s) {
    *(s->all_prev ? &s->all_prev->all_next : &topics->first) = s->all_next;
    *(s->all_next ? &s->all_next->all_prev : &topics->last) = s->all_prev;
}

static void link_last(struct tas_http_topics *topics, struct tas_http_stream *s) {
    s->all_prev = topics->last;
    s->all_next = NULL;
    *(topics->last ? &topics->last->all_next : &topics->first) = s;
    topics->last = s;
}

static void was_heard(struct tas_http *http, struct tas_http_stream *s) {
    s->heard_us = tas_http_now_us(http);
    unlink_all(http->topics, s);
    link_last(http->topics, s);
}

/* ---- one stream ---- */

static void leave_topic(struct tas_http_stream *s) {
    struct topic *t = s->topic;
    if (!t)
        return;
    struct tas_http_topics *topics = s->x->peer->http->topics;
    pthread_mutex_lock(&topics->lock);
    *(s->prev ? &s->prev->next : &t->first) = s->next;
    *(s->next ? &s->next->prev : &t->last) = s->prev;
    s->topic = NULL;
    if (--t->n == 0) {
        struct topic **at = find(topics, t->id);
        *at = t->chain;
        free(t);
    }
    pthread_mutex_unlock(&topics->lock);
}

static void end_stream(struct tas_http_stream *s) {
    leave_topic(s);
    tas_http_peer_wake(s->x);
}

static int join_topic(struct tas_http_stream *s, uint64_t id) {
    struct tas_http_topics *topics = s->x->peer->http->topics;
    struct topic **at = find(topics, id);
    struct topic *t = *at;
    if (!t) {
        t = calloc(1, sizeof(*t));
        if (!t)
            return TAS_E_NOMEM;
        t->id = id;
    }
    pthread_mutex_lock(&topics->lock);
    *at = t;
    s->topic = t;
    s->prev = t->last;
    *(t->last ? &t->last->next : &t->first) = s;
    t->last = s;
    t->n++;
    pthread_mutex_unlock(&topics->lock);
    return TAS_OK;
}

int tas_http_stream_open(struct tas_http_exchange *x, uint64_t topic) {
    struct tas_http *http = x->peer->http;
    struct tas_http_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return TAS_E_NOMEM;
    s->x = x;
    s->last = &s->first;
    s->heard_us = tas_http_now_us(http);
    if (join_topic(s, topic) != TAS_OK) {
        free(s);
        return TAS_E_NOMEM;
    }
    x->stream = s;
    link_last(http->topics, s);
    if (http->topics->n++ == 0)
        tas_timer_set(http->tick_timer, s->heard_us + SILENCE_US);
    TAS_HTTP_COUNT(http, streams, 1);
    if (s->topic->n > http->limits.max_streams_per_topic)
        end_stream(s->topic->first);
    return TAS_OK;
}

static void drop_first(struct tas_http_stream *s) {
    struct waiting *w = s->first;
    s->first = w->next;
    if (!s->first)
        s->last = &s->first;
    s->at = 0;
    event_unref(w->event);
    free(w);
}

void tas_http_stream_close(struct tas_http_exchange *x) {
    struct tas_http_stream *s = x->stream;
    if (!s)
        return;
    struct tas_http *http = x->peer->http;
    leave_topic(s);
    unlink_all(http->topics, s);
    http->topics->n--;
    TAS_HTTP_COUNT(http, streams, -1);
    while (s->first)
        drop_first(s);
    free(s);
    x->stream = NULL;
}

enum tas_http_source tas_http_stream_peek(const struct tas_http_exchange *x, struct tas_bytes *out) {
    const struct tas_http_stream *s = x->stream;
    if (s->is_torn)
        return TAS_HTTP_TORN;
    if (!s->first)
        return s->topic ? TAS_HTTP_LATER : TAS_HTTP_END;
    const struct tas_http_event *event = s->first->event;
    *out = tas_bytes_of(event->text + s->at, event->len - s->at);
    return TAS_HTTP_MORE;
}

void tas_http_stream_drop(struct tas_http_exchange *x, size_t n) {
    struct tas_http_stream *s = x->stream;
    s->at += n;
    s->waiting_len -= n;
    if (s->at == s->first->event->len)
        drop_first(s);
}

bool tas_http_stream_is_waiting(const struct tas_http_exchange *x) {
    return x->stream->first || x->stream->is_torn || !x->stream->topic;
}

/* What it has lost it gets when it comes back with ?after=. */
static void tear(struct tas_http_stream *s) {
    s->is_torn = true;
    while (s->first)
        drop_first(s);
    s->waiting_len = 0;
    TAS_HTTP_COUNT(s->x->peer->http, refused_total, 1);
    leave_topic(s);
    if (s->x->peer->h2)
        tas_http_h2_reset(s->x); /* its window may be shut: nothing would be read of it */
    else
        tas_http_peer_kill(s->x->peer);
}

static void push(struct tas_http_stream *s, struct tas_http_event *event) {
    struct tas_http *http = s->x->peer->http;
    struct waiting *w = s->waiting_len + event->len > TAS_HTTP_WAITING_MAX ? NULL : malloc(sizeof(*w));
    if (!w) {
        tear(s);
        return;
    }
    if (!s->first)
        s->x->moved_us = tas_http_now_us(http);
    *w = (struct waiting){.event = event};
    event->refs++;
    *s->last = w;
    s->last = &w->next;
    s->waiting_len += event->len;
    was_heard(http, s);
    tas_http_peer_wake(s->x);
}

/* ---- what was published ---- */

static void deliver(struct tas_http *http, struct tas_http_event *event) {
    struct topic *t = *find(http->topics, event->topic);
    struct tas_http_stream *next;
    for (struct tas_http_stream *s = t ? t->first : NULL; s; s = next) {
        next = s->next; /* the topic goes with its last stream */
        if (event->ends_topic) {
            end_stream(s);
        } else {
            push(s, event);
            TAS_HTTP_COUNT(http, events_total, 1);
        }
    }
}

void tas_http_events_deliver(struct tas_http *http, struct tas_http_event *events) {
    while (events) {
        struct tas_http_event *event = events;
        events = event->next;
        deliver(http, event);
        event_unref(event);
    }
}

void tas_http_streams_end(struct tas_http *http) {
    struct tas_http_stream *next;
    for (struct tas_http_stream *s = http->topics->first; s; s = next) {
        next = s->all_next;
        end_stream(s);
    }
}

void tas_http_streams_tick(void *ctx) {
    struct tas_http *http = ctx;
    struct tas_http_topics *topics = http->topics;
    uint64_t now_us = tas_http_now_us(http);
    unsigned budget = TICK_LEAST + topics->n / TICKS;
    while (topics->first && topics->first->heard_us + SILENCE_US <= now_us && budget-- > 0) {
        struct tas_http_stream *s = topics->first;
        was_heard(http, s);
        if (s->topic && !s->first)
            push(s, topics->comment);
    }
    if (!topics->first)
        return;
    uint64_t at_us = topics->first->heard_us + SILENCE_US;
    tas_timer_set(http->tick_timer, at_us > now_us ? at_us : now_us + TICK_US);
}

static void hand_in(struct tas_http *http, struct tas_http_event *event) {
    pthread_mutex_lock(&http->lock);
    if (http->is_halted) {
        free(event);
    } else if (event) {
        *http->events_end = event;
        http->events_end = &event->next;
    } else {
        http->has_lost_events = true;
    }
    if (!http->is_halted)
        tas_http_wake(http);
    pthread_mutex_unlock(&http->lock);
}

void tas_http_publish(struct tas_http *http, uint64_t topic, uint64_t id, const char *event,
                      const char *data) {
    if (!tas_http_has_streams(http, topic))
        return; /* who comes now finds it by its fill() */
    int len = tas_http_event_print(NULL, 0, id, event, data);
    assert(len >= 0); /* one line: JSON of our own making */
    struct tas_http_event *made = event_new(topic, (size_t)len);
    if (made)
        tas_http_event_print(made->text, (size_t)len + 1, id, event, data);
    hand_in(http, made);
}

void tas_http_end_topic(struct tas_http *http, uint64_t topic) {
    struct tas_http_event *made = event_new(topic, 0);
    if (made)
        made->ends_topic = true;
    hand_in(http, made);
}
