/* How often the customer's pointer is asked for: src/tool/pointer.h, under a clock and with a screen of ours.
 * Link with --wrap for tas_mono_us, tas_timer_new, tas_timer_set, tas_timer_free and tas_session_cursor. */
#include "tool/pointer.h"

#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t now_us, timer_us;
static void (*timer_fn)(void *);
static void *timer_ctx;
static unsigned n_told, n_images, n_asked, news;
static bool is_awaited, can_tell, is_broken;
static struct tas_screen_cursor cursor;
static struct tool_pointer p;

uint64_t __wrap_tas_mono_us(void);
struct tas_timer *__wrap_tas_timer_new(struct tas_loop *loop, void (*fn)(void *), void *ctx);
void __wrap_tas_timer_set(struct tas_timer *timer, uint64_t at_us);
void __wrap_tas_timer_free(struct tas_timer *timer);
void __wrap_tas_session_cursor(struct tas_session *s, uint32_t x, uint32_t y,
                               const struct tas_msg_cursor_image *image);

uint64_t __wrap_tas_mono_us(void) {
    return now_us;
}

struct tas_timer *__wrap_tas_timer_new(struct tas_loop *loop, void (*fn)(void *), void *ctx) {
    (void)loop;
    timer_fn = fn;
    timer_ctx = ctx;
    timer_us = UINT64_MAX;
    return (struct tas_timer *)&timer_us;
}

void __wrap_tas_timer_set(struct tas_timer *timer, uint64_t at_us) {
    (void)timer;
    timer_us = at_us;
}

void __wrap_tas_timer_free(struct tas_timer *timer) {
    (void)timer;
}

void __wrap_tas_session_cursor(struct tas_session *s, uint32_t x, uint32_t y,
                               const struct tas_msg_cursor_image *image) {
    (void)s;
    assert_int_equal(x, cursor.x);
    assert_int_equal(y, cursor.y);
    n_told++;
    n_images += image != NULL;
}

static int ask_cursor(struct tas_screen *screen, struct tas_screen_cursor *out) {
    (void)screen;
    n_asked++;
    *out = cursor;
    return is_broken ? TAS_E_ABSENT : TAS_OK;
}

static int await_move(struct tas_screen *screen) {
    (void)screen;
    is_awaited = can_tell;
    return can_tell ? TAS_OK : TAS_E_ABSENT;
}

static unsigned take_news(struct tas_screen *screen) {
    (void)screen;
    unsigned taken = news;
    news = 0;
    return taken;
}

static const struct tas_screen_ops ops = {
    .cursor = ask_cursor, .await_move = await_move, .pointer_news = take_news};

static int open_pointer(void **state) {
    (void)state;
    now_us = 1000000;
    n_told = n_images = n_asked = news = 0;
    is_awaited = is_broken = false;
    can_tell = true;
    cursor = (struct tas_screen_cursor){.x = 5, .y = 6, .serial = 1};
    return tool_pointer_open(&p, NULL, &ops, NULL, NULL) ? 0 : -1;
}

static int close_pointer(void **state) {
    (void)state;
    tool_pointer_close(&p);
    return 0;
}

/* Time passes; the pointer's moves are told as X11 does it. */
static void run_ms(unsigned ms) {
    uint64_t end_us = now_us + (uint64_t)ms * 1000;
    while (timer_us <= end_us) {
        now_us = timer_us > now_us ? timer_us : now_us;
        timer_us = UINT64_MAX;
        timer_fn(timer_ctx);
    }
    now_us = end_us;
}

static void move(uint32_t x) {
    cursor.x = x;
    if (is_awaited)
        news |= TAS_SCREEN_MOVED;
    is_awaited = false;
    tool_pointer_pumped(&p);
}

static void nobody_looks_and_nothing_is_asked(void **state) {
    (void)state;
    run_ms(10000);
    news = TAS_SCREEN_MOVED | TAS_SCREEN_IMAGE;
    tool_pointer_pumped(&p);
    run_ms(10000);
    assert_int_equal(n_asked, 0);
    tool_pointer_watch(&p, true);
    run_ms(1000);
    assert_true(n_asked > 0);
    tool_pointer_watch(&p, false);
    n_asked = 0;
    run_ms(10000);
    assert_int_equal(n_asked, 0);
}

static void at_rest_it_is_asked_for_twice_a_second(void **state) {
    (void)state;
    tool_pointer_watch(&p, true);
    run_ms(500);
    assert_int_equal(n_images, 1);
    assert_true(is_awaited);
    n_asked = 0;
    run_ms(10000);
    assert_in_range(n_asked, 18, 22);
    assert_int_equal(n_images, 1);
}

static void a_move_is_told_at_once_and_then_every_8_ms_until_it_rests(void **state) {
    (void)state;
    tool_pointer_watch(&p, true);
    run_ms(1000);
    n_told = 0;
    move(50);
    assert_int_equal(n_told, 1);
    n_asked = 0;
    for (uint32_t i = 0; i < 1000; i++) { /* a good mouse */
        move(51 + i);
        run_ms(1);
    }
    assert_in_range(n_asked, 110, 130);
    assert_false(is_awaited);
    run_ms(120);
    assert_true(is_awaited);
    n_asked = 0;
    run_ms(10000);
    assert_in_range(n_asked, 18, 22);
}

static void what_moved_before_it_was_awaited_is_seen(void **state) {
    (void)state;
    tool_pointer_watch(&p, true);
    run_ms(1000);
    move(50);
    unsigned before = n_told;
    for (uint32_t i = 0; i < 200; i++) { /* moves at the very moment of every question */
        run_ms(8);
        cursor.x++;
    }
    assert_true(n_told - before >= 199);
    run_ms(500);
    assert_int_equal(p.x, cursor.x);
}

static void a_program_that_moves_it_is_seen_within_half_a_second(void **state) {
    (void)state;
    tool_pointer_watch(&p, true);
    run_ms(3000);
    n_asked = 0;
    cursor.x = 77; /* nothing tells of it */
    run_ms(501);
    assert_int_equal(p.x, 77);
    run_ms(120);
    assert_in_range(n_asked, 12, 18); /* it might have gone on */
}

static void a_pointer_that_changes_its_image_all_the_time_is_not_taken_for_a_moving_one(void **state) {
    (void)state;
    tool_pointer_watch(&p, true);
    run_ms(1000);
    n_asked = n_images = 0;
    for (unsigned i = 0; i < 20; i++) { /* an hourglass */
        cursor.serial++;
        news |= TAS_SCREEN_IMAGE;
        tool_pointer_pumped(&p);
        run_ms(50);
    }
    assert_int_equal(n_images, 20);
    assert_in_range(n_asked, 20, 23);
    assert_true(is_awaited);
}

static void images_that_come_faster_than_8_ms_are_thinned_out(void **state) {
    (void)state;
    tool_pointer_watch(&p, true);
    run_ms(1000);
    n_asked = 0;
    for (unsigned i = 0; i < 1000; i++) {
        cursor.serial++;
        news |= TAS_SCREEN_IMAGE;
        tool_pointer_pumped(&p);
        run_ms(1);
    }
    assert_in_range(n_asked, 100, 130);
    run_ms(10);
    assert_int_equal(p.serial, cursor.serial);
}

static void a_display_that_does_not_tell_is_asked_30_times_a_second(void **state) {
    (void)state;
    can_tell = false;
    tool_pointer_watch(&p, true);
    run_ms(1000);
    n_asked = 0;
    run_ms(10000);
    assert_in_range(n_asked, 290, 310);
    cursor.x = 99;
    run_ms(34);
    assert_int_equal(p.x, 99);
}

static void a_display_that_is_gone_is_not_asked_more_often(void **state) {
    (void)state;
    tool_pointer_watch(&p, true);
    run_ms(1000);
    is_broken = true;
    n_asked = 0;
    run_ms(10000);
    assert_in_range(n_asked, 18, 22);
}

#define POINTER(f) cmocka_unit_test_setup_teardown(f, open_pointer, close_pointer)

int main(void) {
    const struct CMUnitTest tests[] = {
        POINTER(nobody_looks_and_nothing_is_asked),
        POINTER(at_rest_it_is_asked_for_twice_a_second),
        POINTER(a_move_is_told_at_once_and_then_every_8_ms_until_it_rests),
        POINTER(what_moved_before_it_was_awaited_is_seen),
        POINTER(a_program_that_moves_it_is_seen_within_half_a_second),
        POINTER(a_pointer_that_changes_its_image_all_the_time_is_not_taken_for_a_moving_one),
        POINTER(images_that_come_faster_than_8_ms_are_thinned_out),
        POINTER(a_display_that_does_not_tell_is_asked_30_times_a_second),
        POINTER(a_display_that_is_gone_is_not_asked_more_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
