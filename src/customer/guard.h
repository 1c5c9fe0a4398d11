/* A small process that outlives the customer's tool, however that ends: it puts the keyboard right and
 * removes the tool's file, so that nothing stays behind (also after kill -9). Forked before there are
 * threads, windows or secrets; it does nothing until our end of a pipe closes. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct guard;

/* Call first in main(). display: of the X server whose keyboard is to be put right, NULL: $DISPLAY.
 * program: the file to remove (resolved now; removed only if it is still the same file, and regular; a
 * renamed one is found), NULL: none. TAS_E_IO with `why`. */
TAS_MUST_USE int guard_start(struct guard **out, const char *display, const char *program, char *why,
                             size_t why_cap);

/* What the tool wrote meanwhile (a temporary file, which must be there by now): removed too, if it is still
 * there. Renamed, or replaced by another, it stays. At most 16 paths. */
void guard_watch_file(struct guard *guard, const char *path);

/* The tool ends of its own accord: nothing to be put right any more but the file(s). Waits until the guard
 * has done its work (at most 2 s) and frees. is_removing false: the files stay (the tool refused to start).
 */
void guard_end(struct guard *guard, bool is_removing); /* NULL is fine */
