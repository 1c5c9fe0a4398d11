/* What a service owes to the system that runs it: readiness, inherited sockets, dropped privileges, clock. */
#pragma once

#include "base/err.h"

#include <stdbool.h>

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
