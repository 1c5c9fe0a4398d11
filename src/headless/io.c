#include "headless/io.h"

#include "base/buf.h"
#include "base/wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 16 * 1024 };

struct headless_io {
    struct tas_watch *watch;
    void (*on_line)(void *ctx, char *line);
    void (*on_end)(void *ctx);
    void *ctx;
    struct tas_buf in;
};

void headless_say(const char *event, const char *fields, ...) {
    va_list va;
    va_start(va, fields);
    printf("{\"event\":\"%s\"", event);
    vprintf(fields, va);
    printf("}\n");
    fflush(stdout);
    va_end(va);
}

struct tas_json *headless_event(const char *event) {
    struct tas_json *json = tas_json_object();
    tas_json_set_text(json, "event", event);
    return json;
}

void headless_tell(struct tas_json *event) {
    char *text = tas_json_dump(event);
    if (text)
        puts(text);
    fflush(stdout);
    free(text);
    tas_json_free(event);
}

static void take_lines(struct headless_io *io) {
    for (;;) {
        struct tas_bytes all = tas_buf_peek(&io->in);
        const uint8_t *end = all.len ? memchr(all.ptr, '\n', all.len) : NULL;
        if (!end)
            return;
        size_t len = (size_t)(end - all.ptr);
        char *line = strndup((const char *)all.ptr, len);
        tas_buf_drop(&io->in, len + 1);
        if (line)
            io->on_line(io->ctx, line);
        tas_wipe(line, line ? len : 0); /* the first may be a password */
        free(line);
    }
}

static void on_readable(void *ctx, unsigned ready) {
    (void)ready;
    struct headless_io *io = ctx;
    uint8_t some[4096];
    ssize_t n = read(STDIN_FILENO, some, sizeof(some));
    if (n > 0 && tas_buf_append(&io->in, tas_bytes_of(some, (size_t)n)) != TAS_OK) {
        headless_say("error", ",\"text\":\"a line is longer than 16 KiB\"");
        tas_buf_drop(&io->in, io->in.len);
    }
    take_lines(io);
    bool is_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    if (is_over) {
        tas_watch_free(io->watch);
        io->watch = NULL;
        io->on_end(io->ctx);
    }
}

struct headless_io *headless_io_new(struct tas_loop *loop, void (*on_line)(void *ctx, char *line),
                                    void (*on_end)(void *ctx), void *ctx) {
    struct headless_io *io = calloc(1, sizeof(*io));
    if (!io)
        return NULL;
    *io = (struct headless_io){.on_line = on_line, .on_end = on_end, .ctx = ctx};
    tas_buf_init(&io->in, LINE_MAX_LEN);
    io->watch = tas_watch_new(loop, STDIN_FILENO, TAS_READABLE, on_readable, io);
    if (io->watch)
        return io;
    fprintf(stderr, "tasuki-headless: standard input must be a pipe or a terminal: it takes the commands\n");
    free(io);
    return NULL;
}

void headless_io_free(struct headless_io *io) {
    if (!io)
        return;
    tas_watch_free(io->watch);
    tas_buf_fini(&io->in);
    free(io);
}

const char *headless_word(char *line, char **rest) {
    char *space = strchr(line, ' ');
    if (space)
        *space = '\0';
    *rest = space ? space + 1 : line + strlen(line);
    return line;
}
