/* Whole files: read, replaced, and copies of bytes that nobody can change. */
#pragma once

#include "base/bytes.h"
#include "base/err.h"

#include <sys/types.h>

enum { TAS_FILE_WHY = 512 };

/* All bytes of a regular file, 1 to `max` of them, in `*len`. Owned by the caller, free(). NULL: `why` says
 * "path: what"; errno is ENOENT when there is no such file, otherwise anything else. What changes while it is
 * read is refused. */
uint8_t *tas_file_read(const char *path, size_t max, size_t *len, char why[TAS_FILE_WHY]);

/* Makes the file `path` with these bytes and this mode: written beside it, synced, then put in its place at
 * once, so that nobody ever sees half of it. TAS_E_STATE: there is one already, and not `replaces`. TAS_E_IO.
 * Nothing is changed then; `why` says "path: what". */
TAS_MUST_USE int tas_file_write(const char *path, struct tas_bytes bytes, mode_t mode, bool replaces,
                                char why[TAS_FILE_WHY]);

/* A descriptor, to be read with pread(), of a copy of `bytes` in memory that is sealed: it stays as it is,
 * whatever happens on disk. Closed on exec. TAS_E_IO: errno. */
TAS_MUST_USE int tas_file_in_memory(const char *name, struct tas_bytes bytes);
