/* What cleans up behind the customer's tool: a real tool (guard_tool, named by the argument) on a real X
 * server, ended in every way. We are the subreaper: a guard whose tool is gone becomes our child, and tells
 * how it ended. */
#include "base/time.h"
#include "xserver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_LEN = 256, NOBODY = 65534, GUARD_MAX_MS = 5000, KEY_A = 30, KEY_F5 = 63 };

static const char *tool_program;
static char dir[64];

struct tool {
    pid_t pid;
    pid_t guard;
    int commands, answers, errors;
    char path[PATH_LEN];
};

/* ---- files ---- */

static const char *in_dir(const char *name) {
    static char paths[8][PATH_LEN];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, PATH_LEN, "%s/%s", dir, name);
    return path;
}

static bool exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void copy_program(const char *to) {
    struct stat st;
    int in = open(tool_program, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    assert_true(in >= 0 && out >= 0);
    assert_int_equal(fstat(in, &st), 0);
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        assert_true(n > 0);
        left -= n;
    }
    close(in);
    close(out);
}

/* ---- the tool ---- */

static void say(const struct tool *t, const char *command) {
    char line[PATH_LEN * 2];
    int n = snprintf(line, sizeof(line), "%s\n", command);
    assert_int_equal(write(t->commands, line, (size_t)n), n);
}

static void read_line(int fd, char *line, size_t cap) {
    size_t len = 0;
    for (;;) {
        wait_readable(fd);
        assert_true(len < cap - 1);
        assert_int_equal(read(fd, line + len, 1), 1);
        if (line[len] == '\n')
            break;
        len++;
    }
    line[len] = '\0';
}

static void hear(const struct tool *t, const char *want) {
    char line[300];
    read_line(t->answers, line, sizeof(line));
    assert_string_equal(line, want);
}

static void ask(const struct tool *t, const char *command, const char *want) {
    say(t, command);
    hear(t, want);
}

static void ask_watch(const struct tool *t, const char *path) {
    char line[PATH_LEN + 8];
    snprintf(line, sizeof(line), "watch %s", path);
    ask(t, line, "watched");
}

static pid_t parent_of(const char *pid) {
    char path[64];
    char text[512] = "";
    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        text[0] = '\0';
    if (fd >= 0)
        close(fd);
    const char *end = strrchr(text, ')'); /* "pid (name) S parent ..." */
    return end && strlen(end) > 4 ? (pid_t)strtol(end + 4, NULL, 10) : 0;
}

static pid_t child_of(pid_t parent) {
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    pid_t found = 0;
    assert_non_null(proc);
    while (!found && (entry = readdir(proc)))
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && parent_of(entry->d_name) == parent)
            found = (pid_t)strtol(entry->d_name, NULL, 10);
    closedir(proc);
    return found;
}

static void name_of(pid_t pid, char name[32]) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, name, 31);
    assert_true(n > 0);
    name[n > 0 ? n - 1 : 0] = '\0'; /* for a compiler that does not know what an assertion means */
    close(fd);
}

/* Until it has taken its name, it has not yet set itself apart. */
static void wait_for_name(pid_t guard) {
    char name[32];
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;
    do {
        name_of(guard, name);
        assert_true(tas_mono_us() < give_up);
    } while (strcmp(name, "tasuki-guard") != 0);
}

struct how {
    bool has_no_streams; /* started with standard input, output and error closed */
    uid_t uid;
    const char *program; /* the second and third arguments */
    const char *unlinked;
};

static void exec_tool(const char *path, const char *display, const struct how *how, int in, int out,
                      int err) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Out of the way first: they may be 3 or 4 themselves. */
    in = fcntl(in, F_DUPFD, 20);
    out = fcntl(out, F_DUPFD, 20);
    dup2(err, STDERR_FILENO);
    dup2(in, 3);
    dup2(out, 4);
    dup2(STDERR_FILENO, 9); /* a stray descriptor that the guard must not keep */
    for (int fd = 20; fd < 64; fd++)
        close(fd);
    for (int fd = 0; fd < 3 && how->has_no_streams; fd++)
        close(fd);
    if (how->uid && setresuid(how->uid, how->uid, how->uid) != 0)
        _exit(126);
    execl(path, path, display, how->program, how->unlinked, NULL);
    _exit(127);
}

static void start_as(struct tool *t, const struct server *s, const char *name, const struct how *how) {
    int in[2];
    int out[2];
    int err[2];

    snprintf(t->path, sizeof(t->path), "%s", in_dir(name));
    copy_program(t->path);
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
    t->pid = fork();
    assert_true(t->pid >= 0);
    if (t->pid == 0)
        exec_tool(t->path, s->name, how, in[0], out[1], err[1]);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    t->commands = in[1];
    t->answers = out[0];
    t->errors = err[0];
    hear(t, "started");
    t->guard = child_of(t->pid);
    assert_true(t->guard > 0);
    wait_for_name(t->guard);
}

static void start(struct tool *t, const struct server *s) {
    start_as(t, s, "tool", &(struct how){0});
}

/* The whole of what went to standard error. The guard must be gone, or this waits. */
static void read_errors(struct tool *t, char *out, size_t cap) {
    size_t len = 0;
    ssize_t n;
    while ((n = read(t->errors, out + len, cap - 1 - len)) > 0)
        len += (size_t)n;
    out[len] = '\0';
}

static void close_tool(struct tool *t) {
    close(t->commands);
    close(t->answers);
    close(t->errors);
}

static int wait_tool(struct tool *t) {
    int status;
    assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
    return status;
}

/* Waits for a guard that has outlived its tool; it ends in time, and as wanted. */
static void expect_guard_end(const struct tool *t, int want_signal) {
    int status;
    uint64_t start_us = tas_mono_us();
    alarm(GIVE_UP_MS / 1000);
    assert_int_equal(waitpid(t->guard, &status, 0), t->guard);
    alarm(0);
    assert_true(tas_mono_us() - start_us < GUARD_MAX_MS * 1000ull);
    assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, want_signal);
    if (!want_signal)
        assert_int_equal(status, 0);
}

static void kill_tool(struct tool *t) {
    kill(t->pid, SIGKILL);
    assert_true(WIFSIGNALED(wait_tool(t)));
    expect_guard_end(t, 0);
}

/* ---- the keyboard ---- */

static bool is_button_down(struct server *s) {
    xcb_query_pointer_reply_t *r =
        xcb_query_pointer_reply(s->xcb, xcb_query_pointer(s->xcb, s->screen->root), NULL);
    assert_non_null(r);
    bool down = (r->mask & XCB_BUTTON_MASK_1) != 0;
    free(r);
    return down;
}

static char *keymap_text(const struct server *s) {
    enum { CAP = 1 << 20 };
    char *text = malloc(CAP);
    assert_non_null(text);
    run_program((const char *const[]){"xkbcomp", s->name, "-", NULL}, text, CAP);
    assert_true(strlen(text) > 10000);
    return text;
}

static void press(struct tool *t, struct server *s, const char *before) {
    uint64_t give_up = tas_mono_us() + GIVE_UP_MS * 1000ull;
    ask(t, "press", "pressed");
    while (!is_key_down(s, KEY_A) || !is_key_down(s, KEY_F5) || !is_button_down(s))
        assert_true(tas_mono_us() < give_up);
    char *lent = keymap_text(s);
    assert_string_not_equal(lent, before);
    free(lent);
}

static void expect_keyboard_right(struct server *s, const char *before) {
    assert_false(is_key_down(s, KEY_A));
    assert_false(is_key_down(s, KEY_F5));
    assert_false(is_button_down(s));
    char *after = keymap_text(s);
    assert_string_equal(after, before);
    free(after);
}

/* ---- tests ---- */

static void a_tool_that_ends_well_leaves_neither_file_nor_process(void **state) {
    struct server *s = *state;
    struct tool t;
    start(&t, s);
    ask(&t, "end", "ended");
    assert_false(exists(t.path));
    assert_int_equal(child_of(t.pid), 0); /* no zombie either */
    say(&t, "exit");
    assert_int_equal(WEXITSTATUS(wait_tool(&t)), 7);
    char errors[300];
    read_errors(&t, errors, sizeof(errors));
    assert_string_equal(errors, "");
    close_tool(&t);
}

static void a_tool_that_refuses_to_start_leaves_its_files(void **state) {
    struct server *s = *state;
    struct tool t;
    write_file(in_dir("watched"), "w");
    start(&t, s);
    ask_watch(&t, in_dir("watched"));
    ask(&t, "keep", "ended");
    assert_true(exists(t.path));
    assert_true(exists(in_dir("watched")));
    assert_int_equal(child_of(t.pid), 0);
    say(&t, "exit");
    wait_tool(&t);
    close_tool(&t);
}

static void however_a_tool_ends_its_file_goes_and_the_keyboard_is_put_right(void **state) {
    struct server *s = *state;
    static const char *const ways[] = {"exit", "abort", "kill", "terminate"};
    char *before = keymap_text(s);

    for (size_t i = 0; i < 4; i++) {
        struct tool t;
        start(&t, s);
        press(&t, s, before);
        if (i < 2)
            say(&t, ways[i]);
        else
            kill(t.pid, i == 2 ? SIGKILL : SIGTERM);
        wait_tool(&t);
        expect_guard_end(&t, 0);
        assert_false(exists(t.path));
        expect_keyboard_right(s, before);
        close_tool(&t);
    }
    free(before);
}

static void a_tool_that_ended_well_has_put_the_keyboard_right_itself(void **state) {
    struct server *s = *state;
    struct tool t;
    char *before = keymap_text(s);
    start(&t, s);
    press(&t, s, before);
    ask(&t, "end", "ended");
    assert_true(is_key_down(s, KEY_A)); /* this one has not: nothing was repaired */
    say(&t, "exit");
    wait_tool(&t);
    close_tool(&t);
    free(before);
}

static void another_file_in_its_place_stays(void **state) {
    struct server *s = *state;
    struct tool t;
    start(&t, s);
    write_file(in_dir("other"), "mine");
    assert_int_equal(rename(in_dir("other"), t.path), 0);
    kill_tool(&t);
    assert_true(exists(t.path));
    assert_int_equal(unlink(t.path), 0);
    close_tool(&t);
}

static void a_link_in_its_place_is_not_followed(void **state) {
    struct server *s = *state;
    struct tool t;
    start(&t, s);
    write_file(in_dir("other"), "mine");
    assert_int_equal(unlink(t.path), 0);
    assert_int_equal(symlink("other", t.path), 0);
    kill_tool(&t);
    assert_true(exists(in_dir("other")));
    assert_true(exists(t.path));
    close_tool(&t);

    start_as(&t, s, "second", &(struct how){0});
    assert_int_equal(rename(t.path, in_dir("moved")), 0);
    assert_int_equal(symlink("moved", t.path), 0);
    kill_tool(&t);
    assert_false(exists(in_dir("moved")));
    assert_true(exists(t.path)); /* the link is not ours */
    close_tool(&t);
}

static void a_renamed_tool_is_found(void **state) {
    struct server *s = *state;
    struct tool t;
    start(&t, s);
    assert_int_equal(rename(t.path, in_dir("new name")), 0);
    kill_tool(&t);
    assert_false(exists(in_dir("new name")));
    close_tool(&t);

    assert_int_equal(mkdir(in_dir("below"), 0755), 0);
    start_as(&t, s, "below/tool", &(struct how){0});
    assert_int_equal(rename(in_dir("below"), in_dir("moved")), 0);
    kill_tool(&t);
    assert_false(exists(in_dir("moved/tool")));
    close_tool(&t);
}

static void a_tool_whose_file_is_gone_removes_nothing(void **state) {
    struct server *s = *state;
    struct tool t;
    write_file(in_dir("tool (deleted)"), "mine");
    start_as(&t, s, "tool", &(struct how){.program = "/proc/self/exe", .unlinked = in_dir("tool")});
    kill_tool(&t);
    assert_true(exists(in_dir("tool (deleted)")));
    close_tool(&t);
}

static void a_name_that_looks_deleted_is_a_name(void **state) {
    struct server *s = *state;
    struct tool t;
    write_file(in_dir("odd"), "mine");
    start_as(&t, s, "odd (deleted)", &(struct how){0});
    kill_tool(&t);
    assert_true(exists(in_dir("odd")));
    assert_false(exists(in_dir("odd (deleted)")));
    close_tool(&t);
}

static void what_is_watched_goes_if_it_is_still_the_same(void **state) {
    struct server *s = *state;
    struct tool t;
    static const char *const names[] = {"w-same", "w-replaced", "w-renamed"};
    start(&t, s);
    for (size_t i = 0; i < 3; i++) {
        write_file(in_dir(names[i]), "w");
        ask_watch(&t, in_dir(names[i]));
    }
    write_file(in_dir("target"), "w");
    assert_int_equal(symlink("target", in_dir("w-link")), 0);
    ask_watch(&t, in_dir("w-link"));
    ask_watch(&t, in_dir("w-never"));
    ask_watch(&t, dir);
    write_file(in_dir("other"), "mine");
    assert_int_equal(rename(in_dir("other"), in_dir("w-replaced")), 0);
    assert_int_equal(rename(in_dir("w-renamed"), in_dir("saved")), 0);
    kill_tool(&t);
    assert_false(exists(t.path));
    assert_false(exists(in_dir("w-same")));
    assert_true(exists(in_dir("w-replaced")));
    assert_true(exists(in_dir("saved")));
    assert_true(exists(in_dir("target")));
    assert_true(exists(in_dir("w-link")));
    close_tool(&t);
}

static void a_guard_that_looks_late_is_not_misled(void **state) {
    struct server *s = *state;
    struct tool t;
    start(&t, s);
    write_file(in_dir("w"), "w");
    write_file(in_dir("other"), "mine");
    assert_int_equal(kill(t.guard, SIGSTOP), 0);
    ask_watch(&t, in_dir("w"));
    assert_int_equal(rename(in_dir("other"), in_dir("w")), 0);
    assert_int_equal(kill(t.guard, SIGCONT), 0);
    kill_tool(&t);
    assert_true(exists(in_dir("w")));
    assert_false(exists(t.path));
    close_tool(&t);
}

static void sixteen_files_are_watched(void **state) {
    struct server *s = *state;
    struct tool t;
    char name[16];
    start(&t, s);
    for (int i = 0; i < 17; i++) {
        snprintf(name, sizeof(name), "many%d", i);
        write_file(in_dir(name), "w");
        ask_watch(&t, in_dir(name));
    }
    kill_tool(&t);
    for (int i = 0; i < 17; i++) {
        snprintf(name, sizeof(name), "many%d", i);
        assert_int_equal(exists(in_dir(name)), i == 16);
    }
    close_tool(&t);
}

static void signals_do_not_end_the_guard(void **state) {
    struct server *s = *state;
    static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE};
    struct tool t;
    start(&t, s);
    assert_int_equal(getsid(t.guard), t.guard); /* out of reach of the terminal and of the tool's group */
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(kill(t.guard, signals[i]), 0);
    kill_tool(&t); /* expects that the guard has ended by itself */
    assert_false(exists(t.path));
    close_tool(&t);
}

static void the_guard_holds_no_other_descriptor(void **state) {
    struct server *s = *state;
    struct tool t;
    char path[64];
    int n_pipes = 0;
    start(&t, s);
    snprintf(path, sizeof(path), "/proc/%d/fd", t.guard);
    DIR *fds = opendir(path);
    struct dirent *entry;
    assert_non_null(fds);
    while ((entry = readdir(fds))) {
        char target[PATH_LEN] = "";
        if (entry->d_name[0] == '.')
            continue;
        assert_true(readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1) > 0);
        bool is_null = strcmp(target, "/dev/null") == 0;
        bool is_file = strcmp(target, t.path) == 0 || strcmp(target, dir) == 0;
        n_pipes += strncmp(target, "pipe:", 5) == 0;
        if (!is_null && !is_file)
            assert_true(strncmp(target, "pipe:", 5) == 0);
    }
    closedir(fds);
    assert_int_equal(n_pipes, 3); /* the tool's word, our end, standard error; not the stray one */
    kill_tool(&t);
    close_tool(&t);
}

static void it_works_without_standard_streams(void **state) {
    struct server *s = *state;
    struct tool t;
    start_as(&t, s, "tool", &(struct how){.has_no_streams = true});
    write_file(in_dir("w"), "w");
    ask_watch(&t, in_dir("w"));
    kill_tool(&t);
    assert_false(exists(t.path));
    assert_false(exists(in_dir("w")));
    close_tool(&t);
}

static void where_it_may_not_write_it_says_so_and_goes(void **state) {
    struct server *s = *state;
    char *before = keymap_text(s);
    if (getuid() != 0) {
        free(before);
        skip();
    }
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        struct tool t;
        char errors[300];
        assert_int_equal(chmod(dir, 0755), 0);
        start_as(&t, s, is_clean ? "clean" : "killed", &(struct how){.uid = NOBODY});
        if (is_clean) {
            ask(&t, "end", "ended");
            say(&t, "exit");
            wait_tool(&t);
        } else {
            press(&t, s, before);
            kill_tool(&t);
            expect_keyboard_right(s, before);
        }
        read_errors(&t, errors, sizeof(errors));
        assert_string_equal(errors, "tasuki: a file of this tool could not be removed: Permission denied\n");
        assert_true(exists(t.path));
        close_tool(&t);
    }
    free(before);
}

static void a_display_that_is_gone_is_no_obstacle(void **state) {
    struct server s;
    struct tool t;
    (void)state;
    start_server(&s, "320x200x24", NULL);
    start(&t, &s);
    ask(&t, "press", "pressed");
    kill_server(&s);
    kill_tool(&t);
    assert_false(exists(t.path));
    stop_server(&s);
    close_tool(&t);
}

static void a_display_that_hangs_does_not_keep_the_guard(void **state) {
    struct server s;
    struct tool t;
    (void)state;
    start_server(&s, "320x200x24", NULL);
    start(&t, &s);
    kill(s.pid, SIGSTOP);
    kill(t.pid, SIGKILL);
    wait_tool(&t);
    expect_guard_end(&t, SIGALRM);
    assert_false(exists(t.path));
    kill(s.pid, SIGCONT);
    stop_server(&s);
    close_tool(&t);
}

static void without_a_guard_the_tool_removes_itself(void **state) {
    struct server *s = *state;
    struct tool t;
    start(&t, s);
    kill(t.guard, SIGKILL);
    write_file(in_dir("w"), "w");
    ask_watch(&t, in_dir("w")); /* and is not killed by SIGPIPE */
    ask(&t, "end", "ended");
    assert_false(exists(t.path));
    assert_false(exists(in_dir("w")));
    say(&t, "exit");
    assert_true(WIFEXITED(wait_tool(&t)));
    close_tool(&t);
}

static void what_is_no_file_is_refused(void **state) {
    struct server *s = *state;
    static const char *const programs[][2] = {
        {"/dev/null", "This tool's own file: not a regular file."},
        {"/nowhere/tool", "This tool's own file: No such file or directory."},
    };
    for (size_t i = 0; i < 2; i++) {
        char out[200];
        char command[600];
        snprintf(command, sizeof(command), "exec 3</dev/null 4>&1; '%s' %s %s || true", tool_program, s->name,
                 programs[i][0]);
        run_program((const char *const[]){"sh", "-c", command, NULL}, out, sizeof(out));
        out[strcspn(out, "\n")] = '\0';
        assert_string_equal(out, programs[i][1]);
    }
}

static int set_up(void **state) {
    snprintf(dir, sizeof(dir), "/tmp/tasuki-guard-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    return set_up_server(state);
}

static int tear_down(void **state) {
    char out[16];
    run_program((const char *const[]){"rm", "-rf", "--", dir, NULL}, out, sizeof(out));
    return tear_down_server(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        TEST(a_tool_that_ends_well_leaves_neither_file_nor_process),
        TEST(a_tool_that_refuses_to_start_leaves_its_files),
        TEST(however_a_tool_ends_its_file_goes_and_the_keyboard_is_put_right),
        TEST(a_tool_that_ended_well_has_put_the_keyboard_right_itself),
        TEST(another_file_in_its_place_stays),
        TEST(a_link_in_its_place_is_not_followed),
        TEST(a_renamed_tool_is_found),
        TEST(a_tool_whose_file_is_gone_removes_nothing),
        TEST(a_name_that_looks_deleted_is_a_name),
        TEST(what_is_watched_goes_if_it_is_still_the_same),
        TEST(a_guard_that_looks_late_is_not_misled),
        TEST(sixteen_files_are_watched),
        TEST(signals_do_not_end_the_guard),
        TEST(the_guard_holds_no_other_descriptor),
        TEST(it_works_without_standard_streams),
        TEST(where_it_may_not_write_it_says_so_and_goes),
        TEST(a_display_that_is_gone_is_no_obstacle),
        TEST(a_display_that_hangs_does_not_keep_the_guard),
        TEST(without_a_guard_the_tool_removes_itself),
        TEST(what_is_no_file_is_refused),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: test_guard GUARD_TOOL\n");
        return 2;
    }
    tool_program = argv[1];
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
