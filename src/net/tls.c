#include "net/tls.h"

#include "net/socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IO_LEN = 256 * 1024,
    RECORD_PLAIN = 16384,
    FLUSH_AT = IO_LEN - 2 * (RECORD_PLAIN + 256), /* before the next record might not fit */
    TAIL_MAX = IO_LEN + RECORD_PLAIN,
};

static const unsigned char alpn[] = "\x08tasuki/1";
static const unsigned char alpn_http[] = "\x02h2\x08http/1.1";
static const unsigned char alpn_http_1[] = "\x08http/1.1";

struct tas_tls {
    SSL_CTX *ctx;
    bool is_server, is_http;
};

/* Ciphertext on its way in and out, of one connection at a time. */
struct tas_io {
    uint8_t in[IO_LEN];
    size_t in_at, in_len;
    uint8_t out[IO_LEN];
    size_t out_len;
    struct tas_conn *writer; /* whose bytes are in out */
};

struct tas_conn {
    struct tas_loop *loop;
    struct tas_io *io;
    struct tas_watch *watch;
    const struct tas_conn_events *events;
    void *ctx;
    SSL *ssl;
    int fd;
    bool is_secured, is_paused, is_broken, is_reading;
    bool may_lack_alpn;
    bool wants_shut, is_notified, is_shut;
    enum tas_conn_fault fault;
    bool *was_freed;         /* set by tas_conn_free() when it is called from within a callback */
    struct tas_buf tail_in;  /* ciphertext that came while paused */
    struct tas_buf tail_out; /* ciphertext that the kernel has not taken */
};

/* ---- contexts ---- */

static void last_error(char why[TAS_WHY_MAX], const char *what, const char *file) {
    unsigned long code = ERR_peek_error(); /* the first is the cause */
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (ERR_SYSTEM_ERROR(code))
        reason = strerror(ERR_GET_REASON(code));
    snprintf(why, TAS_WHY_MAX, "%s%s%s: %s", what, file ? " " : "", file ? file : "",
             reason ? reason : "out of memory");
    ERR_clear_error();
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg) {
    (void)ssl;
    const unsigned char *ours = arg;
    unsigned char *got;
    unsigned ours_len = (unsigned)strlen(arg);
    if (SSL_select_next_proto(&got, out_len, ours, ours_len, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = got;
    return SSL_TLSEXT_ERR_OK;
}

static struct tas_tls *context(bool is_server, char why[TAS_WHY_MAX]) {
    struct tas_tls *tls = calloc(1, sizeof(*tls));
    if (!tls)
        return NULL;
    tls->is_server = is_server;
    tls->ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    bool ok =
        tls->ctx && SSL_CTX_set_min_proto_version(tls->ctx, TLS1_3_VERSION) == 1 &&
        SSL_CTX_set_ciphersuites(
            tls->ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384") == 1 &&
        SSL_CTX_set1_groups_list(tls->ctx, "X25519:P-256") == 1;
    if (!ok) {
        last_error(why, "TLS", NULL);
        tas_tls_free(tls);
        return NULL;
    }
    SSL_CTX_set_mode(tls->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(tls->ctx, 0);
    return tls;
}

static struct tas_tls *server(const unsigned char *protocols, const char *cert_file, const char *key_file,
                              char why[TAS_WHY_MAX]) {
    struct tas_tls *tls = context(true, why);
    if (!tls)
        return NULL;
    SSL_CTX_set_alpn_select_cb(tls->ctx, choose_alpn, (void *)(uintptr_t)protocols);
    const char *wrong = NULL;
    if (SSL_CTX_use_certificate_chain_file(tls->ctx, cert_file) != 1)
        wrong = cert_file;
    else if (SSL_CTX_use_PrivateKey_file(tls->ctx, key_file, SSL_FILETYPE_PEM) != 1)
        wrong = key_file;
    else if (SSL_CTX_check_private_key(tls->ctx) != 1)
        wrong = key_file;
    if (!wrong)
        return tls;
    last_error(why, "cannot use", wrong);
    tas_tls_free(tls);
    return NULL;
}

struct tas_tls *tas_tls_server(const char *cert_file, const char *key_file, char why[TAS_WHY_MAX]) {
    return server(alpn, cert_file, key_file, why);
}

struct tas_tls *tas_tls_http_server(const char *cert_file, const char *key_file, const char *client_ca,
                                    char why[TAS_WHY_MAX]) {
    struct tas_tls *tls = server(alpn_http, cert_file, key_file, why);
    if (!tls)
        return NULL;
    tls->is_http = true;
    if (!client_ca)
        return tls;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(client_ca);
    if (names && SSL_CTX_load_verify_file(tls->ctx, client_ca) == 1) {
        SSL_CTX_set_client_CA_list(tls->ctx, names);
        SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        return tls;
    }
    last_error(why, "cannot use", client_ca);
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    tas_tls_free(tls);
    return NULL;
}

/* TAS_E_CONFIG: something in it is not a certificate, or there is none. */
static int trust_pem(SSL_CTX *ctx, const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    int n = 0;
    bool is_bad = !bio;
    for (X509 *cert; !is_bad && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++) {
        is_bad = X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) != 1;
        X509_free(cert);
    }
    bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    BIO_free(bio);
    if (is_bad || n == 0 || !is_at_end)
        return TAS_E_CONFIG;
    ERR_clear_error();
    return TAS_OK;
}

/* OpenSSL looks where the distribution had it look that this program was built on. A program that is one file
 * runs on others too: theirs keep their authorities here. */
static const char *const authorities[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Gentoo */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, Red Hat */
    "/etc/ssl/ca-bundle.pem",             /* openSUSE */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/cert.pem", /* Alpine */
};

static bool is_there(const char *variable, const char *otherwise) {
    const char *path = getenv(variable);
    return access(path ? path : otherwise, R_OK) == 0;
}

static int trust_system(SSL_CTX *ctx) {
    if (!is_there(X509_get_default_cert_file_env(), X509_get_default_cert_file()) &&
        !is_there(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()))
        for (size_t i = 0; i < sizeof(authorities) / sizeof(authorities[0]); i++)
            if (access(authorities[i], R_OK) == 0 && SSL_CTX_load_verify_file(ctx, authorities[i]) == 1)
                return TAS_OK;
    ERR_clear_error();
    return SSL_CTX_set_default_verify_paths(ctx) == 1 ? TAS_OK : TAS_E_NOMEM;
}

/* No protocol is offered yet. */
static struct tas_tls *client(const char *ca_file, const char *ca_pem, char why[TAS_WHY_MAX]) {
    struct tas_tls *tls = context(false, why);
    if (!tls)
        return NULL;
    SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
    if (ca_file ? SSL_CTX_load_verify_file(tls->ctx, ca_file) == 1
                : (ca_pem ? trust_pem(tls->ctx, ca_pem) : trust_system(tls->ctx)) == TAS_OK)
        return tls;
    last_error(why, ca_pem ? "cannot use the authorities' certificates" : "cannot use", ca_file);
    tas_tls_free(tls);
    return NULL;
}

static struct tas_tls *speaking(struct tas_tls *tls, const unsigned char *protocols, unsigned len,
                                char why[TAS_WHY_MAX]) {
    if (!tls || SSL_CTX_set_alpn_protos(tls->ctx, protocols, len) == 0)
        return tls;
    last_error(why, "TLS", NULL);
    tas_tls_free(tls);
    return NULL;
}

struct tas_tls *tas_tls_client(const char *ca_file, char why[TAS_WHY_MAX]) {
    return speaking(client(ca_file, NULL, why), alpn, sizeof(alpn) - 1, why);
}

struct tas_tls *tas_tls_client_pem(const char *ca_pem, char why[TAS_WHY_MAX]) {
    return speaking(client(NULL, ca_pem, why), alpn, sizeof(alpn) - 1, why);
}

/* Nobody is asked for a pass phrase. */
static int no_phrase(char *out, int cap, int is_writing, void *ctx) {
    (void)out;
    (void)cap;
    (void)is_writing;
    (void)ctx;
    return -1;
}

/* The first certificate is ours; those that follow lead to an authority. */
static bool show_certificate(SSL_CTX *ctx, const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *own = bio ? PEM_read_bio_X509(bio, NULL, no_phrase, NULL) : NULL;
    bool ok = own && SSL_CTX_use_certificate(ctx, own) == 1;
    for (X509 *more; ok && (more = PEM_read_bio_X509(bio, NULL, no_phrase, NULL));) {
        ok = SSL_CTX_add0_chain_cert(ctx, more) == 1;
        if (!ok)
            X509_free(more);
    }
    X509_free(own);
    BIO_free(bio);
    return ok;
}

static bool use_key(SSL_CTX *ctx, const char *pem) {
    ERR_clear_error(); /* the end of the chain counts as one */
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL) : NULL;
    bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok;
}

struct tas_tls *tas_tls_http_client(const char *ca_pem, const char *certificate, const char *private_key,
                                    char why[TAS_WHY_MAX]) {
    struct tas_tls *tls = speaking(client(NULL, ca_pem, why), alpn_http_1, sizeof(alpn_http_1) - 1, why);
    if (!tls)
        return NULL;
    tls->is_http = true;
    if (!certificate ||
        (show_certificate(tls->ctx, certificate) && private_key && use_key(tls->ctx, private_key)))
        return tls;
    last_error(why, "our own certificate and key cannot be used", NULL);
    tas_tls_free(tls);
    return NULL;
}

void tas_tls_set_time(struct tas_tls *tls, uint64_t wall_ms) {
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(tls->ctx), (time_t)(wall_ms / 1000));
}

void tas_tls_free(struct tas_tls *tls) {
    if (!tls)
        return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}

struct tas_io *tas_io_new(void) {
    return calloc(1, sizeof(struct tas_io));
}

void tas_io_free(struct tas_io *io) {
    free(io);
}

/* ---- the BIO between OpenSSL and the thread's buffers ---- */

static int bio_read(BIO *bio, char *to, int len) {
    struct tas_conn *conn = BIO_get_data(bio);
    struct tas_io *io = conn->io;
    BIO_clear_retry_flags(bio);
    size_t have = io->in_len - io->in_at;
    if (!conn->is_reading || have == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t n = have < (size_t)len ? have : (size_t)len;
    memcpy(to, io->in + io->in_at, n);
    io->in_at += n;
    return (int)n;
}

static int bio_write(BIO *bio, const char *from, int len) {
    struct tas_conn *conn = BIO_get_data(bio);
    struct tas_io *io = conn->io;
    BIO_clear_retry_flags(bio);
    if (io->writer != conn) {
        if (io->writer)
            tas_conn_flush(io->writer);
        io->writer = conn;
    }
    if (io->out_len + (size_t)len > sizeof(io->out)) {
        BIO_set_retry_write(bio); /* cannot be: tas_conn_write() leaves room for a whole record */
        return -1;
    }
    memcpy(io->out + io->out_len, from, (size_t)len);
    io->out_len += (size_t)len;
    return len;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr) {
    (void)bio;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method;

__attribute__((constructor)) static void make_method(void) {
    bio_method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "tasuki");
    if (!bio_method)
        abort();
    BIO_meth_set_read(bio_method, bio_read);
    BIO_meth_set_write(bio_method, bio_write);
    BIO_meth_set_ctrl(bio_method, bio_ctrl);
}

__attribute__((destructor)) static void drop_method(void) {
    BIO_meth_free(bio_method);
}

/* ---- sending ---- */

static void interest(struct tas_conn *conn) {
    if (conn->watch)
        tas_watch_set(conn->watch, (conn->is_paused ? 0u : (unsigned)TAS_READABLE) |
                                       (conn->tail_out.len ? (unsigned)TAS_WRITABLE : 0u));
}

/* Sends from the front of `bytes`; how many went, 0 when the kernel is full, -1 broken. */
static ssize_t send_some(struct tas_conn *conn, struct tas_bytes bytes) {
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t n = send(conn->fd, bytes.ptr + done, bytes.len - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

void tas_conn_flush(struct tas_conn *conn) {
    struct tas_io *io = conn->io;
    if (io->writer != conn || io->out_len == 0)
        return;
    struct tas_bytes all = tas_bytes_of(io->out, io->out_len);
    io->writer = NULL;
    io->out_len = 0;
    if (conn->is_broken)
        return;
    ssize_t sent = conn->tail_out.len ? 0 : send_some(conn, all);
    if (sent < 0) {
        conn->is_broken = true;
        return;
    }
    struct tas_bytes rest = tas_bytes_of(all.ptr + sent, all.len - (size_t)sent);
    if (rest.len && tas_buf_append(&conn->tail_out, rest) != TAS_OK)
        conn->is_broken = true;
    interest(conn);
}

void tas_conn_set_lowat(struct tas_conn *conn, int bytes) {
    setsockopt(conn->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof(bytes));
}

size_t tas_conn_backlog(const struct tas_conn *conn) {
    return conn->tail_out.len;
}

bool tas_conn_is_writable(const struct tas_conn *conn) {
    return conn->is_secured && !conn->is_broken && conn->tail_out.len == 0;
}

int tas_conn_write(struct tas_conn *conn, struct tas_bytes bytes) {
    size_t done = 0;
    while (done < bytes.len && tas_conn_is_writable(conn)) {
        size_t n = bytes.len - done < RECORD_PLAIN ? bytes.len - done : RECORD_PLAIN;
        if (conn->io->writer == conn && conn->io->out_len > FLUSH_AT) {
            tas_conn_flush(conn);
            continue;
        }
        ERR_clear_error();
        size_t wrote = 0;
        if (SSL_write_ex(conn->ssl, bytes.ptr + done, n, &wrote) != 1) {
            conn->is_broken = true;
            break;
        }
        done += wrote;
    }
    return conn->is_broken ? TAS_E_CLOSED : (int)done;
}

/* ---- receiving ---- */

static void give_up(struct tas_conn *conn, const char *why) {
    conn->is_broken = true;
    if (conn->watch) {
        tas_watch_free(conn->watch);
        conn->watch = NULL;
    }
    conn->events->on_closed(conn->ctx, why);
}

static const char *ssl_reason(int code) {
    if (code == SSL_ERROR_ZERO_RETURN)
        return "closed by the peer";
    unsigned long err = ERR_peek_error();
    const char *text = err ? ERR_reason_error_string(err) : NULL;
    return text ? text : "TLS failed";
}

/* OpenSSL's reasons for what the other side told us by an alert. */
static enum tas_conn_fault fault_of_alert(int reason) {
    switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        return TAS_CONN_NOT_ACCEPTED;
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
        return TAS_CONN_VERSION;
    default:
        return TAS_CONN_BROKEN;
    }
}

static enum tas_conn_fault fault_of(const struct tas_conn *conn, int code) {
    switch (SSL_get_verify_result(conn->ssl)) {
    case X509_V_OK:
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return TAS_CONN_OTHER_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return TAS_CONN_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TAS_CONN_NOT_YET;
    default:
        return TAS_CONN_UNTRUSTED;
    }
    return code == SSL_ERROR_ZERO_RETURN ? TAS_CONN_CLOSED : fault_of_alert(ERR_GET_REASON(ERR_peek_error()));
}

enum tas_conn_fault tas_conn_fault(const struct tas_conn *conn) {
    return conn->fault;
}

static const char *verify_reason(const struct tas_conn *conn, const char *otherwise) {
    long code = SSL_get_verify_result(conn->ssl);
    return code == X509_V_OK ? otherwise : X509_verify_cert_error_string(code);
}

/* One step of the TLS handshake. True: done, go on reading. */
static bool shake(struct tas_conn *conn, bool *freed) {
    ERR_clear_error();
    int got = SSL_do_handshake(conn->ssl);
    tas_conn_flush(conn);
    if (got == 1) {
        const unsigned char *name;
        unsigned name_len;
        SSL_get0_alpn_selected(conn->ssl, &name, &name_len);
        if (name_len == 0 && !conn->may_lack_alpn) { /* a peer that offers none is not asked by OpenSSL */
            give_up(conn, "the peer does not speak tasuki/1");
            return false;
        }
        conn->is_secured = true;
        conn->events->on_secured(conn->ctx);
        return !*freed && !conn->is_broken;
    }
    int code = SSL_get_error(conn->ssl, got);
    if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
        return false;
    conn->fault = fault_of(conn, code);
    give_up(conn, verify_reason(conn, ssl_reason(code)));
    return false;
}

/* Gives the owner what is in the buffers. False: nothing more now, or it is over. */
static bool read_plain(struct tas_conn *conn, bool *freed) {
    uint8_t plain[RECORD_PLAIN];
    while (!conn->is_paused) {
        ERR_clear_error();
        size_t n = 0;
        if (SSL_read_ex(conn->ssl, plain, sizeof(plain), &n) == 1) {
            bool more = conn->events->on_bytes(conn->ctx, tas_bytes_of(plain, n));
            if (*freed)
                return false;
            conn->is_paused = !more;
            continue;
        }
        int code = SSL_get_error(conn->ssl, 0);
        if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
            return true;
        conn->fault = fault_of(conn, code);
        give_up(conn, ssl_reason(code));
        return false;
    }
    return false;
}

/* Works off io->in; what is left over when the owner pauses is kept. */
static void digest(struct tas_conn *conn) {
    bool freed = false;
    conn->was_freed = &freed;
    conn->is_reading = true;
    if (conn->is_secured || shake(conn, &freed))
        read_plain(conn, &freed);
    if (freed)
        return;
    conn->was_freed = NULL;
    conn->is_reading = false;
    struct tas_io *io = conn->io;
    struct tas_bytes left = tas_bytes_of(io->in + io->in_at, io->in_len - io->in_at);
    if (left.len && !conn->is_broken && tas_buf_append(&conn->tail_in, left) != TAS_OK)
        conn->is_broken = true;
    io->in_at = io->in_len = 0;
    tas_conn_flush(conn); /* answers to key updates, alerts */
    interest(conn);
}

/* Bytes from before the pause, else from the socket. False: there are none. */
static bool take_in(struct tas_conn *conn) {
    struct tas_io *io = conn->io;
    assert(io->in_len == 0);
    if (conn->tail_in.len) {
        struct tas_bytes tail = tas_buf_peek(&conn->tail_in);
        size_t n = tail.len < sizeof(io->in) ? tail.len : sizeof(io->in);
        memcpy(io->in, tail.ptr, n);
        tas_buf_drop(&conn->tail_in, n);
        tas_buf_shrink(&conn->tail_in);
        io->in_len = n;
        return true;
    }
    ssize_t n;
    do
        n = recv(conn->fd, io->in, sizeof(io->in), 0);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        io->in_len = (size_t)n;
        return true;
    }
    if (n == 0)
        give_up(conn, "closed by the peer");
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        give_up(conn, strerror(errno));
    return false;
}

static void shut_some(struct tas_conn *conn);

static void drain_tail_out(struct tas_conn *conn) {
    ssize_t sent = send_some(conn, tas_buf_peek(&conn->tail_out));
    if (sent < 0) {
        give_up(conn, strerror(errno));
        return;
    }
    tas_buf_drop(&conn->tail_out, (size_t)sent);
    if (conn->tail_out.len)
        return;
    tas_buf_shrink(&conn->tail_out);
    interest(conn);
    if (conn->wants_shut) {
        shut_some(conn);
        return;
    }
    if (conn->is_secured)
        conn->events->on_writable(conn->ctx);
}

static void on_ready(void *ctx, unsigned ready) {
    struct tas_conn *conn = ctx;
    if (conn->is_broken) {
        give_up(conn, "sending failed");
        return;
    }
    if ((ready & TAS_READABLE) && !conn->is_paused) {
        if (take_in(conn))
            digest(conn);
        return; /* it may be freed; level-triggered: what else is ready comes again */
    }
    if (ready & TAS_WRITABLE) {
        drain_tail_out(conn);
        return;
    }
    if (ready & TAS_HANGUP)
        give_up(conn, "connection reset");
}

void tas_conn_resume(struct tas_conn *conn) {
    if (!conn->is_paused || conn->is_broken)
        return;
    conn->is_paused = false;
    if (conn->is_reading)
        return;                    /* we are inside on_bytes: the loop there goes on */
    assert(conn->io->in_len == 0); /* another connection of this thread is being read: see the header */
    if (conn->tail_in.len)
        take_in(conn);
    digest(conn); /* also without new bytes: OpenSSL may hold a record */
}

/* ---- life ---- */

/* An address is not a name to ask for (RFC 6066 section 3). */
static bool is_number(const char *name) {
    struct in6_addr address; /* room for either */
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

struct tas_conn *tas_conn_new(struct tas_loop *loop, struct tas_io *io, struct tas_tls *tls, int fd,
                              const char *peer_name, const struct tas_conn_events *events, void *ctx) {
    struct tas_conn *conn = calloc(1, sizeof(*conn));
    if (!conn)
        return NULL;
    *conn = (struct tas_conn){.loop = loop, .io = io, .events = events, .ctx = ctx, .fd = fd};
    tas_buf_init(&conn->tail_in, TAIL_MAX);
    tas_buf_init(&conn->tail_out, TAIL_MAX);
    conn->ssl = SSL_new(tls->ctx);
    BIO *bio = conn->ssl ? BIO_new(bio_method) : NULL;
    if (!bio)
        goto fail;
    BIO_set_data(bio, conn);
    BIO_set_init(bio, 1);
    SSL_set_bio(conn->ssl, bio, bio);
    conn->may_lack_alpn = tls->is_http;
    if (tls->is_server) {
        SSL_set_accept_state(conn->ssl);
    } else {
        SSL_set_connect_state(conn->ssl);
        if (!peer_name || SSL_set1_host(conn->ssl, peer_name) != 1 ||
            (!is_number(peer_name) && SSL_set_tlsext_host_name(conn->ssl, peer_name) != 1))
            goto fail;
    }
    conn->watch = tas_watch_new(loop, fd, TAS_READABLE | (tls->is_server ? 0 : TAS_WRITABLE), on_ready, conn);
    if (!conn->watch)
        goto fail;
    if (!tls->is_server) { /* the first flight */
        ERR_clear_error();
        SSL_do_handshake(conn->ssl);
        tas_conn_flush(conn);
    }
    return conn;
fail:
    conn->fd = -1;
    tas_conn_free(conn);
    return NULL;
}

/* As far as it goes now: what waits, then close_notify, then the end of the stream. */
static void shut_some(struct tas_conn *conn) {
    if (conn->is_shut || conn->is_broken || conn->tail_out.len)
        return;
    if (!conn->is_notified) {
        conn->is_notified = true;
        ERR_clear_error();
        SSL_shutdown(conn->ssl);
        tas_conn_flush(conn);
    }
    if (conn->tail_out.len)
        return;
    conn->is_shut = true;
    shutdown(conn->fd, SHUT_WR);
}

void tas_conn_shut(struct tas_conn *conn) {
    conn->wants_shut = true;
    tas_conn_flush(conn);
    shut_some(conn);
}

void tas_conn_free(struct tas_conn *conn) {
    if (!conn)
        return;
    if (conn->was_freed) {
        *conn->was_freed = true;
        conn->io->in_at = conn->io->in_len = 0;
    }
    if (conn->fd >= 0 && conn->is_secured && !conn->is_broken && !conn->is_notified &&
        conn->tail_out.len == 0)
        SSL_shutdown(conn->ssl);
    if (conn->io->writer == conn) {
        tas_conn_flush(conn);
        conn->io->writer = NULL;
        conn->io->out_len = 0;
    }
    tas_watch_free(conn->watch);
    SSL_free(conn->ssl);
    if (conn->fd >= 0)
        close(conn->fd);
    tas_buf_fini(&conn->tail_in);
    tas_buf_fini(&conn->tail_out);
    free(conn);
}

void tas_conn_detach(struct tas_conn *conn) {
    tas_conn_flush(conn);
    tas_watch_free(conn->watch);
    conn->watch = NULL;
    struct tas_io *io = conn->io;
    if (conn->was_freed) { /* from within its own on_bytes: for that loop it is gone */
        *conn->was_freed = true;
        conn->was_freed = NULL;
        conn->is_reading = false;
        struct tas_bytes left = tas_bytes_of(io->in + io->in_at, io->in_len - io->in_at);
        if (left.len && tas_buf_append(&conn->tail_in, left) != TAS_OK)
            conn->is_broken = true;
        io->in_at = io->in_len = 0;
    }
}

int tas_conn_adopt(struct tas_conn *conn, struct tas_loop *loop, struct tas_io *io,
                   const struct tas_conn_events *events, void *ctx) {
    conn->loop = loop;
    conn->io = io;
    conn->events = events;
    conn->ctx = ctx;
    conn->is_paused = true; /* until tas_conn_resume(): the owner may have to finish setting up */
    conn->watch = tas_watch_new(loop, conn->fd, conn->tail_out.len ? TAS_WRITABLE : 0, on_ready, conn);
    return conn->watch ? TAS_OK : TAS_E_IO;
}

int tas_conn_binding(struct tas_conn *conn, uint8_t out[32]) {
    static const char label[] = "EXPORTER-tasuki-cb";
    if (!conn->is_secured)
        return TAS_E_STATE;
    int ok = SSL_export_keying_material(conn->ssl, out, 32, label, sizeof(label) - 1, NULL, 0, 0);
    return ok == 1 ? TAS_OK : TAS_E_NOMEM;
}

bool tas_conn_speaks(const struct tas_conn *conn, const char *protocol) {
    const unsigned char *name;
    unsigned len;
    SSL_get0_alpn_selected(conn->ssl, &name, &len);
    return len == strlen(protocol) && memcmp(name, protocol, len) == 0;
}

/* A name that is short enough and looks like one. */
static bool copy_name(const ASN1_IA5STRING *name, char *out, size_t cap) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    size_t len = (size_t)ASN1_STRING_length(name);
    if (len == 0 || len >= cap)
        return false;
    memcpy(out, ASN1_STRING_get0_data(name), len);
    out[len] = '\0';
    if (strspn(out, letters) == len)
        return true;
    out[0] = '\0';
    return false;
}

bool tas_conn_peer_name(const struct tas_conn *conn, char *out, size_t cap) {
    X509 *cert = SSL_get0_peer_certificate(conn->ssl);
    out[0] = '\0';
    if (!cert || SSL_get_verify_result(conn->ssl) != X509_V_OK)
        return false;
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            found = copy_name(name->d.dNSName, out, cap);
            break;
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

void tas_conn_peer(const struct tas_conn *conn, uint8_t out[16]) {
    tas_socket_source(conn->fd, out);
}
