/* What a frame will ask the painter for (codec/rough.h), told before it is decoded: for a host that decodes
 * pictures elsewhere and later, as browsers do. */
#pragma once

#include "codec/rough.h"

enum { TAS_SECTIONS_MAX = 1 + 2 * TAS_REGIONS };

struct tas_rough_section {
    bool is_video;
    uint8_t quality;                /* JPEG */
    bool is_full_colour;            /* JPEG */
    struct tas_rough_region region; /* video; px and stride are not set */
    struct tas_bytes data;          /* the scan or the chunk; borrowed from the frame */
};

/* In the order in which the painter will be asked. Looks only at what stands around the coded part: the frame
 * may still turn out to be broken. TAS_E_PROTO. */
TAS_MUST_USE int tas_frame_sections(struct tas_bytes frame, struct tas_rough_section out[TAS_SECTIONS_MAX],
                                    unsigned *count);
