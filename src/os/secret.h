/* Memory for keys: locked, so that it is never written to swap, and left out of core dumps. */
#pragma once

#include "base/wipe.h"

/* Whole pages each. When the limit on locked memory is reached the memory is still left out of dumps and
 * wiped, only not locked. */
extern const struct tas_secret_mem tas_secret_locked;
