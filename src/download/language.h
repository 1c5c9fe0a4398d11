/* Which language a page has. Pure. */
#pragma once

enum download_language { DOWNLOAD_EN, DOWNLOAD_JA, DOWNLOAD_LANGUAGES };

/* `wanted`: of ?lang=, decides when it is "ja" or "en"; "" none. `accept`: the Accept-Language header (RFC
 * 9110 section 12.5.4), "" none; of two that are wanted alike the first counts. English when nothing is
 * known. */
enum download_language download_language_choose(const char *wanted, const char *accept);
