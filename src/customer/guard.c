#include "customer/guard.h"

#include "base/time.h"
#include "client/input.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FILES_MAX = 17, /* the program and what is watched */
    LIFE_S = 4,     /* of the guard, once the tool has ended */
    END_WAIT_MS = 2000,
    WORD_LEN = 4096, /* PIPE_BUF: a write of so many bytes happens as a whole or not at all */
    FD_MAX = 65536,  /* where the kernel cannot close a range */
};

/* A file to be removed. The descriptors are O_PATH ones: while `file` is open, no other file can get its
 * inode number; `dir` leads to it when a folder above it is renamed. */
struct doomed {
    int file, dir;
    char name[NAME_MAX + 1];
    bool is_followed; /* when it is renamed; what is watched becomes the customer's own by being renamed */
};

struct files {
    struct doomed list[FILES_MAX];
    size_t n;
};

enum kind { WATCH = 1, END_REMOVE, END_KEEP };

/* What the tool tells the guard. Fixed in size, see WORD_LEN. */
struct word {
    uint64_t kind;
    uint64_t dev, ino; /* of WATCH: by the time that the guard looks, another file may be there */
    char path[WORD_LEN - 3 * sizeof(uint64_t)];
};
_Static_assert(sizeof(struct word) == WORD_LEN && WORD_LEN <= PIPE_BUF, "a word is written at once");

struct guard {
    pid_t pid;
    int ends[2]; /* [1] is ours. We keep [0] too: writing to a guard that was killed must raise no SIGPIPE */
    int done[2]; /* [0] ends when the guard has ended */
    struct files files;
};

/* ---- files ---- */

/* The same open file under a number that is none of the standard streams', which may be closed. -1: errno. */
static int above_streams(int fd) {
    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int saved = errno;
    close(fd);
    errno = saved;
    return high;
}

static bool is_at(int dir, const char *name, int file) {
    struct stat want;
    struct stat now;
    return fstat(file, &want) == 0 && fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(now.st_mode) && now.st_dev == want.st_dev && now.st_ino == want.st_ino;
}

/* Finds folder and name of an open file. The kernel adds " (deleted)" to a name that is gone, and a name may
 * end like that by itself: it counts when the same file is found there. */
static bool locate(struct doomed *d) {
    char link[40];
    char path[PATH_MAX];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", d->file);
    ssize_t len = readlink(link, path, sizeof(path) - 1);
    if (len < 2)
        return false;
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash || strlen(slash + 1) > NAME_MAX)
        return false;
    *slash = '\0';
    int dir = above_streams(open(slash == path ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (dir < 0 || !is_at(dir, slash + 1, d->file)) {
        if (dir >= 0)
            close(dir);
        return false;
    }
    if (d->dir >= 0)
        close(d->dir);
    d->dir = dir;
    snprintf(d->name, sizeof(d->name), "%s", slash + 1);
    return true;
}

static void forget(struct doomed *d) {
    if (d->file >= 0)
        close(d->file);
    if (d->dir >= 0)
        close(d->dir);
    d->file = d->dir = -1;
}

/* Writes what the file is to `st`. TAS_E_ABSENT: it has no name any more. TAS_E_STATE: no regular file.
 * TAS_E_FULL. TAS_E_IO: errno. */
static int add_file(struct files *files, const char *path, bool is_program, struct stat *st) {
    if (files->n == FILES_MAX)
        return TAS_E_FULL;
    struct doomed *d = &files->list[files->n];
    *d = (struct doomed){.dir = -1, .is_followed = is_program};
    d->file = above_streams(open(path, O_PATH | O_CLOEXEC | (is_program ? 0 : O_NOFOLLOW)));
    if (d->file < 0 || fstat(d->file, st) != 0) {
        int saved = errno;
        forget(d);
        errno = saved;
        return TAS_E_IO;
    }
    int err = !S_ISREG(st->st_mode) ? TAS_E_STATE : locate(d) ? TAS_OK : TAS_E_ABSENT;
    if (err != TAS_OK)
        forget(d);
    else
        files->n++;
    return err;
}

/* Between the look and the removal somebody could put another file there; who can do that in this folder
 * could as well remove it. */
static void remove_file(struct doomed *d) {
    bool is_there = is_at(d->dir, d->name, d->file) || (d->is_followed && locate(d));
    if (is_there && unlinkat(d->dir, d->name, 0) != 0 && errno != ENOENT)
        dprintf(STDERR_FILENO, "tasuki: a file of this tool could not be removed: %s\n", strerror(errno));
}

static void remove_files(struct files *files) {
    for (size_t i = 0; i < files->n; i++)
        remove_file(&files->list[i]);
}

static void forget_files(struct files *files) {
    for (size_t i = 0; i < files->n; i++)
        forget(&files->list[i]);
    files->n = 0;
}

/* ---- the guard's own process ---- */

static void close_range_or_each(unsigned first, unsigned last) {
    if (first > last || close_range(first, last, 0) == 0)
        return;
    for (unsigned fd = first; fd <= last && fd < FD_MAX; fd++)
        close((int)fd);
}

static int by_number(const void *a, const void *b) {
    const int *x = a;
    const int *y = b;
    return (*x > *y) - (*x < *y);
}

static void close_all_but(int *keep, size_t n) {
    unsigned from = 0;
    qsort(keep, n, sizeof(*keep), by_number);
    for (size_t i = 0; i < n; i++) {
        if (keep[i] > 0)
            close_range_or_each(from, (unsigned)keep[i] - 1);
        from = (unsigned)keep[i] + 1;
    }
    close_range_or_each(from, UINT_MAX);
}

/* Keeps the pipes, the program's descriptors and standard error. */
static void keep_little(const struct guard *guard) {
    int keep[5] = {STDERR_FILENO, guard->ends[0], guard->done[1]};
    size_t n = 3;
    if (guard->files.n > 0) {
        keep[n++] = guard->files.list[0].file;
        keep[n++] = guard->files.list[0].dir;
    }
    close_all_but(keep, n);
    int null = open("/dev/null", O_RDWR); /* 0 */
    dup2(null, STDOUT_FILENO);
    if (fcntl(STDERR_FILENO, F_GETFD) < 0)
        dup2(null, STDERR_FILENO);
}

/* What ends the tool must not end the guard: a closed terminal, Ctrl+C, a log-out. */
static void stand_apart(const sigset_t *before) {
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE};
    sigset_t mask = *before;

    setsid();
    for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
        sigaction(ignored[i], &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigdelset(&mask, SIGALRM);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    (void)!chdir("/"); /* keeps no file system from being unmounted */
    pthread_setname_np(pthread_self(), "tasuki-guard");
}

/* The tool's next word; false: its end is closed. */
static bool read_word(int fd, struct word *word) {
    size_t len = 0;
    while (len < sizeof(*word)) {
        ssize_t n = read(fd, (char *)word + len, sizeof(*word) - len);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (n < 0)
            tas_pause_ms(-1, fd);
        else
            len += (size_t)n;
    }
    word->path[sizeof(word->path) - 1] = '\0';
    return true;
}

static void add_watched(struct files *files, const struct word *word) {
    struct stat st;
    if (add_file(files, word->path, false, &st) != TAS_OK)
        return; /* gone since: nothing to be removed */
    if ((uint64_t)st.st_dev != word->dev || (uint64_t)st.st_ino != word->ino)
        forget(&files->list[--files->n]);
}

static void put_keyboard_right(const char *display) {
    struct tas_input *input = NULL;
    char why[200];
    if (tas_input_x11.open(&input, display, why, sizeof(why)) == TAS_OK) /* else there is no keyboard left */
        tas_input_x11.close(input);
}

static void watch_over(struct guard *guard, const char *display) {
    struct word word;
    uint64_t end = 0;

    while (end == 0 && read_word(guard->ends[0], &word)) {
        if (word.kind == WATCH)
            add_watched(&guard->files, &word);
        else
            end = word.kind;
    }
    alarm(LIFE_S);
    if (end != END_KEEP)
        remove_files(&guard->files); /* first: the display may not answer */
    if (end == 0)
        put_keyboard_right(display);
}

/* ---- the tool's side ---- */

static void close_ends(int ends[2]) {
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    ends[0] = ends[1] = -1;
}

static int open_ends(int ends[2]) {
    int low[2];
    if (tas_pipe(low) != TAS_OK)
        return TAS_E_IO;
    for (int i = 0; i < 2; i++)
        ends[i] = above_streams(low[i]);
    return ends[0] >= 0 && ends[1] >= 0 ? TAS_OK : TAS_E_IO;
}

static void guard_free(struct guard *guard) {
    close_ends(guard->ends);
    close_ends(guard->done);
    forget_files(&guard->files);
    free(guard);
}

static int fork_guard(struct guard *guard, const char *display) {
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the guard must not die before it ignores them */
    guard->pid = fork();
    if (guard->pid == 0) {
        keep_little(guard);
        stand_apart(&before);
        watch_over(guard, display);
        _exit(0);
    }
    int saved = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return guard->pid > 0 ? TAS_OK : TAS_E_IO;
}

int guard_start(struct guard **out, const char *display, const char *program, char *why, size_t why_cap) {
    struct guard *guard = calloc(1, sizeof(*guard));
    if (!guard) {
        snprintf(why, why_cap, "Out of memory.");
        return TAS_E_IO;
    }
    guard->ends[0] = guard->ends[1] = guard->done[0] = guard->done[1] = -1;
    struct stat st;
    int err = program ? add_file(&guard->files, program, true, &st) : TAS_OK;
    if (err != TAS_OK && err != TAS_E_ABSENT) {
        snprintf(why, why_cap, "This tool's own file: %s.",
                 err == TAS_E_IO ? strerror(errno) : "not a regular file");
        goto fail;
    }
    if (open_ends(guard->ends) != TAS_OK || open_ends(guard->done) != TAS_OK ||
        fork_guard(guard, display) != TAS_OK) {
        snprintf(why, why_cap, "No process for cleaning up can be started: %s.", strerror(errno));
        goto fail;
    }
    close(guard->done[1]);
    guard->done[1] = -1;
    *out = guard;
    return TAS_OK;

fail:
    guard_free(guard);
    return TAS_E_IO;
}

static void tell(const struct guard *guard, const struct word *word) {
    ssize_t n = write(guard->ends[1], word, sizeof(*word));
    (void)n; /* full: the guard hangs, and will not learn that we ended well */
}

void guard_watch_file(struct guard *guard, const char *path) {
    struct word word = {.kind = WATCH};
    struct stat st;
    char *whole = realpath(path, NULL); /* the guard has another working directory */
    bool is_file = lstat(path, &st) == 0 && S_ISREG(st.st_mode);
    if (whole && is_file && strlen(whole) < sizeof(word.path) &&
        add_file(&guard->files, whole, false, &st) == TAS_OK) {
        word.dev = st.st_dev;
        word.ino = st.st_ino;
        snprintf(word.path, sizeof(word.path), "%s", whole);
        tell(guard, &word);
    }
    free(whole);
}

/* Has it ended well within the time? */
static bool wait_for_guard(struct guard *guard) {
    uint64_t give_up_us = tas_mono_us() + END_WAIT_MS * UINT64_C(1000);
    bool has_ended = false;
    int status = 1;
    char none;

    for (;;) {
        has_ended = read(guard->done[0], &none, 1) == 0;
        uint64_t now_us = tas_mono_us();
        if (has_ended || now_us >= give_up_us)
            break;
        tas_pause_ms((int)((give_up_us - now_us) / 1000) + 1, guard->done[0]);
    }
    pid_t pid;
    while ((pid = waitpid(guard->pid, &status, has_ended ? 0 : WNOHANG)) < 0 && errno == EINTR) {
    }
    return pid == guard->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void guard_end(struct guard *guard, bool is_removing) {
    if (!guard)
        return;
    tell(guard, &(struct word){.kind = is_removing ? END_REMOVE : END_KEEP});
    close_ends(guard->ends);
    if (!wait_for_guard(guard) && is_removing)
        remove_files(&guard->files); /* somebody killed it */
    guard_free(guard);
}
