#include "client/x11/conn_private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static void ignore_sigpipe(void) {
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction now;
    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        sigaction(SIGPIPE, &ignore, NULL);
}

static void explain_refusal(const char *display, int error, char *why, size_t cap) {
    const char *name = display ? display : getenv("DISPLAY");
    if (!name || !*name)
        snprintf(
            why, cap,
            "No X11 display: DISPLAY is not set. Start this program inside the desktop session to be shown.");
    else if (error == XCB_CONN_CLOSED_PARSE_ERR)
        snprintf(why, cap, "\"%.32s\" is not the name of an X11 display. It should look like :0.", name);
    else if (error == XCB_CONN_CLOSED_INVALID_SCREEN)
        snprintf(why, cap, "The X11 display %.32s has no such screen. Leave out what follows the dot.", name);
    else
        snprintf(why, cap,
                 "Cannot connect to the X11 display %.24s: not running, or not allowed for this user. Check "
                 "DISPLAY and XAUTHORITY.",
                 name);
}

static xcb_screen_t *screen_at(xcb_connection_t *xcb, int number) {
    xcb_screen_iterator_t it = xcb_setup_roots_iterator(xcb_get_setup(xcb));
    while (it.rem > 1 && number-- > 0)
        xcb_screen_next(&it);
    return it.rem > 0 ? it.data : NULL;
}

static int watch(int epoll, int fd) {
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == 0 ? TAS_OK : TAS_E_NOMEM;
}

int tas_x11_conn_open(struct tas_x11_conn *conn, const char *display, char *why, size_t why_cap) {
    int number = 0;

    ignore_sigpipe();
    *conn = (struct tas_x11_conn){.epoll = -1, .wake = -1};
    conn->xcb = xcb_connect(display, &number);
    int error = xcb_connection_has_error(conn->xcb);
    conn->screen = error ? NULL : screen_at(conn->xcb, number);
    if (!conn->screen) {
        explain_refusal(display, error, why, why_cap);
        tas_x11_conn_close(conn);
        return TAS_E_ABSENT;
    }
    conn->epoll = epoll_create1(EPOLL_CLOEXEC);
    conn->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (conn->epoll < 0 || conn->wake < 0 || watch(conn->epoll, conn->wake) != TAS_OK ||
        watch(conn->epoll, xcb_get_file_descriptor(conn->xcb)) != TAS_OK) {
        snprintf(why, why_cap, "Out of memory or file descriptors.");
        tas_x11_conn_close(conn);
        return TAS_E_NOMEM;
    }
    return TAS_OK;
}

void tas_x11_conn_close(struct tas_x11_conn *conn) {
    if (!conn->xcb)
        return;
    xcb_disconnect(conn->xcb);
    if (conn->epoll >= 0)
        close(conn->epoll);
    if (conn->wake >= 0)
        close(conn->wake);
    *conn = (struct tas_x11_conn){.epoll = -1, .wake = -1};
}

int tas_x11_conn_need(struct tas_x11_conn *conn, xcb_extension_t *ext, const char *name, char *why,
                      size_t why_cap) {
    const xcb_query_extension_reply_t *reply = xcb_get_extension_data(conn->xcb, ext);
    if (reply && reply->present)
        return TAS_OK;
    if (tas_x11_conn_is_dead(conn))
        snprintf(why, why_cap, "The X11 display went away.");
    else
        snprintf(why, why_cap,
                 "The X11 server lacks the extension %s, which this program needs. Switch it on in the "
                 "server's options, or use another server.",
                 name);
    return TAS_E_ABSENT;
}

void tas_x11_conn_raise(struct tas_x11_conn *conn) {
    uint64_t one = 1;
    ssize_t n = write(conn->wake, &one, sizeof(one));
    (void)n; /* can only fail when it is raised already */
}

void tas_x11_conn_lower(struct tas_x11_conn *conn) {
    uint64_t count;
    ssize_t n = read(conn->wake, &count, sizeof(count));
    (void)n; /* EAGAIN: was not raised */
}

bool tas_x11_conn_is_dead(const struct tas_x11_conn *conn) {
    return xcb_connection_has_error(conn->xcb) != 0;
}

bool tas_x11_conn_is_local(const struct tas_x11_conn *conn) {
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof(addr);
    return getsockname(xcb_get_file_descriptor(conn->xcb), (struct sockaddr *)&addr, &len) == 0 &&
           addr.ss_family == AF_UNIX;
}
