#include "store/dump_private.h"

#include "base/wipe.h"
#include "store/db_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAID_CAP = 400 };

/* ---- the child's environment ---- */

/* "name=value", owned; NULL: no memory. */
static char *setting(const char *name, const char *value) {
    size_t len = strlen(name) + strlen(value) + 2;
    char *text = malloc(len);
    if (text)
        snprintf(text, len, "%s=%s", name, value);
    return text;
}

static bool is_replaced(const char *entry) {
    return strncmp(entry, "PGPASSWORD=", 11) == 0 || strncmp(entry, "LC_ALL=", 7) == 0;
}

/* Ours, with the password given. The first entry, when there is a password, is the caller's to free. */
static char **make_environment(char *password_setting) {
    static char plain_language[] = "LC_ALL=C";
    size_t n = 0;
    while (environ[n])
        n++;
    char **env = calloc(n + 3, sizeof(*env));
    if (!env)
        return NULL;
    size_t to = 0;
    if (password_setting)
        env[to++] = password_setting;
    env[to++] = plain_language;
    for (size_t i = 0; i < n; i++)
        if (!is_replaced(environ[i]))
            env[to++] = environ[i];
    return env;
}

/* ---- the child ---- */

/* The first of what it says on standard error; the rest is read and dropped. */
static void hear(int fd, char said[SAID_CAP]) {
    size_t len = 0;
    char more[512];
    for (;;) {
        ssize_t got = read(fd, more, sizeof(more));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        size_t fits = SAID_CAP - 1 - len;
        size_t take = (size_t)got < fits ? (size_t)got : fits;
        memcpy(said + len, more, take);
        len += take;
    }
    said[len] = '\0';
}

/* Whoever blocks or ignores signals does not mean this child. */
static int set_signals(posix_spawnattr_t *attr) {
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    int err = posix_spawnattr_setsigmask(attr, &none);
    if (err == 0)
        err = posix_spawnattr_setsigdefault(attr, &defaults);
    return err ? err : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int set_files(posix_spawn_file_actions_t *files, int out_fd, int error_fd) {
    int err = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (err == 0)
        err = posix_spawn_file_actions_adddup2(files, out_fd, STDOUT_FILENO);
    return err ? err : posix_spawn_file_actions_adddup2(files, error_fd, STDERR_FILENO);
}

/* An errno, 0: it runs. */
static int spawn(pid_t *pid, char *const *argv, char *const *env, int out_fd, int error_fd) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    int err = posix_spawn_file_actions_init(&files);
    if (err)
        return err;
    err = posix_spawnattr_init(&attr);
    if (err == 0) {
        err = set_signals(&attr);
        if (err == 0)
            err = set_files(&files, out_fd, error_fd);
        if (err == 0)
            err = posix_spawnp(pid, argv[0], &files, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&files);
    return err;
}

static bool has_ended_well(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int run_to(struct tas_db *db, char *const *argv, char *const *env, int out_fd) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return store_fail(db, TAS_E_IO, "pipe: %s", strerror(errno));
    pid_t pid = 0;
    int problem = spawn(&pid, argv, env, out_fd, ends[1]);
    close(ends[1]);
    char said[SAID_CAP] = "";
    if (problem == 0)
        hear(ends[0], said);
    close(ends[0]);
    if (problem)
        return store_fail(db, TAS_E_IO, "%s: %s", argv[0], strerror(problem));
    return has_ended_well(pid) ? TAS_OK : store_fail(db, TAS_E_IO, "%s failed: %s", argv[0], said);
}

int store_dump(struct tas_db *db, const char *conninfo, const char *password, const char *path) {
    char program[] = "pg_dump", format[] = "--format=custom", no_password[] = "--no-password";
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return store_fail(db, TAS_E_IO, "%s: %s", path, strerror(errno));
    char *password_setting = password ? setting("PGPASSWORD", password) : NULL;
    char **env = make_environment(password_setting);
    char *database = setting("--dbname", conninfo);
    char *argv[] = {program, format, no_password, database, NULL};
    int err = TAS_E_NOMEM;
    if (env && database && (password_setting || !password))
        err = run_to(db, argv, env, fd);
    else
        store_fail(db, err, "out of memory");
    if (password_setting)
        tas_wipe(password_setting, strlen(password_setting));
    free(password_setting);
    free(env);
    free(database);
    close(fd);
    return err;
}
