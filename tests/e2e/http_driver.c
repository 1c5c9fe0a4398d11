/* The HTTP client, driven by test_http_client.py: commands as lines on standard input, what comes as lines of
 * JSON on standard output.
 *
 *     client [ca=FILE] [ca_pem=FILE] [certificate=FILE] [private_key=FILE] [proxy=URL]
 *     ask NAME METHOD URL ADDRESS TIMEOUT_MS AUTHORIZATION BODY     ("-": none)
 *     listen NAME URL ADDRESS TIMEOUT_MS
 *     tunnel NAME ADDRESS
 *     within NAME WHAT OTHER      at NAME's next callback: cancel or ask OTHER, or free the client
 *     cancel NAME | has_proxy URL | free */
#include "base/buf.h"
#include "base/json.h"
#include "http/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALLS_MAX = 64, WORDS_MAX = 9, INPUT_MAX = 1024 * 1024, PEM_MAX = 64 * 1024 };

struct driver;

struct named {
    struct driver *driver;
    struct tas_http_call *call;
    char name[32];
    char what[16], other[32]; /* within its next callback */
    char url[256], address[64];
};

static struct driver {
    struct tas_loop *loop;
    struct tas_http_client *client;
    struct tas_watch *watch;
    struct tas_buf in;
    struct named calls[CALLS_MAX];
    unsigned n_calls;
} driver;

static struct named *find(const char *name) {
    for (unsigned i = driver.n_calls; i > 0; i--)
        if (strcmp(driver.calls[i - 1].name, name) == 0)
            return &driver.calls[i - 1];
    fprintf(stderr, "no call %s\n", name);
    exit(2);
}

static struct named *name_it(const char *name) {
    if (driver.n_calls == CALLS_MAX)
        exit(2);
    struct named *n = &driver.calls[driver.n_calls++];
    snprintf(n->name, sizeof(n->name), "%s", name);
    n->driver = &driver;
    return n;
}

static void print_text(const char *name, struct tas_bytes text) {
    char *json = tas_json_string(text);
    printf(",\"%s\":%s", name, json ? json : "null");
    free(json);
}

static struct tas_bytes bytes_of(const char *text) {
    return tas_bytes_of(text, strlen(text));
}

static void open_line(const char *event, const struct named *n) {
    printf("{\"event\":\"%s\",\"name\":\"%s\"", event, n->name);
}

static void close_line(void) {
    printf("}\n");
    fflush(stdout);
}

static void on_done(void *ctx, const struct tas_http_answer *a);

static void do_within(struct named *n) {
    char what[sizeof(n->what)];
    memcpy(what, n->what, sizeof(what));
    n->what[0] = '\0';
    if (strcmp(what, "cancel") == 0)
        tas_http_cancel(find(n->other)->call);
    if (strcmp(what, "free") == 0) {
        tas_http_client_free(driver.client);
        driver.client = NULL;
    }
    if (strcmp(what, "ask") == 0) {
        struct named *other = name_it(n->other);
        struct tas_http_ask ask = {.method = "GET", .url = n->url, .address = n->address};
        other->call = tas_http_ask(driver.client, &ask, on_done, other);
    }
}

static void on_done(void *ctx, const struct tas_http_answer *a) {
    struct named *n = ctx;
    open_line("answer", n);
    printf(",\"err\":\"%s\",\"status\":%u,\"len\":%zu,\"connect_us\":%u,\"retry\":%d", tas_err_name(a->err),
           a->status, a->body.len, a->connect_us, a->retry_after_s);
    print_text("why", bytes_of(a->why));
    print_text("type", bytes_of(a->content_type));
    if (a->body.len < 10000)
        print_text("body", a->body);
    close_line();
    do_within(n);
    n->call = NULL; /* a cancel that comes too late */
}

static void on_event(void *ctx, const char *id, const char *event, const char *data) {
    struct named *n = ctx;
    open_line("event", n);
    print_text("id", bytes_of(id));
    print_text("type", bytes_of(event));
    printf(",\"len\":%zu", strlen(data));
    if (strlen(data) < 10000)
        print_text("data", bytes_of(data));
    close_line();
    do_within(n);
}

/* Speaks one line through the tunnel and reads one. */
static void on_tunnel(void *ctx, int fd, const char *why) {
    struct named *n = ctx;
    char got[64] = "";
    if (fd >= 0) {
        ssize_t len = write(fd, "hello\n", 6);
        while (len >= 0 || errno == EAGAIN) {
            len = read(fd, got, sizeof(got) - 1);
            if (len >= 0)
                break;
        }
        got[len > 0 ? len : 0] = '\0';
        close(fd);
    }
    open_line("tunnel", n);
    printf(",\"fd\":%d", fd);
    print_text("why", bytes_of(why));
    print_text("got", bytes_of(got));
    close_line();
    do_within(n);
    n->call = NULL;
}

static const char *or_null(const char *word) {
    return strcmp(word, "-") == 0 ? NULL : word;
}

static char *read_pem(const char *path) {
    static char pem[PEM_MAX];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(pem, 1, sizeof(pem) - 1, f) : 0;
    pem[n] = '\0';
    if (f)
        fclose(f);
    return pem;
}

static void new_client(char **words, int n) {
    struct tas_http_client_config config = {.user_agent = "http-driver/1"};
    char why[TAS_HTTP_CLIENT_WHY];
    for (int i = 1; i < n; i++) {
        char *value = strchr(words[i], '=');
        if (!value)
            exit(2);
        *value++ = '\0';
        if (strcmp(words[i], "ca") == 0)
            config.ca_file = value;
        if (strcmp(words[i], "ca_pem") == 0)
            config.ca_pem = read_pem(value);
        if (strcmp(words[i], "certificate") == 0)
            config.certificate = value;
        if (strcmp(words[i], "private_key") == 0)
            config.private_key = value;
        if (strcmp(words[i], "proxy") == 0)
            config.proxy = value;
    }
    tas_http_client_free(driver.client);
    driver.client = tas_http_client_new(driver.loop, &config, why);
    printf("{\"event\":\"client\",\"ok\":%s", driver.client ? "true" : "false");
    print_text("why", bytes_of(driver.client ? "" : why));
    close_line();
}

static void ask(char **words) {
    struct named *n = name_it(words[1]);
    struct tas_http_ask a = {
        .method = words[2],
        .url = words[3],
        .address = or_null(words[4]),
        .timeout_ms = (unsigned)strtoul(words[5], NULL, 10),
        .authorization = or_null(words[6]),
    };
    if (or_null(words[7]))
        a.body = bytes_of(words[7]);
    snprintf(n->url, sizeof(n->url), "%.255s", words[3]);
    snprintf(n->address, sizeof(n->address), "%.63s", words[4]);
    n->call = tas_http_ask(driver.client, &a, on_done, n);
}

static void listen_to(char **words) {
    struct named *n = name_it(words[1]);
    struct tas_http_ask a = {
        .method = "GET",
        .url = words[2],
        .address = or_null(words[3]),
        .timeout_ms = (unsigned)strtoul(words[4], NULL, 10),
    };
    snprintf(n->url, sizeof(n->url), "%.255s", words[2]);
    snprintf(n->address, sizeof(n->address), "%.63s", words[3]);
    n->call = tas_http_listen(driver.client, &a, on_event, on_done, n);
}

static int split(char *line, char **words) {
    int n = 0;
    for (char *at = line; n < WORDS_MAX;) {
        words[n++] = at;
        char *space = strchr(at, ' ');
        if (!space)
            break;
        *space = '\0';
        at = space + 1;
    }
    return n;
}

static void on_line(char *line) {
    char *words[WORDS_MAX];
    int n = split(line, words);
    if (strcmp(words[0], "client") == 0)
        new_client(words, n);
    else if (strcmp(words[0], "ask") == 0 && n == 8)
        ask(words);
    else if (strcmp(words[0], "listen") == 0 && n == 5)
        listen_to(words);
    else if (strcmp(words[0], "tunnel") == 0 && n == 3) {
        struct named *t = name_it(words[1]);
        t->call = tas_http_tunnel(driver.client, words[2], on_tunnel, t);
    } else if (strcmp(words[0], "within") == 0 && n == 4) {
        struct named *w = find(words[1]);
        snprintf(w->what, sizeof(w->what), "%s", words[2]);
        snprintf(w->other, sizeof(w->other), "%s", words[3]);
    } else if (strcmp(words[0], "cancel") == 0 && n == 2)
        tas_http_cancel(find(words[1])->call);
    else if (strcmp(words[0], "has_proxy") == 0 && n == 2) {
        printf("{\"event\":\"has_proxy\",\"is\":%s",
               tas_http_has_proxy(driver.client, words[1]) ? "true" : "false");
        close_line();
    } else if (strcmp(words[0], "free") == 0) {
        tas_http_client_free(driver.client);
        driver.client = NULL;
        printf("{\"event\":\"freed\"");
        close_line();
    } else {
        fprintf(stderr, "not a command: %s (%d words)\n", words[0], n);
        exit(2);
    }
}

static void on_input(void *ctx, unsigned ready) {
    (void)ctx;
    (void)ready;
    uint8_t some[4096];
    ssize_t n = read(STDIN_FILENO, some, sizeof(some));
    if (n <= 0 || tas_buf_append(&driver.in, tas_bytes_of(some, (size_t)n)) != TAS_OK) {
        tas_loop_stop(driver.loop);
        return;
    }
    for (;;) {
        struct tas_bytes all = tas_buf_peek(&driver.in);
        const uint8_t *end = all.len ? memchr(all.ptr, '\n', all.len) : NULL;
        if (!end)
            return;
        char *line = strndup((const char *)all.ptr, (size_t)(end - all.ptr));
        tas_buf_drop(&driver.in, (size_t)(end - all.ptr) + 1);
        if (line)
            on_line(line);
        free(line);
    }
}

int main(void) {
    tas_loop_block_signals(NULL, 0);
    driver.loop = tas_loop_new();
    tas_buf_init(&driver.in, INPUT_MAX);
    driver.watch =
        driver.loop ? tas_watch_new(driver.loop, STDIN_FILENO, TAS_READABLE, on_input, NULL) : NULL;
    int err = driver.watch ? tas_loop_run(driver.loop) : TAS_E_NOMEM;
    tas_http_client_free(driver.client);
    tas_watch_free(driver.watch);
    tas_loop_free(driver.loop);
    tas_buf_fini(&driver.in);
    return err == TAS_OK ? 0 : 1;
}
