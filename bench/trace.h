/* Recorded desktops: the files that shared/traces/rec.c writes (its head comment describes them). */
#pragma once

#include "codec/picture.h"

struct trace;

/* NULL: not a trace, or no memory. */
struct trace *trace_open(const char *path);
void trace_close(struct trace *trace);

/* The next picture, and the tiles that changed set in `changed`. false: the end, or a broken file. */
bool trace_next(struct trace *trace, struct tas_tiles *changed);

/* When the last picture was taken, ms from the start. */
uint32_t trace_ms(const struct trace *trace);

/* The picture as it is now. Borrowed. */
const struct tas_picture *trace_picture(const struct trace *trace);
