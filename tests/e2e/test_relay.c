/* Honest and hostile ends against a real relay process, over real TLS. Run by test_relay.py, which starts the
 * relays: test_relay DIR ADDRESS RELAY_ID PID GROUP [NAME]; DIR holds ca.pem and keys.bin. */
#include "relay_client.h"

enum { MEMORY_KIB = 16384 }; /* that one blocked pair may cost, a sanitizer's quarantine included */

/* ---- joining, leaving ---- */

static void both_slots_join_and_are_told_of_each_other(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    uint64_t session = new_session();
    prepare(&p->host, session, 0);
    prepare(&p->viewer, session, 1);
    p->viewer.ticket.rate_Bps = 12345678;
    join(&p->host);
    assert_int_equal(p->host.welcome.slot, 0);
    assert_int_equal(p->host.welcome.peers, 0);
    assert_int_equal(p->host.welcome.keepalive_s, 10);
    assert_int_equal(p->host.welcome.grace_s, 120);
    assert_int_equal(p->host.welcome.max_payload, 16376);
    assert_int_equal(p->host.welcome.rate_Bps, 0);
    assert_true(p->host.welcome.server_ms + 60000 > tas_wall_ms());
    assert_true(p->host.welcome.server_ms <= tas_wall_ms());
    join(&p->viewer);
    assert_int_equal(p->viewer.welcome.slot, 1);
    assert_int_equal(p->viewer.welcome.peers, 1 << 0);
    assert_int_equal(p->viewer.welcome.rate_Bps, 12345678);
    assert_memory_not_equal(p->viewer.welcome.resume_token, p->host.welcome.resume_token, 16);
    assert_int_not_equal(expect_peer(&p->host, 1, TAS_PEER_JOINED), 0);
    assert_int_not_equal(expect_peer(&p->viewer, 0, TAS_PEER_JOINED), 0);

    put_data(&p->host, CLASS_2 | TAS_PF_UNIT_START, "picture");
    expect_data(&p->viewer, CLASS_2 | TAS_PF_UNIT_START, "picture");
    put_data(&p->viewer, CLASS_0 | TAS_PF_UNIT_START | TAS_PF_UNIT_END, "");
    expect_data(&p->host, CLASS_0 | TAS_PF_UNIT_START | TAS_PF_UNIT_END, "");
    put(&p->host, TAS_RECORD_HS, CLASS_0, 2, text("H2"));
    struct tas_record rec = next(&p->viewer);
    assert_int_equal(rec.type, TAS_RECORD_HS);
    assert_int_equal(rec.route, 0);
    part(p);
    free(p);
}

static void the_same_key_replaces_its_socket_with_a_new_incarnation(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    join_pair(p, 0);
    struct end *again = calloc(1, sizeof(*again));
    *again = p->viewer;
    again->hello.flags = FLAG_RESUME;
    join(again);
    expect_closed(&p->viewer, TAS_CLOSE_REPLACED);
    uint32_t incarnation = expect_peer(&p->host, 1, TAS_PEER_JOINED);
    assert_int_not_equal(incarnation, p->viewer_incarnation);
    assert_int_equal(expect_peer(again, 0, TAS_PEER_JOINED), p->host_incarnation);
    put_data(&p->host, CLASS_0, "to the new one");
    expect_data(again, CLASS_0, "to the new one");
    put_data(again, CLASS_1, "from the new one");
    expect_data(&p->host, CLASS_1, "from the new one");
    hang_up(&p->host, false);
    hang_up(again, false);
    free(again);
    free(p);
}

static void another_key_does_not_get_a_taken_slot(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    join_pair(p, 0);
    struct end *thief = calloc(1, sizeof(*thief));
    prepare(thief, p->viewer.ticket.session_id, 1);
    try_join(thief);
    expect_closed(thief, TAS_CLOSE_SLOT_TAKEN);
    hang_up(&p->viewer, true); /* also while the owner is only suspended */
    expect_peer(&p->host, 1, TAS_PEER_SUSPENDED);
    try_join(thief);
    expect_closed(thief, TAS_CLOSE_SLOT_TAKEN);
    bye(&p->host); /* but not when he has gone for good */
    expect_over(&p->host);
    prepare(&p->host, p->viewer.ticket.session_id, 0);
    join(&p->host);
    expect_peer(&p->host, 1, TAS_PEER_SUSPENDED);
    hang_up(&p->host, false);
    free(thief);
    free(p);
}

static void the_eleventh_join_in_a_minute_is_refused(void **state) {
    (void)state;
    struct end *e = calloc(1, sizeof(*e));
    prepare(e, new_session(), 1);
    for (int i = 0; i < 10; i++) {
        join(e);
        hang_up(e, i % 2);
    }
    try_join(e);
    expect_closed(e, TAS_CLOSE_TOO_MANY_JOINS);
    free(e);
}

static void the_eleventh_join_is_refused_also_after_saying_bye_each_time(void **state) {
    (void)state;
    struct end *e = calloc(1, sizeof(*e));
    prepare(e, new_session(), 1);
    for (int i = 0; i < 10; i++) {
        join(e);
        bye(e);
        expect_over(e);
    }
    try_join(e);
    expect_closed(e, TAS_CLOSE_TOO_MANY_JOINS);
    free(e);
}

static void a_reset_socket_is_told_at_once_and_the_slot_is_kept(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    join_pair(p, 0);
    hang_up(&p->viewer, true);
    assert_int_equal(expect_peer(&p->host, 1, TAS_PEER_SUSPENDED), p->viewer_incarnation);
    expect_alive(&p->host);
    put_data(&p->host, CLASS_2, "to nobody: dropped");
    join(&p->viewer);
    assert_int_equal(p->viewer.welcome.peers, 1);
    assert_int_not_equal(expect_peer(&p->host, 1, TAS_PEER_JOINED), p->viewer_incarnation);
    expect_peer(&p->viewer, 0, TAS_PEER_JOINED);
    put_data(&p->host, CLASS_2, "back");
    expect_data(&p->viewer, CLASS_2, "back");
    part(p);
    free(p);
}

static void bye_is_told_as_gone(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    join_pair(p, 0);
    put_data(&p->viewer, CLASS_1, "last words");
    bye(&p->viewer);
    bool got_words = false, is_gone = false; /* what the relay says is class 0 and may come first */
    while (!got_words || !is_gone) {
        struct tas_record rec = next(&p->host);
        got_words |= rec.type == TAS_RECORD_DATA && rec.payload.len == 10;
        is_gone |= rec.type == TAS_RECORD_PEER && rec.payload.ptr[1] == TAS_PEER_GONE;
    }
    expect_over(&p->viewer);
    expect_alive(&p->host);
    hang_up(&p->host, false);
    free(p);
}

static void a_silent_end_is_suspended_after_a_second_and_back_with_a_word(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    join_pair(p, 0);
    expect_alive(&p->viewer);
    uint64_t silent_us = tas_mono_us();
    struct tas_record rec;
    assert_true(talk_until(&p->host, &p->host, &rec, GIVE_UP_MS));
    uint64_t took_us = tas_mono_us() - silent_us;
    struct tas_msg_peer peer;
    assert_int_equal(rec.type, TAS_RECORD_PEER);
    assert_int_equal(tas_msg_peer_decode(&peer, rec.payload), TAS_OK);
    assert_int_equal(peer.state, TAS_PEER_SUSPENDED);
    assert_int_equal(peer.incarnation, p->viewer_incarnation);
    assert_in_range(took_us, 950000, UINT64_MAX); /* not early; how late depends on the machine */
    print_message("     suspended after %u ms\n", (unsigned)(took_us / 1000));
    put_data(&p->viewer, CLASS_0, "only a hiccup");
    assert_int_equal(expect_peer(&p->host, 1, TAS_PEER_JOINED), p->viewer_incarnation);
    expect_data(&p->host, CLASS_0, "only a hiccup");
    part(p);
    free(p);
}

/* Silence is counted from when there is a peer that wants to hear something. */
static void one_who_waited_quietly_is_not_suspended_when_the_peer_comes(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    uint64_t session = new_session();
    prepare(&p->host, session, 0);
    prepare(&p->viewer, session, 1);
    join(&p->host);
    struct tas_record rec;
    assert_false(next_within(&p->host, &rec, 2000)); /* quiet: nothing is to be said */
    join(&p->viewer);
    expect_peer(&p->viewer, 0, TAS_PEER_JOINED);
    assert_false(next_within(&p->viewer, &rec, 600));
    part(p);
    free(p);
}

/* ---- hostile ---- */

struct bad {
    const char *what;
    uint8_t type, pf;
    uint16_t route;
    size_t len;
};

static const struct bad bad_records[] = {
    {"HELLO again", 0x01, 0, 0, 224},
    {"CHALLENGE, which only the relay sends", 0x02, 0, 0, 48},
    {"PROOF again", 0x03, 0, 0, 64},
    {"WELCOME, which only the relay sends", 0x04, 0, 0, 40},
    {"PEER, which only the relay sends", 0x05, 0, 0, 8},
    {"GOAWAY, which only the relay sends", 0x06, 0, 0, 24},
    {"unknown type", 0x7f, 0, 0, 8},
    {"type 0", 0x00, 0, 0, 0},
    {"unknown bits in pf", 0x10, 0x20, 2, 8},
    {"DATA that may be dropped", 0x10, 0x10 | 2, 2, 8},
    {"HS in class 1", 0x11, 1, 2, 8},
    {"HS that may be dropped", 0x11, 0x10, 2, 8},
    {"HS too long", 0x11, 0, 2, 2049},
    {"DATA to nobody", 0x10, 2, 0, 8},
    {"DATA to itself", 0x10, 2, 1, 8},
    {"DATA to slot 2", 0x10, 2, 4, 8},
    {"DATA to several", 0x10, 2, 3, 8},
    {"DATA to all", 0x10, 2, 0xffff, 8},
    {"HS to itself", 0x11, 0, 1, 8},
    {"PING too short", 0x20, 0, 0, 7},
    {"PING too long", 0x20, 0, 0, 9},
};

static void a_bad_record_closes_its_sender_and_nobody_else(void **state) {
    (void)state;
    static const uint8_t zeros[4096];
    struct pair *p = calloc(1, sizeof(*p));
    for (size_t i = 0; i < sizeof(bad_records) / sizeof(bad_records[0]); i++) {
        const struct bad *b = &bad_records[i];
        print_message("     %s\n", b->what);
        join_pair(p, 0);
        put_data(&p->host, CLASS_2, "before");
        expect_data(&p->viewer, CLASS_2, "before");
        put(&p->host, b->type, b->pf, b->route, tas_bytes_of(zeros, b->len));
        put_data(&p->host, CLASS_2, "after");
        expect_closed(&p->host, TAS_CLOSE_BAD_RECORD);
        expect_peer(&p->viewer, 0, TAS_PEER_SUSPENDED);
        expect_alive(&p->viewer);
        hang_up(&p->viewer, false);
    }
    free(p);
}

static void a_record_too_long_is_refused_by_its_head_alone(void **state) {
    (void)state;
    static const uint32_t lengths[] = {16377, 0x10000, 0x80000000, 0xffffffff};
    struct pair *p = calloc(1, sizeof(*p));
    for (size_t i = 0; i < 4; i++) {
        const uint8_t head[] = {0x10,
                                0x02,
                                0x00,
                                0x02,
                                (uint8_t)(lengths[i] >> 24),
                                (uint8_t)(lengths[i] >> 16),
                                (uint8_t)(lengths[i] >> 8),
                                (uint8_t)lengths[i]};
        join_pair(p, 0);
        assert_true(send_bytes_within(&p->host, head, sizeof(head), GIVE_UP_MS));
        expect_closed(&p->host, TAS_CLOSE_BAD_RECORD);
        expect_peer(&p->viewer, 0, TAS_PEER_SUSPENDED);
        hang_up(&p->viewer, false);
    }
    free(p);
}

static void records_cut_anywhere_arrive_whole(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    static uint8_t big[TAS_RECORD_HEAD + TAS_RECORD_MAX];
    join_pair(p, 0);
    for (size_t i = TAS_RECORD_HEAD; i < sizeof(big); i++)
        big[i] = (uint8_t)(i * 7);
    tas_record_head_encode(big, TAS_RECORD_DATA, CLASS_3, 2, TAS_RECORD_MAX);
    static const size_t cuts[] = {1, 7, 8, 9, 100, 16383, 8192};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        assert_true(send_bytes_within(&p->host, big, cuts[i], GIVE_UP_MS));
        if (i % 2)
            pause_ms(1);
        assert_true(send_bytes_within(&p->host, big + cuts[i], sizeof(big) - cuts[i], GIVE_UP_MS));
        struct tas_record rec = next(&p->viewer);
        assert_int_equal(rec.payload.len, TAS_RECORD_MAX);
        assert_memory_equal(rec.payload.ptr, big + TAS_RECORD_HEAD, TAS_RECORD_MAX);
    }
    for (size_t i = 0; i < 40; i++) /* one byte a TLS record */
        assert_true(send_bytes_within(
            &p->host, i < 8 ? (const uint8_t *)"\x10\0\0\x02\0\0\0\x20" + i : big + i, 1, GIVE_UP_MS));
    assert_int_equal(next(&p->viewer).payload.len, 32);
    /* Gone in the middle of a record: nothing of it is passed on. */
    assert_true(send_bytes_within(&p->host, big, 5000, GIVE_UP_MS));
    hang_up(&p->host, false);
    expect_peer(&p->viewer, 0, TAS_PEER_SUSPENDED);
    hang_up(&p->viewer, false);
    free(p);
}

static void nothing_but_hello_and_proof_passes_the_door(void **state) {
    (void)state;
    struct end *e = calloc(1, sizeof(*e));
    uint8_t proof[64] = {0};
    prepare(e, new_session(), 0);
    dial(e); /* PROOF first */
    put(e, TAS_RECORD_PROOF, 0, 0, tas_bytes_of(proof, sizeof(proof)));
    expect_closed(e, TAS_CLOSE_BAD_RECORD);
    dial(e); /* PING first */
    put(e, TAS_RECORD_PING, 0, 0, text("12345678"));
    expect_closed(e, TAS_CLOSE_BAD_RECORD);
    dial(e); /* DATA first */
    put_data(e, CLASS_0, "x");
    expect_closed(e, TAS_CLOSE_BAD_RECORD);
    dial(e); /* DATA before PROOF */
    say_hello(e);
    take_challenge(e);
    put_data(e, CLASS_0, "x");
    expect_closed(e, TAS_CLOSE_BAD_RECORD);
    dial(e); /* HELLO twice */
    say_hello(e);
    say_hello(e);
    expect_closed(e, TAS_CLOSE_BAD_RECORD);
    dial(e); /* HELLO cut short */
    put(e, TAS_RECORD_HELLO, 0, 0, tas_bytes_of(e->hello_bytes, sizeof(e->hello_bytes) - 1));
    expect_closed(e, TAS_CLOSE_BAD_RECORD);
    dial(e); /* more than anybody may say here */
    put(e, TAS_RECORD_HELLO, 0, 0, tas_bytes_of((const uint8_t *)relay.dir, 0));
    expect_closed(e, TAS_CLOSE_BAD_RECORD);
    static const uint8_t much[8000];
    dial(e);
    put(e, TAS_RECORD_HELLO, 0, 0, tas_bytes_of(much, sizeof(much)));
    expect_closed(e, TAS_CLOSE_LIMIT);
    dial(e); /* another's proof */
    say_hello(e);
    take_challenge(e);
    put(e, TAS_RECORD_PROOF, 0, 0, tas_bytes_of(proof, sizeof(proof)));
    expect_closed(e, TAS_CLOSE_PROOF);
    dial(e); /* a ticket that nobody signed */
    make_hello(e);
    e->hello_bytes[32 + 130] ^= 1;
    put(e, TAS_RECORD_HELLO, 0, 0, tas_bytes_of(e->hello_bytes, sizeof(e->hello_bytes)));
    expect_closed(e, TAS_CLOSE_TICKET);
    e->ticket.not_before_ms -= 95 * 1000;
    dial(e); /* too late to join, in time to resume */
    say_hello(e);
    expect_closed(e, TAS_CLOSE_EXPIRED);
    e->hello.flags = FLAG_RESUME;
    join(e);
    hang_up(e, false);
    e->ticket.relay_ids[0]++;
    dial(e);
    say_hello(e);
    expect_closed(e, TAS_CLOSE_WRONG_RELAY);
    free(e);
}

/* Somebody in the middle has two connections and passes HELLO, CHALLENGE and PROOF between them. */
static void a_proof_of_another_connection_is_refused(void **state) {
    (void)state;
    struct end *victim = calloc(1, sizeof(*victim));
    struct end *middle = calloc(1, sizeof(*middle));
    uint8_t proof[64];
    prepare(victim, new_session(), 0);
    dial(victim);
    *middle = *victim;
    dial(middle);
    say_hello(middle); /* with the victim's ticket */
    take_challenge(middle);
    memcpy(victim->hello_bytes, middle->hello_bytes, sizeof(victim->hello_bytes));
    memcpy(victim->challenge, middle->challenge, sizeof(victim->challenge));
    make_proof(victim, victim, proof);
    put(middle, TAS_RECORD_PROOF, 0, 0, tas_bytes_of(proof, sizeof(proof)));
    expect_closed(middle, TAS_CLOSE_PROOF);

    dial(middle); /* a proof that was good once, on the same connection, for another nonce */
    say_hello(middle);
    take_challenge(middle);
    make_proof(middle, middle, proof);
    hang_up(middle, false);
    dial(middle);
    say_hello(middle);
    take_challenge(middle);
    put(middle, TAS_RECORD_PROOF, 0, 0, tas_bytes_of(proof, sizeof(proof)));
    expect_closed(middle, TAS_CLOSE_PROOF);
    hang_up(victim, false);
    free(middle);
    free(victim);
}

static void garbage_is_closed_and_disturbs_nobody(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    struct end *e = calloc(1, sizeof(*e));
    static uint8_t garbage[40000];
    join_pair(p, 0);
    for (int i = 0; i < 30; i++) {
        tas_random(garbage, sizeof(garbage));
        size_t len = i % 3 == 0 ? 12 + (size_t)i : i % 3 == 1 ? 900 : sizeof(garbage);
        if (i % 2) { /* instead of TLS */
            char answer[64];
            int fd = dial_tcp(0);
            (void)!send(fd, garbage, len, MSG_NOSIGNAL);
            shutdown(fd, SHUT_WR);
            while (read(fd, answer, sizeof(answer)) > 0) {
            }
            close(fd);
        } else { /* in TLS, before or after joining */
            prepare(e, new_session(), 0);
            dial(e);
            if (i % 4 == 0) {
                say_hello(e);
                prove(e);
                take_welcome(e);
            }
            garbage[4] |= 0x80; /* a length that nobody has to wait for */
            for (size_t at = 0; at < len; at += 16384)
                (void)!send_bytes_within(e, garbage + at, len - at < 16384 ? len - at : 16384, 100);
            expect_over(e);
        }
    }
    put_data(&p->host, CLASS_2, "still here");
    struct tas_record rec;
    do /* they were silent for a while: PEER may come first */
        rec = next(&p->viewer);
    while (rec.type != TAS_RECORD_DATA);
    part(p);
    free(e);
    free(p);
}

static void a_flood_of_pings_is_not_answered_in_full(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    struct tas_record rec;
    unsigned pongs = 0;
    join_pair(p, 0);
    uint64_t from_us = tas_mono_us();
    while (tas_mono_us() - from_us < 2000000) {
        for (int i = 0; i < 50; i++)
            put(&p->viewer, TAS_RECORD_PING, 0, 0, text("flooding"));
        while (next_within(&p->viewer, &rec, 1))
            pongs += rec.type == TAS_RECORD_PONG;
        put(&p->host, TAS_RECORD_PING, 0, 0, text("12345678"));
        while (next_within(&p->host, &rec, 0))
            assert_int_not_equal(rec.type, TAS_RECORD_CLOSE);
    }
    while (next_within(&p->viewer, &rec, 100))
        pongs += rec.type == TAS_RECORD_PONG;
    unsigned seconds = (unsigned)((tas_mono_us() - from_us) / 1000000) + 1;
    print_message("     %u PONG in %u s\n", pongs, seconds);
    assert_in_range(pongs, 8, 8 + 4 * seconds);
    part(p);
    free(p);
}

/* BYE right behind PROOF, while the old socket of the same end is still being dealt with: the room empties
 * and its former inhabitant must not look into it any more (ASan sees). */
static void replacing_and_leaving_in_one_breath_is_survived(void **state) {
    (void)state;
    struct end *old = calloc(1, sizeof(*old));
    struct end *e = calloc(1, sizeof(*e));
    const int on = 1, off = 0;
    for (int i = 0; i < 40; i++) {
        uint8_t proof[64];
        prepare(old, new_session(), 1);
        join(old);
        *e = *old;
        dial(e);
        say_hello(e);
        take_challenge(e);
        make_proof(e, e, proof);
        setsockopt(e->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
        put(e, TAS_RECORD_PROOF, 0, 0, tas_bytes_of(proof, sizeof(proof)));
        bye(e);
        for (int k = 0; k < 3 * (i % 8); k++)
            put(old, TAS_RECORD_PING, 0, 0, text("12345678"));
        setsockopt(e->fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
        for (int k = 0; k < 3 * (i % 8); k++)
            put(old, TAS_RECORD_PING, 0, 0, text("12345678"));
        expect_over(e);
        expect_over(old);
    }
    prepare(e, new_session(), 0);
    join(e);
    expect_alive(e);
    hang_up(e, false);
    free(e);
    free(old);
}

/* ---- traffic ---- */

static long rss_kib(void) {
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof(path), "/proc/%d/status", relay.pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

static void one_who_reads_nothing_pauses_his_source_only(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    struct pair *others = calloc(1, sizeof(*others));
    uint64_t session = new_session();
    prepare(&p->host, session, 0);
    prepare(&p->viewer, session, 1);
    dial_slow(&p->host, 65536); /* only what the relay holds is to be seen */
    say_hello(&p->host);
    prove(&p->host);
    take_welcome(&p->host);
    dial_slow(&p->viewer, 65536);
    say_hello(&p->viewer);
    prove(&p->viewer);
    take_welcome(&p->viewer);
    join_pair(others, 0);
    long before = rss_kib();
    uint32_t n = fill_up(p);
    uint64_t longest_us = 0;
    for (int i = 0; i < 200; i++) { /* the neighbours */
        uint64_t from_us = tas_mono_us();
        put_data(&others->host, CLASS_2, "there");
        expect_data(&others->viewer, CLASS_2, "there");
        put_data(&others->viewer, CLASS_0, "and back");
        expect_data(&others->host, CLASS_0, "and back");
        uint64_t took_us = tas_mono_us() - from_us;
        longest_us = took_us > longest_us ? took_us : longest_us;
    }
    for (int i = 0; i < 20; i++) { /* the other direction */
        put_data(&p->viewer, CLASS_0, "input");
        struct tas_record rec;
        do
            rec = next(&p->host);
        while (rec.type != TAS_RECORD_DATA);
        assert_int_equal(rec.payload.len, 5);
    }
    long after = rss_kib();
    print_message(
        "     %u records of 16 KB were swallowed; relay's memory grew by %ld KiB; neighbours' longest "
        "round %u us\n",
        n, after - before, (unsigned)longest_us);
    assert_in_range(n, 1, 200); /* 3 MB: queue, buffers and sockets of all three, and an end */
    assert_true(after - before < MEMORY_KIB);
    /* He reads again: all is there, in order, and the source goes on. The last record was cut by our own
     * socket: OpenSSL goes on with it. */
    uint32_t got = 0, sent = n;
    while (got < n + 50) {
        struct tas_record rec;
        if (next_within(&p->viewer, &rec, 1) && rec.type == TAS_RECORD_DATA)
            check_sample(got++, rec.payload);
        if (sent < n + 50 && put_sample(&p->host, CLASS_2, sent, 16000, 0))
            sent++;
        assert_false(p->viewer.is_over || p->host.is_over);
    }
    part(others);
    part(p);
    free(others);
    free(p);
}

static void a_rate_limits_and_suspends_nobody(void **state) {
    (void)state;
    enum { RATE = 200000, BYTES = 500000 };
    struct pair *p = calloc(1, sizeof(*p));
    join_pair(p, RATE);
    struct tas_record rec;
    size_t got = 0;
    uint32_t sent = 0, answers = 0;
    uint64_t from_us = tas_mono_us();
    while (got < BYTES) {
        if (put_sample(&p->host, CLASS_2, sent, 16000, 0))
            sent++;
        if (next_within(&p->viewer, &rec, 1)) {
            assert_int_not_equal(rec.type, TAS_RECORD_PEER);
            if (rec.type == TAS_RECORD_DATA) {
                got += rec.payload.len;
                put_data(&p->viewer, CLASS_0, "ack");
            }
        }
        if (next_within(&p->host, &rec, 1)) {
            assert_int_not_equal(rec.type, TAS_RECORD_PEER);
            answers += rec.type == TAS_RECORD_DATA;
        }
    }
    double seconds = (double)(tas_mono_us() - from_us) / 1e6;
    print_message("     %zu bytes in %.2f s at a limit of %d B/s; %u answers\n", got, seconds, RATE, answers);
    assert_true(seconds > (double)(BYTES - RATE / 2 - 65536) / RATE * 0.95);
    assert_in_range(answers, 20, 40); /* the other direction is not kept back */
    part(p);
    free(p);
}

static void a_key_update_by_the_end_is_survived(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    join_pair(p, 0);
    for (int i = 0; i < 20; i++) {
        struct end *from = i % 2 ? &p->host : &p->viewer;
        struct end *to = i % 2 ? &p->viewer : &p->host;
        assert_int_equal(
            SSL_key_update(from->ssl, i % 3 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        put_data(from, CLASS_1, "under a new key");
        expect_data(to, CLASS_1, "under a new key");
        put_data(to, CLASS_1, "and back");
        expect_data(from, CLASS_1, "and back");
    }
    part(p);
    free(p);
}

enum { SESSIONS = 200, RECORDS = 60 };

struct stream {
    struct end *from, *to;
    uint32_t sent, got;
};

static size_t len_of(uint32_t n, size_t s) {
    return n % 7 == 0 ? 16376 : (n * 977 + s * 131) % 3000;
}

static bool step(struct stream *s, size_t index) {
    struct tas_record rec;
    while (s->sent < RECORDS && put_sample(s->from, CLASS_2, s->sent, len_of(s->sent, index), 0))
        s->sent++;
    while (s->got < RECORDS && next_within(s->to, &rec, 0)) {
        if (rec.type != TAS_RECORD_DATA)
            continue;
        assert_int_equal(rec.payload.len, len_of(s->got, index));
        check_sample(s->got++, rec.payload);
    }
    assert_false(s->from->is_over);
    return s->got == RECORDS;
}

static void two_hundred_sessions_at_once_get_every_byte(void **state) {
    (void)state;
    struct pair **pairs = calloc(SESSIONS, sizeof(struct pair *));
    struct stream *streams = calloc((size_t)2 * SESSIONS, sizeof(*streams));
    for (size_t i = 0; i < SESSIONS; i++) {
        pairs[i] = calloc(1, sizeof(struct pair));
        join_pair(pairs[i], 0);
        streams[2 * i] = (struct stream){.from = &pairs[i]->host, .to = &pairs[i]->viewer};
        streams[2 * i + 1] = (struct stream){.from = &pairs[i]->viewer, .to = &pairs[i]->host};
    }
    uint64_t end_us = tas_mono_us() + 120u * 1000000;
    for (size_t done = 0; done < (size_t)2 * SESSIONS;) {
        done = 0;
        for (size_t i = 0; i < (size_t)2 * SESSIONS; i++)
            done += step(&streams[i], i);
        assert_true(tas_mono_us() < end_us);
    }
    for (size_t i = 0; i < SESSIONS; i++) {
        part(pairs[i]);
        free(pairs[i]);
    }
    free(streams);
    free(pairs);
}

/* ---- at the door of a relay that admits 4 strangers per source ---- */

static void a_source_may_only_have_so_many_strangers_at_the_door(void **state) {
    (void)state;
    int fds[4];
    char byte;
    for (int i = 0; i < 4; i++)
        fds[i] = dial_tcp(0);
    int fd = dial_tcp(0);
    assert_true(read(fd, &byte, 1) <= 0); /* closed at once */
    close(fd);
    close(fds[0]);
    struct end *e = calloc(1, sizeof(*e));
    prepare(e, new_session(), 0);
    pause_ms(200); /* until the relay has seen that one went */
    join(e);       /* a place is free again, and one who is in does not count */
    expect_alive(e);
    hang_up(e, false);
    for (int i = 1; i < 4; i++)
        close(fds[i]);
    free(e);
}

int main(int argc, char **argv) {
    static const struct CMUnitTest fast[] = {
        cmocka_unit_test(both_slots_join_and_are_told_of_each_other),
        cmocka_unit_test(the_same_key_replaces_its_socket_with_a_new_incarnation),
        cmocka_unit_test(another_key_does_not_get_a_taken_slot),
        cmocka_unit_test(the_eleventh_join_in_a_minute_is_refused),
        cmocka_unit_test(the_eleventh_join_is_refused_also_after_saying_bye_each_time),
        cmocka_unit_test(a_reset_socket_is_told_at_once_and_the_slot_is_kept),
        cmocka_unit_test(bye_is_told_as_gone),
        cmocka_unit_test(a_silent_end_is_suspended_after_a_second_and_back_with_a_word),
        cmocka_unit_test(one_who_waited_quietly_is_not_suspended_when_the_peer_comes),
        cmocka_unit_test(a_bad_record_closes_its_sender_and_nobody_else),
        cmocka_unit_test(a_record_too_long_is_refused_by_its_head_alone),
        cmocka_unit_test(records_cut_anywhere_arrive_whole),
        cmocka_unit_test(nothing_but_hello_and_proof_passes_the_door),
        cmocka_unit_test(a_proof_of_another_connection_is_refused),
        cmocka_unit_test(garbage_is_closed_and_disturbs_nobody),
        cmocka_unit_test(a_flood_of_pings_is_not_answered_in_full),
        cmocka_unit_test(replacing_and_leaving_in_one_breath_is_survived),
        cmocka_unit_test(one_who_reads_nothing_pauses_his_source_only),
        cmocka_unit_test(a_rate_limits_and_suspends_nobody),
        cmocka_unit_test(a_key_update_by_the_end_is_survived),
        cmocka_unit_test(two_hundred_sessions_at_once_get_every_byte),
    };
    static const struct CMUnitTest narrow[] = {
        cmocka_unit_test(a_source_may_only_have_so_many_strangers_at_the_door),
    };
    if (argc < 6)
        return 2;
    read_arguments(argv);
    if (argc > 6)
        cmocka_set_test_filter(argv[6]);
    if (strcmp(argv[5], "narrow") == 0)
        return cmocka_run_group_tests(narrow, NULL, NULL);
    return cmocka_run_group_tests(fast, NULL, NULL);
}
