#include "tool/news.h"

void tool_tell(const struct tool_listener *to, const struct tool_news *news) {
    to->on_news(to->ctx, news);
}

void tool_complain(const struct tool_listener *to, const char *command, const struct api_error *error) {
    tool_tell(to, &(struct tool_news){.kind = TOOL_ERROR, .command = command, .error = error});
}

void tool_refuse(const struct tool_listener *to, const char *command, const char *code, const char *text) {
    struct api_error error;
    api_error_set(&error, TAS_E_STATE, 0, code, "%s", text);
    tool_complain(to, command, &error);
}
