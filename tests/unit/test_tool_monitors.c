/* Which of the customer's monitors is shown: src/tool/monitors.h. */
#include "tool/monitors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct monitors m;
static struct tas_screen_monitors now;

static void set(size_t n, const char *const *names, int primary) {
    now = (struct tas_screen_monitors){.n = n};
    for (size_t i = 0; i < n; i++) {
        now.list[i].area = (struct tas_screen_area){(uint32_t)i * 100, (uint32_t)i, 100, 50};
        now.list[i].is_primary = primary == (int)i;
        snprintf(now.list[i].name, sizeof(now.list[i].name), "%s", names[i]);
    }
    monitors_update(&m, &now);
}

static uint8_t id_of(const char *name) {
    for (unsigned i = 0; i < m.told.n; i++)
        if (strcmp(m.told.list[i].name, name) == 0)
            return m.told.list[i].id;
    fail_msg("no monitor %s", name);
    return 0;
}

static int fresh(void **state) {
    (void)state;
    m = (struct monitors){0};
    return 0;
}

static void the_only_one_is_all(void **state) {
    (void)state;
    struct tas_screen_area area;
    set(0, NULL, -1);
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
    set(1, (const char *const[]){"A"}, 0);
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
    assert_false(monitors_area(&m, &area));
    monitors_choose(&m, id_of("A"));
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
}

static void of_several_the_primary_one_is_shown_or_the_first(void **state) {
    (void)state;
    struct tas_screen_area area;
    set(3, (const char *const[]){"A", "B", "C"}, 1);
    assert_int_equal(m.told.shown, id_of("B"));
    assert_true(monitors_area(&m, &area));
    assert_int_equal(area.x, 100);
    assert_int_equal(area.y, 1);
    assert_int_equal(area.width, 100);
    assert_int_equal(area.height, 50);
    set(3, (const char *const[]){"A", "B", "C"}, 2); /* the picture stays */
    assert_int_equal(m.told.shown, id_of("B"));
    fresh(NULL);
    set(2, (const char *const[]){"A", "B"}, -1);
    assert_int_equal(m.told.shown, id_of("A"));
}

static void a_second_one_that_is_plugged_in_does_not_widen_the_picture(void **state) {
    (void)state;
    set(1, (const char *const[]){"A"}, 0);
    set(2, (const char *const[]){"A", "B"}, 0);
    assert_int_equal(m.told.shown, id_of("A"));
    set(1, (const char *const[]){"A"}, 0);
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
    set(2, (const char *const[]){"A", "B"}, 0);
    assert_int_equal(m.told.shown, id_of("A"));
}

static void the_choice_holds_until_it_is_gone(void **state) {
    (void)state;
    set(3, (const char *const[]){"A", "B", "C"}, 0);
    monitors_choose(&m, TAS_MONITOR_ANY); /* with every VIEW */
    assert_int_equal(m.told.shown, id_of("A"));
    monitors_choose(&m, id_of("C"));
    uint8_t c = id_of("C");
    assert_int_equal(m.told.shown, c);
    set(3, (const char *const[]){"C", "A", "B"}, 1); /* another order */
    assert_int_equal(m.told.shown, c);
    assert_int_equal(id_of("C"), c);
    set(2, (const char *const[]){"A", "B"}, 0);
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
    set(3, (const char *const[]){"A", "B", "C"}, 0); /* it is back, and nobody has chosen it */
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
    monitors_choose(&m, TAS_MONITOR_ANY);
    assert_int_equal(m.told.shown, id_of("A"));
    monitors_choose(&m, TAS_MONITOR_ALL);
    set(2, (const char *const[]){"A", "B"}, 0);
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
    monitors_choose(&m, 16); /* nobody's */
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
}

static void the_one_shown_by_itself_leaves_all_when_it_goes(void **state) {
    (void)state;
    set(3, (const char *const[]){"A", "B", "C"}, 0);
    set(2, (const char *const[]){"B", "C"}, 0);
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
    set(3, (const char *const[]){"B", "C", "D"}, 2); /* and it does not jump again */
    assert_int_equal(m.told.shown, TAS_MONITOR_ALL);
}

static void numbers_stay_and_are_not_given_to_the_next_at_once(void **state) {
    (void)state;
    set(2, (const char *const[]){"A", "B"}, 0);
    uint8_t a = id_of("A"), b = id_of("B");
    set(2, (const char *const[]){"C", "B"}, 0);
    assert_int_equal(id_of("B"), b);
    assert_int_not_equal(id_of("C"), a);
    assert_int_not_equal(id_of("C"), b);
    static const char *const many[16] = {"1", "2", "3", "4", "5", "6", "7", "8",
                                         "9", "a", "b", "c", "d", "e", "f", "B"};
    set(16, many, 0);
    assert_int_equal(id_of("B"), b);
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < i; k++)
            assert_int_not_equal(m.told.list[i].id, m.told.list[k].id);
    for (unsigned i = 0; i < 16; i++)
        assert_in_range(m.told.list[i].id, 1, TAS_MONITORS);
}

static void those_without_a_name_or_with_the_same_are_told_apart(void **state) {
    (void)state;
    set(3, (const char *const[]){"", "", "X"}, 0);
    assert_int_equal(m.told.n, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_true(m.told.list[i].name[0] != '\0');
    struct tas_monitors before = m.told;
    set(3, (const char *const[]){"", "", "X"}, 0); /* by their places */
    assert_memory_equal(&before.list[0].id, &m.told.list[0].id, 1);
    assert_memory_equal(&before.list[1].id, &m.told.list[1].id, 1);
    set(3, (const char *const[]){"X", "X", "X"}, 0);
    assert_int_equal(m.told.n, 3);
    assert_int_not_equal(m.told.list[0].id, m.told.list[1].id);
    assert_int_not_equal(m.told.list[1].id, m.told.list[2].id);
    assert_int_not_equal(m.told.list[0].id, m.told.list[2].id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_only_one_is_all, fresh),
        cmocka_unit_test_setup(of_several_the_primary_one_is_shown_or_the_first, fresh),
        cmocka_unit_test_setup(a_second_one_that_is_plugged_in_does_not_widen_the_picture, fresh),
        cmocka_unit_test_setup(the_choice_holds_until_it_is_gone, fresh),
        cmocka_unit_test_setup(the_one_shown_by_itself_leaves_all_when_it_goes, fresh),
        cmocka_unit_test_setup(numbers_stay_and_are_not_given_to_the_next_at_once, fresh),
        cmocka_unit_test_setup(those_without_a_name_or_with_the_same_are_told_apart, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
