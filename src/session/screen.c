/* The host's screen on its way out: what is coded when, and what is painted again when it was lost. */
#include "session/engine_private.h"

#include <stdlib.h>

enum {
    RESET_PERIOD_US = 2 * 1000 * 1000,
    SLICE_PAUSE_US = 1000, /* between two slices of refinement, for what has come in meanwhile */
    REST_US = 250 * 1000,  /* rough pixels that have been still for so long are made exact */
};

static void forget_sent(struct screen_out *so) {
    for (unsigned i = 0; i < TAS_FRAMES_IN_FLIGHT; i++)
        tas_tiles_fini(&so->sent[i].tiles);
    so->first = so->count = 0;
}

void screen_fini(struct tas_session *s) {
    struct screen_out *so = &s->so;
    tas_encoder_free(so->encoder);
    tas_tiles_fini(&so->dirty);
    forget_sent(so);
    if (so->buf)
        tas_wipe(so->buf, TAS_FRAME_MAX);
    free(so->buf);
    so->buf = NULL;
    so->encoder = NULL;
}

int screen_tell(struct tas_session *s) {
    uint8_t body[20];
    const struct tas_msg_screen screen = {
        .layout = s->so.layout,
        .width = (uint16_t)s->so.width,
        .height = (uint16_t)s->so.height,
        .codec_ver = TAS_CODEC_VERSION,
        .model_bits = TAS_CODEC_MODEL_BITS,
    };
    return engine_send(s, TAS_MESSAGE_SCREEN, TAS_CLASS_SCREEN, body,
                       tas_msg_screen_encode(&screen, body, sizeof(body)));
}

/* A new encoder for the present size: the viewer starts from black. */
int screen_start(struct tas_session *s) {
    struct screen_out *so = &s->so;
    tas_encoder_free(so->encoder);
    so->stream++;
    so->encoder = tas_encoder_new(&(struct tas_encoder_config){.width = so->width,
                                                               .height = so->height,
                                                               .stream = so->stream,
                                                               .model_bits = TAS_CODEC_MODEL_BITS,
                                                               .rough = s->cfg.rough});
    if (!so->encoder)
        return TAS_E_NOMEM;
    forget_sent(so);
    tas_channels_forget(&s->ch, 2); /* of the old stream; also bounds what a viewer can pile up by asking */
    for (unsigned i = 0; i < TAS_FRAMES_IN_FLIGHT; i++)
        if (tas_tiles_init(&so->sent[i].tiles, so->width, so->height) != TAS_OK)
            return TAS_E_NOMEM;
    tas_tiles_set_all(&so->dirty);
    so->is_first = true;
    so->needs_reset = true;
    return so->is_wanted ? screen_tell(s) : TAS_OK;
}

int tas_session_screen(struct tas_session *s, uint32_t width, uint32_t height) {
    struct screen_out *so = &s->so;
    tas_tiles_fini(&so->dirty);
    if (!so->buf) {
        so->buf = malloc(TAS_FRAME_MAX);
        tas_budget_init(&so->budget);
    }
    if (!so->buf || tas_tiles_init(&so->dirty, width, height) != TAS_OK)
        return TAS_E_NOMEM;
    so->width = width;
    so->height = height;
    so->layout++;
    return screen_start(s);
}

struct tas_tiles *tas_session_dirty(struct tas_session *s) {
    return s->so.encoder ? &s->so.dirty : NULL;
}

/* May a frame go out at all? */
static bool is_open(const struct tas_session *s) {
    const struct screen_out *so = &s->so;
    return so->encoder && host_may_show(s) && !s->awaits_sync && s->sealer &&
           so->count < TAS_FRAMES_IN_FLIGHT && !tas_channels_waits(&s->ch, 2);
}

/* A second RESET waits a while. */
static bool must_wait(const struct screen_out *so, uint64_t now_us) {
    return so->needs_reset && so->reset_us != 0 && now_us - so->reset_us < RESET_PERIOD_US && !so->is_first;
}

bool tas_session_wants_picture(struct tas_session *s, uint64_t now_us) {
    return is_open(s) && tas_tiles_count(&s->so.dirty) > 0 && !must_wait(&s->so, now_us) &&
           tas_pace_wants_frame(&s->pace, now_us);
}

/* ---- refinement ---- */

struct refinement {
    uint8_t quality;   /* 0: exactly */
    uint64_t since_us; /* when what is due last changed; UINT64_MAX: nothing is */
};

/* Only while nothing new waits: it comes first. */
static struct refinement refinement_due(const struct tas_session *s) {
    const struct screen_out *so = &s->so;
    struct refinement r = {.since_us = UINT64_MAX};
    if (!is_open(s) || so->needs_reset || tas_tiles_count(&so->dirty) > 0)
        return r;
    r.quality = tas_budget_better_quality(&s->pace, tas_encoder_rough_px(so->encoder));
    r.since_us = tas_encoder_rough_since_us(so->encoder, r.quality);
    if (r.since_us == UINT64_MAX && r.quality > 0)
        r = (struct refinement){0, tas_encoder_rough_since_us(so->encoder, 0)};
    return r;
}

/* When something is to be done without anything coming in: a second RESET has waited long enough, or rough
 * pixels have been still. */
uint64_t screen_deadline_us(const struct tas_session *s) {
    const struct screen_out *so = &s->so;
    bool waits = so->encoder && so->is_wanted && so->needs_reset && so->reset_us != 0 && !so->is_first &&
                 s->state == TAS_STATE_ACTIVE;
    if (waits)
        return so->reset_us + RESET_PERIOD_US;
    struct refinement r = refinement_due(s);
    if (r.since_us == UINT64_MAX)
        return UINT64_MAX;
    return r.since_us + REST_US > so->refine_us ? r.since_us + REST_US : so->refine_us;
}

/* Remembers which tiles the last frame carries. */
static void note_sent(struct screen_out *so) {
    struct sent_frame *f = &so->sent[(so->first + so->count++) % TAS_FRAMES_IN_FLIGHT];
    f->seq = tas_encoder_seq(so->encoder);
    tas_tiles_clear(&f->tiles);
    tas_tiles_merge(&f->tiles, tas_encoder_painted(so->encoder));
}

static int send_frame(struct tas_session *s, size_t len) {
    struct screen_out *so = &s->so;
    note_sent(so);
    s->frames++;
    int err = engine_send(s, TAS_MESSAGE_FRAME, TAS_CLASS_SCREEN, so->buf, (int)len);
    tas_wipe(so->buf, len);
    return err;
}

/* Did something go out? Without memory it stays rough, and is tried again. */
static bool refine(struct tas_session *s, const struct refinement *due, uint64_t now_us) {
    struct screen_out *so = &s->so;
    const struct tas_frame_order order = tas_budget_refinement(&so->budget, &s->pace, due->quality, now_us);
    size_t len = 0;
    int err = tas_encoder_refine(so->encoder, now_us - REST_US, &order, so->buf, TAS_FRAME_MAX, &len);
    return err == TAS_OK && len > 0 && send_frame(s, len) == TAS_OK;
}

void screen_tick(struct tas_session *s, uint64_t now_us) {
    struct screen_out *so = &s->so;
    if (so->reset_us != 0 && now_us - so->reset_us >= RESET_PERIOD_US)
        so->reset_us = 0; /* the next reset may come at once */
    struct refinement due = refinement_due(s);
    if (due.since_us == UINT64_MAX || due.since_us + REST_US > now_us || so->refine_us > now_us)
        return;
    if (!tas_pace_wants_frame(&s->pace, now_us)) {
        so->refine_us = UINT64_MAX;
        return;
    }
    bool is_sent = refine(s, &due, now_us);
    tas_tiles_merge(&so->dirty, tas_encoder_unknown(so->encoder)); /* when it went wrong halfway */
    so->refine_us = now_us + (is_sent ? SLICE_PAUSE_US : REST_US);
}

/* ---- what is new ---- */

/* Text first where the line is thin; when there is none, the photographs that wait. */
static int code(struct tas_session *s, const struct tas_picture *pic, uint64_t now_us, size_t *len) {
    struct screen_out *so = &s->so;
    uint64_t area = (uint64_t)so->width * so->height;
    struct tas_frame_order order = tas_budget_frame(&so->budget, &s->pace, area, now_us);
    order.flags = !so->needs_reset ? 0 : so->is_first ? TAS_FRAME_RESET : TAS_FRAME_RESET_MODEL;
    int err = tas_encoder_frame(so->encoder, pic, &so->dirty, &order, so->buf, TAS_FRAME_MAX, len);
    if (err == TAS_OK && *len == 0 && order.is_text_only && tas_tiles_count(&so->dirty) > 0) {
        order.flags = 0; /* the encoder knows of it */
        order.is_text_only = false;
        err = tas_encoder_frame(so->encoder, pic, &so->dirty, &order, so->buf, TAS_FRAME_MAX, len);
    }
    so->budget.had_text = order.is_text_only && tas_tiles_count(&so->dirty) > 0;
    return err;
}

int tas_session_picture(struct tas_session *s, const struct tas_picture *pic, uint64_t now_us) {
    struct screen_out *so = &s->so;
    size_t len = 0;
    if (!tas_session_wants_picture(s, now_us))
        return TAS_OK;
    tas_budget_follow(&so->budget, &s->pace, now_us);
    int err = code(s, pic, now_us, &len);
    if (err != TAS_OK || len == 0)
        return err;
    if (so->needs_reset) {
        so->reset_us = now_us;
        so->reset_end = s->pace.sent_bytes + len;
    }
    so->needs_reset = so->is_first = false;
    return send_frame(s, len);
}

void tas_session_coded(struct tas_session *s, uint64_t us) {
    if (s->so.encoder)
        tas_budget_coded(&s->so.budget, tas_encoder_pixels(s->so.encoder), us);
}

/* The viewer has shown everything up to last_frame; what came after is painted again. */
void screen_frames_lost(struct tas_session *s, uint32_t last_frame) {
    struct screen_out *so = &s->so;
    if (!so->encoder)
        return;
    uint32_t newest = tas_encoder_seq(so->encoder);
    bool is_known = last_frame == newest;
    for (unsigned i = 0; i < so->count; i++) {
        const struct sent_frame *f = &so->sent[(so->first + i) % TAS_FRAMES_IN_FLIGHT];
        is_known = is_known || f->seq == last_frame + 1;
        if (f->seq > last_frame)
            tas_tiles_merge(&so->dirty, &f->tiles);
    }
    so->first = so->count = 0;
    if (last_frame == 0 || !is_known)
        tas_tiles_set_all(&so->dirty);
    tas_tiles_merge(&so->dirty,
                    tas_encoder_rough(so->encoder)); /* the reset is due with the next frame: now */
    so->needs_reset = true;
    so->reset_us = so->refine_us = 0;
}

int screen_on_ack(struct tas_session *s, struct tas_bytes body, uint64_t now_us) {
    struct screen_out *so = &s->so;
    struct tas_msg_frame_ack ack;
    if (tas_msg_frame_ack_decode(&ack, body) != TAS_OK || !so->encoder)
        return TAS_E_PROTO;
    bool is_unsent = ack.stream == so->stream && ack.frame > tas_encoder_seq(so->encoder);
    int err = is_unsent ? tas_pace_on_bad(&s->pace)
                        : tas_pace_on_ack(&s->pace, ack.bytes_total, ack.hold_us, now_us);
    if (err == TAS_E_LIMIT)
        return TAS_E_PROTO;
    so->refine_us = 0;
    if (err != TAS_OK || ack.stream != so->stream)
        return TAS_OK; /* the sample is dropped, or it speaks of an older stream */
    while (so->count > 0 && so->sent[so->first].seq <= ack.frame) {
        so->first = (so->first + 1) % TAS_FRAMES_IN_FLIGHT;
        so->count--;
    }
    /* Said before our last reset reached it, it asks for what is on its way. */
    if (ack.flags & 1 && !so->needs_reset && ack.bytes_total >= so->reset_end) {
        uint64_t last_reset = so->reset_us;
        screen_frames_lost(s, ack.frame);
        so->reset_us = last_reset; /* asking often does not help: one in two seconds */
    }
    return TAS_OK;
}
