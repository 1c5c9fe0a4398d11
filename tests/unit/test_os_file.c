/* os/file.h, in a folder of its own. */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

ssize_t __real_read(int fd, void *to, size_t len);
ssize_t __wrap_read(int fd, void *to, size_t len);

static char folder[64];
static char why[TAS_FILE_WHY];
static void (*at_read)(void); /* what somebody else does when the file is first read from */

static const char *path(const char *name) {
    static char out[128];
    snprintf(out, sizeof(out), "%s/%s", folder, name);
    return out;
}

static void make(const char *name, const char *text) {
    FILE *f = fopen(path(name), "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void a_file_is_read_whole(void **state) {
    (void)state;
    size_t len = 0;
    make("file", "12345");
    uint8_t *bytes = tas_file_read(path("file"), 5, &len, why);
    assert_non_null(bytes);
    assert_int_equal(len, 5);
    assert_memory_equal(bytes, "12345", 5);
    free(bytes);
}

static void is_refused(const char *name, size_t max, const char *what) {
    size_t len = 7;
    assert_null(tas_file_read(path(name), max, &len, why));
    assert_int_equal(len, 7);
    if (!strstr(why, what) || !strstr(why, name))
        fail_msg("%s", why);
}

static void what_is_no_file_is_refused(void **state) {
    (void)state;
    make("file", "12345");
    make("empty", "");
    assert_int_equal(mkfifo(path("pipe"), 0600), 0);
    assert_int_equal(mkdir(path("dir"), 0700), 0);
    is_refused("file", 4, "too large");
    is_refused("empty", 4, "empty");
    is_refused("pipe", 4, "not a file");
    is_refused("dir", 4, "not a file");
    assert_int_not_equal(errno, ENOENT);
    is_refused("absent", 4, "No such file");
    assert_int_equal(errno, ENOENT);
}

ssize_t __wrap_read(int fd, void *to, size_t len) {
    void (*now)(void) = at_read;
    at_read = NULL;
    if (now)
        now();
    return __real_read(fd, to, len);
}

static void shrink(void) {
    assert_int_equal(truncate(path("moving"), 3), 0);
}
static void grow(void) {
    assert_int_equal(truncate(path("moving"), 9), 0);
}
static void touch(void) {
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path("moving"), times, 0), 0);
}

static void what_changes_while_it_is_read_is_refused(void **state) {
    (void)state;
    void (*const changes[])(void) = {shrink, grow, touch};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        make("moving", "12345");
        at_read = changes[i];
        is_refused("moving", 100, "changed while it was read");
    }
}

static void holds(const char *name, const char *text, mode_t mode) {
    struct stat st;
    size_t len = 0;
    uint8_t *bytes = tas_file_read(path(name), 100, &len, why);
    assert_non_null(bytes);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(bytes, text, len);
    free(bytes);
    assert_int_equal(stat(path(name), &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
}

static void a_file_is_made_once(void **state) {
    (void)state;
    assert_int_equal(tas_file_write(path("made"), tas_bytes_of("one", 3), 0755, false, why), TAS_OK);
    holds("made", "one", 0755);
    assert_int_equal(tas_file_write(path("made"), tas_bytes_of("two", 3), 0644, false, why), TAS_E_STATE);
    holds("made", "one", 0755);
    assert_int_equal(tas_file_write(path("made"), tas_bytes_of("two", 3), 0644, true, why), TAS_OK);
    holds("made", "two", 0644);
    assert_int_equal(tas_file_write(path("no/such"), tas_bytes_of("two", 3), 0644, true, why), TAS_E_IO);
}

static void memory_stays_as_it_is(void **state) {
    (void)state;
    char got[8];
    int fd = tas_file_in_memory("test", tas_bytes_of("12345", 5));
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, got, sizeof(got), 0), 5);
    assert_memory_equal(got, "12345", 5);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(ftruncate(fd, 9), -1);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

static int begin(void **state) {
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/tasuki-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

/* Nothing else may be left, such as half of what was written. */
static int end(void **state) {
    (void)state;
    static const char *const names[] = {"file", "moving", "empty", "pipe", "made"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(path(names[i]));
    rmdir(path("dir"));
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(what_changes_while_it_is_read_is_refused),
        cmocka_unit_test(a_file_is_made_once),
        cmocka_unit_test(memory_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
