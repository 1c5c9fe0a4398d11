/* A tool with a guard and without windows: guard_tool DISPLAY. Carries out lines from descriptor 3, and
 * answers each with one on descriptor 4, the first when it has started. */
#include "client/input.h"
#include "customer/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void answer(const char *text) {
    if (write(4, text, strlen(text)) != (ssize_t)strlen(text))
        _exit(3);
}

static bool read_line(char *line, size_t cap) {
    size_t len = 0;
    while (len < cap - 1 && read(3, line + len, 1) == 1 && line[len] != '\n')
        len++;
    bool is_whole = len < cap - 1 && line[len] == '\n';
    line[len] = '\0';
    return is_whole;
}

/* Holds F5, A and the left button, and lends a key code to a character. */
static void press(const char *display) {
    struct tas_input *input = NULL;
    char why[200];
    const struct tas_input_ops *inp = &tas_input_x11;
    bool ok = inp->open(&input, display, why, sizeof(why)) == TAS_OK &&
              inp->key(input, 63, 0, true) == TAS_OK && inp->key(input, 30, 0, true) == TAS_OK &&
              inp->pointer(input, 1, 1, 1) == TAS_OK &&
              inp->text(input, (const uint32_t[]){0x65e5}, 1) == TAS_OK;
    answer(ok ? "pressed\n" : "failed\n");
}

int main(int argc, char **argv) {
    static char line[5000];
    struct guard *guard = NULL;
    char why[200];
    const char *program = argc > 2 ? argv[2] : "/proc/self/exe";

    if (argc < 2)
        return 2;
    if (argc > 3 && unlink(argv[3]) != 0)
        return 2;
    if (guard_start(&guard, argv[1], program, why, sizeof(why)) != TAS_OK) {
        answer(why);
        answer("\n");
        return 1;
    }
    answer("started\n");
    while (read_line(line, sizeof(line))) {
        if (strcmp(line, "press") == 0) {
            press(argv[1]);
        } else if (strncmp(line, "watch ", 6) == 0) {
            guard_watch_file(guard, line + 6);
            answer("watched\n");
        } else if (strcmp(line, "end") == 0 || strcmp(line, "keep") == 0) {
            guard_end(guard, line[0] == 'e');
            answer("ended\n");
        } else if (strcmp(line, "abort") == 0) {
            abort();
        } else if (strcmp(line, "exit") == 0) {
            return 7;
        }
    }
    return 0;
}
