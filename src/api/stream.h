/* What a management server tells by itself, as it happens. The stream comes back on its own, also at the
 * other server, and goes on where it broke off. */
#pragma once

#include "api/client.h"

struct api_stream;

/* Any may be NULL. From within a callback other than on_line the stream may be closed. What is pointed to is
 * borrowed. */
struct api_stream_events {
    void (*on_session)(void *ctx, const struct api_session *session); /* the operator's */
    void (*on_claim)(void *ctx, const struct api_claim *claim);       /* the customer's */
    void (*on_ready)(void *ctx); /* operator: the first batch is through */
    /* Events come, or do not: then `why` says what went wrong. */
    void (*on_line)(void *ctx, bool is_connected, const struct api_error *why);
    /* An event that makes no sense; the stream goes on. */
    void (*on_bad)(void *ctx, const struct api_error *error);
    /* The login or claim is no longer good: nothing comes any more. */
    void (*on_over)(void *ctx, const struct api_error *error);
};

/* claim: 0: the operator's stream. NULL: no memory. */
struct api_stream *api_stream_open(struct api_client *client, const struct api_signer *as, uint64_t claim,
                                   const struct api_stream_events *events, void *ctx);
void api_stream_close(struct api_stream *stream); /* no callback comes after; NULL is fine */

/* The url of the server that is listened to, or was tried last. Borrowed. */
const char *api_stream_server(const struct api_stream *stream);
