#include "tool/pointer.h"

#include "base/time.h"

enum {
    MOVING_US = 8 * 1000,    /* asked for this often while it moves ... */
    REST_US = 100 * 1000,    /* ... and until it has not moved for so long */
    RESTING_US = 500 * 1000, /* and then: a program can move it without our being told */
    BLIND_US = 33 * 1000,    /* where the display does not tell of moves at all */
};

/* False: it has not moved. */
static bool tell(struct tool_pointer *p, uint64_t now_us) {
    struct tas_screen_cursor cur;
    p->asked_us = now_us;
    if (p->ops->cursor(p->screen, &cur) != TAS_OK)
        return false;
    const struct tas_msg_cursor_image image = {
        .image = cur.serial,
        .width = cur.width,
        .height = cur.height,
        .hot_x = cur.hot_x,
        .hot_y = cur.hot_y,
        .rgba = tas_bytes_of(cur.rgba, cur.serial ? (size_t)cur.width * cur.height * 4 : 0),
    };
    bool has_moved = cur.x != p->x || cur.y != p->y;
    bool is_new = cur.serial != p->serial;
    p->x = cur.x;
    p->y = cur.y;
    p->serial = cur.serial;
    tas_session_cursor(p->s, cur.x, cur.y, is_new ? &image : NULL);
    return has_moved;
}

static void ask_again(struct tool_pointer *p, uint64_t now_us, uint64_t after_us) {
    tas_timer_set(p->timer, now_us + after_us);
}

static void keep_moving(struct tool_pointer *p, uint64_t now_us) {
    p->is_resting = false;
    p->moved_us = now_us;
    ask_again(p, now_us, MOVING_US);
}

/* What moves before it is awaited is seen by asking once more. */
static void rest(struct tool_pointer *p, uint64_t now_us) {
    if (p->ops->await_move(p->screen) != TAS_OK) {
        ask_again(p, now_us, BLIND_US);
        return;
    }
    p->is_resting = true;
    if (tell(p, now_us))
        keep_moving(p, now_us);
    else
        ask_again(p, now_us, RESTING_US);
}

static void on_timer(void *ctx) {
    struct tool_pointer *p = ctx;
    uint64_t now_us = tas_mono_us();
    if (tell(p, now_us))
        keep_moving(p, now_us);
    else if (p->is_resting)
        ask_again(p, now_us, RESTING_US);
    else if (now_us - p->moved_us < REST_US)
        ask_again(p, now_us, MOVING_US);
    else
        rest(p, now_us);
}

void tool_pointer_pumped(struct tool_pointer *p) {
    unsigned news = p->ops->pointer_news(p->screen);
    if (!news || !p->is_watched)
        return;
    uint64_t now_us = tas_mono_us();
    if (news & TAS_SCREEN_MOVED) {
        p->is_resting = false;
        p->moved_us = now_us;
    }
    if (now_us < p->asked_us + MOVING_US)
        tas_timer_set(p->timer, p->asked_us + MOVING_US);
    else
        on_timer(p);
}

void tool_pointer_watch(struct tool_pointer *p, bool is_on) {
    p->is_watched = is_on;
    p->is_resting = false;
    p->serial = 0;
    tas_timer_set(p->timer, is_on ? tas_mono_us() : UINT64_MAX);
}

bool tool_pointer_open(struct tool_pointer *p, struct tas_loop *loop, const struct tas_screen_ops *ops,
                       struct tas_screen *screen, struct tas_session *s) {
    *p = (struct tool_pointer){.ops = ops, .screen = screen, .s = s};
    p->timer = tas_timer_new(loop, on_timer, p);
    return p->timer != NULL;
}

void tool_pointer_close(struct tool_pointer *p) {
    tas_timer_free(p->timer);
    p->timer = NULL;
}
