/* What happened in a session, told to the management server: in the order in which it happened, each event
 * under a random key so that the server stores it once however often it is sent, and again and again until it
 * is stored. */
#pragma once

#include "api/calls.h"

enum { API_REPORT_QUEUE = 256, API_REPORT_BATCH = 32 };

struct api_report;

/* side is copied. NULL: no memory. */
struct api_report *api_report_new(struct api_client *client, const struct api_side *side);
void api_report_free(struct api_report *report); /* what was not stored yet is lost; NULL is fine */

/* kind: as the contract names it; static. detail: an object of at most 4 KiB, taken; NULL: none. When the
 * queue is full, the event is dropped and logged. */
void api_report_add(struct api_report *report, const char *kind, struct tas_json *detail);

/* Sends what waits, then the end. `done` comes once; error as api_end() says. After this nothing is added.
 * Both are given up after patience_ms. end's texts are copied up to 32 and 256 bytes. */
void api_report_end(struct api_report *report, const struct api_end *end, unsigned patience_ms,
                    api_done *done, void *ctx);

/* How many wait to be stored. */
size_t api_report_waiting(const struct api_report *report);
