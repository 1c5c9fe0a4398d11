/* News as lines of JSON. */
#pragma once

#include "tool/news.h"

/* Writes what is to be written; some news are silent. */
void print_news(const struct tool_news *news);

/* What an engine said. */
void print_event(const struct tas_event *ev);

/* {"event":"figures",...} */
void print_figures(struct tas_session *s);

/* Commands of every end: chat TEXT, figures. True: it was one of these. */
bool print_command(struct tas_session *s, const char *word, const char *rest);
