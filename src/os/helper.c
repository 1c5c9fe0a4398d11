#include "os/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE = 3, ANSWER_S = 10, END_MS = 2000 };

struct tas_helper {
    pthread_mutex_t mutex; /* one question at a time */
    bool is_dead;          /* no answer came: what comes now would be that of another question */
    int line;
    int pidfd; /* names the process even if somebody else has waited for it */
    pid_t pid;
};

/* ---- the child ---- */

static void close_the_rest(int line) {
    int far = fcntl(line, F_DUPFD, LINE + 1); /* out of the way of 0 to 3 */
    int null = open("/dev/null", O_RDWR);
    if (far < 0 || null < 0)
        _exit(EXIT_FAILURE);
    for (int fd = 0; fd < LINE; fd++)
        if (dup2(null, fd) < 0)
            _exit(EXIT_FAILURE);
    if (dup2(far, LINE) < 0 || close_range(LINE + 1, ~0U, 0) != 0)
        _exit(EXIT_FAILURE);
}

/* The terminal's and the service manager's signals go to the whole group: the program decides when it ends.
 */
static void ignore_signals(void) {
    static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        sigaction(all[i], &ignore, NULL);
}

_Noreturn static void live(const char *name, int line, void (*run)(int line, void *ctx), void *ctx) {
    ignore_signals();
    close_the_rest(line);
    setsid();
    prctl(PR_SET_NAME, name, 0, 0, 0);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        _exit(EXIT_FAILURE);
    run(LINE, ctx);
    _exit(EXIT_SUCCESS); /* what the program registered with atexit() is the program's */
}

/* recv() gives 0 for the end and for an empty packet. */
static bool has_hung_up(int line) {
    struct pollfd p = {.fd = line, .events = POLLRDHUP};
    return poll(&p, 1, 0) != 0;
}

int tas_helper_receive(int line, uint8_t *packet, size_t cap, size_t *len) {
    ssize_t n;
    do
        n = recv(line, packet, cap, MSG_TRUNC); /* the packet's length, also when it is longer than cap */
    while (n < 0 && errno == EINTR);
    if (n < 0 || (n == 0 && has_hung_up(line)))
        return TAS_E_CLOSED;
    if ((size_t)n > cap)
        return TAS_E_LIMIT;
    *len = (size_t)n;
    return TAS_OK;
}

int tas_helper_send(int line, struct tas_bytes packet) {
    ssize_t n;
    do
        n = send(line, packet.ptr, packet.len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)packet.len ? TAS_OK : TAS_E_CLOSED;
}

/* ---- the program ---- */

static void free_ends(struct tas_helper *helper) {
    int error = errno;
    if (helper->line >= 0)
        close(helper->line);
    if (helper->pidfd >= 0)
        close(helper->pidfd);
    pthread_mutex_destroy(&helper->mutex);
    free(helper);
    errno = error;
}

struct tas_helper *tas_helper_start(const char *name, void (*run)(int line, void *ctx), void *ctx) {
    int line[2];
    const struct timeval patience = {.tv_sec = ANSWER_S};
    struct tas_helper *helper = calloc(1, sizeof(*helper));
    if (!helper)
        return NULL;
    helper->line = -1;
    helper->pidfd = -1;
    pthread_mutex_init(&helper->mutex, NULL);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) != 0) {
        free_ends(helper);
        return NULL;
    }
    helper->pid = fork();
    if (helper->pid == 0)
        live(name, line[1], run, ctx);
    int error = errno;
    close(line[1]);
    errno = error;
    helper->line = line[0];
    if (helper->pid > 0)
        helper->pidfd = pidfd_open(helper->pid, 0);
    if (helper->pidfd < 0) {
        pid_t pid = helper->pid;
        free_ends(helper); /* hangs up: it ends */
        if (pid > 0)
            waitpid(pid, NULL, 0);
        return NULL;
    }
    setsockopt(line[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(line[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return helper;
}

static bool has_ended(struct tas_helper *helper, int wait_ms) {
    struct pollfd p = {.fd = helper->pidfd, .events = POLLIN};
    int n;
    do
        n = poll(&p, 1, wait_ms);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

/* Takes the process away, if nobody else has. Killing may be refused (it has become another user): then it is
 * left to the end of its line. */
static void reap(struct tas_helper *helper, int wait_ms) {
    siginfo_t info;
    if (!has_ended(helper, wait_ms)) {
        pidfd_send_signal(helper->pidfd, SIGKILL, NULL, 0);
        has_ended(helper, END_MS);
    }
    waitid(P_PIDFD, (id_t)helper->pidfd, &info, WEXITED | WNOHANG);
}

static int dies(struct tas_helper *helper) {
    helper->is_dead = true;
    shutdown(helper->line, SHUT_RDWR);
    reap(helper, 0);
    return TAS_E_CLOSED;
}

void tas_helper_stop(struct tas_helper *helper) {
    if (!helper)
        return;
    shutdown(helper->line, SHUT_RDWR);
    reap(helper, END_MS);
    free_ends(helper);
}

static int ask(struct tas_helper *helper, struct tas_bytes request, uint8_t *reply, size_t cap, size_t *len) {
    if (helper->is_dead)
        return TAS_E_CLOSED;
    int err = tas_helper_send(helper->line, request);
    if (err == TAS_OK)
        err = tas_helper_receive(helper->line, reply, cap, len);
    return err == TAS_E_CLOSED ? dies(helper) : err;
}

int tas_helper_ask(struct tas_helper *helper, struct tas_bytes request, uint8_t *reply, size_t cap,
                   size_t *len) {
    pthread_mutex_lock(&helper->mutex);
    int err = ask(helper, request, reply, cap, len);
    pthread_mutex_unlock(&helper->mutex);
    return err;
}

int tas_helper_kill(struct tas_helper *helper) {
    pthread_mutex_lock(&helper->mutex);
    int err = dies(helper);
    pthread_mutex_unlock(&helper->mutex);
    return err;
}

int tas_helper_pid(const struct tas_helper *helper) {
    return helper->pid;
}
