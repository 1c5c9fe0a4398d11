/* Memory that is large and read here and there: in pages as large as the system has them, it is sooner found
 * and sooner there. */
#pragma once

#include <stddef.h>

/* Zeroed, for free(); begins at a line of the CPU's cache (64 bytes). NULL: no memory. */
void *tas_large_alloc(size_t len);
