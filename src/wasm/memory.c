/* Memory for the host, names of numbers, and what an assertion does where there is no standard error. */
#include "wasm/wasm.h"

#include "base/wipe.h"
#include "session/session.h"
#include "wasm/host_private.h"

#include <assert.h>
#include <stdlib.h>

void *wasm_alloc(size_t len) {
    return tas_secret_heap.alloc(len);
}

void wasm_release(void *ptr, size_t len) {
    tas_secret_heap.release(ptr, len);
}

const char *wasm_event_name(uint32_t kind) {
    static const char *const names[] = {
        [TAS_EVENT_NONE] = "none",
        [TAS_EVENT_DIAL] = "dial",
        [TAS_EVENT_HANGUP] = "hangup",
        [TAS_EVENT_STATE] = "state",
        [TAS_EVENT_PEER] = "peer",
        [TAS_EVENT_CHECK_CODE] = "check_code",
        [TAS_EVENT_CODE_WRONG] = "code_wrong",
        [TAS_EVENT_GRANTS] = "grants",
        [TAS_EVENT_ASKED] = "asked",
        [TAS_EVENT_CHAT] = "chat",
        [TAS_EVENT_DEVICE] = "device",
        [TAS_EVENT_INPUT] = "input",
        [TAS_EVENT_RELEASE_KEYS] = "release_keys",
        [TAS_EVENT_VIEW] = "view",
        [TAS_EVENT_MONITORS] = "monitors",
        [TAS_EVENT_SCREEN] = "screen",
        [TAS_EVENT_FRAME] = "frame",
        [TAS_EVENT_CURSOR_POS] = "cursor_pos",
        [TAS_EVENT_CURSOR_IMAGE] = "cursor_image",
        [TAS_EVENT_REFUSED] = "refused",
        [TAS_EVENT_TICKET_DUE] = "ticket_due",
        [TAS_EVENT_ALARM] = "alarm",
        [TAS_EVENT_CLOSED] = "closed",
    };
    const char *name = kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
    return name ? name : "";
}

const char *wasm_state_name(uint32_t state) {
    return state < TAS_STATE_COUNT ? tas_state_name((enum tas_state)state) : "";
}

const char *wasm_error_name(int err) {
    return tas_err_name(err);
}

const char *wasm_error_text(int err) {
    return tas_err_text(err);
}

const char *wasm_end_reason(uint32_t reason) {
    return tas_end_reason_text(reason);
}

/* Takes the place of the C library's, which would write to a file. */
_Noreturn void __assert_fail(const char *what, const char *file, int line, const char *function) {
    (void)function;
    host_failed(what, file, (uint32_t)line);
    __builtin_trap();
}
