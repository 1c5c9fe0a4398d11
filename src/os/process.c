#include "os/process.h"

#include "base/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

void tas_notify(const char *state) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    if (len == 0 || len >= sizeof(addr.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(addr.sun_path, path, len);
    if (path[0] == '@')
        addr.sun_path[0] = '\0'; /* an abstract socket */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    ssize_t ignored = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&addr, size);
    (void)ignored; /* nobody listens: then nobody waits either */
    close(fd);
}

int tas_listen_fds(void) {
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    if (!pid || !count || strtol(pid, NULL, 10) != getpid())
        return 0;
    long n = strtol(count, NULL, 10);
    if (n < 1 || n > 64)
        return 0;
    for (int fd = 3; fd < 3 + (int)n; fd++) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL,
              fcntl(fd, F_GETFL) | O_NONBLOCK); /* systemd gives them blocking unless told otherwise */
    }
    return (int)n;
}

static int become(const char *user) {
    errno = 0;
    const struct passwd *pw = getpwnam(user);
    if (!pw)
        return errno ? TAS_E_IO : TAS_E_ABSENT;
    if (getuid() == pw->pw_uid && geteuid() == pw->pw_uid)
        return TAS_OK;
    if (initgroups(user, pw->pw_gid) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
        return TAS_E_IO;
    return TAS_OK;
}

int tas_drop_privileges(const char *user) {
    int err = user ? become(user) : TAS_OK;
    if (err != TAS_OK)
        return err;
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return TAS_E_IO;
    return TAS_OK;
}

bool tas_clock_is_synchronised(void) {
    struct timex tx = {0};
    int state = adjtimex(&tx);
    return state >= 0 && state != TIME_ERROR && !(tx.status & STA_UNSYNC);
}

int tas_pipe(int ends[2]) {
    return pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0 ? TAS_OK : TAS_E_IO;
}

void tas_pause_ms(int timeout_ms, int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    (void)!poll(&p, fd >= 0, timeout_ms);
}

void tas_process_name(char *out, size_t cap) {
    char host[64];
    if (gethostname(host, sizeof(host)) != 0)
        host[0] = '\0';
    host[sizeof(host) - 1] = '\0';
    /* Containers share host names and process numbers. */
    uint32_t chance;
    tas_random(&chance, sizeof(chance));
    snprintf(out, cap, "%s:%d:%08" PRIx32, host, (int)getpid(), chance);
}
