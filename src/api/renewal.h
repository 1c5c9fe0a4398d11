/* Keeps a session's ticket fresh: when half of its life is over, a new one is fetched, as often as it takes.
 */
#pragma once

#include "api/calls.h"

struct api_renewal;

/* on_ticket: a new ticket, checked, is in the grant: tas_session_set_ticket(). on_over: the server says that
 * there will be none (the session is over, or it makes no sense to us). Neither is called before the function
 * that began it returns, and within either the renewal may be freed. The grant outlives the renewal. NULL: no
 * memory. */
struct api_renewal *api_renewal_new(struct api_client *client, struct api_grant *grant,
                                    void (*on_ticket)(void *ctx, const uint8_t ticket[TAS_SIZE_TICKET]),
                                    void (*on_over)(void *ctx, const struct api_error *error), void *ctx);
void api_renewal_free(struct api_renewal *renewal); /* NULL is fine */

/* On TAS_EVENT_TICKET_DUE, and before a ticket is used that has been lying about. */
void api_renewal_due(struct api_renewal *renewal);
