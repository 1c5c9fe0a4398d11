/* What the customer's machine says of itself, on its way to the management server: one at a time, of several
 * the newest, and no more than a person could want (the customer may be hostile). Pure. */
#pragma once

#include "base/json.h"

enum { POST_PAUSE_US = 2000 * 1000 };

/* All zero is an empty one. */
struct post {
    uint64_t taken_us;     /* when the last one was taken; 0 none in this session */
    uint64_t session;      /* whose is under way, or was last */
    bool is_under_way;     /* the server has not answered yet */
    struct tas_json *next; /* goes then; owned; NULL none */
    uint64_t next_session; /* whose that is */
};

/* Did this one come so soon after another that it is to be dropped? If not, it is taken. */
bool post_is_flood(struct post *post, uint64_t now_us);

/* The one to be sent now, the callee's to free; NULL: `info` (owned, not NULL) waits until the server has
 * answered. */
struct tas_json *post_put(struct post *post, uint64_t session, struct tas_json *info);

/* The server has answered, or nothing went out: the next one as in post_put(), NULL: there is none. */
struct tas_json *post_answered(struct post *post);

/* The session is over: what waits is dropped; what is under way will still be answered. */
void post_forget(struct post *post);
