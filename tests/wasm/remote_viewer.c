/* Puts the viewer of tests/unit/sim.c into a WebAssembly module: linked with --wrap, the functions of a
 * session whose ticket is a viewer's are asked of viewer_server.mjs, which node runs at the other end of two
 * pipes. So every test that the simulation can play, it can play with the module. A host's sessions stay
 * native. A function of session.h that is missing in meson.build's list would be called with what is none of
 * its sessions. */
#include "remote_viewer.h"

#include "base/rand.h"
#include "lossy/native.h"
#include "session/session.h"
#include "wire/signed.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The same numbers stand in viewer_server.mjs. */
enum op {
    OP_NEW = 1,
    OP_FREE,
    OP_EVENT,
    OP_TICK,
    OP_SECURED,
    OP_LOST,
    OP_INPUT_ROOM,
    OP_INPUT,
    OP_OUTPUT,
    OP_SENT,
    OP_STATE,
    OP_CHAT,
    OP_END,
    OP_SET_TICKET,
    OP_FIGURES,
    OP_TYPE_CODE,
    OP_VIEW,
    OP_ASK,
    OP_SEND_INPUT,
    OP_DECODE,
    OP_PRESENTED,
    OP_PICTURE,
    OP_MEMORY,
    OP_CHOOSE_MONITOR,
    OP_MONITORS,
};

enum {
    VIEWERS = 4,
    ARGS_MAX = 256 * 1024,
    PLEASE_PAINT = -1, /* instead of an answer's length: a question comes first */
};

struct viewer {
    uint32_t id; /* 0: free */
    uint64_t deadline_us;
    uint8_t *event, *output; /* the last answers: what was given out points into them */
    char *text;
    struct tas_picture *picture;
    struct tas_monitors monitors;
    struct tas_lossy_painter *painter; /* stands for the browser's decoders of JPEG and video */
    struct remote_viewer_painted painted;

    /* What was answered with "nothing" is not asked again while nothing else has happened: each question
     * costs two changes of process. */
    bool has_no_event;
    bool has_no_output[TAS_LEGS];
    uint64_t asked_us[TAS_LEGS]; /* output depends on the time, too */
};

static struct viewer viewers[VIEWERS];
static uint32_t last_id;
static int to_node = -1, from_node = -1;

static struct viewer *viewer_of(const struct tas_session *s) {
    for (unsigned i = 0; i < VIEWERS; i++)
        if ((const void *)s == &viewers[i] && viewers[i].id != 0)
            return &viewers[i];
    return NULL;
}

/* ---- node ---- */

static void start_node(void) {
    const char *script = getenv("TASUKI_VIEWER_SERVER"), *module = getenv("TASUKI_WASM");
    int request[2], reply[2];
    assert(script && module);
    if (pipe(request) != 0 || pipe(reply) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        dup2(request[0], STDIN_FILENO);
        dup2(reply[1], STDOUT_FILENO);
        close(request[1]); /* so that it sees the end of this program */
        close(reply[0]);
        execlp("node", "node", script, module, (char *)NULL);
        _exit(127);
    }
    assert(pid > 0);
    close(request[0]);
    close(reply[1]);
    to_node = request[1];
    from_node = reply[0];
}

static void write_all(const void *data, size_t len) {
    for (const uint8_t *at = data; len > 0;) {
        ssize_t n = write(to_node, at, len);
        assert(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

static void read_all(void *data, size_t len) {
    for (uint8_t *at = data; len > 0;) {
        ssize_t n = read(from_node, at, len);
        if (n <= 0)
            fprintf(stderr, "remote_viewer: node has gone\n");
        assert(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

/* A request: u32 length, u8 op, u32 session, arguments. An answer: u32 length, what was asked for; the caller
 * frees it. */
struct request {
    struct tas_writer w;
    uint8_t bytes[ARGS_MAX];
};

static void begin(struct request *q, enum op op, struct viewer *v) {
    if (v)
        v->has_no_event = v->has_no_output[0] = v->has_no_output[1] = false;
    q->w = tas_writer_of(q->bytes, sizeof(q->bytes));
    tas_write_u32(&q->w, 0);
    tas_write_u8(&q->w, (uint8_t)op);
    tas_write_u32(&q->w, v ? v->id : 0);
}

static uint32_t read_length(void) {
    uint8_t bytes[4];
    read_all(bytes, sizeof(bytes));
    struct tas_reader r = tas_reader_of(tas_bytes_of(bytes, 4));
    return tas_read_u32(&r);
}

static uint8_t *read_answer(struct tas_reader *answer, size_t len) {
    uint8_t *bytes = malloc(len ? len : 1);
    assert(bytes);
    read_all(bytes, len);
    *answer = tas_reader_of(tas_bytes_of(bytes, len));
    return bytes;
}

/* The question: u32 width, height, u8 quality (0: video),
 * is_full_colour, id, codec, is_start, the scan or chunk. */
static int paint(struct viewer *v, struct tas_reader *r, const struct tas_picture *pic) {
    const struct tas_painter *native = tas_lossy_painter_ops(v->painter);
    struct tas_rough_jpeg jpeg = {.atlas = *pic, .quality = tas_read_u8(r)};
    jpeg.is_full_colour = tas_read_u8(r);
    struct tas_rough_region region = {.width = (uint16_t)pic->width,
                                      .height = (uint16_t)pic->height,
                                      .px = pic->px,
                                      .stride = pic->stride,
                                      .id = tas_read_u8(r)};
    region.codec = tas_read_u8(r);
    region.is_start = tas_read_u8(r);
    assert(!r->bad && region.id < TAS_REGIONS);
    if (jpeg.quality > 0) {
        v->painted.jpegs++;
        return native->jpeg(native->ctx, &jpeg, r->in);
    }
    v->painted.chunks++;
    return native->video(native->ctx, &region, r->in);
}

/* Answered with bytes red, green, blue, 255, behind their number; none: it cannot be painted. */
static void answer_paint(struct viewer *v) {
    struct tas_reader r;
    uint8_t *question = read_answer(&r, read_length()), len[4];
    uint32_t width = tas_read_u32(&r), height = tas_read_u32(&r);
    struct tas_picture *pic = tas_picture_new(width, height);
    if (!v->painter)
        v->painter = tas_lossy_painter_new();
    assert(pic && v->painter);
    size_t count = paint(v, &r, pic) == TAS_OK ? (size_t)width * height : 0;
    uint8_t *rgba = malloc(count * 4 + 1);
    struct tas_writer w = tas_writer_of(rgba, count * 4), head = tas_writer_of(len, sizeof(len));
    assert(rgba);
    for (size_t i = 0; i < count; i++)
        tas_write_u32(&w, pic->px[i] << 8 | 0xff);
    tas_write_u32(&head, (uint32_t)w.len);
    write_all(len, sizeof(len));
    write_all(rgba, w.len);
    tas_picture_free(pic);
    free(question);
    free(rgba);
}

static uint8_t *ask(struct request *q, struct viewer *v, struct tas_reader *answer) {
    struct tas_writer head = tas_writer_of(q->bytes, 4);
    assert(!q->w.bad);
    tas_write_u32(&head, (uint32_t)(q->w.len - 4));
    write_all(q->bytes, q->w.len);
    uint32_t len = read_length();
    for (; len == (uint32_t)PLEASE_PAINT; len = read_length())
        answer_paint(v);
    return read_answer(answer, len);
}

/* Most answers: an error by its name or a number, and the session's next deadline. */
static uint64_t ask_number(struct request *q, struct viewer *v) {
    struct tas_reader r;
    uint8_t *bytes = ask(q, v, &r);
    uint64_t number = tas_read_u64(&r), deadline_us = tas_read_u64(&r);
    assert(!r.bad);
    if (v)
        v->deadline_us = deadline_us;
    free(bytes);
    return number;
}

static int ask_error(struct request *q, struct viewer *v) {
    return -(int)ask_number(q, v);
}

struct remote_viewer_painted remote_viewer_painted(const struct tas_session *s) {
    return viewer_of(s)->painted;
}

uint64_t remote_viewer_memory(void) {
    struct request q;
    begin(&q, OP_MEMORY, NULL);
    return ask_number(&q, NULL);
}

/* ---- session.h ---- */

#define REAL(result, name, ...) result __real_tas_session_##name(__VA_ARGS__)
#define WRAP(result, name, ...)                                                                              \
    REAL(result, name, __VA_ARGS__);                                                                         \
    result __wrap_tas_session_##name(__VA_ARGS__);                                                           \
    result __wrap_tas_session_##name(__VA_ARGS__)

/* The module wants a key set that is signed: here by a root of our own. */
static void write_keyset(struct tas_writer *w, const struct tas_keyset *set) {
    const struct tas_crypto *c = tas_crypto_native();
    uint8_t bytes[TAS_KEYSET_MAX_LEN], seed[32], pk[32];
    tas_random(seed, sizeof(seed));
    int len = tas_keyset_encode(set, bytes, sizeof(bytes)), err = c->ed25519_public(pk, seed);
    assert(len > 0 && err == TAS_OK);
    struct tas_bytes part = tas_bytes_of(bytes, (size_t)len);
    err = tas_sign(c, bytes + len, seed, "TSK1 keyset", &part, 1);
    assert(err == TAS_OK);
    tas_write_bytes(w, pk, sizeof(pk));
    tas_write_u32(w, (uint32_t)len + 64);
    tas_write_bytes(w, bytes, (size_t)len + 64);
}

WRAP(struct tas_session *, new, const struct tas_session_config *config, uint64_t now_us) {
    if (config->identity.role == TAS_ROLE_HOST)
        return __real_tas_session_new(config, now_us);
    struct viewer *v = viewers;
    while (v->id != 0)
        v++;
    assert(v < viewers + VIEWERS);
    *v = (struct viewer){.id = ++last_id};
    struct request q;
    begin(&q, OP_NEW, v);
    tas_write_u64(&q.w, now_us);
    tas_write_u64(&q.w, config->server_ms);
    tas_write_u16(&q.w, config->suites);
    tas_write_bytes(&q.w, config->identity.pop_seed, 32);
    tas_write_bytes(&q.w, config->ticket, TAS_SIZE_TICKET);
    tas_write_bytes(&q.w, config->identity.statement, TAS_SIZE_STATEMENT);
    write_keyset(&q.w, config->keyset);
    if (to_node < 0)
        start_node();
    if (ask_error(&q, v) == TAS_OK)
        return (struct tas_session *)(void *)v;
    v->id = 0;
    return NULL;
}

WRAP(void, free, struct tas_session *s) {
    struct viewer *v = s ? viewer_of(s) : NULL;
    if (!v) {
        __real_tas_session_free(s);
        return;
    }
    struct request q;
    begin(&q, OP_FREE, v);
    (void)ask_number(&q, NULL);
    free(v->event);
    free(v->output);
    free(v->text);
    tas_lossy_painter_free(v->painter);
    tas_picture_free(v->picture);
    *v = (struct viewer){0};
}

static struct tas_bytes read_tail(struct tas_reader *r) {
    size_t len = tas_read_u32(r);
    return tas_read_bytes(r, len);
}

static void read_text(struct tas_reader *r, char *out, size_t cap) {
    struct tas_bytes text = read_tail(r);
    assert(text.len < cap);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

static const char *keep_text(struct viewer *v, struct tas_bytes text) {
    free(v->text);
    v->text = text.len ? strndup((const char *)text.ptr, text.len) : NULL;
    return v->text;
}

static void read_peer(struct tas_reader *r, struct tas_peer *out) {
    out->kind = tas_read_u8(r);
    out->perms = tas_read_u16(r);
    out->company_id = tas_read_u32(r);
    read_text(r, out->company, sizeof(out->company));
    read_text(r, out->name, sizeof(out->name));
    memcpy(out->pop_pk, tas_read_bytes(r, 32).ptr, 32);
}

static uint32_t read_hot(struct tas_reader *r, struct tas_event *ev) {
    ev->cursor.hot_x = tas_read_u16(r);
    ev->cursor.hot_y = tas_read_u16(r);
    return ev->number;
}

WRAP(void, event, struct tas_session *s, struct tas_event *out) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_event(s, out);
        return;
    }
    *out = (struct tas_event){.kind = TAS_EVENT_NONE};
    if (v->has_no_event)
        return;
    struct request q;
    struct tas_reader r;
    bool had_output[TAS_LEGS] = {!v->has_no_output[0], !v->has_no_output[1]};
    begin(&q, OP_EVENT, v);
    free(v->event);
    v->event = ask(&q, v, &r);
    v->deadline_us = tas_read_u64(&r);
    struct tas_event ev = {.kind = (enum tas_event_kind)tas_read_u32(&r)};
    ev.leg = tas_read_u32(&r);
    ev.relay_id = tas_read_u32(&r);
    ev.from = (enum tas_state)tas_read_u32(&r);
    ev.state = (enum tas_state)tas_read_u32(&r);
    ev.number = tas_read_u32(&r);
    ev.flag = tas_read_u8(&r);
    ev.x = tas_read_u32(&r);
    ev.y = tas_read_u32(&r);
    ev.width = tas_read_u32(&r);
    ev.height = tas_read_u32(&r);
    ev.text = keep_text(v, read_tail(&r));
    ev.data = read_tail(&r);
    if (ev.kind == TAS_EVENT_PEER)
        read_peer(&r, &ev.peer);
    if (ev.kind == TAS_EVENT_CURSOR_IMAGE) {
        ev.cursor.image = read_hot(&r, &ev);
        ev.cursor.width = (uint16_t)ev.width;
        ev.cursor.height = (uint16_t)ev.height;
        ev.cursor.rgba = ev.data;
    }
    assert(!r.bad);
    v->has_no_event = ev.kind == TAS_EVENT_NONE;
    for (unsigned leg = 0; v->has_no_event && leg < TAS_LEGS; leg++)
        v->has_no_output[leg] = !had_output[leg];
    *out = ev;
}

WRAP(uint64_t, deadline_us, const struct tas_session *s) {
    const struct viewer *v = viewer_of(s);
    return v ? v->deadline_us : __real_tas_session_deadline_us(s);
}

WRAP(void, tick, struct tas_session *s, uint64_t now_us) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_tick(s, now_us);
        return;
    }
    struct request q;
    begin(&q, OP_TICK, v);
    tas_write_u64(&q.w, now_us);
    (void)ask_number(&q, v);
}

WRAP(void, secured, struct tas_session *s, unsigned leg, const uint8_t cb[32], uint64_t now_us) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_secured(s, leg, cb, now_us);
        return;
    }
    struct request q;
    begin(&q, OP_SECURED, v);
    tas_write_u64(&q.w, now_us);
    tas_write_u8(&q.w, (uint8_t)leg);
    tas_write_bytes(&q.w, cb, 32);
    (void)ask_number(&q, v);
}

WRAP(void, lost, struct tas_session *s, unsigned leg, uint64_t now_us) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_lost(s, leg, now_us);
        return;
    }
    struct request q;
    begin(&q, OP_LOST, v);
    tas_write_u64(&q.w, now_us);
    tas_write_u8(&q.w, (uint8_t)leg);
    (void)ask_number(&q, v);
}

WRAP(size_t, input_room, const struct tas_session *s, unsigned leg) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_input_room(s, leg);
    struct request q;
    begin(&q, OP_INPUT_ROOM, v);
    tas_write_u8(&q.w, (uint8_t)leg);
    return (size_t)ask_number(&q, v);
}

WRAP(void, input, struct tas_session *s, unsigned leg, struct tas_bytes bytes, uint64_t now_us) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_input(s, leg, bytes, now_us);
        return;
    }
    struct request q;
    begin(&q, OP_INPUT, v);
    tas_write_u64(&q.w, now_us);
    tas_write_u8(&q.w, (uint8_t)leg);
    tas_write_bytes(&q.w, bytes.ptr, bytes.len);
    (void)ask_number(&q, v);
}

WRAP(struct tas_bytes, output, struct tas_session *s, unsigned leg, uint64_t now_us) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_output(s, leg, now_us);
    if (v->has_no_output[leg] && v->asked_us[leg] == now_us)
        return (struct tas_bytes){0};
    struct request q;
    struct tas_reader r;
    bool has_no_event = v->has_no_event, has_no_output = v->has_no_output[!leg];
    begin(&q, OP_OUTPUT, v);
    tas_write_u64(&q.w, now_us);
    tas_write_u8(&q.w, (uint8_t)leg);
    free(v->output);
    v->output = ask(&q, v, &r);
    v->deadline_us = tas_read_u64(&r);
    if (r.in.len == 0) {
        v->has_no_event = has_no_event;
        v->has_no_output[!leg] = has_no_output;
        v->has_no_output[leg] = true;
        v->asked_us[leg] = now_us;
    }
    return r.in;
}

WRAP(void, sent, struct tas_session *s, unsigned leg, size_t n) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_sent(s, leg, n);
        return;
    }
    struct request q;
    begin(&q, OP_SENT, v);
    tas_write_u8(&q.w, (uint8_t)leg);
    tas_write_u32(&q.w, (uint32_t)n);
    (void)ask_number(&q, v);
}

WRAP(enum tas_state, state, const struct tas_session *s) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_state(s);
    struct request q;
    begin(&q, OP_STATE, v);
    return (enum tas_state)ask_number(&q, v);
}

WRAP(int, chat, struct tas_session *s, struct tas_bytes text, uint64_t wall_ms) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_chat(s, text, wall_ms);
    struct request q;
    begin(&q, OP_CHAT, v);
    tas_write_u64(&q.w, wall_ms);
    tas_write_bytes(&q.w, text.ptr, text.len);
    return ask_error(&q, v);
}

WRAP(void, end, struct tas_session *s, enum tas_end_reason reason, uint64_t now_us) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_end(s, reason, now_us);
        return;
    }
    struct request q;
    begin(&q, OP_END, v);
    tas_write_u64(&q.w, now_us);
    tas_write_u8(&q.w, (uint8_t)reason);
    (void)ask_number(&q, v);
}

WRAP(int, set_ticket, struct tas_session *s, const uint8_t ticket[TAS_SIZE_TICKET]) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_set_ticket(s, ticket);
    struct request q;
    begin(&q, OP_SET_TICKET, v);
    tas_write_bytes(&q.w, ticket, TAS_SIZE_TICKET);
    return ask_error(&q, v);
}

WRAP(void, figures, struct tas_session *s, struct tas_session_figures *out, uint64_t now_us) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_figures(s, out, now_us);
        return;
    }
    struct request q;
    struct tas_reader r;
    begin(&q, OP_FIGURES, v);
    tas_write_u64(&q.w, now_us);
    uint8_t *bytes = ask(&q, v, &r);
    *out = (struct tas_session_figures){.rate_Bps = tas_read_u64(&r)};
    out->min_rtt_us = tas_read_u64(&r);
    out->last_rtt_us = tas_read_u64(&r);
    out->silent_us = tas_read_u64(&r);
    out->screen_bytes = tas_read_u64(&r);
    out->window = tas_read_u32(&r);
    out->in_flight = tas_read_u32(&r);
    out->chunk = tas_read_u32(&r);
    out->relay_id = tas_read_u32(&r);
    out->resumes = tas_read_u32(&r);
    out->frames = tas_read_u32(&r);
    assert(!r.bad);
    free(bytes);
}

WRAP(int, type_code, struct tas_session *s, const char *typed, uint64_t now_us) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_type_code(s, typed, now_us);
    struct request q;
    begin(&q, OP_TYPE_CODE, v);
    tas_write_u64(&q.w, now_us);
    tas_write_bytes(&q.w, typed, strlen(typed));
    return ask_error(&q, v);
}

WRAP(void, view, struct tas_session *s, bool is_on) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_view(s, is_on);
        return;
    }
    struct request q;
    begin(&q, OP_VIEW, v);
    tas_write_u8(&q.w, is_on);
    (void)ask_number(&q, v);
}

WRAP(void, ask, struct tas_session *s, uint16_t rights) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_ask(s, rights);
        return;
    }
    struct request q;
    begin(&q, OP_ASK, v);
    tas_write_u16(&q.w, rights);
    (void)ask_number(&q, v);
}

WRAP(int, send_input, struct tas_session *s, const struct tas_msg_input *input) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_send_input(s, input);
    struct request q;
    begin(&q, OP_SEND_INPUT, v);
    uint8_t body[64];
    int len = tas_msg_input_encode(input, body, sizeof(body));
    assert(len > 0);
    tas_write_bytes(&q.w, body, (size_t)len);
    return ask_error(&q, v);
}

WRAP(int, decode, struct tas_session *s, struct tas_tiles *changed) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_decode(s, changed);
    assert(!changed); /* tiles are not carried here; viewer_server.mjs compares the rectangles instead */
    struct request q;
    begin(&q, OP_DECODE, v);
    return ask_error(&q, v);
}

WRAP(void, presented, struct tas_session *s, uint32_t decode_us, uint64_t now_us) {
    struct viewer *v = viewer_of(s);
    if (!v) {
        __real_tas_session_presented(s, decode_us, now_us);
        return;
    }
    struct request q;
    begin(&q, OP_PRESENTED, v);
    tas_write_u64(&q.w, now_us);
    tas_write_u32(&q.w, decode_us);
    (void)ask_number(&q, v);
}

/* The picture comes as the bytes that a browser would draw. */
WRAP(const struct tas_picture *, remote, const struct tas_session *s) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_remote(s);
    struct request q;
    struct tas_reader r;
    begin(&q, OP_PICTURE, v);
    uint8_t *bytes = ask(&q, v, &r);
    uint32_t width = tas_read_u32(&r), height = tas_read_u32(&r);
    tas_picture_free(v->picture);
    v->picture = width ? tas_picture_new(width, height) : NULL;
    for (size_t i = 0; v->picture && i < (size_t)width * height; i++) {
        uint32_t rgba = tas_read_u32(&r);
        assert((rgba & 0xff) == 0xff && v->picture->stride == width);
        v->picture->px[i] = rgba >> 8;
    }
    assert(!r.bad && r.in.len == 0);
    free(bytes);
    return v->picture;
}

WRAP(int, choose_monitor, struct tas_session *s, uint8_t monitor) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_choose_monitor(s, monitor);
    struct request q;
    begin(&q, OP_CHOOSE_MONITOR, v);
    tas_write_u8(&q.w, monitor);
    return ask_error(&q, v);
}

WRAP(const struct tas_monitors *, remote_monitors, const struct tas_session *s) {
    struct viewer *v = viewer_of(s);
    if (!v)
        return __real_tas_session_remote_monitors(s);
    struct request q;
    struct tas_reader r;
    begin(&q, OP_MONITORS, v);
    uint8_t *bytes = ask(&q, v, &r);
    v->monitors = (struct tas_monitors){.shown = tas_read_u8(&r)};
    v->monitors.n = tas_read_u8(&r);
    assert(v->monitors.n <= TAS_MONITORS);
    for (unsigned i = 0; i < v->monitors.n; i++) {
        struct tas_monitor *m = &v->monitors.list[i];
        m->id = tas_read_u8(&r);
        m->is_primary = tas_read_u8(&r);
        m->x = tas_read_u16(&r);
        m->y = tas_read_u16(&r);
        m->width = tas_read_u16(&r);
        m->height = tas_read_u16(&r);
        read_text(&r, m->name, sizeof(m->name));
    }
    assert(!r.bad && r.in.len == 0);
    free(bytes);
    return &v->monitors;
}
