/* What a service owes to the system that runs it: readiness, inherited sockets, dropped privileges, clock. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Tells the service manager `state` ("READY=1", "STOPPING=1") on NOTIFY_SOCKET (sd_notify(3)). Without one:
 * nothing. */
void tas_notify(const char *state);

/* How many sockets were handed over by LISTEN_FDS (sd_listen_fds(3)), from descriptor 3 on; 0: none for us.
 */
int tas_listen_fds(void);

/* Becomes `user` (its uid, gid and groups) for good; forbids new privileges and core dumps whatever the user.
 * TAS_E_ABSENT: no such user. TAS_E_IO: errno. NULL: keep the user. */
TAS_MUST_USE int tas_drop_privileges(const char *user);

/* Is the kernel's clock synchronised (adjtimex)? */
bool tas_clock_is_synchronised(void);

/* A pipe, both ends non-blocking and closed on exec: [0] to read, [1] to write. For waking a thread that
 * waits. TAS_E_IO.
 */
TAS_MUST_USE int tas_pipe(int ends[2]);

/* Waits until fd (-1: none) is readable or timeout_ms are over. */
void tas_pause_ms(int timeout_ms, int fd);

/* "host:pid:random" of this process, cut to cap: another each time it is asked for. 96 bytes are enough. */
void tas_process_name(char *out, size_t cap);
