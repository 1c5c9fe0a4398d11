/* tasukictl operator: accounts. A password is read from a file or typed twice, never given on the command
 * line. */
#include "admin/admin.h"

#include "base/rand.h"
#include "base/utf8.h"
#include "crypto/password.h"
#include "os/service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_CAP = 160, GENERATED = 14, CTRL_C = 3 };

struct change {
    struct admin *admin;
    struct store_company company;
    struct store_operator op;
    const char *kind;
    bool sets_password;
};

static bool login_is_sound(const char *login) {
    size_t len = strlen(login);
    if (len == 0 || len > STORE_LOGIN)
        return false;
    for (; *login; login++)
        if (*login < 0x21 || *login > 0x7e)
            return false;
    return true;
}

/* ---- passwords ---- */

static bool read_line(FILE *f, char out[PASSWORD_CAP]) {
    if (!fgets(out, PASSWORD_CAP, f))
        return false;
    out[strcspn(out, "\r\n")] = '\0';
    return true;
}

/* Ctrl-C ends the line here, and is an answer: a signal would leave the terminal without echo. */
static bool type_hidden(const char *prompt, char out[PASSWORD_CAP]) {
    struct termios before;
    struct termios hidden;
    fprintf(stderr, "%s", prompt);
    bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (is_terminal) {
        hidden = before;
        hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
        hidden.c_cc[VEOL] = CTRL_C;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    size_t len = 0;
    int c;
    while ((c = getchar()) != EOF && c != '\n' && c != CTRL_C && len < PASSWORD_CAP - 1)
        out[len++] = (char)c;
    out[len] = '\0';
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    return c == '\n' || (c == EOF && len > 0);
}

/* Without letters and digits that look alike; a person types it once. */
static void generate(char out[PASSWORD_CAP]) {
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyzACDEFGHJKLMNPQRSTUVWXYZ2345679-";
    uint8_t random[GENERATED];
    do {
        for (size_t i = 0; i < GENERATED;) {
            uint8_t byte;
            tas_random(&byte, 1);
            if (byte <
                256 / (sizeof(alphabet) - 1) * (sizeof(alphabet) - 1)) /* every character is as likely */
                random[i++] = byte;
        }
        for (size_t i = 0; i < GENERATED; i++)
            out[i] = alphabet[random[i] % (sizeof(alphabet) - 1)];
        out[GENERATED] = '\0';
    } while (tas_password_rule(out));
    tas_wipe(random, sizeof(random));
}

/* False: told. *is_generated: it must be shown. */
static bool get_password(const struct admin_args *args, char out[PASSWORD_CAP], bool *is_generated) {
    const char *file = admin_option(args, "password-file");
    char again[PASSWORD_CAP];
    *is_generated = admin_option(args, "generate") != NULL;
    if (*is_generated) {
        generate(out);
        return true;
    }
    errno = 0;
    FILE *f = file ? fopen(file, "re") : NULL;
    bool ok =
        file ? f && read_line(f, out)
             : type_hidden("Password: ", out) && type_hidden("Again: ", again) && strcmp(out, again) == 0;
    if (f)
        fclose(f);
    tas_wipe(again, sizeof(again));
    const char *rule = ok ? tas_password_rule(out) : NULL;
    if (!ok && file)
        fprintf(stderr, "tasukictl: %s: %s\n", file, errno ? strerror(errno) : "holds no line");
    else if (!ok)
        fprintf(stderr, "tasukictl: no password: the two are not the same, or it was interrupted\n");
    else if (rule)
        fprintf(stderr, "tasukictl: this password cannot be used: %s\n", rule);
    return ok && !rule;
}

/* shown: a generated password, for when it is in force; "" otherwise. */
static bool set_hash(const struct admin_args *args, struct store_operator *op, char shown[PASSWORD_CAP]) {
    char password[PASSWORD_CAP] = "";
    bool is_generated;
    if (admin_option(args, "generate") && admin_option(args, "password-file")) {
        fprintf(stderr, "tasukictl: --generate and --password-file exclude each other\n");
        return false;
    }
    bool ok = get_password(args, password, &is_generated);
    if (ok && tas_password_hash(op->password, password) != TAS_OK) {
        fprintf(stderr, "tasukictl: out of memory\n");
        ok = false;
    }
    snprintf(shown, PASSWORD_CAP, "%s", ok && is_generated ? password : "");
    tas_wipe(password, sizeof(password));
    return ok;
}

static void show(char shown[PASSWORD_CAP]) {
    if (shown[0])
        printf("password: %s\n", shown);
    tas_wipe(shown, PASSWORD_CAP);
}

/* ---- changes ---- */

static struct tas_json *detail_of(const struct store_operator *op) {
    struct tas_json *detail = tas_json_object();
    tas_json_set_text(detail, "login", op->login);
    tas_json_set_text(detail, "name", op->name);
    return detail;
}

static int note(struct tas_db *db, struct change *ch) {
    char actor[STORE_ACTOR];
    return mgr_audit(admin_mgr(ch->admin), db, ch->company.id, 0, admin_actor(ch->admin, actor), ch->kind,
                     detail_of(&ch->op), NULL);
}

static int add(struct tas_db *db, void *ctx) {
    struct change *ch = ctx;
    int err = store_operator_add(db, &ch->op);
    return err != TAS_OK ? err : note(db, ch);
}

static int run_add(const struct admin_args *args) {
    int code;
    char shown[PASSWORD_CAP];
    struct change ch = {.kind = "operator_added"};
    size_t name_len = strlen(args->words[2]);
    if (!login_is_sound(args->words[1]) || name_len == 0 || name_len > STORE_NAME ||
        !tas_utf8_is_plain(tas_bytes_of(args->words[2], name_len))) {
        fprintf(
            stderr,
            "tasukictl: an ID is 1 to 64 ASCII characters without space; a name 1 to 96 bytes of UTF-8\n");
        return TAS_EXIT_USAGE;
    }
    if (!set_hash(args, &ch.op, shown))
        return TAS_EXIT_USAGE;
    ch.admin = admin_open(args, &code);
    if (!ch.admin)
        return code;
    code = EXIT_FAILURE;
    if (admin_find_company(ch.admin, args->words[0], &ch.company)) {
        ch.op.id = mgr_new_id(admin_mgr(ch.admin));
        ch.op.company_id = ch.company.id;
        ch.op.created_at = mgr_now();
        snprintf(ch.op.login, sizeof(ch.op.login), "%s", args->words[1]);
        snprintf(ch.op.name, sizeof(ch.op.name), "%s", args->words[2]);
        int err = mgr_transaction(admin_mgr(ch.admin), admin_db(ch.admin), add, &ch);
        if (err == TAS_OK) {
            printf("operator %s added to company %s\n", ch.op.login, ch.company.code);
            show(shown);
        } else if (err == TAS_E_STATE) {
            fprintf(stderr, "tasukictl: company %s has an operator %s already\n", ch.company.code,
                    ch.op.login);
        } else {
            code = admin_store_failed(ch.admin, err, ch.op.login);
        }
        code = err == TAS_OK ? EXIT_SUCCESS : code;
    }
    admin_close(ch.admin);
    return code;
}

static int apply(struct tas_db *db, void *ctx) {
    struct change *ch = ctx;
    bool disables = strcmp(ch->kind, "operator_disabled") == 0;
    int err = ch->sets_password ? store_operator_set_password(db, ch->op.id, ch->op.password)
                                : store_operator_set_disabled(db, ch->op.id, disables);
    if (err == TAS_OK)
        err = note(db, ch);
    /* Whoever knew the old password, or has a tool that is logged in, is out. */
    return err == TAS_OK && (disables || ch->sets_password)
               ? admin_end_all(ch->admin, db, ch->company.id, ch->op.id)
               : err;
}

static int change_one(const struct admin_args *args, const char *kind, bool sets_password, const char *done) {
    int code;
    struct change ch = {.kind = kind, .sets_password = sets_password};
    struct store_operator with_hash = {0};
    char shown[PASSWORD_CAP] = "";
    if (sets_password && !set_hash(args, &with_hash, shown))
        return TAS_EXIT_USAGE;
    ch.admin = admin_open(args, &code);
    if (!ch.admin)
        return code;
    code = EXIT_FAILURE;
    if (admin_find_operator(ch.admin, args->words[0], args->words[1], &ch.company, &ch.op)) {
        if (sets_password)
            snprintf(ch.op.password, sizeof(ch.op.password), "%s", with_hash.password);
        int err = mgr_transaction(admin_mgr(ch.admin), admin_db(ch.admin), apply, &ch);
        code = err == TAS_OK ? EXIT_SUCCESS : admin_store_failed(ch.admin, err, ch.op.login);
        if (err == TAS_OK) {
            printf("operator %s of company %s: %s\n", ch.op.login, ch.company.code, done);
            show(shown);
        }
    }
    admin_close(ch.admin);
    return code;
}

static int run_disable(const struct admin_args *args) {
    return change_one(args, "operator_disabled", false, "disabled; logins and live sessions are ended");
}
static int run_enable(const struct admin_args *args) {
    return change_one(args, "operator_enabled", false, "enabled");
}
static int run_reset(const struct admin_args *args) {
    return change_one(args, "operator_reset", true,
                      "new password, unlocked; logins and live sessions are ended");
}

static int unlock(struct tas_db *db, void *ctx) {
    struct change *ch = ctx;
    int err = store_operator_succeeded(db, ch->op.id);
    return err != TAS_OK ? err : note(db, ch);
}

static int run_unlock(const struct admin_args *args) {
    int code;
    struct change ch = {.kind = "operator_unlocked", .admin = admin_open(args, &code)};
    if (!ch.admin)
        return code;
    code = EXIT_FAILURE;
    if (admin_find_operator(ch.admin, args->words[0], args->words[1], &ch.company, &ch.op)) {
        int err = mgr_transaction(admin_mgr(ch.admin), admin_db(ch.admin), unlock, &ch);
        code = err == TAS_OK ? EXIT_SUCCESS : admin_store_failed(ch.admin, err, ch.op.login);
        if (err == TAS_OK)
            printf("operator %s of company %s: unlocked\n", ch.op.login, ch.company.code);
    }
    admin_close(ch.admin);
    return code;
}

struct list {
    int64_t company_id;
    struct store_operator *all;
    size_t n;
};

static int read_list(struct tas_db *db, void *ctx) {
    struct list *l = ctx;
    return store_operator_list(db, l->company_id, &l->all, &l->n);
}

static void print_one(const struct store_operator *op) {
    char until[32] = "";
    if (op->locked_until > mgr_now())
        admin_time(until, op->locked_until);
    printf("%-24s %-8s %-8" PRId64 " %-24s %s\n", op->login, op->is_disabled ? "disabled" : "active",
           op->failures, until[0] ? until : "-", op->name);
}

static int run_list(const struct admin_args *args) {
    int code;
    struct list l = {0};
    struct store_company company;
    struct admin *admin = admin_open(args, &code);
    if (!admin)
        return code;
    code = EXIT_FAILURE;
    if (admin_find_company(admin, args->words[0], &company)) {
        l.company_id = company.id;
        int err = tas_db_read(admin_db(admin), read_list, &l);
        code = err == TAS_OK ? EXIT_SUCCESS : admin_store_failed(admin, err, "operators");
        printf("%-24s %-8s %-8s %-24s %s\n", "id", "state", "failures", "locked until", "name");
        for (size_t i = 0; i < l.n; i++)
            print_one(&l.all[i]);
    }
    free(l.all);
    admin_close(admin);
    return code;
}

#define PASSWORD " password-file !generate "
const struct admin_command admin_operator_commands[] = {
    {"operator", "add", "COMPANY ID NAME [--password-file FILE | --generate]",
     "a new account; without an option the password is typed", PASSWORD, 3, 3, run_add},
    {"operator", "list", "COMPANY", "all of a company", "", 1, 1, run_list},
    {"operator", "disable", "COMPANY ID", "no login any more; live sessions are ended", "", 2, 2,
     run_disable},
    {"operator", "enable", "COMPANY ID", "undoes disable", "", 2, 2, run_enable},
    {"operator", "reset", "COMPANY ID [--password-file FILE | --generate]", "a new password, and unlocked",
     PASSWORD, 2, 2, run_reset},
    {"operator", "unlock", "COMPANY ID", "forgets wrong passwords", "", 2, 2, run_unlock},
    {0},
};
