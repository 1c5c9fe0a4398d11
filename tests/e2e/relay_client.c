#include "relay_client.h"

struct relay_under_test relay;

/* ---- sockets ---- */

int dial_tcp(int buf_bytes) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(relay.port)};
    const int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && inet_pton(AF_INET, relay.host, &to.sin_addr) == 1);
    if (buf_bytes) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buf_bytes, sizeof(buf_bytes));
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buf_bytes, sizeof(buf_bytes));
    }
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

void dial_slow(struct end *e, int buf_bytes) {
    e->fd = dial_tcp(buf_bytes);
    e->ssl = SSL_new(relay.tls);
    e->is_over = false;
    e->in_len = e->used = 0;
    assert_non_null(e->ssl);
    assert_int_equal(SSL_set_fd(e->ssl, e->fd), 1);
    assert_int_equal(SSL_connect(e->ssl), 1);
    fcntl(e->fd, F_SETFL, O_NONBLOCK);
}

void dial(struct end *e) {
    dial_slow(e, 0);
}

/* Closes without a word. reset: with RST, as a killed process does. */
void hang_up(struct end *e, bool reset) {
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        setsockopt(e->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    SSL_free(e->ssl);
    close(e->fd);
    e->ssl = NULL;
}

/* Waits for the socket; false when `ms` are over. */
bool wait_for(const struct end *e, short events, int ms) {
    struct pollfd p = {.fd = e->fd, .events = events};
    return poll(&p, 1, ms) > 0;
}

/* What comes now goes to e->in. False: nothing came. */
bool pull(struct end *e) {
    size_t n = 0;
    if (e->is_over || e->in_len == sizeof(e->in))
        return false;
    ERR_clear_error();
    if (SSL_read_ex(e->ssl, e->in + e->in_len, sizeof(e->in) - e->in_len, &n) == 1) {
        e->in_len += n;
        return true;
    }
    int why = SSL_get_error(e->ssl, 0);
    e->is_over = why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
    return false;
}

void forget_last(struct end *e) {
    memmove(e->in, e->in + e->used, e->in_len - e->used);
    e->in_len -= e->used;
    e->used = 0;
}

/* The next record within `ms`; false: none came or the connection is over. Borrowed until the next call. */
bool next_within(struct end *e, struct tas_record *rec, int ms) {
    uint64_t end_us = tas_mono_us() + (uint64_t)ms * 1000;
    forget_last(e);
    for (;;) {
        int err = tas_record_decode(rec, &e->used, tas_bytes_of(e->in, e->in_len));
        if (err == TAS_OK)
            return true;
        e->used = 0;
        assert_int_equal(err, TAS_E_MORE);
        if (pull(e))
            continue;
        uint64_t now_us = tas_mono_us();
        if (e->is_over || now_us >= end_us)
            return false;
        wait_for(e, POLLIN, (int)((end_us - now_us + 999) / 1000));
    }
}

struct tas_record next(struct end *e) {
    struct tas_record rec = {0};
    if (!next_within(e, &rec, GIVE_UP_MS))
        fail_msg("%s", e->is_over ? "the connection is over" : "no record came");
    return rec;
}

/* Not more than the socket takes; false: it takes nothing for `ms`. */
bool send_bytes_within(struct end *e, const uint8_t *bytes, size_t len, int ms) {
    for (;;) {
        size_t n = 0;
        ERR_clear_error();
        if (e->is_over)
            return false;
        if (SSL_write_ex(e->ssl, bytes, len, &n) == 1)
            return true;
        if (SSL_get_error(e->ssl, 0) != SSL_ERROR_WANT_WRITE) {
            e->is_over = true;
            return false;
        }
        if (!wait_for(e, POLLOUT, ms))
            return false;
    }
}

bool send_within(struct end *e, uint8_t type, uint8_t pf, uint16_t route, struct tas_bytes payload, int ms) {
    static uint8_t record[TAS_RECORD_HEAD + TAS_RECORD_MAX];
    tas_record_head_encode(record, type, pf, route, payload.len);
    if (payload.len)
        memcpy(record + TAS_RECORD_HEAD, payload.ptr, payload.len);
    return send_bytes_within(e, record, TAS_RECORD_HEAD + payload.len, ms);
}

void put(struct end *e, uint8_t type, uint8_t pf, uint16_t route, struct tas_bytes payload) {
    (void)!send_within(e, type, pf, route, payload, GIVE_UP_MS); /* that it is over, reading tells */
}

struct tas_bytes text(const char *s) {
    return tas_bytes_of((const uint8_t *)s, strlen(s));
}

uint16_t to_peer(const struct end *e) {
    return (uint16_t)(1u << !e->ticket.slot);
}

void put_data(struct end *e, uint8_t pf, const char *s) {
    put(e, TAS_RECORD_DATA, pf, to_peer(e), text(s));
}

void bye(struct end *e) {
    static const uint8_t body[] = {0, TAS_CLOSE_BYE};
    put(e, TAS_RECORD_CLOSE, 0, 0, tas_bytes_of(body, sizeof(body)));
}

/* ---- what is expected ---- */

void expect_closed(struct end *e, unsigned code) {
    struct tas_record rec;
    while (next_within(e, &rec, GIVE_UP_MS)) {
        if (rec.type != TAS_RECORD_CLOSE)
            continue;
        assert_true(rec.payload.len >= 2);
        assert_int_equal(rec.payload.ptr[0] << 8 | rec.payload.ptr[1], code);
        hang_up(e, false);
        return;
    }
    fail_msg("closed without a CLOSE, %u expected", code);
}

/* Closed, with or without a word: after garbage a reset may overtake the CLOSE. */
void expect_over(struct end *e) {
    struct tas_record rec;
    while (next_within(e, &rec, GIVE_UP_MS)) {
    }
    assert_true(e->is_over);
    hang_up(e, false);
}

uint32_t expect_peer(struct end *e, uint8_t slot, unsigned state) {
    struct tas_msg_peer peer;
    struct tas_record rec = next(e);
    assert_int_equal(rec.type, TAS_RECORD_PEER);
    assert_int_equal(tas_msg_peer_decode(&peer, rec.payload), TAS_OK);
    assert_int_equal(peer.slot, slot);
    assert_int_equal(peer.state, state);
    return peer.incarnation;
}

void expect_data(struct end *e, uint8_t pf, const char *s) {
    struct tas_record rec = next(e);
    assert_int_equal(rec.type, TAS_RECORD_DATA);
    assert_int_equal(rec.pf, pf);
    assert_int_equal(rec.route, !e->ticket.slot);
    assert_int_equal(rec.payload.len, strlen(s));
    assert_memory_equal(rec.payload.ptr, s, rec.payload.len);
}

/* The relay still talks with this end. */
void expect_alive(struct end *e) {
    put(e, TAS_RECORD_PING, 0, 0, text("8 bytes."));
    for (;;) {
        struct tas_record rec = next(e);
        assert_int_not_equal(rec.type, TAS_RECORD_CLOSE);
        if (rec.type == TAS_RECORD_PONG) {
            assert_memory_equal(rec.payload.ptr, "8 bytes.", 8);
            return;
        }
    }
}

/* ---- joining ---- */

uint64_t new_session(void) {
    uint64_t id;
    tas_random(&id, sizeof(id));
    return id;
}

void prepare(struct end *e, uint64_t session, uint8_t slot) {
    memset(e, 0, sizeof(*e));
    tas_random(e->seed, sizeof(e->seed));
    e->ticket = (struct tas_msg_ticket){
        .ver = 1,
        .kid = 1,
        .role = slot == 0 ? TAS_ROLE_HOST : TAS_ROLE_VIEWER,
        .slot = slot,
        .max_viewers = 1,
        .session_id = session,
        .not_before_ms = tas_wall_ms(),
        .connect_ttl_s = 60,
        .session_ttl_s = 900,
        .relay_ids = {relay.id},
        .kind = 1,
    };
    tas_random(e->ticket.jti, sizeof(e->ticket.jti));
    assert_int_equal(tas_crypto_native()->ed25519_public(e->ticket.pop_pk, e->seed), TAS_OK);
    e->hello = (struct tas_msg_hello){.magic = TAS_MAGIC, .ver_min = 1, .ver_max = 1, .rx_limit = 262144};
}

void make_hello(struct end *e) {
    int len = tas_msg_ticket_encode(&e->ticket, e->hello.ticket, TAS_SIZE_TICKET);
    struct tas_bytes part = tas_bytes_of(e->hello.ticket, TAS_TICKET_SIGNED);
    assert_int_equal(len, TAS_SIZE_TICKET);
    assert_int_equal(tas_sign(tas_crypto_native(), e->hello.ticket + TAS_TICKET_SIGNED, relay.ticket_seed,
                              "TSK1 ticket", &part, 1),
                     TAS_OK);
    assert_int_equal(tas_msg_hello_encode(&e->hello, e->hello_bytes, sizeof(e->hello_bytes)), HELLO_LEN);
}

void say_hello(struct end *e) {
    make_hello(e);
    put(e, TAS_RECORD_HELLO, 0, 0, tas_bytes_of(e->hello_bytes, sizeof(e->hello_bytes)));
}

void take_challenge(struct end *e) {
    struct tas_msg_challenge c;
    struct tas_record rec = next(e);
    assert_int_equal(rec.type, TAS_RECORD_CHALLENGE);
    assert_int_equal(tas_msg_challenge_decode(&c, rec.payload), TAS_OK);
    assert_int_equal(c.relay_id, relay.id);
    memcpy(e->challenge, rec.payload.ptr, sizeof(e->challenge));
}

/* cb_of: over whose TLS connection. */
void make_proof(const struct end *e, const struct end *cb_of, uint8_t proof[64]) {
    static const char label[] = "EXPORTER-tasuki-cb";
    uint8_t cb[32], digest[32];
    assert_int_equal(SSL_export_keying_material(cb_of->ssl, cb, 32, label, sizeof(label) - 1, NULL, 0, 0), 1);
    const struct tas_bytes both[] = {tas_bytes_of(e->hello_bytes, sizeof(e->hello_bytes)),
                                     tas_bytes_of(e->challenge, sizeof(e->challenge))};
    assert_int_equal(tas_crypto_native()->sha256(digest, both, 2), TAS_OK);
    const struct tas_bytes parts[] = {tas_bytes_of(digest, 32), tas_bytes_of(cb, 32)};
    assert_int_equal(tas_sign(tas_crypto_native(), proof, e->seed, "TSK1 pop", parts, 2), TAS_OK);
}

void prove(struct end *e) {
    uint8_t proof[64];
    take_challenge(e);
    make_proof(e, e, proof);
    put(e, TAS_RECORD_PROOF, 0, 0, tas_bytes_of(proof, sizeof(proof)));
}

/* Dials and joins with what prepare() made (again, if it was used before). */
void try_join(struct end *e) {
    dial(e);
    say_hello(e);
    prove(e);
}

void take_welcome(struct end *e) {
    struct tas_record rec = next(e);
    assert_int_equal(rec.type, TAS_RECORD_WELCOME);
    assert_int_equal(tas_msg_welcome_decode(&e->welcome, rec.payload), TAS_OK);
}

void join(struct end *e) {
    try_join(e);
    take_welcome(e);
}

void join_pair(struct pair *p, uint32_t rate_Bps) {
    uint64_t session = new_session();
    prepare(&p->host, session, 0);
    prepare(&p->viewer, session, 1);
    p->host.ticket.rate_Bps = p->viewer.ticket.rate_Bps = rate_Bps;
    join(&p->host);
    join(&p->viewer);
    p->viewer_incarnation = expect_peer(&p->host, 1, TAS_PEER_JOINED);
    p->host_incarnation = expect_peer(&p->viewer, 0, TAS_PEER_JOINED);
}

void part(struct pair *p) {
    hang_up(&p->host, false);
    hang_up(&p->viewer, false);
}

/* Sends PING every 0.3 s while nothing but PONG comes, at most `ms`. True: `rec` came. */
bool talk_until(struct end *talker, struct end *listener, struct tas_record *rec, int ms) {
    uint64_t end_us = tas_mono_us() + (uint64_t)ms * 1000;
    while (tas_mono_us() < end_us) {
        struct tas_record pong;
        put(talker, TAS_RECORD_PING, 0, 0, text("12345678"));
        while (next_within(talker, &pong, 0)) {
        }
        while (next_within(listener, rec, 300))
            if (rec->type != TAS_RECORD_PONG)
                return true;
    }
    return false;
}

/* Byte i of the nth record that one end sends. */
uint8_t sample(uint32_t n, size_t i) {
    return (uint8_t)(n * 31 + i * 7 + (i >> 8));
}

void check_sample(uint32_t n, struct tas_bytes got) {
    for (size_t i = 0; i < got.len; i++)
        if (got.ptr[i] != sample(n, i))
            fail_msg("record %u differs at %zu of %zu", n, i, got.len);
}

bool put_sample(struct end *e, uint8_t cls, uint32_t n, size_t len, int ms) {
    uint8_t bytes[TAS_RECORD_MAX];
    for (size_t i = 0; i < len; i++)
        bytes[i] = sample(n, i);
    return send_within(e, TAS_RECORD_DATA, cls, to_peer(e), tas_bytes_of(bytes, len), ms);
}

/* The host sends until it is no longer read; the viewer reads nothing, but says that it lives. How many. */
uint32_t fill_up(struct pair *p) {
    uint32_t n = 0;
    while (put_sample(&p->host, CLASS_2, n, 16000, 300)) {
        n++;
        assert_in_range(n, 0, 2000); /* 32 MB: it is swallowed somewhere */
        if (n % 50 == 0)
            put(&p->viewer, TAS_RECORD_PING, 0, 0, text("12345678"));
    }
    assert_false(p->host.is_over);
    return n;
}

void read_arguments(char **argv) {
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    char path[600];
    uint8_t keys[96];
    snprintf(relay.dir, sizeof(relay.dir), "%s", argv[1]);
    snprintf(relay.host, sizeof(relay.host), "%s", argv[2]);
    char *colon = strrchr(relay.host, ':');
    assert_non_null(colon);
    relay.port = (uint16_t)strtoul(colon + 1, NULL, 10);
    *colon = '\0';
    relay.id = (uint32_t)strtoul(argv[3], NULL, 10);
    relay.pid = (int)strtol(argv[4], NULL, 10);
    snprintf(path, sizeof(path), "%s/keys.bin", relay.dir);
    FILE *f = fopen(path, "re");
    assert_true(f && fread(keys, sizeof(keys), 1, f) == 1);
    fclose(f);
    memcpy(relay.ticket_seed, keys + 32, 32);
    relay.tls = SSL_CTX_new(TLS_client_method());
    snprintf(path, sizeof(path), "%s/ca.pem", relay.dir);
    assert_int_equal(SSL_CTX_load_verify_file(relay.tls, path), 1);
    SSL_CTX_set_verify(relay.tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(relay.tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    assert_int_equal(SSL_CTX_set_min_proto_version(relay.tls, TLS1_3_VERSION), 1);
    assert_int_equal(SSL_CTX_set_alpn_protos(relay.tls, (const uint8_t *)"\x08tasuki/1", 9), 0);
}

void pause_ms(int ms) {
    poll(NULL, 0, ms);
}
