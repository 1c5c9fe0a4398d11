/* Reaches into a sealer, to counters and phases that no test could seal its way to. inside_seal.c holds
 * e2e/seal.c whole: link it and the library's own copy stays out. */
#pragma once

#include "e2e/seal.h"

/* What it seals next has this phase (derived step by step) and, in class cls, this counter; it counts as if a
 * record of the peer under this phase had been opened, `in_phase` as the records sealed under it. */
void inside_seal_set_tx(struct tas_sealer *s, uint32_t phase, enum tas_class cls, uint64_t ctr,
                        uint64_t in_phase);

/* What it opens next has this phase and, in class cls, this counter. */
void inside_seal_set_rx(struct tas_sealer *s, uint32_t phase, enum tas_class cls, uint64_t ctr);
