/* The operator's tool without windows: logs in, gives out numbers, answers customers, sees and works. */
#include "headless/operator.h"

#include "base/id.h"
#include "base/wipe.h"
#include "headless/print.h"
#include "headless/program.h"
#include "headless/viewer.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEVICE_MAX = 256 * 1024, PASSWORD_MAX = 1024 };

struct mode {
    struct program program;
    struct tool tool;
    const char *company, *id, *password_file;
    struct operator* op;
    struct viewer_facts facts;
};

static void on_error(struct mode *m, const struct tool_news *news) {
    if (strcmp(news->command, "login") == 0) {
        program_leave(&m->program, program_exit_code(news->error));
    } else if (news->flag) { /* the login is no longer good */
        m->program.exit_code = EXIT_FAILURE;
        operator_leave(m->op, true);
    }
}

static void on_news(void *ctx, const struct tool_news *news) {
    struct mode *m = ctx;
    viewer_note(&m->facts, news);
    print_news(news);
    if (news->kind == TOOL_ERROR && news->command)
        on_error(m, news);
    else if (news->kind == TOOL_LEFT)
        program_leave(&m->program, m->program.exit_code);
}

static void on_end(void *ctx) {
    struct mode *m = ctx;
    operator_leave(m->op, false);
}

/* ---- commands ---- */

static bool take_ids(const char *command, char *rest, uint64_t *first, uint64_t *second) {
    char *more;
    const char *word = headless_word(rest, &more);
    bool ok = tas_id_decode(first, word) == TAS_OK && (!second || tas_id_decode(second, more) == TAS_OK);
    if (!ok)
        program_refuse(command, "usage",
                       second ? "give the session and the claim, 13 characters each"
                              : "give the session, 13 characters");
    return ok;
}

/* The value of "KEY=" in `text`, which goes on to the next key or the end; NULL: not there. Cuts `text`. */
static char *value_of(char *text, const char *key) {
    static const char *const keys[] = {"customer=", "reason=", "ticket="};
    char *at = strstr(text, key);
    while (at && at != text && at[-1] != ' ' && at[-1] != '\0')
        at = strstr(at + 1, key);
    if (!at)
        return NULL;
    char *value = at + strlen(key);
    size_t len = strlen(value);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        for (char *next = strstr(value, keys[i]); next; next = strstr(next + 1, keys[i]))
            if (next > value && next[-1] == ' ' && (size_t)(next - value - 1) < len)
                len = (size_t)(next - value - 1);
    return strndup(value, len);
}

static void do_issue(struct mode *m, char *rest) {
    char *customer = value_of(rest, "customer=");
    char *reason = value_of(rest, "reason=");
    char *ticket = value_of(rest, "ticket=");
    const struct operator_order order = {.customer = customer, .reason = reason, .ticket_no = ticket};
    program_complain("issue", operator_issue(m->op, &order));
    free(customer);
    free(reason);
    free(ticket);
}

static void do_cancel(struct mode *m, char *rest) {
    uint64_t session;
    if (take_ids("cancel", rest, &session, NULL))
        program_complain("cancel", operator_cancel(m->op, session));
}

static void do_answer(struct mode *m, char *rest) {
    uint64_t claim;
    uint64_t session;
    if (operator_session(m->op))
        program_refuse("answer", "busy", "a session is running; end it first");
    else if (take_ids("answer", rest, &session, &claim))
        program_complain("answer", operator_answer(m->op, session, claim));
}

static void do_refuse(struct mode *m, char *rest) {
    uint64_t claim;
    uint64_t session;
    if (take_ids("refuse", rest, &session, &claim))
        program_complain("refuse", operator_refuse(m->op, session, claim));
}

static void do_result(struct mode *m, char *rest) {
    char *note;
    const char *word = headless_word(rest, &note);
    program_complain("result", operator_result(m->op, 0, word, note));
}

static struct tas_json *read_json_file(const char *path, char why[TAS_JSON_WHY]) {
    struct tas_json *json = NULL;
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(DEVICE_MAX + 1) : NULL;
    snprintf(why, TAS_JSON_WHY, "the file cannot be read");
    if (text) {
        size_t len = fread(text, 1, DEVICE_MAX + 1, f);
        if (ferror(f) == 0 && len <= DEVICE_MAX)
            json = tas_json_parse(tas_bytes_of(text, len), why);
        else if (len > DEVICE_MAX)
            snprintf(why, TAS_JSON_WHY, "the file is larger than 256 KiB");
    }
    if (f)
        fclose(f);
    free(text);
    return json;
}

static void do_device(struct mode *m, const char *path) {
    char why[TAS_JSON_WHY];
    struct tas_json *info = read_json_file(path, why);
    if (info)
        program_complain("device", operator_device(m->op, info));
    else
        program_refuse("device", "usage", why);
    tas_json_free(info);
}

static bool own_command(struct mode *m, const char *word, char *rest) {
    if (strcmp(word, "issue") == 0)
        do_issue(m, rest);
    else if (strcmp(word, "cancel") == 0)
        do_cancel(m, rest);
    else if (strcmp(word, "answer") == 0)
        do_answer(m, rest);
    else if (strcmp(word, "refuse") == 0)
        do_refuse(m, rest);
    else if (strcmp(word, "result") == 0)
        do_result(m, rest);
    else if (strcmp(word, "device") == 0)
        do_device(m, rest);
    else if (strcmp(word, "history") == 0)
        program_complain(word, operator_history(m->op, 0, 20));
    else
        return false;
    return true;
}

static void do_login(struct mode *m, const char *password) {
    if (operator_login(m->op, m->company, m->id, password) != TAS_OK)
        program_leave(&m->program, EXIT_FAILURE);
}

static void on_line(void *ctx, char *line) {
    struct mode *m = ctx;
    if (!operator_has_tried(m->op)) {
        do_login(m, line);
        return;
    }
    char *rest;
    const char *word = headless_word(line, &rest);
    struct viewer *viewer = operator_viewer(m->op);
    if (strcmp(word, "logout") == 0 || strcmp(word, "quit") == 0)
        operator_leave(m->op, *word == 'q');
    else if (!operator_is_in(m->op))
        program_refuse(word, "not_logged_in", "not logged in yet");
    else if (!own_command(m, word, rest) && !(viewer && viewer_command(viewer, m->op, &m->facts, word, rest)))
        headless_say("error",
                     ",\"text\":\"unknown command; known: issue [customer=TEXT] [reason=TEXT] [ticket=TEXT], "
                     "cancel SESSION, answer SESSION CLAIM, refuse SESSION CLAIM, "
                     "result solved|open|aborted [NOTE], device FILE, history, logout, quit; in a session: "
                     "%s\"",
                     VIEWER_COMMANDS);
}

/* ---- the program ---- */

static bool login_from_file(struct mode *m) {
    char password[PASSWORD_MAX] = "";
    FILE *f = fopen(m->password_file, "re");
    bool ok = f && fgets(password, sizeof(password), f);
    if (f)
        fclose(f);
    password[strcspn(password, "\r\n")] = '\0';
    if (ok)
        do_login(m, password);
    else
        fprintf(stderr, "tasuki-headless: %s: no password can be read from it\n", m->password_file);
    tas_wipe(password, sizeof(password));
    return ok;
}

static int usage(void) {
    fputs("Usage: tasuki-headless operator --org FILE --company CODE --id ID [--password-file FILE]\n"
          "The password is the first line of FILE, or of standard input; commands follow there.\n",
          stderr);
    return EXIT_USAGE;
}

static int run(struct mode *m, const char *org_file) {
    int code = EXIT_FAILURE;
    if (program_open(&m->program))
        code = program_open_tool(&m->program, &m->tool, org_file, (struct tool_listener){on_news, m});
    if (code == EXIT_SUCCESS) {
        m->op = operator_new(&m->tool, TASUKI_VERSION);
        code = EXIT_FAILURE;
    }
    if (m->op && (!m->password_file || login_from_file(m)))
        code = program_run(&m->program, on_line, on_end, m);
    operator_free(m->op);
    tool_close(&m->tool);
    program_close(&m->program);
    return code;
}

int operator_main(int argc, char **argv) {
    static const struct option long_options[] = {
        {"org", required_argument, NULL, 'o'},
        {"company", required_argument, NULL, 'c'},
        {"id", required_argument, NULL, 'i'},
        {"password-file", required_argument, NULL, 'p'},
        {NULL, 0, NULL, 0},
    };
    struct mode m = {0};
    const char *org_file = NULL;
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (c == '?')
            return usage();
        *(c == 'o' ? &org_file : c == 'c' ? &m.company : c == 'i' ? &m.id : &m.password_file) = optarg;
    }
    if (!org_file || !m.company || !m.id || optind != argc)
        return usage();
    return run(&m, org_file);
}
