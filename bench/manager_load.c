/* Many HTTPS clients in one process, which do as bench/manager.py tells them; every reply and event with its
 * time goes to a file. The clients share no code with what they measure.
 *
 *   manager_load ADDRESS NAME CA-FILE
 *
 * Commands on standard input, fields parted by tabs; each is answered by a line of JSON:
 *   plan NAME closed GROUP KEEPS   each connection has always one request under way, and takes GROUP requests
 * of the plan's list in a row; KEEPS 1: bodies of replies are written, too plan NAME open RATE KEEPS RATE
 * requests a second over the connections that are free plan NAME stream 1 0           each connection asks
 * once and then listens again PLAN                     its list begins anew when it is at its end req PLAN
 * TAG METHOD TARGET AUTHORIZATION BODY    one more request ("-": none); unanswered, they are many open PLAN
 * SOURCE h1|h2 N       N connections from an address (h2: streams only); for streams until each is "ready"
 *   run SECONDS FILE               all plans at once; ends early when all lists are over and nobody listens
 *
 * Lines of FILE, parted by tabs: r PLAN TAG STATUS SENT-US TOOK-US BODY, e CONNECTION SEEN-US DATA. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PLANS_MAX = 8,
    CONNS_MAX = 20000,
    AT_ONCE = 48, /* handshakes */
    OPEN_S = 180, /* the longest that opening may take */
    LATE_S = 15,  /* and replies after the end of a run */
    BLOCK = 16 * 1024,
    REPLY_MAX = 1024 * 1024,
    HEAD_MAX = 9 * 1024,
    FIELDS_MAX = 7,
    US_PER_S = 1000 * 1000,
    H2_HEAD = 9,
    H2_DATA = 0,
    H2_HEADERS = 1,
    H2_RESET = 3,
    H2_SETTINGS = 4,
    H2_PING = 6,
    H2_GOAWAY = 7,
};

struct bytes {
    char *ptr;
    size_t len, cap;
};

struct request {
    char *tag, *wire; /* wire: the HTTP/1.1 request, or the frames of HTTP/2 */
    size_t wire_len;
    char *method, *target, *authorization;
};

enum mode { CLOSED, OPEN, STREAM };

struct plan {
    char *name;
    enum mode mode;
    double rate;
    size_t group;
    bool keeps, begins_again;
    struct request *requests;
    size_t n_requests, cap, next;
    uint64_t issued, unsent;
    size_t last; /* connection that was used last */
};

enum state { CONNECTING, IDLE, BUSY, LISTENING, BROKEN };

struct conn {
    int fd;
    SSL *ssl;
    struct plan *plan;
    const struct request *request;
    size_t left_of_group, sent, place;
    enum state state;
    bool is_h2, has_head, is_ready;
    unsigned status;
    uint64_t sent_us;
    struct bytes in, text; /* text: of an event stream, without the framing */
};

struct load {
    struct sockaddr_in server;
    const char *name;
    SSL_CTX *tls;
    int epoll;
    struct plan plans[PLANS_MAX];
    size_t n_plans;
    struct conn *conns;
    size_t n_conns, n_connecting, n_broken, n_busy, n_ready;
    FILE *out;
    bool is_running; /* no new requests otherwise */
};

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / 1000;
}

static _Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void die(const char *fmt, ...) {
    va_list va;
    va_start(va, fmt);
    fputs("manager_load: ", stderr);
    vfprintf(stderr, fmt, va);
    fputc('\n', stderr);
    va_end(va);
    exit(1);
}

static void *must(void *ptr) {
    if (!ptr)
        die("out of memory");
    return ptr;
}

/* ---- bytes ---- */

static void add(struct bytes *b, const void *ptr, size_t len) {
    if (b->len + len + 1 > b->cap) {
        b->cap = (b->len + len + 1) * 2;
        b->ptr = must(realloc(b->ptr, b->cap));
    }
    if (len)
        memcpy(b->ptr + b->len, ptr, len);
    b->len += len;
    b->ptr[b->len] = '\0';
}

static void add_text(struct bytes *b, const char *text) {
    add(b, text, strlen(text));
}

static void drop(struct bytes *b, size_t n) {
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->ptr, b->ptr + n, b->len);
    b->ptr[b->len] = '\0';
    if (b->len == 0) { /* ten thousand idle streams are measured on the same machine */
        free(b->ptr);
        *b = (struct bytes){0};
    }
}

/* ---- requests as bytes ---- */

static void write_h1(struct load *load, struct request *r, const char *body) {
    struct bytes b = {0};
    char line[64];
    add_text(&b, r->method);
    add_text(&b, " ");
    add_text(&b, r->target);
    add_text(&b, " HTTP/1.1\r\nHost: ");
    add_text(&b, load->name);
    if (r->authorization[0]) {
        add_text(&b, "\r\nAuthorization: ");
        add_text(&b, r->authorization);
    }
    if (body[0]) {
        snprintf(line, sizeof(line), "\r\nContent-Length: %zu", strlen(body));
        add_text(&b, "\r\nContent-Type: application/json");
        add_text(&b, line);
    }
    add_text(&b, "\r\n\r\n");
    add_text(&b, body);
    r->wire = b.ptr;
    r->wire_len = b.len;
}

static void h2_frame(struct bytes *b, unsigned type, unsigned flags, uint32_t stream, const void *body,
                     size_t len) {
    const uint8_t head[H2_HEAD] = {(uint8_t)(len >> 16),    (uint8_t)(len >> 8),    (uint8_t)len,
                                   (uint8_t)type,           (uint8_t)flags,         (uint8_t)(stream >> 24),
                                   (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    add(b, head, sizeof(head));
    add(b, body, len);
}

/* RFC 7541 section 5.2, without Huffman; texts of up to 16,510 bytes. */
static void h2_string(struct bytes *b, const char *text) {
    size_t len = strlen(text);
    if (len < 127) {
        add(b, &(uint8_t){(uint8_t)len}, 1);
    } else {
        const uint8_t long_len[3] = {127, (uint8_t)(((len - 127) & 127) | 128), (uint8_t)((len - 127) >> 7)};
        add(b, long_len, sizeof(long_len));
    }
    add(b, text, len);
}

static void h2_field(struct bytes *b, const char *name, const char *value) {
    add(b, "\0", 1); /* literal, not indexed */
    h2_string(b, name);
    h2_string(b, value);
}

/* Preface, settings with wide windows, and one request on stream 1. */
static void write_h2(struct load *load, const struct request *r, struct bytes *b) {
    static const uint8_t settings[] = {0, 2, 0, 0, 0, 0, /* no push */ 0, 4, 0x7f, 0xff, 0xff, 0xff};
    static const uint8_t window[] = {0x7f, 0, 0, 0};
    struct bytes fields = {0};
    add_text(b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    h2_frame(b, H2_SETTINGS, 0, 0, settings, sizeof(settings));
    h2_frame(b, 8, 0, 0, window, sizeof(window));
    h2_field(&fields, ":method", r->method);
    h2_field(&fields, ":scheme", "https");
    h2_field(&fields, ":path", r->target);
    h2_field(&fields, ":authority", load->name);
    if (r->authorization[0])
        h2_field(&fields, "authorization", r->authorization);
    h2_frame(b, H2_HEADERS, 5, 1, fields.ptr, fields.len); /* END_STREAM, END_HEADERS */
    free(fields.ptr);
}

/* ---- one connection ---- */

static void break_off(struct load *load, struct conn *c, const char *why) {
    if (c->state == BROKEN)
        return;
    if (load->n_broken++ < 5)
        fprintf(stderr, "connection %zu of %s broke in state %d: %s\n", c->place, c->plan->name,
                (int)c->state, why);
    load->n_connecting -= c->state == CONNECTING;
    load->n_busy -= c->state == BUSY;
    load->n_ready -= c->is_ready;
    c->is_ready = false;
    c->state = BROKEN;
    SSL_free(c->ssl);
    c->ssl = NULL;
    close(c->fd);
    free(c->in.ptr);
    free(c->text.ptr);
    c->in = c->text = (struct bytes){0};
}

/* A few hundred bytes into an empty socket: they fit. */
static void send_bytes(struct load *load, struct conn *c, const char *bytes, size_t len) {
    if (SSL_write(c->ssl, bytes, (int)len) != (int)len)
        break_off(load, c, "cannot write");
}

static bool has_more(const struct plan *p) {
    return p->next < p->n_requests || (p->begins_again && p->n_requests > 0);
}

static const struct request *take(struct plan *p) {
    if (p->next == p->n_requests)
        p->next = 0;
    return &p->requests[p->next++];
}

static void ask(struct load *load, struct conn *c) {
    c->request = take(c->plan);
    c->state = BUSY;
    load->n_busy++;
    c->has_head = false;
    c->sent_us = now_us();
    send_bytes(load, c, c->request->wire, c->request->wire_len);
}

static void listen_to(struct load *load, struct conn *c) {
    c->request = take(c->plan);
    c->state = LISTENING;
    c->has_head = false;
    if (!c->is_h2) {
        send_bytes(load, c, c->request->wire, c->request->wire_len);
        return;
    }
    struct bytes b = {0};
    write_h2(load, c->request, &b);
    send_bytes(load, c, b.ptr, b.len);
    free(b.ptr);
}

/* What a free connection of a closed plan does next. */
static void go_on(struct load *load, struct conn *c) {
    struct plan *p = c->plan;
    if (!load->is_running || p->mode != CLOSED || c->state != IDLE)
        return;
    if (c->left_of_group == 0)
        c->left_of_group = p->group;
    if (!has_more(p))
        return;
    c->left_of_group--;
    ask(load, c);
}

static void replied(struct load *load, struct conn *c, const char *body, size_t len) {
    if (load->out)
        fprintf(load->out, "r\t%s\t%s\t%u\t%" PRIu64 "\t%" PRIu64 "\t%.*s\n", c->plan->name, c->request->tag,
                c->status, c->sent_us, now_us() - c->sent_us, c->plan->keeps ? (int)len : 0, body);
    c->state = IDLE;
    load->n_busy--;
}

static void read_lines(struct load *load, struct conn *c) {
    char *line = c->text.ptr;
    for (char *end; line && (end = memchr(line, '\n', c->text.len - (size_t)(line - c->text.ptr)));
         line = end + 1) {
        *end = '\0';
        if (strcmp(line, "event: ready") == 0 && !c->is_ready) {
            c->is_ready = true;
            load->n_ready++;
        } else if (strncmp(line, "data: ", 6) == 0 && load->out) {
            fprintf(load->out, "e\t%zu\t%" PRIu64 "\t%s\n", c->place, now_us(), line + 6);
        }
    }
    if (line)
        drop(&c->text, (size_t)(line - c->text.ptr));
}

/* ---- HTTP/1.1 ---- */

/* The head's length; 0: more is needed. */
static size_t read_head(struct load *load, struct conn *c, size_t *length) {
    char *end = strstr(c->in.ptr, "\r\n\r\n");
    if (!end) {
        if (c->in.len > HEAD_MAX)
            break_off(load, c, "the reply's head is too long");
        return 0;
    }
    *end = '\0';
    const char *has_length = strcasestr(c->in.ptr, "\r\ncontent-length:");
    *length = has_length ? strtoul(has_length + 17, NULL, 10) : 0;
    c->status = c->in.len > 12 ? (unsigned)strtoul(c->in.ptr + 9, NULL, 10) : 0;
    if (strcasestr(c->in.ptr, "\r\ntransfer-encoding:") || *length > REPLY_MAX) {
        break_off(load, c, "a reply of a kind that this client does not know");
        return 0;
    }
    *end = '\r';
    return (size_t)(end - c->in.ptr) + 4;
}

static void h1_listen(struct load *load, struct conn *c) {
    size_t length;
    if (!c->has_head) {
        size_t head = read_head(load, c, &length);
        if (head == 0)
            return;
        if (c->status != 200) {
            break_off(load, c, c->in.ptr);
            return;
        }
        c->has_head = true;
        drop(&c->in, head);
    }
    add(&c->text, c->in.ptr, c->in.len);
    drop(&c->in, c->in.len);
    read_lines(load, c);
}

static void h1_take(struct load *load, struct conn *c) {
    size_t length;
    if (c->state == LISTENING) {
        h1_listen(load, c);
        return;
    }
    size_t head = c->in.ptr ? read_head(load, c, &length) : 0;
    if (head == 0 || c->in.len < head + length)
        return;
    if (c->state != BUSY) {
        break_off(load, c, "a reply that was not asked for");
        return;
    }
    replied(load, c, c->in.ptr + head, length);
    drop(&c->in, head + length);
    go_on(load, c);
}

/* ---- HTTP/2 ---- */

static void h2_frame_in(struct load *load, struct conn *c, unsigned type, unsigned flags, const char *body,
                        size_t len) {
    struct bytes b = {0};
    if (type == H2_DATA)
        add(&c->text, body, len); /* not padded by this server */
    else if (type == H2_SETTINGS && !(flags & 1))
        h2_frame(&b, H2_SETTINGS, 1, 0, NULL, 0);
    else if (type == H2_PING && !(flags & 1))
        h2_frame(&b, H2_PING, 1, 0, body, len);
    else if (type == H2_HEADERS && (len == 0 || (uint8_t)body[0] != 0x88)) /* :status 200 */
        break_off(load, c, "another status than 200");
    else if (type == H2_RESET || type == H2_GOAWAY)
        break_off(load, c, "the stream was reset");
    if (b.len && c->state != BROKEN)
        send_bytes(load, c, b.ptr, b.len);
    free(b.ptr);
}

static void h2_take(struct load *load, struct conn *c) {
    while (c->state != BROKEN && c->in.len >= H2_HEAD) {
        const uint8_t *h = (const uint8_t *)c->in.ptr;
        size_t len = (size_t)h[0] << 16 | (size_t)h[1] << 8 | h[2];
        if (c->in.len < H2_HEAD + len)
            break;
        h2_frame_in(load, c, h[3], h[4], c->in.ptr + H2_HEAD, len);
        if (c->state != BROKEN)
            drop(&c->in, H2_HEAD + len);
    }
    if (c->state != BROKEN)
        read_lines(load, c);
}

/* ---- the network ---- */

static void shake_hands(struct load *load, struct conn *c) {
    ERR_clear_error();
    int n = SSL_connect(c->ssl);
    int err = n == 1 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, n);
    if (n != 1) {
        if (err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE)
            break_off(load, c, "the TLS handshake failed");
        return;
    }
    load->n_connecting--;
    c->state = IDLE;
    if (c->plan->mode == STREAM)
        listen_to(load, c);
}

static void read_all(struct load *load, struct conn *c) {
    char block[BLOCK];
    while (c->state != BROKEN) {
        ERR_clear_error();
        int n = SSL_read(c->ssl, block, sizeof(block));
        if (n <= 0) {
            if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ)
                break_off(load, c, "closed by the server");
            return;
        }
        add(&c->in, block, (size_t)n);
        if (c->is_h2)
            h2_take(load, c);
        else
            h1_take(load, c);
    }
}

static void turn(struct load *load, int timeout_ms) {
    struct epoll_event events[256];
    int n = epoll_wait(load->epoll, events, 256, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct conn *c = events[i].data.ptr;
        if (c->state == CONNECTING)
            shake_hands(load, c);
        if (c->state != CONNECTING && c->state != BROKEN)
            read_all(load, c);
    }
}

static void start_conn(struct load *load, struct plan *plan, struct in_addr source, bool is_h2) {
    if (load->n_conns == CONNS_MAX)
        die("more than %d connections", CONNS_MAX);
    struct conn *c = &load->conns[load->n_conns];
    *c = (struct conn){.plan = plan, .place = load->n_conns++, .is_h2 = is_h2};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = source};
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) != 0 ||
        bind(c->fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
        connect(c->fd, (struct sockaddr *)&load->server, sizeof(load->server)) != 0)
        die("connection %zu: %s", c->place, strerror(errno)); /* loopback: connect() takes no time */
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) != 0)
        die("connection %zu: %s", c->place, strerror(errno));
    c->ssl = must(SSL_new(load->tls));
    static const unsigned char h1[] = "\x08http/1.1", h2[] = "\x02h2";
    if (SSL_set_fd(c->ssl, c->fd) != 1 || SSL_set1_host(c->ssl, load->name) != 1 ||
        SSL_set_tlsext_host_name(c->ssl, load->name) != 1 ||
        SSL_set_alpn_protos(c->ssl, is_h2 ? h2 : h1, is_h2 ? sizeof(h2) - 1 : sizeof(h1) - 1) != 0)
        die("TLS of a connection");
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        die("epoll: %s", strerror(errno));
    load->n_connecting++;
    shake_hands(load, c);
}

/* ---- commands ---- */

static struct plan *plan_of(struct load *load, const char *name) {
    for (size_t i = 0; i < load->n_plans; i++)
        if (strcmp(load->plans[i].name, name) == 0)
            return &load->plans[i];
    die("no plan %s", name);
}

static void on_plan(struct load *load, char **fields) {
    if (load->n_plans == PLANS_MAX)
        die("too many plans");
    struct plan *p = &load->plans[load->n_plans++];
    *p = (struct plan){.name = must(strdup(fields[1])), .keeps = fields[4][0] == '1'};
    p->mode = strcmp(fields[2], "closed") == 0 ? CLOSED : strcmp(fields[2], "open") == 0 ? OPEN : STREAM;
    p->rate = strtod(fields[3], NULL);
    p->group = p->mode == CLOSED ? (size_t)p->rate : 1;
}

static char *copy_or_none(const char *text) {
    return must(strdup(strcmp(text, "-") == 0 ? "" : text));
}

static void on_request(struct load *load, char **fields) {
    struct plan *p = plan_of(load, fields[1]);
    if (p->n_requests == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 256;
        p->requests = must(realloc(p->requests, p->cap * sizeof(*p->requests)));
    }
    struct request *r = &p->requests[p->n_requests++];
    *r = (struct request){.tag = must(strdup(fields[2])),
                          .method = must(strdup(fields[3])),
                          .target = must(strdup(fields[4])),
                          .authorization = copy_or_none(fields[5])};
    char *body = copy_or_none(fields[6]);
    write_h1(load, r, body);
    free(body);
}

static void on_open(struct load *load, char **fields) {
    struct plan *p = plan_of(load, fields[1]);
    struct in_addr source;
    bool is_h2 = strcmp(fields[3], "h2") == 0;
    unsigned long n = strtoul(fields[4], NULL, 10);
    uint64_t began_us = now_us();
    size_t first = load->n_conns;
    size_t broken = load->n_broken;
    size_t ready = load->n_ready;
    if (inet_pton(AF_INET, fields[2], &source) != 1 || (is_h2 && p->mode != STREAM) ||
        (p->mode == STREAM && p->next + n > p->n_requests))
        die("open: a bad address, HTTP/2 without streams, or more streams than requests");
    while (now_us() - began_us < (uint64_t)OPEN_S * US_PER_S) {
        while (load->n_conns < first + n && load->n_connecting < AT_ONCE)
            start_conn(load, p, source, is_h2);
        size_t over =
            load->n_broken - broken +
            (p->mode == STREAM ? load->n_ready - ready : load->n_conns - first - load->n_connecting);
        if (load->n_conns == first + n && over >= n)
            break;
        turn(load, 20);
    }
    printf("{\"event\":\"opened\",\"n\":%lu,\"broken\":%zu,\"streams\":%zu,\"seconds\":%.3f}\n", n,
           load->n_broken - broken, load->n_ready, (double)(now_us() - began_us) / US_PER_S);
}

static struct conn *free_conn(struct load *load, struct plan *p) {
    for (size_t i = 0; i < load->n_conns; i++) {
        p->last = (p->last + 1) % load->n_conns;
        struct conn *c = &load->conns[p->last];
        if (c->plan == p && c->state == IDLE)
            return c;
    }
    return NULL;
}

static void send_due(struct load *load, struct plan *p, uint64_t elapsed_us) {
    uint64_t due = (uint64_t)(p->rate * (double)elapsed_us / US_PER_S);
    while (p->issued < due && has_more(p)) {
        struct conn *c = free_conn(load, p);
        p->issued++;
        if (c)
            ask(load, c);
        else
            p->unsent++;
    }
}

/* False: all lists are at their end, and nobody listens. */
static bool push_on(struct load *load, uint64_t elapsed_us) {
    bool any = false;
    for (size_t i = 0; i < load->n_plans; i++) {
        struct plan *p = &load->plans[i];
        any = any || p->mode == STREAM || has_more(p);
        if (p->mode == OPEN)
            send_due(load, p, elapsed_us);
    }
    return any;
}

static void on_run(struct load *load, char **fields) {
    uint64_t length_us = (uint64_t)(strtod(fields[1], NULL) * US_PER_S);
    uint64_t began_us = now_us();
    uint64_t unsent = 0;
    size_t broken = load->n_broken;
    load->out = must(fopen(fields[2], "we"));
    load->is_running = true;
    for (size_t i = 0; i < load->n_plans; i++)
        load->plans[i].issued = load->plans[i].unsent = 0;
    for (size_t i = 0; i < load->n_conns; i++)
        go_on(load, &load->conns[i]);
    uint64_t at_us = 0;
    while (at_us < length_us && (push_on(load, at_us) || load->n_busy > 0)) {
        turn(load, 1);
        at_us = now_us() - began_us;
    }
    load->is_running = false;
    while (load->n_busy > 0 && now_us() - began_us < at_us + (uint64_t)LATE_S * US_PER_S)
        turn(load, 20);
    for (size_t i = 0; i < load->n_plans; i++)
        unsent += load->plans[i].unsent;
    if (fclose(load->out) != 0)
        die("%s: %s", fields[2], strerror(errno));
    load->out = NULL;
    printf("{\"event\":\"ran\",\"began_us\":%" PRIu64 ",\"seconds\":%.6f,\"unsent\":%" PRIu64
           ",\"unanswered\":%zu,\"broken\":%zu,\"streams\":%zu}\n",
           began_us, (double)at_us / US_PER_S, unsent, load->n_busy, load->n_broken - broken, load->n_ready);
}

static void obey(struct load *load, char *line) {
    char *fields[FIELDS_MAX] = {0};
    size_t n = 0;
    for (char *rest = line, *field; n < FIELDS_MAX && (field = strsep(&rest, "\t"));)
        fields[n++] = field;
    if (strcmp(fields[0], "req") == 0 && n == 7)
        on_request(load, fields);
    else if (strcmp(fields[0], "plan") == 0 && n == 5)
        on_plan(load, fields);
    else if (strcmp(fields[0], "again") == 0 && n == 2)
        plan_of(load, fields[1])->begins_again = true;
    else if (strcmp(fields[0], "open") == 0 && n == 5)
        on_open(load, fields);
    else if (strcmp(fields[0], "run") == 0 && n == 3)
        on_run(load, fields);
    else
        die("no such command: %s with %zu fields", fields[0], n);
    fflush(stdout);
}

/* ---- start ---- */

static void set_up(struct load *load, char **argv) {
    char host[64];
    const char *colon = strrchr(argv[1], ':');
    struct rlimit files;
    if (!colon || (size_t)(colon - argv[1]) >= sizeof(host))
        die("%s: not an address with a port", argv[1]);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - argv[1]), argv[1]);
    load->server = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10))};
    if (inet_pton(AF_INET, host, &load->server.sin_addr) != 1)
        die("%s: not an address", host);
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        die("getrlimit: %s", strerror(errno));
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        die("setrlimit: %s", strerror(errno));
    load->name = argv[2];
    load->conns = must(calloc(CONNS_MAX, sizeof(*load->conns)));
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->tls = must(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(load->tls, TLS1_3_VERSION);
    SSL_CTX_set_mode(load->tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(load->tls, SSL_VERIFY_PEER, NULL);
    if (load->epoll < 0 || SSL_CTX_load_verify_locations(load->tls, argv[3], NULL) != 1)
        die("cannot set up TLS with %s", argv[3]);
}

int main(int argc, char **argv) {
    struct load load = {0};
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    if (argc != 4)
        die("manager_load ADDRESS NAME CA-FILE");
    set_up(&load, argv);
    while ((len = getline(&line, &cap, stdin)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        obey(&load, line);
    }
    return 0;
}
