/* The host as the painter of rough pixels (codec/rough.h). */
#pragma once

#include "codec/rough.h"

struct wasm_painter {
    struct tas_painter ops;
    uint32_t owner; /* what the host knows the decoder or session by: its address */
};

/* The painter must stay where it is. */
void wasm_painter_init(struct wasm_painter *painter, const void *owner);
