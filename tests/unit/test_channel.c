/* Messages to fragments and back, what is kept for a resume, and what is not. */
#include "session/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint8_t zeros[300 * 1024];

/* Moves the next record of `cls` from a to b. The result of take, or 1 when nothing waits. */
static int move(struct tas_channels *a, struct tas_channels *b, enum tas_class cls, size_t max,
                struct tas_incoming *out) {
    static uint8_t plain[TAS_PLAIN_MAX];
    uint8_t pf;
    int len = tas_channels_next(a, cls, false, max, plain, sizeof(plain), &pf);
    if (len == 0)
        return 1;
    struct tas_fragment frag;
    assert_int_equal(tas_fragment_decode(&frag, tas_bytes_of(plain, (size_t)len)), TAS_OK);
    return tas_channels_take(b, &frag, cls, out);
}

static void a_message_cut_into_pieces_of_any_size_comes_out_whole(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 7, 100, 1024, 16344};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct tas_channels a, b;
        tas_channels_init(&a);
        tas_channels_init(&b);
        uint8_t body[3000];
        for (size_t k = 0; k < sizeof(body); k++)
            body[k] = (uint8_t)(k * 7);
        assert_int_equal(
            tas_channels_send(&a, 2, TAS_MESSAGE_FRAME, TAS_CLASS_SCREEN, tas_bytes_of(body, sizeof(body))),
            TAS_OK);
        struct tas_incoming m;
        int err;
        while ((err = move(&a, &b, TAS_CLASS_SCREEN, sizes[i], &m)) == TAS_E_MORE)
            ;
        assert_int_equal(err, TAS_OK);
        assert_int_equal(m.type, TAS_MESSAGE_FRAME);
        assert_memory_equal(m.body.ptr, body, sizeof(body));
        tas_channels_fini(&a);
        tas_channels_fini(&b);
    }
}

static void a_full_queue_refuses(void **state) {
    (void)state;
    struct tas_channels a;
    tas_channels_init(&a);
    int err = TAS_OK;
    unsigned n = 0;
    for (; err == TAS_OK; n++)
        err = tas_channels_send(&a, 7, TAS_MESSAGE_CHAT, TAS_CLASS_SMALL, tas_bytes_of(zeros, 4000));
    assert_int_equal(err, TAS_E_FULL);
    assert_int_equal(n, 256 * 1024 / 4000 + 1);
    assert_int_equal(
        tas_channels_send(&a, 2, TAS_MESSAGE_FRAME, TAS_CLASS_SCREEN, tas_bytes_of(zeros, sizeof(zeros))),
        TAS_OK);
    assert_int_equal(tas_channels_send(&a, 2, TAS_MESSAGE_FRAME, TAS_CLASS_SCREEN, tas_bytes_of(zeros, 1)),
                     TAS_E_FULL);
    tas_channels_fini(&a);
}

static void what_was_not_acknowledged_goes_out_again_and_input_does_not(void **state) {
    (void)state;
    struct tas_channels a, b;
    struct tas_incoming m;
    tas_channels_init(&a);
    tas_channels_init(&b);
    for (uint8_t i = 0; i < 5; i++)
        assert_int_equal(tas_channels_send(&a, 7, TAS_MESSAGE_CHAT, TAS_CLASS_SMALL, tas_bytes_of(&i, 1)),
                         TAS_OK);
    assert_int_equal(tas_channels_send(&a, 1, TAS_MESSAGE_INPUT, TAS_CLASS_CONTROL, tas_bytes_of(zeros, 56)),
                     TAS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(move(&a, &b, TAS_CLASS_SMALL, 4096, &m), TAS_OK);
    assert_int_equal(tas_channels_on_ack(&a, 7, 2), TAS_OK);
    tas_channels_on_suspend(&a);
    tas_channels_on_suspend(&b);
    assert_int_equal(tas_channels_on_ack(&a, 7, b.ch[7].rx_msgs), TAS_OK);
    assert_int_equal(b.ch[7].rx_msgs, 3);
    for (uint8_t i = 3; i < 5; i++) {
        assert_int_equal(move(&a, &b, TAS_CLASS_SMALL, 4096, &m), TAS_OK);
        assert_int_equal(m.body.ptr[0], i);
    }
    assert_int_equal(move(&a, &b, TAS_CLASS_SMALL, 4096, &m), 1);
    assert_int_equal(move(&a, &b, TAS_CLASS_CONTROL, 4096, &m), 1);
    assert_int_equal(tas_channels_on_ack(&a, 7, 6), TAS_E_PROTO);
    assert_int_equal(tas_channels_on_ack(&a, 7, 2), TAS_E_PROTO);
    assert_int_equal(tas_channels_on_ack(&a, 7, 5), TAS_OK);
    assert_int_equal(a.ch[7].bytes, 0);
    tas_channels_fini(&a);
    tas_channels_fini(&b);
}

static void forgetting_keeps_only_what_has_begun(void **state) {
    (void)state;
    struct tas_channels a, b;
    struct tas_incoming m;
    tas_channels_init(&a);
    tas_channels_init(&b);
    assert_int_equal(tas_channels_send(&a, 2, TAS_MESSAGE_FRAME, TAS_CLASS_SCREEN, tas_bytes_of(zeros, 3000)),
                     TAS_OK);
    assert_int_equal(move(&a, &b, TAS_CLASS_SCREEN, 1000, &m), TAS_E_MORE);
    assert_int_equal(tas_channels_send(&a, 2, TAS_MESSAGE_SCREEN, TAS_CLASS_SCREEN, tas_bytes_of(zeros, 16)),
                     TAS_OK);
    tas_channels_forget(&a, 2);
    assert_int_equal(a.ch[2].bytes, 3000);
    assert_int_equal(tas_channels_send(&a, 2, TAS_MESSAGE_SCREEN, TAS_CLASS_SCREEN, tas_bytes_of(zeros, 16)),
                     TAS_OK);
    assert_int_equal(move(&a, &b, TAS_CLASS_SCREEN, 4000, &m), TAS_OK);
    assert_int_equal(m.type, TAS_MESSAGE_FRAME);
    assert_int_equal(move(&a, &b, TAS_CLASS_SCREEN, 4000, &m), TAS_OK);
    assert_int_equal(m.type, TAS_MESSAGE_SCREEN);
    assert_int_equal(move(&a, &b, TAS_CLASS_SCREEN, 4000, &m), 1);
    tas_channels_fini(&a);
    tas_channels_fini(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_cut_into_pieces_of_any_size_comes_out_whole),
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(what_was_not_acknowledged_goes_out_again_and_input_does_not),
        cmocka_unit_test(forgetting_keeps_only_what_has_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
