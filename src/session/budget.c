#include "session/budget.h"

enum {
    SLICE_US = 18 * 1000,       /* of work: input waits behind no more */
    FRAME_US = 40 * 1000,       /* of the path's time for a frame */
    REFINE_US = 20 * 1000,      /* likewise for a slice that nobody waits for */
    FRAME_BYTES_MIN = 6 * 1024, /* a frame must get on */
    FIRST_BYTES = 24 * 1024,    /* before the path's rate is known */
    WIDE_BPS = 4 * 1000 * 1000, /* bytes per second, above which photographs do not hold up text */
    EXACT_US = 1200 * 1000,     /* when exact pixels would take longer, a better JPEG comes first */
    EXACT_PX_BYTES = 1,
    BETTER_QUALITY = 92,
    UP_US = 500 * 1000,        /* at most one step up in this time */
    DELAY_LOW_US = 25 * 1000,  /* queue below which quality may rise */
    DELAY_HIGH_US = 60 * 1000, /* above which it falls */
    DELAY_AWFUL_US = 150 * 1000,
    VIDEO_SHARE_PERCENT = 70, /* of the path for a film */
    VIDEO_BPS_MIN = 300 * 1000,
    VIDEO_CENTIBITS = 300, /* most bits per pixel and second, in hundredths: 6 Mbit/s for a whole 1080p */
    QUALITIES = 4,
    FIRST_QUALITY = 3,
};

/* JPEG qualities. Below the first the letters of an image cannot be read; above the last nobody sees in
 * motion what it costs, and what rests is made exact. */
static const uint8_t qualities[QUALITIES] = {35, 50, 65, 80};

static const double PX_NS = 30; /* before the first frame */

void tas_budget_init(struct tas_budget *b) {
    *b = (struct tas_budget){.px_ns = PX_NS, .quality = FIRST_QUALITY};
}

void tas_budget_coded(struct tas_budget *b, uint32_t pixels, uint64_t us) {
    enum { FEW = 200 * 1000, PX_NS_MAX = 1000, LEARN = 4 };
    if (pixels < FEW) /* what comes with every frame would count for too much */
        return;
    double ns = (double)us * 1000 / pixels;
    b->px_ns += ((ns < PX_NS_MAX ? ns : PX_NS_MAX) - b->px_ns) / LEARN;
}

void tas_budget_follow(struct tas_budget *b, const struct tas_pace *pace, uint64_t now_us) {
    uint64_t delay = pace->last_rtt_us > pace->min_rtt_us ? pace->last_rtt_us - pace->min_rtt_us : 0;
    bool has_waited = now_us - b->stepped_us >= UP_US;
    if (pace->min_rtt_us == 0 || (delay >= DELAY_LOW_US && delay <= DELAY_HIGH_US))
        return;
    unsigned down = delay > DELAY_AWFUL_US ? 2 : 1;
    if (delay < DELAY_LOW_US && has_waited && b->quality + 1 < QUALITIES)
        b->quality++;
    else if (delay > DELAY_HIGH_US && now_us - b->stepped_us >= delay)
        b->quality -=
            down < b->quality ? down : b->quality; /* once for a queue, not once for each frame in it */
    else
        return;
    b->stepped_us = now_us;
}

static size_t bytes_in(const struct tas_pace *pace, uint64_t us) {
    uint64_t rate = tas_pace_rate_Bps(pace);
    uint64_t bytes = rate * us / 1000000;
    if (rate == 0)
        return FIRST_BYTES;
    return bytes < FRAME_BYTES_MIN ? FRAME_BYTES_MIN : bytes < TAS_FRAME_MAX ? (size_t)bytes : TAS_FRAME_MAX;
}

static uint32_t pixels_in(const struct tas_budget *b, uint64_t us) {
    double pixels = (double)us * 1000 / (b->px_ns > 1 ? b->px_ns : 1);
    return pixels < UINT32_MAX ? (uint32_t)pixels : UINT32_MAX;
}

static uint32_t video_bps(const struct tas_pace *pace, uint64_t area) {
    uint64_t share = tas_pace_rate_Bps(pace) * 8 * VIDEO_SHARE_PERCENT / 100;
    uint64_t most = area * VIDEO_CENTIBITS / 100;
    uint64_t bps = share < most ? share : most;
    return bps < VIDEO_BPS_MIN ? VIDEO_BPS_MIN : (uint32_t)bps;
}

static bool is_wide(const struct tas_pace *pace) {
    return tas_pace_rate_Bps(pace) >= WIDE_BPS;
}

struct tas_frame_order tas_budget_frame(const struct tas_budget *b, const struct tas_pace *pace,
                                        uint64_t area, uint64_t now_us) {
    return (struct tas_frame_order){
        .capture_us = now_us,
        .bytes = bytes_in(pace, FRAME_US),
        .pixels = pixels_in(b, SLICE_US),
        .focus_y = b->focus_y,
        .quality = qualities[b->quality],
        .is_text_only = !is_wide(pace) && !b->had_text,
        .video_bps = video_bps(pace, area),
    };
}

uint8_t tas_budget_better_quality(const struct tas_pace *pace, uint64_t rough_px) {
    uint64_t rate = tas_pace_rate_Bps(pace);
    uint64_t us = rate > 0 ? rough_px * EXACT_PX_BYTES * 1000000 / rate : 0;
    return us > EXACT_US ? BETTER_QUALITY : 0;
}

struct tas_frame_order tas_budget_refinement(const struct tas_budget *b, const struct tas_pace *pace,
                                             uint8_t quality, uint64_t now_us) {
    return (struct tas_frame_order){
        .capture_us = now_us,
        .bytes = bytes_in(pace, REFINE_US),
        .pixels = pixels_in(b, SLICE_US),
        .focus_y = b->focus_y,
        .quality = quality,
        .is_full_colour = quality > 0,
    };
}
