/* How large the picture of a JPEG scan is. A decoder of ours knows it from the coded part of the frame; who
 * wants the pixels before that must count. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

/* Blocks of 16x16 px in a scan as lossy/jpeg.h has it. Time grows with the scan's length. TAS_E_PROTO: it is
 * none; TAS_E_NOMEM. */
TAS_MUST_USE int wasm_scan_blocks(struct tas_bytes scan, bool is_full_colour, uint32_t *blocks);
