/* Two ends and their relays in one process under one fake clock: bytes are carried by hand, so that a test
 * can delay, cut, drop, change and repeat them, and an hour takes no time. The relays here only say the words
 * of L1; the real one has its own tests. */
#pragma once

#include "session/session.h"
#include "wire/record.h"
#include "wire/signed.h"

enum {
    SIM_RELAYS = 3,
    SIM_HOST = 0,
    SIM_VIEWER = 1,
    SIM_SEEN_MAX = 4096,
    SIM_TEXT_MAX = 256,
    SIM_AGES_MAX = 8192
};

struct sim_packet {
    struct sim_packet *next;
    uint64_t at_us;
    unsigned end, leg;
    uint32_t generation; /* of the socket: what is on its way to an old one is lost */
    bool to_relay;
    size_t len;
    uint8_t bytes[];
};

struct sim_socket {
    bool is_open, is_joined, is_silent; /* silent: told to the other end as SUSPENDED */
    unsigned relay;
    uint64_t last_rx_us;
    uint64_t
        held_until_us[2]; /* what was sent into a cut cable is sent again then, in order; [to the relay] */
    uint32_t generation, incarnation;
    uint8_t acc[64 * 1024];
    size_t acc_len;
};

struct sim {
    uint64_t now_us;
    struct tas_session *end[2];
    struct sim_socket sock[2][TAS_LEGS];
    bool relay_is_down[SIM_RELAYS];
    bool is_cut[2]; /* this end's cable: nothing is reset, and TCP sends again once it is whole */
    bool is_cut_from[2][SIM_RELAYS]; /* likewise towards one relay only */
    uint64_t delay_us;               /* of each cable */
    uint64_t rate_Bps[2];            /* of each end's cable, both directions; 0: no limit */
    uint64_t busy_until_us[2][2];
    struct sim_packet *packets;
    uint32_t last_generation, last_incarnation;
    uint8_t last_peer_state[2];

    /* Called for every record on its way from one end to the other; may change it. False: the relay drops it.
     */
    bool (*tamper)(struct sim *sim, unsigned from, struct tas_record *rec, uint8_t *bytes, size_t len);
    void *tamper_ctx;
    unsigned n_records;
    unsigned n_class[2][TAS_CLASSES]; /* DATA records that an end sent, by class */
    unsigned n_hs[2][8];              /* HS records likewise, by type */
    bool refuses_tickets[SIM_RELAYS];
    uint32_t challenge_id[SIM_RELAYS]; /* 0: its own */

    /* Called for every event, before the simulation deals with it. */
    void (*on_event)(struct sim *sim, unsigned end, const struct tas_event *ev);
    /* Called when a picture is wanted: paints, so that the content changes for ever. */
    void (*paint)(struct sim *sim);

    /* what was seen */
    enum tas_event_kind seen[2][SIM_SEEN_MAX];
    unsigned n_seen[2];
    enum tas_state state[2];
    char code[16];
    char chat[2][SIM_TEXT_MAX];
    unsigned n_device; /* at the viewer */
    size_t device_len;
    unsigned n_chat[2];
    char alarm[2][SIM_TEXT_MAX];
    char refused[2][SIM_TEXT_MAX];
    unsigned n_refused[2];
    uint32_t closed[2];
    uint32_t grants;
    struct tas_peer peer[2];
    struct tas_msg_input input[64];
    unsigned n_input, n_released;
    uint64_t suspended_us, longest_us; /* the viewer's longest interruption */
    bool type_code;                    /* the viewer types the code as soon as it is shown */
    bool decode;                       /* the viewer decodes at once */
    uint64_t input_at_us[64], input_latency_us[64];

    /* the customer's screen */
    struct tas_picture *screen;
    uint64_t frame_age_us[SIM_AGES_MAX];
    unsigned n_ages;
};

/* Everything that two ends need: keys of the "management server", identities, tickets for all SIM_RELAYS. */
struct sim_world {
    struct tas_keyset keyset;
    uint8_t root_seed[32], ticket_seed[32], statement_seed[32];
    struct tas_session_config cfg[2];
};
void sim_world_init(struct sim_world *w);
void sim_sign_ticket(const struct sim_world *w, uint8_t out[TAS_SIZE_TICKET], const struct tas_msg_ticket *t);
void sim_sign_statement(const struct sim_world *w, uint8_t out[TAS_SIZE_STATEMENT],
                        struct tas_msg_statement *st);

/* Two ends that are about to dial. Zeroes the rest. */
void sim_start(struct sim *sim, const struct sim_world *w);
void sim_stop(struct sim *sim);

/* Lets time pass, from one event to the next. Asserts that no deadline stays in the past. sim_until: until
 * done(sim) is true or max_ms have passed; true: it was. */
void sim_run_ms(struct sim *sim, unsigned ms);
bool sim_until(struct sim *sim, bool (*done)(const struct sim *), unsigned max_ms);

/* Injects a record as if `end`'s relay had sent it on that leg. */
void sim_relay_says(struct sim *sim, unsigned end, unsigned leg, uint8_t type, uint8_t pf, uint16_t route,
                    struct tas_bytes payload);
/* The leg of `end` that is joined at the relay; -1: none. */
int sim_joined_leg(const struct sim *sim, unsigned end, unsigned relay);
/* This socket is reset. */
void sim_socket_lose(struct sim *sim, unsigned end, unsigned leg);

bool sim_both_active(const struct sim *sim);
bool sim_both_keyed(const struct sim *sim);
bool sim_any_closed(const struct sim *sim);

/* A relay dies with resets (is_down), or comes back. */
void sim_relay_kill(struct sim *sim, unsigned relay);
void sim_relay_start(struct sim *sim, unsigned relay);

/* How often an event was seen at an end. */
unsigned sim_count(const struct sim *sim, unsigned end, enum tas_event_kind kind);

/* Paints into the customer's screen and tells the host. */
void sim_paint(struct sim *sim, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t colour);
bool sim_pictures_equal(const struct sim *sim);
