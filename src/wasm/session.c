/* A session, viewer's end: session/session.h for a host that has doubles and flat structs. */
#include "wasm/wasm.h"

#include "session/session.h"
#include "wasm/crypto_private.h"
#include "wasm/host_private.h"
#include "wasm/painter_private.h"
#include "wasm/screen_private.h"
#include "wire/signed.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

/* Hosts know these by their numbers (tasuki.mjs). */
static_assert(offsetof(struct wasm_session_config, ticket) == 84 && sizeof(struct wasm_session_config) == 600,
              "the layout of wasm_session_config");
static_assert(offsetof(struct wasm_event, text) == 52 && sizeof(struct wasm_event) == 128,
              "the layout of wasm_event");
static_assert(sizeof(struct wasm_input) == 64, "the layout of wasm_input");
static_assert(sizeof(struct wasm_monitor) == 32, "the layout of wasm_monitor");
static_assert(sizeof(struct wasm_figures) == 64, "the layout of wasm_figures");

struct wasm_session {
    struct tas_session *s;
    struct tas_event event; /* the last one: addresses in wasm_event point into it */
    struct wasm_painter painter;
    struct wasm_painted painted;
};

/* Whole numbers up to 2^53 are exact in a double. */
static uint64_t whole(double number) {
    return number >= 0 && number <= 9007199254740992.0 ? (uint64_t)number : 0;
}

static struct wasm_bytes place_of(const void *ptr, size_t len) {
    return (struct wasm_bytes){(uint32_t)(uintptr_t)ptr, (uint32_t)len};
}

static void random_of_host(void *ctx, void *out, size_t len) {
    (void)ctx;
    host_random(out, len);
}

static int identity_of(struct tas_identity *out, const struct wasm_session_config *config) {
    struct tas_msg_ticket ticket;
    int err = tas_msg_ticket_decode(&ticket, tas_bytes_of(config->ticket, sizeof(config->ticket)));
    if (err != TAS_OK)
        return err;
    if (ticket.role != TAS_ROLE_VIEWER)
        return TAS_E_RIGHT;
    out->role = TAS_ROLE_VIEWER;
    out->slot = ticket.slot;
    memcpy(out->pop_seed, config->pop_seed, sizeof(out->pop_seed));
    memcpy(out->statement, config->statement, sizeof(out->statement));
    return wasm_crypto.ed25519_public(out->pop_pk, out->pop_seed);
}

static int session_new(struct wasm_session *s, const struct wasm_session_config *config, uint64_t now_us) {
    struct tas_keyset keyset;
    struct tas_session_config own = {
        .crypto = &wasm_crypto,
        .mem = &tas_secret_heap,
        .random = {random_of_host, NULL},
        .keyset = &keyset,
        .painter = config->has_painter ? &s->painter.ops : NULL,
        .server_ms = whole(config->server_ms),
        .suites = (uint16_t)((config->suites ? config->suites : UINT16_MAX) & host_suites()),
    };
    struct tas_bytes signed_keys =
        tas_bytes_of((const void *)(uintptr_t)config->keyset.at, config->keyset.len);
    int err = tas_keyset_open(&wasm_crypto, &keyset, signed_keys, config->root_pk);
    if (err == TAS_OK)
        err = own.suites ? identity_of(&own.identity, config) : TAS_E_CONFIG;
    if (err == TAS_OK) {
        memcpy(own.ticket, config->ticket, sizeof(own.ticket));
        s->s = tas_session_new(&own, now_us);
        err = s->s ? TAS_OK : TAS_E_AUTH;
    }
    tas_wipe(&own, sizeof(own));
    return err;
}

int wasm_session_new(const struct wasm_session_config *config, double now_us) {
    struct wasm_session *s = calloc(1, sizeof(*s));
    if (!s)
        return TAS_E_NOMEM;
    wasm_painter_init(&s->painter, s);
    int err = session_new(s, config, whole(now_us));
    if (err != TAS_OK) {
        wasm_session_free(s);
        return err;
    }
    return (int)(intptr_t)s;
}

void wasm_session_free(struct wasm_session *s) {
    if (!s)
        return;
    tas_session_free(s->s);
    wasm_painted_fini(&s->painted);
    tas_wipe(s, sizeof(*s));
    free(s);
}

/* ---- events ---- */

static void write_peer(struct wasm_event *out, const struct tas_peer *peer) {
    out->peer_kind = peer->kind;
    out->peer_perms = peer->perms;
    out->peer_company_id = peer->company_id;
    out->peer_company = place_of(peer->company, strlen(peer->company));
    out->peer_name = place_of(peer->name, strlen(peer->name));
    memcpy(out->peer_pk, peer->pop_pk, sizeof(out->peer_pk));
}

static void write_cursor(struct wasm_event *out, const struct tas_msg_cursor_image *cursor) {
    out->number = cursor->image;
    out->width = cursor->width;
    out->height = cursor->height;
    out->hot_x = cursor->hot_x;
    out->hot_y = cursor->hot_y;
}

void wasm_session_event(struct wasm_session *s, struct wasm_event *out) {
    struct tas_event *ev = &s->event;
    tas_session_event(s->s, ev);
    if (ev->kind == TAS_EVENT_SCREEN)
        wasm_painted_fini(&s->painted); /* a new picture, perhaps of the old size */
    *out = (struct wasm_event){
        .kind = (uint32_t)ev->kind,
        .leg = ev->leg,
        .relay_id = ev->relay_id,
        .from = (uint32_t)ev->from,
        .state = (uint32_t)ev->state,
        .number = ev->number,
        .flag = ev->flag,
        .x = ev->x,
        .y = ev->y,
        .width = ev->width,
        .height = ev->height,
        .text = place_of(ev->text, ev->text ? strlen(ev->text) : 0),
        .data = place_of(ev->data.ptr, ev->data.len),
    };
    if (ev->kind == TAS_EVENT_PEER)
        write_peer(out, &ev->peer);
    if (ev->kind == TAS_EVENT_CURSOR_IMAGE)
        write_cursor(out, &ev->cursor);
}

/* ---- time, sockets ---- */

double wasm_session_deadline_us(const struct wasm_session *s) {
    return (double)tas_session_deadline_us(s->s);
}

void wasm_session_tick(struct wasm_session *s, double now_us) {
    tas_session_tick(s->s, whole(now_us));
}

uint32_t wasm_session_state(const struct wasm_session *s) {
    return (uint32_t)tas_session_state(s->s);
}

void wasm_session_secured(struct wasm_session *s, uint32_t leg, const uint8_t cb[32], double now_us) {
    if (leg < TAS_LEGS)
        tas_session_secured(s->s, leg, cb, whole(now_us));
}

void wasm_session_lost(struct wasm_session *s, uint32_t leg, double now_us) {
    if (leg < TAS_LEGS)
        tas_session_lost(s->s, leg, whole(now_us));
}

size_t wasm_session_input_room(const struct wasm_session *s, uint32_t leg) {
    return leg < TAS_LEGS ? tas_session_input_room(s->s, leg) : 0;
}

void wasm_session_input(struct wasm_session *s, uint32_t leg, const uint8_t *bytes, size_t len,
                        double now_us) {
    if (leg < TAS_LEGS)
        tas_session_input(s->s, leg, tas_bytes_of(bytes, len), whole(now_us));
}

void wasm_session_output(struct wasm_session *s, uint32_t leg, double now_us, struct wasm_bytes *out) {
    struct tas_bytes bytes = {0};
    if (leg < TAS_LEGS)
        bytes = tas_session_output(s->s, leg, whole(now_us));
    *out = place_of(bytes.ptr, bytes.len);
}

void wasm_session_sent(struct wasm_session *s, uint32_t leg, size_t n) {
    if (leg < TAS_LEGS)
        tas_session_sent(s->s, leg, n);
}

/* ---- what the user does ---- */

int wasm_session_chat(struct wasm_session *s, const uint8_t *text, size_t len, double wall_ms) {
    return tas_session_chat(s->s, tas_bytes_of(text, len), whole(wall_ms));
}

void wasm_session_end(struct wasm_session *s, uint32_t reason, double now_us) {
    tas_session_end(s->s, (enum tas_end_reason)reason, whole(now_us));
}

int wasm_session_set_ticket(struct wasm_session *s, const uint8_t ticket[192]) {
    return tas_session_set_ticket(s->s, ticket);
}

int wasm_session_type_code(struct wasm_session *s, const char *code, double now_us) {
    return tas_session_type_code(s->s, code, whole(now_us));
}

void wasm_session_view(struct wasm_session *s, uint32_t is_on) {
    tas_session_view(s->s, is_on != 0);
}

int wasm_session_choose_monitor(struct wasm_session *s, uint32_t monitor) {
    return monitor <= UINT8_MAX ? tas_session_choose_monitor(s->s, (uint8_t)monitor) : TAS_E_ABSENT;
}

void wasm_session_ask(struct wasm_session *s, uint32_t rights) {
    tas_session_ask(s->s, (uint16_t)rights);
}

int wasm_session_send_input(struct wasm_session *s, const struct wasm_input *input) {
    struct tas_msg_input in = {
        .kind = (uint8_t)input->kind,
        .is_down = (uint8_t)input->is_down,
        .n_text = (uint8_t)input->n_text,
        .x = (uint16_t)input->x,
        .y = (uint16_t)input->y,
        .buttons = (uint16_t)input->buttons,
        .keycode = (uint16_t)input->keycode,
        .wheel_x = (uint16_t)input->wheel_x,
        .wheel_y = (uint16_t)input->wheel_y,
        .keysym = input->keysym,
    };
    static_assert(sizeof(in.text) == sizeof(input->text), "as many code points");
    memcpy(in.text, input->text, sizeof(in.text));
    int err = tas_session_send_input(s->s, &in);
    tas_wipe(&in, sizeof(in));
    return err;
}

/* ---- the screen ---- */

/* What is noted belongs to the picture that is there now. */
static void follow_picture(struct wasm_session *s) {
    const struct tas_picture *pic = tas_session_remote(s->s);
    if (pic)
        wasm_painted_follow(&s->painted, pic);
}

int wasm_session_decode(struct wasm_session *s) {
    follow_picture(s);
    int err = tas_session_decode(s->s, s->painted.tiles.bits ? &s->painted.tiles : NULL);
    wasm_painted_note(&s->painted, err);
    return err;
}

void wasm_session_presented(struct wasm_session *s, uint32_t decode_us, double now_us) {
    tas_session_presented(s->s, decode_us, whole(now_us));
}

void wasm_session_picture(const struct wasm_session *s, struct wasm_picture *out) {
    wasm_picture_of(out, tas_session_remote(s->s));
}

uint32_t wasm_session_changed(struct wasm_session *s, struct wasm_rect *out, uint32_t max) {
    follow_picture(s);
    return wasm_painted_take(&s->painted, out, max);
}

void wasm_session_monitors(const struct wasm_session *s, struct wasm_monitors *out) {
    const struct tas_monitors *monitors = tas_session_remote_monitors(s->s);
    static_assert(sizeof(out->list) / sizeof(out->list[0]) == TAS_MONITORS, "room for all");
    *out = (struct wasm_monitors){.shown = monitors->shown, .count = monitors->n};
    for (unsigned i = 0; i < monitors->n; i++) {
        const struct tas_monitor *m = &monitors->list[i];
        out->list[i] = (struct wasm_monitor){
            .id = m->id,
            .is_primary = m->is_primary,
            .x = m->x,
            .y = m->y,
            .width = m->width,
            .height = m->height,
            .name = place_of(m->name, strlen(m->name)),
        };
    }
}

void wasm_session_figures(struct wasm_session *s, struct wasm_figures *out, double now_us) {
    struct tas_session_figures f;
    tas_session_figures(s->s, &f, whole(now_us));
    *out = (struct wasm_figures){
        .rate_Bps = (double)f.rate_Bps,
        .min_rtt_us = (double)f.min_rtt_us,
        .last_rtt_us = (double)f.last_rtt_us,
        .silent_us = (double)f.silent_us,
        .screen_bytes = (double)f.screen_bytes,
        .window = f.window,
        .in_flight = f.in_flight,
        .chunk = f.chunk,
        .relay_id = f.relay_id,
        .resumes = f.resumes,
        .frames = f.frames,
    };
}
