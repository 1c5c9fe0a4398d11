#include "operator/core_private.h"

#include "base/log.h"
#include "base/time.h"
#include "tool/viewer.h"

#include <stdlib.h>

enum {
    OURS_US = 1000 * 1000, /* so long after the operator's last move the pointer is taken as his */
    OURS_PX = 2,           /* or while it is where he put it */
};

/* ---- the picture ---- */

struct tas_session *core_session(struct operator_core *c) {
    struct viewer *viewer = operator_viewer(c->flow);
    return viewer ? viewer_session(viewer) : NULL;
}

static const struct tas_picture *picture_of(struct operator_core *c) {
    struct tas_session *s = core_session(c);
    return s ? tas_session_remote(s) : NULL;
}

/* The window may be going away at this moment: then the next place tells a new one. */
static void present_failed(struct operator_core *c, int err) {
    if (err == TAS_OK)
        return;
    tas_log(TAS_LOG_INFO, "operator", "not_shown", "why=\"%s\"", tas_err_text(err));
    c->place.window = 0;
}

void core_draw(struct operator_core *c, const struct tas_tiles *changed) {
    if (c->present)
        present_failed(c, c->present_ops->picture(c->present, picture_of(c), changed));
}

void core_put_in_place(struct operator_core *c) {
    c->place.fit.remote_width = c->state.width;
    c->place.fit.remote_height = c->state.height;
    if (!c->present)
        return;
    int err = c->present_ops->place(c->present, &c->place);
    present_failed(c, err);
    if (err == TAS_OK)
        core_draw(c, NULL);
}

bool core_has_control(const struct operator_core *c) {
    return c->state.phase == OPERATOR_ACTIVE && c->state.rights & TAS_RIGHT_CONTROL && !c->state.is_paused;
}

static bool is_near(uint32_t a, uint32_t b) {
    return (a > b ? a - b : b - a) <= OURS_PX;
}

void core_draw_pointer(struct operator_core *c) {
    struct pointer *p = &c->pointer;
    bool is_fresh = p->sent_us != 0 && tas_mono_us() - p->sent_us < OURS_US;
    bool is_there = is_near(p->shown.x, p->sent_x) && is_near(p->shown.y, p->sent_y);
    p->shown.is_ours = core_has_control(c) && p->sent_us != 0 && (is_fresh || is_there);
    if (c->present)
        present_failed(c, c->present_ops->pointer(c->present, &p->shown));
}

void core_keep_cursor(struct operator_core *c, const struct tas_msg_cursor_image *image) {
    struct present_pointer *shown = &c->pointer.shown;
    uint8_t *copy = malloc(image->rgba.len + 1);
    if (!copy)
        return;
    memcpy(copy, image->rgba.ptr, image->rgba.len);
    free(c->pointer.rgba);
    c->pointer.rgba = copy;
    shown->rgba = copy;
    shown->serial++;
    shown->width = image->width;
    shown->height = image->height;
    shown->hot_x = image->hot_x;
    shown->hot_y = image->hot_y;
}

void core_forget_pointer(struct operator_core *c) {
    free(c->pointer.rgba);
    uint32_t serial = c->pointer.shown.serial;
    c->pointer = (struct pointer){.shown.serial = serial};
    if (c->present)
        present_failed(c, c->present_ops->pointer(c->present, &c->pointer.shown));
}

/* ---- input ---- */

static void send_input(struct operator_core *c, const struct tas_msg_input *in) {
    struct tas_session *s = core_session(c);
    if (s && core_has_control(c))
        (void)!tas_session_send_input(s, in); /* full: the line is slow, the person sees it */
}

static void note_held(struct operator_core *c, uint16_t keycode, bool is_down) {
    size_t i = 0;
    while (i < c->n_held && c->held_keys[i] != keycode)
        i++;
    if (is_down && i == c->n_held && c->n_held < sizeof(c->held_keys) / sizeof(c->held_keys[0]))
        c->held_keys[c->n_held++] = keycode;
    else if (!is_down && i < c->n_held)
        c->held_keys[i] = c->held_keys[--c->n_held];
}

void core_key(struct operator_core *c, uint16_t keycode, uint32_t keysym, bool is_down) {
    const struct tas_msg_input in = {.kind = 1, .keycode = keycode, .keysym = keysym, .is_down = is_down};
    note_held(c, keycode, is_down);
    send_input(c, &in);
}

void core_pointer(struct operator_core *c, const struct operator_command *command) {
    struct pointer *p = &c->pointer;
    bool is_inside;
    if (!present_fit_to_remote(&c->place.fit, command->x, command->y, &p->sent_x, &p->sent_y, &is_inside))
        return;
    struct tas_msg_input in = {
        .kind = 2, .x = (uint16_t)p->sent_x, .y = (uint16_t)p->sent_y, .buttons = (uint16_t)command->buttons};
    p->sent_us = tas_mono_us();
    p->buttons = command->buttons;
    send_input(c, &in);
    if (command->dx == 0 && command->dy == 0)
        return;
    in.kind = 3;
    in.wheel_x = (uint16_t)(int16_t)command->dx;
    in.wheel_y = (uint16_t)(int16_t)command->dy;
    send_input(c, &in);
}

void core_release(struct operator_core *c) {
    while (c->n_held > 0)
        core_key(c, c->held_keys[c->n_held - 1], 0, false);
    if (c->pointer.buttons == 0)
        return;
    const struct tas_msg_input in = {
        .kind = 2, .x = (uint16_t)c->pointer.sent_x, .y = (uint16_t)c->pointer.sent_y};
    c->pointer.buttons = 0;
    send_input(c, &in);
}
