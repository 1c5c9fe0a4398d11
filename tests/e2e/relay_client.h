/* An end that speaks L1 with a real relay and can do wrong: for test_relay.c and test_relay_slow.c. What does
 * not come as expected fails the cmocka test that runs. */
#pragma once

#include "base/rand.h"
#include "base/time.h"
#include "crypto/crypto.h"
#include "wire/messages.h"
#include "wire/record.h"
#include "wire/signed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    GIVE_UP_MS = 30000,
    FLAG_RESUME = 1,
    HELLO_LEN = 224,
    CHALLENGE_LEN = 48,
    CLASS_0 = 0,
    CLASS_1 = 1,
    CLASS_2 = 2,
    CLASS_3 = 3
};

struct relay_under_test {
    char dir[512], host[64];
    uint16_t port;
    uint32_t id;
    int pid;
    uint8_t ticket_seed[32];
    SSL_CTX *tls;
};
extern struct relay_under_test relay;

/* One end of a session, in whatever state. */
struct end {
    SSL *ssl;
    int fd;
    bool is_over; /* closed or reset by the relay */
    uint8_t seed[32];
    struct tas_msg_ticket ticket;
    struct tas_msg_hello hello;
    uint8_t hello_bytes[HELLO_LEN], challenge[CHALLENGE_LEN];
    struct tas_msg_welcome welcome;
    uint8_t in[2 * 16384];
    size_t in_len, used; /* used: the record handed out last */
};

struct pair {
    struct end host, viewer;
    uint32_t host_incarnation, viewer_incarnation;
};

int dial_tcp(int buf_bytes);
void dial_slow(struct end *e, int buf_bytes);
void dial(struct end *e);
void hang_up(struct end *e, bool reset);
bool wait_for(const struct end *e, short events, int ms);
bool pull(struct end *e);
void forget_last(struct end *e);
bool next_within(struct end *e, struct tas_record *rec, int ms);
struct tas_record next(struct end *e);
bool send_bytes_within(struct end *e, const uint8_t *bytes, size_t len, int ms);
bool send_within(struct end *e, uint8_t type, uint8_t pf, uint16_t route, struct tas_bytes payload, int ms);
void put(struct end *e, uint8_t type, uint8_t pf, uint16_t route, struct tas_bytes payload);
struct tas_bytes text(const char *s);
uint16_t to_peer(const struct end *e);
void put_data(struct end *e, uint8_t pf, const char *s);
void bye(struct end *e);
void expect_closed(struct end *e, unsigned code);
void expect_over(struct end *e);
uint32_t expect_peer(struct end *e, uint8_t slot, unsigned state);
void expect_data(struct end *e, uint8_t pf, const char *s);
void expect_alive(struct end *e);
uint64_t new_session(void);
void prepare(struct end *e, uint64_t session, uint8_t slot);
void make_hello(struct end *e);
void say_hello(struct end *e);
void take_challenge(struct end *e);
void make_proof(const struct end *e, const struct end *cb_of, uint8_t proof[64]);
void prove(struct end *e);
void try_join(struct end *e);
void take_welcome(struct end *e);
void join(struct end *e);
void join_pair(struct pair *p, uint32_t rate_Bps);
void part(struct pair *p);
bool talk_until(struct end *talker, struct end *listener, struct tas_record *rec, int ms);
uint8_t sample(uint32_t n, size_t i);
void check_sample(uint32_t n, struct tas_bytes got);
bool put_sample(struct end *e, uint8_t cls, uint32_t n, size_t len, int ms);
uint32_t fill_up(struct pair *p);
void read_arguments(char **argv);
void pause_ms(int ms);
