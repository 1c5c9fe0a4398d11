/* Pictures as files. */
#pragma once

#include "codec/picture.h"

/* Writes `pic` to `path` as PNG, or as binary PPM when the name ends in ".ppm", replacing what is there.
 * TAS_E_IO: errno. TAS_E_NOMEM. */
TAS_MUST_USE int picture_save(const struct tas_picture *pic, const char *path);
