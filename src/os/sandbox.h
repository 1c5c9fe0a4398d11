/* What this process may still ask of the kernel. */
#pragma once

#include "base/err.h"

/* From now on, for good: this process may read files, allocate memory, use the descriptors that it has, and
 * end. Sockets, programs, processes, threads, tracing, writing to or making files, executable memory: the
 * kernel kills it at the first try (SIGSYS). Others of its user cannot trace it. TAS_E_IO: errno.
 * TAS_E_ABSENT: there is no list for this processor, nothing has changed. Make what a library opens at its
 * first use be opened before. */
TAS_MUST_USE int tas_sandbox_signer(void);
