/* How much the next frame may cost, so that what is newer never waits long behind it: bytes by what the path
 * carries, work by what this machine codes, quality of photographs by the queue that builds up. Pure.
 * docs/protocol.md section 5. */
#pragma once

#include "codec/codec.h"
#include "session/pace.h"

struct tas_budget {
    double px_ns;        /* that coding a pixel took, learnt */
    unsigned quality;    /* step, see budget.c */
    uint64_t stepped_us; /* when it last went up or down */
    bool had_text;       /* the last frame left photographs waiting */
    uint32_t focus_y;    /* px: where the operator was last at work */
};

void tas_budget_init(struct tas_budget *b);

/* Coding `pixels` took so long. */
void tas_budget_coded(struct tas_budget *b, uint32_t pixels, uint64_t us);

/* The path has spoken: quality goes up or down. */
void tas_budget_follow(struct tas_budget *b, const struct tas_pace *pace, uint64_t now_us);

/* The order for what has changed. `area`: px of the screen. */
struct tas_frame_order tas_budget_frame(const struct tas_budget *b, const struct tas_pace *pace,
                                        uint64_t area, uint64_t now_us);

/* The order for a slice of refinement, exact with quality 0. */
struct tas_frame_order tas_budget_refinement(const struct tas_budget *b, const struct tas_pace *pace,
                                             uint8_t quality, uint64_t now_us);

/* The quality that `rough_px` rough pixels are to have first: on a thin line a better JPEG, else 0, exact. */
uint8_t tas_budget_better_quality(const struct tas_pace *pace, uint64_t rough_px);
