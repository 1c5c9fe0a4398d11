/* `tasuki-headless host`, and what `tasuki-headless customer` can do in a session. */
#pragma once

#include "headless/endfile.h"
#include "tool/customer.h"

#define HOST_COMMANDS "chat TEXT, figures, grant MASK, pause on|off, end"

/* One of HOST_COMMANDS but end, by way of customer (NULL: there is no management server). False: it was not.
 */
bool host_command(struct tas_session *session, struct customer *customer, const char *word, const char *rest);

/* Runs until the session ends. The exit code. */
int host_main(const struct endfile *file, const char *display, uint16_t rights);
