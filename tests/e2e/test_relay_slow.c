/* What takes the relay half a minute to do. Run by test_relay.py slow, all side by side:
 * test_relay_slow DIR ADDRESS RELAY_ID PID slow NAME; without arguments it names its tests. */
#include "relay_client.h"

static void a_low_rate_suspends_nobody(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    join_pair(p, 6000);
    struct tas_record rec;
    uint64_t from_us = tas_mono_us();
    uint32_t sent = 0;
    size_t got = 0;
    while (tas_mono_us() - from_us < 7000000) { /* 16 KB are 2.7 s */
        if (put_sample(&p->host, CLASS_2, sent, 16000, 0))
            sent++;
        put(&p->viewer, TAS_RECORD_PING, 0, 0, text("12345678"));
        while (next_within(&p->viewer, &rec, 200)) {
            assert_int_not_equal(rec.type, TAS_RECORD_PEER);
            got += rec.payload.len;
        }
    }
    assert_false(p->host.is_over);
    print_message("     %zu bytes in 7 s\n", got);
    part(p);
    free(p);
}

static void nobody_stays_at_the_door_for_longer_than_10_s(void **state) {
    (void)state;
    struct end *no_hello = calloc(1, sizeof(*no_hello));
    struct end *no_proof = calloc(1, sizeof(*no_proof));
    char byte;
    uint64_t from_us = tas_mono_us();
    int fd = dial_tcp(0);
    assert_int_equal(send(fd, "\x16\x03\x01\x02", 4, MSG_NOSIGNAL), 4); /* a ClientHello that never ends */
    dial(no_hello);
    prepare(no_proof, new_session(), 0);
    dial(no_proof);
    say_hello(no_proof);
    take_challenge(no_proof);
    assert_true(read(fd, &byte, 1) <= 0);
    expect_closed(no_hello, TAS_CLOSE_TIMEOUT);
    expect_closed(no_proof, TAS_CLOSE_TIMEOUT);
    assert_in_range(tas_mono_us() - from_us, 9500000, UINT64_MAX);
    close(fd);
    free(no_proof);
    free(no_hello);
}

static void one_without_a_peer_is_pinged_every_10_s_and_given_up_after_30(void **state) {
    (void)state;
    struct end *e = calloc(1, sizeof(*e));
    struct tas_record rec;
    unsigned pings = 0;
    prepare(e, new_session(), 0);
    join(e);
    uint64_t from_us = tas_mono_us();
    while (next_within(e, &rec, 40000) && rec.type == TAS_RECORD_PING)
        pings++;
    assert_int_equal(rec.type, TAS_RECORD_CLOSE);
    assert_int_equal(rec.payload.ptr[1], TAS_CLOSE_TIMEOUT);
    assert_in_range(pings, 2, 3);
    assert_in_range(tas_mono_us() - from_us, 29500000, UINT64_MAX);
    hang_up(e, false);
    free(e);
}

static void one_who_takes_nothing_for_20_s_is_closed_and_his_source_is_heard_again(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    struct tas_record rec;
    join_pair(p, 0);
    uint64_t from_us = tas_mono_us();
    fill_up(p);
    /* He talks, but does not listen. */
    for (bool is_told = false; !is_told;) {
        assert_true(tas_mono_us() - from_us < 40u * 1000000);
        put(&p->viewer, TAS_RECORD_PING, 0, 0, text("12345678"));
        while (next_within(&p->host, &rec, 200))
            is_told |= rec.type == TAS_RECORD_PEER && rec.payload.ptr[1] == TAS_PEER_SUSPENDED;
        assert_false(p->host.is_over);
    }
    print_message("     closed after %.1f s\n", (double)(tas_mono_us() - from_us) / 1e6);
    assert_in_range(tas_mono_us() - from_us, 19000000, UINT64_MAX);
    hang_up(&p->viewer, false);
    static uint8_t again[16008]; /* the record that was cut must be sent again, as OpenSSL has it */
    tas_record_head_encode(again, TAS_RECORD_DATA, CLASS_2, 2, 16000);
    SSL_set_mode(p->host.ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    assert_true(send_bytes_within(&p->host, again, sizeof(again), GIVE_UP_MS));
    expect_alive(&p->host);
    hang_up(&p->host, false);
    free(p);
}

/* 25 s of a line that is slower than what is sent: no reason to close. */
static void one_who_reads_slowly_but_steadily_is_kept(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    uint64_t session = new_session();
    struct tas_record rec;
    prepare(&p->host, session, 0);
    prepare(&p->viewer, session, 1);
    join(&p->host);
    dial_slow(&p->viewer, 8192);
    say_hello(&p->viewer);
    prove(&p->viewer);
    take_welcome(&p->viewer);
    uint64_t from_us = tas_mono_us();
    uint32_t sent = 0, got = 0;
    while (tas_mono_us() - from_us < 25u * 1000000) {
        while (put_sample(&p->host, CLASS_3, sent, 16000, 0))
            sent++;
        while (next_within(&p->host, &rec, 0)) {
        }
        put(&p->viewer, TAS_RECORD_PING, 0, 0, text("12345678"));
        if (next_within(&p->viewer, &rec, 200)) {
            assert_int_not_equal(rec.type, TAS_RECORD_CLOSE);
            if (rec.type == TAS_RECORD_DATA)
                check_sample(got++, rec.payload);
        }
        assert_false(p->viewer.is_over || p->host.is_over);
        pause_ms(100); /* this is the slow line */
    }
    print_message("     %u records taken, %u sent\n", got, sent);
    assert_in_range(got, 50, sent - 10);
    part(p);
    free(p);
}

static void one_who_vanished_without_a_word_is_closed_after_20_s(void **state) {
    (void)state;
    struct pair *p = calloc(1, sizeof(*p));
    struct tas_record rec;
    join_pair(p, 0);
    uint64_t from_us = tas_mono_us();
    while (talk_until(&p->host, &p->viewer, &rec, 1000) && rec.type != TAS_RECORD_CLOSE)
        assert_true(tas_mono_us() - from_us < 60u * 1000000);
    for (;;) {
        if (talk_until(&p->host, &p->viewer, &rec, 1000) && rec.type == TAS_RECORD_CLOSE)
            break;
        assert_true(tas_mono_us() - from_us < 60u * 1000000);
    }
    assert_int_equal(rec.payload.ptr[1], TAS_CLOSE_TIMEOUT);
    assert_in_range(tas_mono_us() - from_us, 19500000, UINT64_MAX);
    part(p);
    free(p);
}

int main(int argc, char **argv) {
    static const struct CMUnitTest slow[] = {
        cmocka_unit_test(a_low_rate_suspends_nobody),
        cmocka_unit_test(nobody_stays_at_the_door_for_longer_than_10_s),
        cmocka_unit_test(one_without_a_peer_is_pinged_every_10_s_and_given_up_after_30),
        cmocka_unit_test(one_who_takes_nothing_for_20_s_is_closed_and_his_source_is_heard_again),
        cmocka_unit_test(one_who_reads_slowly_but_steadily_is_kept),
        cmocka_unit_test(one_who_vanished_without_a_word_is_closed_after_20_s),
    };
    if (argc < 7) {
        for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++)
            puts(slow[i].name);
        return 0;
    }
    read_arguments(argv);
    cmocka_set_test_filter(argv[6]);
    return cmocka_run_group_tests(slow, NULL, NULL);
}
