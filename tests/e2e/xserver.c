#include "xserver.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void exec_xvfb(int fd, const char *size, const char *const *more) {
    char number[12];
    const char *argv[16] = {"Xvfb", "-displayfd", number, "-screen", "0",
                            size,   "-nolisten",  "tcp",  "-noreset"};
    int argc = 9;

    snprintf(number, sizeof(number), "%d", fd);
    while (more && *more)
        argv[argc++] = *more++;
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* does not outlive a test that crashes */
    int null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO); /* it complains of every display number that is in use */
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

static void read_display_name(struct server *s, int fd) {
    char digits[12] = {0};
    size_t len = 0;
    while (len < sizeof(digits) - 1 && !memchr(digits, '\n', len)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, GIVE_UP_MS), 1);
        ssize_t n = read(fd, digits + len, sizeof(digits) - 1 - len);
        assert_true(n > 0);
        len += (size_t)n;
    }
    *strchrnul(digits, '\n') = '\0';
    snprintf(s->name, sizeof(s->name), ":%s", digits);
}

void start_server(struct server *s, const char *size, const char *const *more) {
    int fds[2];

    *s = (struct server){0};
    assert_int_equal(pipe(fds), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        close(fds[0]);
        exec_xvfb(fds[1], size, more);
    }
    close(fds[1]);
    read_display_name(s, fds[0]);
    close(fds[0]);
    s->xcb = xcb_connect(s->name, NULL);
    assert_int_equal(xcb_connection_has_error(s->xcb), 0);
    s->screen = xcb_setup_roots_iterator(xcb_get_setup(s->xcb)).data;
}

static void end_server(struct server *s, int signal) {
    if (s->pid > 0) {
        kill(s->pid, signal);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}

/* Also removes what it could not remove itself. */
void kill_server(struct server *s) {
    char path[64];
    end_server(s, SIGKILL);
    snprintf(path, sizeof(path), "/tmp/.X%s-lock", s->name + 1);
    unlink(path);
    snprintf(path, sizeof(path), "/tmp/.X11-unix/X%s", s->name + 1);
    unlink(path);
}

void stop_server(struct server *s) {
    if (s->xcb)
        xcb_disconnect(s->xcb);
    end_server(s, SIGTERM);
}

int set_up_server(void **state) {
    static struct server s;
    start_server(&s, "1000x700x24", NULL);
    *state = &s;
    return 0;
}

int tear_down_server(void **state) {
    stop_server(*state);
    return 0;
}

/* Everything sent so far is carried out. */
void sync_server(struct server *s) {
    free(xcb_get_input_focus_reply(s->xcb, xcb_get_input_focus(s->xcb), NULL));
}

void draw(struct server *s, int16_t x, int16_t y, uint16_t w, uint16_t h, uint32_t colour) {
    xcb_gcontext_t gc = xcb_generate_id(s->xcb);
    xcb_create_gc(s->xcb, gc, s->screen->root, XCB_GC_FOREGROUND, &colour);
    xcb_poly_fill_rectangle(s->xcb, s->screen->root, gc, 1, &(xcb_rectangle_t){x, y, w, h});
    xcb_free_gc(s->xcb, gc);
    sync_server(s);
}

bool is_key_down(struct server *s, unsigned evdev) {
    unsigned key = evdev + 8;
    xcb_query_keymap_reply_t *r = xcb_query_keymap_reply(s->xcb, xcb_query_keymap(s->xcb), NULL);
    assert_non_null(r);
    bool is_down = (r->keys[key / 8] & 1u << key % 8) != 0;
    free(r);
    return is_down;
}

void wait_readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, GIVE_UP_MS), 1);
}

static void exec_program(const char *const *argv, int out) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

void run_program(const char *const *argv, char *out, size_t cap) {
    int fds[2];
    int status;
    size_t len = 0;
    ssize_t n;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        exec_program(argv, fds[1]);
    close(fds[1]);
    while ((n = read(fds[0], out + len, cap - 1 - len)) > 0)
        len += (size_t)n;
    out[len] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}
