/* What src/ offers in a browser, or in node: the decoder of the screen codec and a viewer's end of a session,
 * as one WebAssembly module without WASI. tasuki.mjs wraps it in classes; this header is the contract between
 * both.
 *
 * Every function below is exported under its name without "wasm_". Addresses and sizes are 32 bits wide,
 * structs lie in the module's memory as declared here, little-endian, without gaps. Times are whole µs (or
 * ms, where it says so) as doubles. What can fail gives TAS_OK or a negative TAS_E_*; what makes something
 * gives its address, or one of those. Addresses lie below 2 GiB. Not for several threads. Memory may grow in
 * every call: a host makes its views of it afresh after each. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#define WASM_EXPORT(name) __attribute__((export_name(name)))

/* ---- memory and names ---- */

/* Zeroed; NULL: no memory. */
WASM_EXPORT("alloc") void *wasm_alloc(size_t len);
/* Wipes `len` bytes and releases. NULL is fine. */
WASM_EXPORT("release") void wasm_release(void *ptr, size_t len);

/* Texts that end with a zero byte, static: what numbers mean, so that a host need not know them. An event
 * that is unknown has the name "". */
WASM_EXPORT("event_name") const char *wasm_event_name(uint32_t kind);   /* "check_code" */
WASM_EXPORT("state_name") const char *wasm_state_name(uint32_t state);  /* "ACTIVE" */
WASM_EXPORT("error_name") const char *wasm_error_name(int err);         /* "PROTO" */
WASM_EXPORT("error_text") const char *wasm_error_text(int err);         /* English */
WASM_EXPORT("end_reason") const char *wasm_end_reason(uint32_t reason); /* English */

struct wasm_bytes {
    uint32_t at, len;
};

/* ---- pictures ---- */

/* 32 bits a pixel: 0x00RRGGBB, or 0x80RRGGBB when it is rough. */
struct wasm_picture {
    uint32_t at;            /* of the upper left pixel */
    uint32_t width, height; /* px */
    uint32_t stride;        /* px from one row to the next */
};

struct wasm_rect {
    uint32_t x, y, width, height; /* px */
};

/* Copies a rectangle (within the picture) as a browser wants it: bytes red, green, blue, 255; rows without
 * gaps. */
WASM_EXPORT("picture_rgba")
void wasm_picture_rgba(const struct wasm_picture *pic, const struct wasm_rect *rect, uint8_t *out);

/* The other way, for what a browser has decoded: bytes red, green, blue, anything into a picture. */
WASM_EXPORT("picture_paint")
void wasm_picture_paint(const struct wasm_picture *pic, const struct wasm_rect *rect, const uint8_t *rgba);

/* ---- a decoder by itself ---- */

struct wasm_decoder;

/* has_painter: the host paints rough pixels (host_private.h: jpeg, video); 0: frames with such are refused.
 * TAS_E_LIMIT: no memory, or a size or model_bits beyond the limits. */
WASM_EXPORT("decoder_new")
int wasm_decoder_new(uint32_t width, uint32_t height, uint32_t model_bits, uint32_t has_painter);
WASM_EXPORT("decoder_free") void wasm_decoder_free(struct wasm_decoder *dec); /* wipes; NULL is fine */

/* As tas_decoder_frame(). */
WASM_EXPORT("decoder_frame")
int wasm_decoder_frame(struct wasm_decoder *dec, const uint8_t *frame, size_t len);

/* Good until the next call on dec. */
WASM_EXPORT("decoder_picture")
void wasm_decoder_picture(const struct wasm_decoder *dec, struct wasm_picture *out);

/* What was painted since this was last asked, as at most `max` (at least 1) rectangles that do not overlap,
 * except for the last when there are more: it then covers all the rest. Gives how many. */
WASM_EXPORT("decoder_changed")
uint32_t wasm_decoder_changed(struct wasm_decoder *dec, struct wasm_rect *out, uint32_t max);

/* ---- what a host has to paint ---- */

/* A part of a frame that the painter will be asked for. */
struct wasm_section {
    uint32_t is_video;
    uint32_t quality, is_full_colour;   /* JPEG */
    uint32_t width, height;             /* px */
    uint32_t x, y, id, codec, is_start; /* video, as struct tas_rough_region */
    struct wasm_bytes data;             /* the scan or the chunk, within the frame */
};

/* What the painter will be asked for by this frame, in this order: so that a host whose JPEG and video
 * decoders answer later can ask them before. At most `max` (9 are enough). How many, or TAS_E_PROTO: a broken
 * frame; TAS_E_NOMEM. */
WASM_EXPORT("frame_sections")
int wasm_frame_sections(const uint8_t *frame, size_t len, struct wasm_section *out, uint32_t max);

/* What makes a JPEG file of the section's data: these bytes before it, ff d9 behind it. Their number, or
 * TAS_E_LIMIT. */
WASM_EXPORT("jpeg_head") int wasm_jpeg_head(const struct wasm_section *section, uint8_t out[1024]);

/* ---- a session, viewer's end ---- */

struct wasm_session;

/* server_ms: the management server's wall clock at now_us. The ticket says slot, session and relays. */
struct wasm_session_config {
    double server_ms;
    uint32_t suites;          /* mask of tas_suite; 0: all that the host can do */
    struct wasm_bytes keyset; /* as the management server gave it, with the signature of the root */
    uint8_t root_pk[32];      /* which the host has from a place that it trusts */
    uint8_t pop_seed[32];
    uint8_t ticket[192];
    uint8_t statement[320];
    uint32_t has_painter; /* as for wasm_decoder_new() */
};

/* Nothing of `config` is borrowed. TAS_E_NOMEM; TAS_E_AUTH: keyset, or a ticket that is not for this key;
 * TAS_E_PROTO: broken keyset or ticket; TAS_E_RIGHT: a ticket for a host. */
WASM_EXPORT("session_new") int wasm_session_new(const struct wasm_session_config *config, double now_us);
WASM_EXPORT("session_free") void wasm_session_free(struct wasm_session *s); /* wipes; NULL is fine */

/* The fields that an event does not use are 0. What addresses point to lives until the next call. */
struct wasm_event {
    uint32_t kind; /* wasm_event_name(); 0: there is none */
    uint32_t leg, relay_id;
    uint32_t from, state;  /* wasm_state_name() */
    uint32_t number, flag; /* as struct tas_event */
    uint32_t x, y, width, height, hot_x, hot_y;
    struct wasm_bytes text; /* UTF-8 */
    struct wasm_bytes data;
    uint32_t peer_kind, peer_perms, peer_company_id;
    struct wasm_bytes peer_company, peer_name; /* UTF-8 */
    uint8_t peer_pk[32];
};
WASM_EXPORT("session_event") void wasm_session_event(struct wasm_session *s, struct wasm_event *out);

/* The rest as in session/session.h. */
WASM_EXPORT("session_deadline_us") double wasm_session_deadline_us(const struct wasm_session *s);
WASM_EXPORT("session_tick") void wasm_session_tick(struct wasm_session *s, double now_us);
WASM_EXPORT("session_state") uint32_t wasm_session_state(const struct wasm_session *s);

WASM_EXPORT("session_secured")
void wasm_session_secured(struct wasm_session *s, uint32_t leg, const uint8_t cb[32], double now_us);
WASM_EXPORT("session_lost") void wasm_session_lost(struct wasm_session *s, uint32_t leg, double now_us);
WASM_EXPORT("session_input_room") size_t wasm_session_input_room(const struct wasm_session *s, uint32_t leg);
WASM_EXPORT("session_input")
void wasm_session_input(struct wasm_session *s, uint32_t leg, const uint8_t *bytes, size_t len,
                        double now_us);
WASM_EXPORT("session_output")
void wasm_session_output(struct wasm_session *s, uint32_t leg, double now_us, struct wasm_bytes *out);
WASM_EXPORT("session_sent") void wasm_session_sent(struct wasm_session *s, uint32_t leg, size_t n);

WASM_EXPORT("session_chat")
int wasm_session_chat(struct wasm_session *s, const uint8_t *text, size_t len, double wall_ms);
WASM_EXPORT("session_end") void wasm_session_end(struct wasm_session *s, uint32_t reason, double now_us);
WASM_EXPORT("session_set_ticket")
int wasm_session_set_ticket(struct wasm_session *s, const uint8_t ticket[192]);

/* code: ends with a zero byte. */
WASM_EXPORT("session_type_code")
int wasm_session_type_code(struct wasm_session *s, const char *code, double now_us);
WASM_EXPORT("session_view") void wasm_session_view(struct wasm_session *s, uint32_t is_on);
WASM_EXPORT("session_choose_monitor")
int wasm_session_choose_monitor(struct wasm_session *s, uint32_t monitor);
WASM_EXPORT("session_ask") void wasm_session_ask(struct wasm_session *s, uint32_t rights);

/* As the message INPUT (docs/protocol.md section 4); wheels are signed. The session knows layout and monitor.
 */
struct wasm_input {
    uint32_t kind, is_down, n_text;
    uint32_t x, y, buttons, keycode;
    int32_t wheel_x, wheel_y;
    uint32_t keysym;
    uint32_t text[6];
};
WASM_EXPORT("session_send_input")
int wasm_session_send_input(struct wasm_session *s, const struct wasm_input *input);

WASM_EXPORT("session_decode") int wasm_session_decode(struct wasm_session *s);
WASM_EXPORT("session_presented")
void wasm_session_presented(struct wasm_session *s, uint32_t decode_us, double now_us);

/* All zeros before the event "screen". */
WASM_EXPORT("session_picture")
void wasm_session_picture(const struct wasm_session *s, struct wasm_picture *out);
/* As wasm_decoder_changed(). */
WASM_EXPORT("session_changed")
uint32_t wasm_session_changed(struct wasm_session *s, struct wasm_rect *out, uint32_t max);

struct wasm_monitor {
    uint32_t id, is_primary;
    uint32_t x, y, width, height; /* px, on the whole screen */
    struct wasm_bytes name;       /* UTF-8 */
};
struct wasm_monitors {
    uint32_t shown; /* an id, 0: all */
    uint32_t count;
    struct wasm_monitor list[16];
};
WASM_EXPORT("session_monitors")
void wasm_session_monitors(const struct wasm_session *s, struct wasm_monitors *out);

struct wasm_figures {
    double rate_Bps, min_rtt_us, last_rtt_us, silent_us, screen_bytes;
    uint32_t window, in_flight, chunk, relay_id, resumes, frames;
};
WASM_EXPORT("session_figures")
void wasm_session_figures(struct wasm_session *s, struct wasm_figures *out, double now_us);
