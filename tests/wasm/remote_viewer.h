/* The viewer of a simulation as a WebAssembly module in node; see remote_viewer.c. The environment says
 * where: TASUKI_VIEWER_SERVER (viewer_server.mjs) and TASUKI_WASM (tasuki.wasm). */
#pragma once

#include "session/session.h"

/* Bytes of the module's memory: it never shrinks. */
uint64_t remote_viewer_memory(void);

/* What this viewer had painted. */
struct remote_viewer_painted {
    unsigned jpegs, chunks;
};
struct remote_viewer_painted remote_viewer_painted(const struct tas_session *s);
