/* ui/text.h, ui/mo.h, ui/words.h: every text of ours, in both languages. */
#include "ui/words.h"

#include "base/utf8.h"
#include "session/session.h"
#include "ui/mo.h"
#include "ui/text.h"
#include "ui/text_private.h"
#include "ui/words_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const languages[] = {"en", "ja"};

/* ---- which language ---- */

static void set(const char *language, const char *all, const char *messages, const char *lang) {
    const char *const names[] = {"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"};
    const char *const values[] = {language, all, messages, lang};
    for (int i = 0; i < 4; i++) {
        if (values[i])
            setenv(names[i], values[i], 1);
        else
            unsetenv(names[i]);
    }
    ui_language_set(NULL);
}

static void the_system_says_which_language_as_to_gettext(void **state) {
    (void)state;
    static const struct {
        const char *language, *all, *messages, *lang, *wanted;
    } cases[] = {
        {"ja", "C.UTF-8", NULL, NULL, "ja"},
        {NULL, NULL, NULL, NULL, "en"},
        {NULL, NULL, NULL, "ja_JP.UTF-8", "ja"},
        {NULL, NULL, "en_GB.UTF-8", "ja_JP.UTF-8", "en"},
        {NULL, "ja_JP", "en_US.UTF-8", "en_US.UTF-8", "ja"},
        {NULL, "", "", "ja", "ja"},
        {"en:ja", "ja_JP.UTF-8", NULL, NULL, "en"},
        {"de:fr:ja:en", "en_US.UTF-8", NULL, NULL, "ja"},
        {"de:", "ja_JP.UTF-8", NULL, NULL, "en"},
        {"", "ja_JP.UTF-8", NULL, NULL, "ja"},
        {"ja", "C", NULL, NULL, "en"},
        {"ja", "POSIX", NULL, NULL, "en"},
        {"ja_JP:en", NULL, NULL, "en_US.UTF-8", "ja"},
        {NULL, "javanese", NULL, NULL, "en"},
        {NULL, "ja.eucJP@x", NULL, NULL, "ja"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set(cases[i].language, cases[i].all, cases[i].messages, cases[i].lang);
        assert_string_equal(ui_language(), cases[i].wanted);
    }
}

static void a_language_can_be_set(void **state) {
    (void)state;
    ui_language_set("ja");
    assert_string_equal(ui_language(), "ja");
    assert_string_equal(ui_text("Company code, ID or password is wrong"),
                        "企業コード、ID、またはパスワードが違います");
    ui_language_set("xx");
    assert_string_equal(ui_language(), "en");
    assert_string_equal(ui_text("The session has ended"), "The session has ended");
}

static void an_unknown_text_stays_as_it_is(void **state) {
    (void)state;
    ui_language_set("ja");
    assert_string_equal(ui_text("no such text"), "no such text");
    assert_string_equal(ui_text(""), "");
}

/* ---- the catalogue ---- */

static void a_catalogue_cut_anywhere_is_never_read_past_its_end(void **state) {
    (void)state;
    static const char text[] = "The session has ended";
    for (size_t len = 0; len < ui_mo_ja_len; len++) {
        uint8_t *cut = malloc(len + 1); /* ASan sees what lies behind it */
        assert_non_null(cut);
        memcpy(cut, ui_mo_ja, len);
        const char *found = ui_mo_find(tas_bytes_of(cut, len), text);
        assert_true(!found || (size_t)((const uint8_t *)found - cut) < len);
        free(cut);
    }
    assert_non_null(ui_mo_find(tas_bytes_of(ui_mo_ja, ui_mo_ja_len), text));
}

static void a_catalogue_with_any_byte_changed_is_never_read_past_its_end(void **state) {
    (void)state;
    uint8_t *copy = malloc(ui_mo_ja_len);
    assert_non_null(copy);
    memcpy(copy, ui_mo_ja, ui_mo_ja_len);
    size_t head = ui_mo_ja_len < 4096 ? ui_mo_ja_len : 4096; /* header and tables */
    for (size_t i = 0; i < head; i++) {
        static const uint8_t values[] = {0x00, 0x01, 0x7f, 0xff};
        for (size_t v = 0; v < sizeof(values); v++) {
            copy[i] = values[v];
            const char *found = ui_mo_find(tas_bytes_of(copy, ui_mo_ja_len), "Please try again in a moment.");
            assert_true(!found || (const uint8_t *)found + strlen(found) < copy + ui_mo_ja_len);
        }
        copy[i] = ui_mo_ja[i];
    }
    free(copy);
}

/* ---- words ---- */

static void is_shown_whole(const struct ui_words *words) {
    size_t title = strlen(words->title), text = strlen(words->text);
    assert_true(title > 0 && text > 0);
    assert_true(title < sizeof(words->title) - 8);
    assert_true(text < sizeof(words->text) - 8); /* shorter than would have been cut */
    assert_true(tas_utf8_is_plain(tas_bytes_of(words->title, title)));
    assert_true(tas_utf8_is_plain(tas_bytes_of(words->text, text)));
}

/* The longest that a server or the transport can say. */
static void say_long(struct api_error *error, const char *key, const char *then) {
    char detail[API_DETAIL + 1];
    int n = snprintf(detail, sizeof(detail), "no server can be reached: %s %s ", key, then ? then : "");
    memset(detail + n, 'x', sizeof(detail) - 1 - (size_t)n);
    detail[API_DETAIL] = '\0';
    snprintf(error->detail, sizeof(error->detail), "%s", detail);
}

static void try_row(const struct ui_words_row *row, bool is_code) {
    static const int waits[] = {-1, 0, 1, 30, 3600, 24 * 3600, 999999999};
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
            struct api_error error;
            struct ui_words words;
            api_error_set(&error, is_code ? TAS_E_STATE : TAS_E_IO, is_code ? 400 : 0,
                          is_code ? row->key : "no_server", "%s", "");
            error.retry_after_s = waits[i];
            say_long(&error, is_code ? "" : row->key, row->then);
            ui_words_of_error(&words, &error, side == 1);
            is_shown_whole(&words);
            assert_string_equal(words.title, ui_text(row->title));
            const char *text = ui_text(side == 1 && row->operator_ ? row->operator_ : row->customer);
            assert_memory_equal(words.text, text, strlen(text));
        }
}

static void each_code_and_each_failure_on_the_way_has_words_of_its_own_in_both_languages(void **state) {
    (void)state;
    for (int l = 0; l < 2; l++) {
        ui_language_set(languages[l]);
        for (const struct ui_words_row *row = ui_words_codes; row->key; row++)
            try_row(row, true);
        for (const struct ui_words_row *row = ui_words_transport; row->key; row++)
            try_row(row, false);
    }
}

static void is_translated(const char *text) {
    if (text && strcmp(ui_text(text), text) == 0)
        fail_msg("po/ja.po has no \"%s\"", text);
}

static void nothing_is_left_untranslated(void **state) {
    (void)state;
    ui_language_set("ja");
    const struct ui_words_row *const tables[] = {ui_words_codes, ui_words_transport};
    for (int t = 0; t < 2; t++)
        for (const struct ui_words_row *row = tables[t]; row->key; row++) {
            is_translated(row->title);
            is_translated(row->customer);
            is_translated(row->operator_);
        }
}

static void of_end(struct ui_words *out, unsigned reason, bool is_operator, const char *language) {
    ui_language_set(language);
    ui_words_of_end(out, reason, is_operator);
    is_shown_whole(out);
}

static void each_end_has_words_for_both_sides_in_both_languages(void **state) {
    (void)state;
    static const unsigned reasons[] = {0,
#define X(name, value, text) value,
                                       TAS_END_REASONS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        for (int side = 0; side < 2; side++) {
            struct ui_words english, japanese, unknown;
            of_end(&english, reasons[i], side == 1, "en");
            of_end(&japanese, reasons[i], side == 1, "ja");
            of_end(&unknown, 4711, side == 1, "en");
            assert_string_not_equal(english.text, japanese.text);
            assert_string_not_equal(english.title, japanese.title);
            if (reasons[i] != 0)
                assert_string_not_equal(english.text, unknown.text);
        }
}

static const char *text_of(const struct api_error *error, bool is_operator) {
    static struct ui_words words;
    ui_words_of_error(&words, error, is_operator);
    is_shown_whole(&words);
    return words.text;
}

static void a_refused_login_never_says_which_part(void **state) {
    (void)state;
    struct api_error error;
    api_error_set(&error, TAS_E_AUTH, 401, "login_refused", "the password is wrong");
    for (int side = 0; side < 2; side++) {
        ui_language_set("en");
        assert_string_equal(text_of(&error, side == 1), "Company code, ID or password is wrong");
        ui_language_set("ja");
        assert_string_equal(text_of(&error, side == 1), "企業コード、ID、またはパスワードが違います");
    }
}

static void a_busy_server_says_how_long_to_wait(void **state) {
    (void)state;
    struct api_error error;
    api_error_set(&error, TAS_E_LIMIT, 429, "slow_down", "too many requests");
    ui_language_set("en");
    assert_non_null(strstr(text_of(&error, false), "Please try again in a moment."));
    error.retry_after_s = 45;
    assert_non_null(strstr(text_of(&error, false), "Please try again in 45 seconds."));
    error.retry_after_s = 91;
    assert_non_null(strstr(text_of(&error, false), "Please try again in 2 minutes."));
    ui_language_set("ja");
    assert_non_null(strstr(text_of(&error, false), "2分ほどしてから"));
}

static void transport(struct api_error *out, int err, const char *why) {
    api_error_of_transport(out, err, why);
}

static void the_way_to_the_server_is_explained(void **state) {
    (void)state;
    static const struct {
        int err;
        const char *why, *customer;
    } cases[] = {
        {TAS_E_IO, "the name help.example.jp is not known: check its spelling, the network and DNS",
         "The support server was not found."},
        {TAS_E_IO,
         "help.example.jp cannot be reached: it does not run, or the network is in between (refused)",
         "The server cannot be reached."},
        {TAS_E_IO, "the proxy cannot be reached: it does not run, or the network is in between (refused)",
         "proxy server that does not answer"},
        {TAS_E_IO, "the proxy wants a user name and password, or others than those given",
         "asks for a user name and a password"},
        {TAS_E_IO, "the proxy wants NTLM, and a user name and password, or others than those given",
         "asks for a user name and a password"},
        {TAS_E_IO, "the proxy wants NTLM, which needs the library libcurl.so.4", "cannot use"},
        {TAS_E_IO, "the proxy does not let us through to help.example.jp:443 (it answers 403)",
         "does not allow connections"},
        {TAS_E_IO, "help.example.jp did not answer in time", "did not answer in time"},
        {TAS_E_IO, "help.example.jp does not speak TLS 1.3, which is needed (x)", "outdated connections"},
        {TAS_E_AUTH, "the certificate of help.example.jp is not trusted (self-signed)", "Do not go on."},
        {TAS_E_AUTH, "the certificate of help.example.jp is made out to another name (x)",
         "not your support server"},
        {TAS_E_AUTH,
         "the certificate of help.example.jp has expired, or the clock of this machine is wrong (x)",
         "set the date and time"},
        {TAS_E_AUTH,
         "the certificate of help.example.jp is not valid yet, or the clock of this machine is wrong (x)",
         "set the date and time"},
        {TAS_E_NOMEM, "", "no memory left"},
        {TAS_E_LIMIT, "the answer of help.example.jp is too large", "cannot be understood"},
    };
    ui_language_set("en");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_error error;
        transport(&error, cases[i].err, cases[i].why);
        const char *text = text_of(&error, false);
        if (!strstr(text, cases[i].customer))
            fail_msg("%s: %s", cases[i].why, text);
        assert_null(strstr(text, "example.jp")); /* nothing technical for a customer */
        if (cases[i].err == TAS_E_IO || cases[i].err == TAS_E_AUTH)
            assert_non_null(strstr(text_of(&error, true), cases[i].why));
    }
}

static void an_unknown_refusal_quotes_the_server(void **state) {
    (void)state;
    struct api_error error;
    ui_language_set("en");
    api_error_set(&error, TAS_E_STATE, 409, "brand_new", "the moon is in the wrong phase");
    assert_non_null(strstr(text_of(&error, false), "(The server says: “the moon is in the wrong phase”)"));
    api_error_set(&error, TAS_E_IO, 503, "brand_new", "wait");
    error.retry_after_s = 20;
    assert_non_null(strstr(text_of(&error, true), "in 20 seconds"));
    /* What could be mistaken for our own words, or is no text, is not quoted at all. */
    snprintf(error.detail, sizeof(error.detail), "a\nb");
    assert_null(strstr(text_of(&error, false), "says"));
}

static void work_that_takes_too_long_is_not_the_networks_fault(void **state) {
    (void)state;
    struct api_error error;
    ui_language_set("en");
    api_error_set(&error, TAS_E_EXPIRED, 0, "too_slow", "x");
    assert_non_null(strstr(text_of(&error, false), "asks for more work"));
    api_error_set(&error, TAS_E_STATE, 408, "too_slow", "x");
    assert_non_null(strstr(text_of(&error, false), "took too long to reach"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_says_which_language_as_to_gettext),
        cmocka_unit_test(a_language_can_be_set),
        cmocka_unit_test(an_unknown_text_stays_as_it_is),
        cmocka_unit_test(a_catalogue_cut_anywhere_is_never_read_past_its_end),
        cmocka_unit_test(a_catalogue_with_any_byte_changed_is_never_read_past_its_end),
        cmocka_unit_test(each_code_and_each_failure_on_the_way_has_words_of_its_own_in_both_languages),
        cmocka_unit_test(nothing_is_left_untranslated),
        cmocka_unit_test(each_end_has_words_for_both_sides_in_both_languages),
        cmocka_unit_test(a_refused_login_never_says_which_part),
        cmocka_unit_test(a_busy_server_says_how_long_to_wait),
        cmocka_unit_test(the_way_to_the_server_is_explained),
        cmocka_unit_test(an_unknown_refusal_quotes_the_server),
        cmocka_unit_test(work_that_takes_too_long_is_not_the_networks_fault),
    };
    return cmocka_run_group_tests_name("ui_words", tests, NULL, NULL);
}
