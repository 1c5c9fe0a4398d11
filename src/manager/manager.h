/* The insides of tasuki-manager that its files share. A route is a plain function on a thread of a lane; what
 * it needs comes by its context, struct mgr, and by a connection to the database of its thread. */
#pragma once

#include "base/id.h"
#include "crypto/crypto.h"
#include "http/server.h"
#include "manager/config.h"
#include "manager/keyfile.h"
#include "manager/signer.h"
#include "store/account.h"
#include "store/audit.h"
#include "store/fleet.h"
#include "store/session.h"

#include <pthread.h>

struct mgr_throttle;
struct mgr_push;

enum {
    MGR_LANE_STORE, /* everything that asks the database */
    MGR_LANE_LOGIN, /* Argon2id: so many threads, so many at once */
    MGR_RIGHTS = 0x7f,
    MGR_NAME = 96,
};

/* clang-format off */
#define MGR_STATS(X) \
    X(logins_total,        "logins that succeeded") \
    X(login_refused_total, "logins that failed") \
    X(throttled_total,     "requests refused because their source asked too often") \
    X(numbers_total,       "reception numbers issued") \
    X(claims_total,        "customers who typed a live number") \
    X(misses_total,        "wrong, expired or used numbers typed") \
    X(answers_total,       "sessions begun") \
    X(ended_total,         "sessions ended") \
    X(tickets_total,       "tickets signed") \
    X(events_total,        "rows added to audit chains") \
    X(store_failed_total,  "requests that failed because of the database")
/* clang-format on */

struct mgr_stats {
#define X(name, help) _Atomic int64_t name;
    MGR_STATS(X)
#undef X
};

struct mgr {
    const char *config_path;
    struct mgr_config *config;
    struct mgr_signer *signer;
    struct mgr_server_keys *keys; /* secret memory */
    const struct tas_crypto *crypto;
    struct tas_id_source ids;
    char holder[96]; /* who we are among management servers: host name and process */
    struct tas_http *http;
    struct mgr_throttle *throttle;
    struct mgr_push *push;
    struct mgr_stats stats;
    _Atomic bool is_ready, is_draining, has_store;
    _Atomic int64_t relays_up;
    /* SQLite takes one writer: our threads wait for each other here, not by the pauses in which it polls. */
    pthread_mutex_t writer;
    bool has_one_writer;
    bool clock_synchronised;
};

static inline void mgr_count(_Atomic int64_t *counter) {
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Wall clock and a new id. */
int64_t mgr_now(void);
uint64_t mgr_new_id(struct mgr *m);

/* ---- requests and replies (reply.c) ---- */

/* The thread's connection. NULL: the database cannot be reached, and the reply says so. */
struct tas_db *mgr_db(struct mgr *m, const struct tas_http_request *req, struct tas_http_reply *reply);

/* Reads the body by a table. False: the reply says what is wrong. The parsed value (for members that are
 * borrowed from it) is given to *json, or freed when json is NULL. */
bool mgr_read_body(const struct tas_http_request *req, struct tas_http_reply *reply,
                   const struct tas_json_field *fields, void *out, struct tas_json **json);

/* What a store or signer error means to the one who asked. TAS_E_ABSENT: 404. */
void mgr_fail(struct mgr *m, struct tas_http_reply *reply, int err, const char *what);

/* A problem with one more member, a number. */
void mgr_problem(struct tas_http_reply *reply, unsigned status, const char *code, const char *detail,
                 const char *name, int64_t value);

/* The reply is `json`, or what err means for a `what` that was asked for. Takes json. */
void mgr_say(struct mgr *m, struct tas_http_reply *reply, unsigned status, struct tas_json *json, int err,
             const char *what);

/* An id in the path. False: the reply is a 404. */
bool mgr_param_id(const struct tas_http_request *req, struct tas_http_reply *reply, uint64_t *out);

/* The address as text, "192.0.2.1" or "2001:db8::1". */
void mgr_address(char out[STORE_IP], const uint8_t source[16]);
/* Its network: "24:192.0.2" or "48:2001:db8:0", for rules about who is near whom. */
void mgr_prefix(char out[STORE_IP], const uint8_t source[16]);

/* ---- who asks (auth.c) ---- */

struct mgr_operator {
    struct store_tool_login login;
    struct store_operator op;
    struct store_company company;
};

/* Signed by a tool that is logged in? False: the reply is a 401. */
bool mgr_auth_operator(struct mgr *m, struct tas_db *db, const struct tas_http_request *req,
                       struct tas_http_reply *reply, struct mgr_operator *out);
/* Signed by the customer of the claim in the path? */
bool mgr_auth_customer(struct mgr *m, struct tas_db *db, const struct tas_http_request *req,
                       struct tas_http_reply *reply, struct store_claim *out);

enum { MGR_TOKEN = 2 + TAS_ID_TEXT + 1 + 64 + 1, MGR_NONCE = 48 };
/* "o.ID.HEX" or "c.ID.HEX": derived from id and key, so that nothing of it need be kept. */
TAS_MUST_USE int mgr_token(const struct mgr *m, char out[MGR_TOKEN], char kind, uint64_t id,
                           const uint8_t pk[32]);

/* A nonce: u64 ms, u8 bits of work, 15 random bytes, 24 bytes of MAC. Good for 120 s, at every management
 * server. */
TAS_MUST_USE int mgr_nonce_make(const struct mgr *m, uint8_t out[MGR_NONCE], uint8_t pow_bits,
                                int64_t now_ms);
/* TAS_E_EXPIRED; TAS_E_AUTH: not ours. */
TAS_MUST_USE int mgr_nonce_check(const struct mgr *m, const uint8_t nonce[MGR_NONCE], int64_t now_ms);

/* ---- numbers (number.c) ---- */

/* Nine digits from 27 bits of randomness that are below 10^8; the number's HMAC; the number under the
 * server's key. */
void mgr_number_draw(char out[10]);
TAS_MUST_USE int mgr_number_hash(const struct mgr *m, uint8_t out[32], const char number[10]);
TAS_MUST_USE int mgr_number_seal(const struct mgr *m, uint8_t out[4], uint64_t session_id,
                                 const char number[10]);
TAS_MUST_USE int mgr_number_open(const struct mgr *m, char out[10], uint64_t session_id,
                                 const uint8_t sealed[4]);

/* Leading zero bits of SHA-256 over nonce, number, key and pow: is the work done? */
bool mgr_pow_is_done(const struct mgr *m, const uint8_t nonce[MGR_NONCE], const char number[10],
                     const uint8_t pop_pk[32], const uint8_t pow[8], unsigned bits);

/* ---- limits (limits.c) ---- */

/* Wrong numbers of this source and of all. */
struct mgr_misses {
    bool is_over;      /* this source has had its share */
    unsigned pow_bits; /* that a claim must show now; 0: none */
};
TAS_MUST_USE int mgr_misses_look(struct mgr *m, struct tas_db *db, const uint8_t source[16], int64_t now_ms,
                                 struct mgr_misses *out);
TAS_MUST_USE int mgr_misses_add(struct mgr *m, struct tas_db *db, const uint8_t source[16], int64_t now_ms);

/* ---- audit (audit.c) ---- */

TAS_MUST_USE int mgr_chain_genesis(uint8_t out[32], uint32_t company_id);

/* Inside a transaction: one more row of the company's chain. Takes `detail` (NULL: out of memory). ekey: 8
 * bytes or NULL. */
TAS_MUST_USE int mgr_audit(struct mgr *m, struct tas_db *db, int64_t company_id, uint64_t session_id,
                           const char *actor, const char *kind, struct tas_json *detail, const uint8_t *ekey);
/* "operator:tanaka" */
const char *mgr_actor(char out[STORE_ACTOR], const char *who, const char *login);

/* ---- telling (push.c) ---- */

/* tas_db_transaction(), and what mgr_notice() noted in it is passed on at once when it is committed. */
TAS_MUST_USE int mgr_transaction(struct mgr *m, struct tas_db *db, int (*fn)(struct tas_db *db, void *ctx),
                                 void *ctx);

/* Inside mgr_transaction(): tools, customers and relays that listen here or at another management server will
 * hear of it. Kinds as in store/fleet.h. */
TAS_MUST_USE int mgr_notice(struct mgr *m, struct tas_db *db, const char *kind, uint64_t a, uint64_t b);

/* What relays are told of a notice of kind kill: JSON, one line. Returns out. */
enum { MGR_KILL_TEXT = 64 };
const char *mgr_kill_text(char out[MGR_KILL_TEXT], const struct store_notice *kill);

/* Relays of this server ask for the KEYSET again. */
void mgr_tell_keyset(struct mgr *m);

/* The thread that does so. NULL: no memory or thread. */
struct mgr_push *mgr_push_start(struct mgr *m);
void mgr_push_stop(struct mgr_push *push); /* NULL is fine */

/* ---- what time brings (sweep.c) ---- */

struct mgr_sweep;
/* A thread that ends what ran out or was lost, signs checkpoints, and forgets what need not be kept.
 * gone(ctx) is called, on its thread, when this server may give out no more ids or its signer is gone. NULL:
 * no memory or thread. */
struct mgr_sweep *mgr_sweep_start(struct mgr *m, void (*gone)(void *ctx), void *ctx);
void mgr_sweep_stop(struct mgr_sweep *sweep); /* NULL is fine */

/* Is the newest KEYSET that was kept signed by the root of our keys (root.pub beside signer.keys)?
 * TAS_E_AUTH: no, this database is of another installation, and what we sign would read as forged. */
TAS_MUST_USE int mgr_check_root(struct mgr *m, struct tas_db *db);

/* Keeps the present KEYSET in the database: checkpoints outlive the keys that a KEYSET names. */
TAS_MUST_USE int mgr_keep_keyset(struct mgr *m, struct tas_db *db);

/* A node number for m->ids, leased for a minute. TAS_E_FULL: all are taken. */
TAS_MUST_USE int mgr_node_lease(struct mgr *m, struct tas_db *db);

/* ---- sessions as tools see them (view.c) ---- */

struct tas_json *mgr_session_json(struct mgr *m, struct tas_db *db, const struct store_session *s, int *err);
struct tas_json *mgr_claim_json(struct mgr *m, struct tas_db *db, const struct store_claim *c, int *err);
/* The customer's word for how it stands: the claim's state, or "over" when that of the session is "ended".
 * Borrowed. */
const char *mgr_claim_state(const struct store_claim *c, const struct store_session *s);

/* ---- tickets (grant.c) ---- */

enum mgr_side { MGR_HOST = 1, MGR_VIEWER = 2 };

/* What an end needs to join, signed now: its ticket and STATEMENT, and the other end's STATEMENT, so that
 * people see signed names before anything is dialled. */
struct tas_json *mgr_grant_json(struct mgr *m, struct tas_db *db, const struct store_session *s,
                                const struct store_company *company, const char *customer_name,
                                enum mgr_side side, int *err);
TAS_MUST_USE int mgr_ticket(struct mgr *m, const struct store_session *s, enum mgr_side side,
                            uint8_t out[TAS_SIZE_TICKET]);
/* What the host is called in its STATEMENT. */
void mgr_host_name(char out[MGR_NAME + 1], const struct store_session *s, const struct store_claim *c);

/* ---- ending (end.c) ---- */

/* Inside a transaction: the session, as it was read in it, is over, with its event; tools are told, and
 * relays when tickets are out. TAS_E_ABSENT: it has changed meanwhile: look again (TAS_E_MORE does that). */
TAS_MUST_USE int mgr_end_session(struct mgr *m, struct tas_db *db, struct store_session *s, const char *actor,
                                 const char *reason, const char *text);

/* relay, bytes_in, bytes_out, rtt_p50_us, rtt_p95_us: those that were told. */
void mgr_set_figures(struct tas_json *detail, const struct store_session *s);

/* ---- routes, one table a file ---- */
extern const struct tas_http_route mgr_open_routes[], mgr_login_routes[], mgr_reception_routes[],
    mgr_pairing_routes[], mgr_renew_routes[], mgr_report_routes[], mgr_relay_routes[];

/* Gate of routes that anybody may call: so many requests per source. */
bool mgr_throttle_gate(void *ctx, const struct tas_http_request *req, struct tas_http_reply *reply);
