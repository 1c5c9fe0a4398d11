#include "ui/bridge.h"

#include "base/log.h"
#include "base/wipe.h"

#include <assert.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What waits for the other thread. A command's bytes follow it; a note is somebody's memory. */
struct item {
    struct item *next;
    uint64_t order; /* of notes: among notes and states */
    void *note;
    size_t size;
    unsigned char command[];
};

struct queue {
    struct item *first, **end;
    size_t n;
};

struct ui_bridge {
    struct ui_bridge_config config;
    pthread_mutex_t lock; /* guards what stands down to the empty line */
    struct queue commands, notes;
    void *state; /* the newest, unseen when has_state */
    bool has_state;
    uint64_t order, state_order;

    int core_fd, window_fd; /* eventfds: wake the protocol thread, the GTK thread */

    /* protocol thread */
    struct tas_watch *watch;
    void *core;
    void *command;

    /* GTK thread */
    GSource *source;
    void *window;
    void *shown;
};

/* ---- queues ---- */

static void queue_init(struct queue *q) {
    *q = (struct queue){.end = &q->first};
}

static void push(struct queue *q, struct item *item) {
    item->next = NULL;
    *q->end = item;
    q->end = &item->next;
    q->n++;
}

static struct item *pop(struct queue *q) {
    struct item *item = q->first;
    if (!item)
        return NULL;
    q->first = item->next;
    if (!q->first)
        q->end = &q->first;
    q->n--;
    return item;
}

static void free_command(struct item *item) {
    tas_wipe(item->command, item->size); /* it may hold a password */
    free(item);
}

static void wake(int fd) {
    const uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof(one));
    (void)ignored; /* full: the other thread is awake already */
}

static void sleep_again(int fd) {
    uint64_t count;
    ssize_t ignored = read(fd, &count, sizeof(count));
    (void)ignored;
}

/* ---- protocol to GTK ---- */

/* The oldest thing that waits, a note or the state: *note is NULL for the state. False: nothing. */
static bool take_for_window(struct ui_bridge *bridge, void **note) {
    pthread_mutex_lock(&bridge->lock);
    struct item *item = bridge->notes.first;
    bool is_state = bridge->has_state && (!item || bridge->state_order < item->order);
    if (is_state) {
        memcpy(bridge->shown, bridge->state, bridge->config.state_size);
        bridge->has_state = false;
    } else {
        item = pop(&bridge->notes);
    }
    pthread_mutex_unlock(&bridge->lock);
    if (is_state) {
        *note = NULL;
        return true;
    }
    if (!item)
        return false;
    *note = item->note;
    free(item);
    return true;
}

enum { ITEMS_PER_TURN = 16 };

/* The GTK side's half of the bridge as GLib sees it. */
struct bridge_source {
    GSource base;
    struct ui_bridge *bridge;
};

/* A callback may run a dialog with a main loop of its own; then this source waits (it cannot recurse), and
 * what it shows stays as it is. */
static gboolean dispatch(GSource *source, GSourceFunc unused, gpointer data) {
    (void)unused;
    (void)data;
    struct ui_bridge *bridge = ((struct bridge_source *)source)->bridge;
    void *note;
    sleep_again(bridge->window_fd);
    /* A few only: what the person does has its turn, too, however much the other end talks. */
    for (int i = 0; i < ITEMS_PER_TURN; i++) {
        if (g_source_is_destroyed(source) || !take_for_window(bridge, &note))
            return G_SOURCE_CONTINUE;
        if (note)
            bridge->config.on_note(bridge->window, note);
        else
            bridge->config.on_state(bridge->window, bridge->shown);
    }
    wake(bridge->window_fd);
    return G_SOURCE_CONTINUE;
}

static void detach_window(struct ui_bridge *bridge) {
    if (!bridge->source)
        return;
    g_source_destroy(bridge->source);
    g_source_unref(bridge->source);
    bridge->source = NULL;
}

void ui_bridge_attach_window(struct ui_bridge *bridge, void *window) {
    static GSourceFuncs funcs = {.dispatch = dispatch};
    bridge->window = window;
    if (!window) {
        detach_window(bridge);
        return;
    }
    if (bridge->source)
        return;
    bridge->source = g_source_new(&funcs, sizeof(struct bridge_source));
    ((struct bridge_source *)bridge->source)->bridge = bridge;
    g_source_set_name(bridge->source, "bridge");
    g_source_add_unix_fd(bridge->source, bridge->window_fd, G_IO_IN);
    g_source_attach(bridge->source, NULL);
}

void ui_bridge_state(struct ui_bridge *bridge, const void *state) {
    pthread_mutex_lock(&bridge->lock);
    memcpy(bridge->state, state, bridge->config.state_size);
    bridge->has_state = true;
    bridge->state_order = bridge->order++;
    pthread_mutex_unlock(&bridge->lock);
    wake(bridge->window_fd);
}

void ui_bridge_note(struct ui_bridge *bridge, void *note) {
    struct item *item = malloc(sizeof(*item));
    if (item) {
        *item = (struct item){.note = note};
        pthread_mutex_lock(&bridge->lock);
        bool has_room = bridge->notes.n < UI_NOTES;
        if (has_room) {
            item->order = bridge->order++;
            push(&bridge->notes, item);
        }
        pthread_mutex_unlock(&bridge->lock);
        if (has_room) {
            wake(bridge->window_fd);
            return;
        }
    }
    tas_log(TAS_LOG_WARN, "ui", "note_dropped", "why=%s", item ? "full" : "no_memory");
    free(item);
    bridge->config.free_note(note);
}

/* ---- GTK to protocol ---- */

bool ui_bridge_command(struct ui_bridge *bridge, const void *command, size_t size) {
    assert(size > 0 && size <= bridge->config.command_max);

    struct item *item = malloc(sizeof(*item) + size);
    if (!item)
        return false;
    *item = (struct item){.size = size};
    memcpy(item->command, command, size);
    pthread_mutex_lock(&bridge->lock);
    bool has_room = bridge->commands.n < UI_COMMANDS;
    if (has_room)
        push(&bridge->commands, item);
    pthread_mutex_unlock(&bridge->lock);
    if (has_room)
        wake(bridge->core_fd);
    else
        free_command(item);
    return has_room;
}

static struct item *take_for_core(struct ui_bridge *bridge) {
    pthread_mutex_lock(&bridge->lock);
    struct item *item = pop(&bridge->commands);
    pthread_mutex_unlock(&bridge->lock);
    return item;
}

static void on_core_ready(void *ctx, unsigned ready) {
    (void)ready;
    struct ui_bridge *bridge = ctx;
    sleep_again(bridge->core_fd);
    for (int i = 0; i < UI_COMMANDS; i++) {
        struct item *item = bridge->watch ? take_for_core(bridge) : NULL;
        if (!item)
            return;
        memcpy(bridge->command, item->command, item->size); /* zeros behind it: see below */
        bridge->config.on_command(bridge->core, bridge->command);
        tas_wipe(bridge->command, item->size);
        free_command(item);
    }
    wake(bridge->core_fd); /* the sockets have their turn */
}

int ui_bridge_attach_core(struct ui_bridge *bridge, struct tas_loop *loop, void *core) {
    assert(!bridge->watch);

    bridge->core = core;
    bridge->watch = tas_watch_new(loop, bridge->core_fd, TAS_READABLE, on_core_ready, bridge);
    return bridge->watch ? TAS_OK : TAS_E_NOMEM;
}

void ui_bridge_detach_core(struct ui_bridge *bridge) {
    tas_watch_free(bridge->watch);
    bridge->watch = NULL;
    wake(bridge->core_fd); /* what waits is for the next core */
}

/* ---- life ---- */

struct ui_bridge *ui_bridge_new(const struct ui_bridge_config *config) {
    assert(config->state_size > 0 && config->command_max > 0);
    assert(config->on_command && config->on_state && config->on_note && config->free_note);

    struct ui_bridge *bridge = calloc(1, sizeof(*bridge));
    if (!bridge)
        return NULL;
    bridge->config = *config;
    pthread_mutex_init(&bridge->lock, NULL);
    queue_init(&bridge->commands);
    queue_init(&bridge->notes);
    bridge->core_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bridge->window_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bridge->state = calloc(1, config->state_size);
    bridge->shown = calloc(1, config->state_size);
    bridge->command = calloc(1, config->command_max);
    if (bridge->core_fd >= 0 && bridge->window_fd >= 0 && bridge->state && bridge->shown && bridge->command)
        return bridge;
    ui_bridge_free(bridge);
    return NULL;
}

static void wipe_and_free(void *bytes, size_t size) {
    if (bytes)
        tas_wipe(bytes, size);
    free(bytes);
}

void ui_bridge_free(struct ui_bridge *bridge) {
    if (!bridge)
        return;
    assert(!bridge->watch); /* ui_bridge_detach_core() was forgotten */
    detach_window(bridge);
    for (struct item *item; (item = pop(&bridge->commands));)
        free_command(item);
    for (struct item *item; (item = pop(&bridge->notes));) {
        bridge->config.free_note(item->note);
        free(item);
    }
    wipe_and_free(bridge->state, bridge->config.state_size);
    wipe_and_free(bridge->shown, bridge->config.state_size);
    wipe_and_free(bridge->command, bridge->config.command_max);
    if (bridge->core_fd >= 0)
        close(bridge->core_fd);
    if (bridge->window_fd >= 0)
        close(bridge->window_fd);
    pthread_mutex_destroy(&bridge->lock);
    free(bridge);
}
