/* The customer's own record: what the other end does cannot forge lines of it, nor flush it. */
#include "base/time.h"
#include "customer/record.h"
#include "ui/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SAVED_MAX = 1024 * 1024 };

static char saved[SAVED_MAX];

static const char *save(const struct record *record) {
    char folder[] = "/tmp/tasuki-record-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/record", folder);
    assert_int_equal(record_save(record, path), TAS_OK);
    assert_int_equal(record_save(record, path), TAS_E_IO); /* nothing is overwritten */
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    saved[fread(saved, 1, sizeof(saved) - 1, f)] = '\0';
    fclose(f);
    unlink(path);
    rmdir(folder);
    return saved;
}

static unsigned count(const char *in, const char *text) {
    unsigned n = 0;
    for (const char *at = strstr(in, text); at; at = strstr(at + 1, text))
        n++;
    return n;
}

static void a_detail_is_one_line_and_plain(void **state) {
    (void)state;
    struct record *record = record_new();
    assert_non_null(record);
    record_add(record, RECORD_EVENT, "The operator wrote",
               "a\nb\r\nc\xc2\x85"
               "d\u2028e\u2029f\vg\u202eh\u200bi\x1b[1m");
    const char *text = save(record);
    assert_int_equal(count(text, "\n"), 3); /* title, empty line, this one */
    assert_non_null(strstr(text, "The operator wrote: a b c d e f ghi[1m\n"));
    record_free(record);
}

static void repetitions_are_counted(void **state) {
    (void)state;
    struct record *record = record_new();
    for (int i = 0; i < 17; i++) {
        record_add(record, RECORD_EVENT, "on", NULL);
        record_add(record, RECORD_EVENT, "off", NULL);
    }
    record_add(record, RECORD_DECISION, "paused", NULL);
    record_add(record, RECORD_DECISION, "paused", NULL);
    record_add(record, RECORD_EVENT, "on", NULL); /* after it: a line of its own */
    record_add(record, RECORD_EVENT, "on", "another");
    const char *text = save(record);
    assert_int_equal(count(text, "  on (17 times, the last at "), 1);
    assert_int_equal(count(text, "  off (17 times, the last at "), 1);
    assert_int_equal(count(text, "  paused\n"), 2);
    assert_int_equal(count(text, "  on\n"), 1);
    assert_int_equal(count(text, "  on: another\n"), 1);
    record_free(record);
}

static void a_flood_drops_events_only_and_says_so(void **state) {
    (void)state;
    struct record *record = record_new();
    char detail[32];
    record_add(record, RECORD_DECISION, "You let in", "Tanaka");
    record_add(record, RECORD_ALARM, "Alarm", "the other end broke the protocol");
    assert_null(strstr(save(record), "older lines"));
    for (int i = 0; i < RECORD_LINES + 100; i++) {
        snprintf(detail, sizeof(detail), "line %d.", i);
        record_add(record, RECORD_EVENT, "The operator wrote", detail);
    }
    record_add(record, RECORD_ALARM, "Alarm", "the other end broke the protocol");
    record_add(record, RECORD_DECISION, "You ended it", NULL);
    const char *text = save(record);
    assert_int_equal(count(text, "You let in: Tanaka"), 1);
    assert_int_equal(count(text, "Alarm: the other end broke the protocol (2 times"), 1);
    assert_int_equal(count(text, "You ended it"), 1);
    assert_int_equal(count(text, "The operator wrote"), RECORD_LINES);
    assert_int_equal(count(text, "line 99."), 0);
    assert_int_equal(count(text, "line 100."), 1);
    assert_int_equal(count(text, "(older lines were dropped)"), 1);
    record_free(record);
}

static void alarms_are_saved_in_the_language_in_force(void **state) {
    (void)state;
    struct record *record = record_new();
    record_add(record, RECORD_ALARM, "Alarm", "the server's grant cannot be used: bad signature");
    record_add(record, RECORD_EVENT, "The operator wrote", "Cancel"); /* his word, not ours */
    ui_language_set("ja");
    const char *text = save(record);
    assert_non_null(strstr(text, "警告: サーバーから受け取った接続の許可が正しくありません\n"));
    assert_non_null(strstr(text, "オペレーターからのメッセージ: Cancel\n"));
    ui_language_set("en");
    assert_non_null(strstr(save(record), "Alarm: the server's grant cannot be used\n"));
    record_free(record);
    record_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_detail_is_one_line_and_plain),
        cmocka_unit_test(repetitions_are_counted),
        cmocka_unit_test(a_flood_drops_events_only_and_says_so),
        cmocka_unit_test(alarms_are_saved_in_the_language_in_force),
    };
    ui_language_set("en");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
