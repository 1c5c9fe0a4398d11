/* Uses a database as tests tell it: store-client URL COMMAND [ARGUMENT...]. Says what it does as lines of
 * JSON.
 *
 *   write N THREADS   each thread stores N rows, one transaction each; told when it was acknowledged
 *   fill BYTES        stores rows of that size until the disk is full; goes on after a line on standard input
 *   wait MS           waits for a notice, again and again, until standard input closes or has a line
 *   notify            wakes those who wait
 *   backup PATH       backup, then check
 *   hold              stores a row, tells, and commits after a line on standard input
 *   speed MS THREADS  transactions of one INSERT in that time
 */
#include "base/id.h"
#include "base/time.h"
#include "store/db.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tas_id_source ids = {.node = 7};

static void say(const char *fmt, ...) TAS_PRINTF(1, 2);
static void say(const char *fmt, ...) {
    va_list va;
    va_start(va, fmt);
    flockfile(stdout);
    vprintf(fmt, va);
    putchar('\n');
    fflush(stdout);
    funlockfile(stdout);
    va_end(va);
}

static _Noreturn void die(const char *what, int err, const char *why) {
    say("{\"event\":\"failed\",\"what\":\"%s\",\"error\":%d}", what, err);
    fprintf(stderr, "%s: %s: %s\n", what, tas_err_text(err), why);
    exit(1);
}

static struct tas_db *open_or_die(const char *url) {
    char why[TAS_DB_WHY];
    struct tas_db *db = tas_db_open(url, why);
    if (!db)
        die("open", TAS_E_IO, why);
    return db;
}

static void make_table(struct tas_db *db) {
    int err = tas_db_run(
        db,
        "CREATE TABLE IF NOT EXISTS note (id BIGINT PRIMARY KEY, writer BIGINT NOT NULL, body TEXT NOT NULL)",
        NULL, 0, NULL);
    if (err != TAS_OK)
        die("create", err, tas_db_why(db));
}

/* ---- storing ---- */

struct note {
    uint64_t id;
    int64_t writer;
    const char *body;
    bool was_there;
    unsigned tries;
};

/* As the contract wants it: the same id each time, and first a look whether it is there already. */
static int store_note(struct tas_db *db, void *ctx) {
    struct note *note = ctx;
    note->tries++;
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows, "SELECT id FROM note WHERE id = $1", tas_id_value(note->id));
    if (err != TAS_OK)
        return err;
    note->was_there = tas_rows_len(rows) > 0;
    tas_rows_free(rows);
    if (note->was_there)
        return TAS_OK;
    return tas_db_do(db, NULL, "INSERT INTO note (id, writer, body) VALUES ($1, $2, $3)",
                     tas_id_value(note->id), tas_int(note->writer), tas_text(note->body));
}

struct writer {
    const char *url;
    int64_t number;
    long n;
    uint64_t until_us; /* 0: n rows */
    long done;
};

static void *write_all(void *ctx) {
    struct writer *w = ctx;
    struct tas_db *db = open_or_die(w->url);
    while (w->until_us ? tas_mono_us() < w->until_us : w->done < w->n) {
        struct note note = {
            .id = tas_id_next(&ids, tas_wall_ms()), .writer = w->number, .body = "a line of text"};
        int err = tas_db_transaction(db, store_note, &note);
        if (err != TAS_OK)
            die("write", err, tas_db_why(db));
        w->done++;
        if (!w->until_us)
            say("{\"event\":\"stored\",\"id\":\"%" PRIu64 "\",\"tries\":%u,\"was_there\":%s}", note.id,
                note.tries, note.was_there ? "true" : "false");
    }
    tas_db_close(db);
    return NULL;
}

enum { THREADS_MAX = 16 };

static long run_writers(const char *url, long n, long threads, uint64_t until_us) {
    struct writer writers[THREADS_MAX];
    pthread_t ids_of[THREADS_MAX];
    long done = 0;
    for (long i = 0; i < threads; i++) {
        writers[i] = (struct writer){.url = url, .number = i, .n = n, .until_us = until_us};
        if (pthread_create(&ids_of[i], NULL, write_all, &writers[i]) != 0)
            die("thread", TAS_E_IO, "");
    }
    for (long i = 0; i < threads; i++) {
        pthread_join(ids_of[i], NULL);
        done += writers[i].done;
    }
    return done;
}

static void speed(const char *url, long ms, long threads) {
    uint64_t began_us = tas_mono_us();
    long done = run_writers(url, 0, threads, began_us + (uint64_t)ms * 1000);
    double seconds = (double)(tas_mono_us() - began_us) / 1e6;
    say("{\"event\":\"speed\",\"per_second\":%.0f,\"threads\":%ld}", (double)done / seconds, threads);
}

/* ---- a full disk ---- */

static bool wait_line(void) {
    char line[64];
    return fgets(line, sizeof(line), stdin);
}

static void fill(struct tas_db *db, long size) {
    char *body = malloc((size_t)size + 1);
    if (!body)
        die("fill", TAS_E_NOMEM, "");
    memset(body, 'x', (size_t)size);
    body[size] = '\0';
    int err = TAS_OK;
    long n = 0;
    for (; err == TAS_OK; n += err == TAS_OK) {
        struct note note = {.id = tas_id_next(&ids, tas_wall_ms()), .body = body};
        err = tas_db_transaction(db, store_note, &note);
    }
    say("{\"event\":\"full\",\"error\":%d,\"stored\":%ld}", err, n);
    fprintf(stderr, "full: %s\n", tas_db_why(db));
    while (wait_line()) { /* on the same connection */
        struct note note = {.id = tas_id_next(&ids, tas_wall_ms()), .body = body};
        err = tas_db_transaction(db, store_note, &note);
        n += err == TAS_OK;
        say("{\"event\":\"again\",\"error\":%d,\"stored\":%ld}", err, n);
    }
    free(body);
}

/* ---- notices ---- */

static void wait_for_notices(struct tas_db *db, long ms) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&input, 1, 0) == 0) {
        uint64_t began_us = tas_mono_us();
        tas_db_wait(db, (int)ms, STDIN_FILENO);
        uint64_t took_ms = (tas_mono_us() - began_us) / 1000;
        say("{\"event\":\"%s\",\"ms\":%" PRIu64 "}", took_ms < (uint64_t)ms ? "woken" : "waited", took_ms);
    }
}

static int notify(struct tas_db *db, void *ctx) {
    (void)ctx;
    return tas_db_notify(db);
}

/* ---- the rest ---- */

static int hold(struct tas_db *db, void *ctx) {
    struct note *note = ctx;
    int err = store_note(db, note);
    say("{\"event\":\"holding\",\"tries\":%u,\"error\":%d}", note->tries, err);
    if (err == TAS_OK && note->tries == 1 && !wait_line())
        return TAS_E_IO;
    return err;
}

static void hold_one(struct tas_db *db) {
    struct note note = {.id = tas_id_next(&ids, tas_wall_ms()), .body = "held"};
    uint64_t began_us = tas_mono_us();
    int err = tas_db_transaction(db, hold, &note);
    say("{\"event\":\"held\",\"error\":%d,\"tries\":%u,\"ms\":%" PRIu64 "}", err, note.tries,
        (tas_mono_us() - began_us) / 1000);
}

static void back_up(struct tas_db *db, const char *path) {
    char why[TAS_DB_WHY];
    int err = tas_db_backup(db, path, why);
    if (err != TAS_OK)
        die("backup", err, why);
    err = tas_db_check(db, why);
    if (err != TAS_OK)
        die("check", err, why);
    say("{\"event\":\"done\"}");
}

static long number_at(char **argv, int i, long otherwise) {
    return argv[i] ? strtol(argv[i], NULL, 10) : otherwise;
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    const char *url = argv[1], *command = argv[2];
    struct tas_db *db = open_or_die(url);
    make_table(db);
    say("{\"event\":\"open\"}");
    if (strcmp(command, "write") == 0 && argc == 5)
        run_writers(url, number_at(argv, 3, 1), number_at(argv, 4, 1), 0);
    else if (strcmp(command, "speed") == 0 && argc == 5)
        speed(url, number_at(argv, 3, 1000), number_at(argv, 4, 1));
    else if (strcmp(command, "fill") == 0)
        fill(db, number_at(argv, 3, 10000));
    else if (strcmp(command, "wait") == 0)
        wait_for_notices(db, number_at(argv, 3, 1000));
    else if (strcmp(command, "notify") == 0 && tas_db_transaction(db, notify, NULL) != TAS_OK)
        die("notify", TAS_E_IO, tas_db_why(db));
    else if (strcmp(command, "hold") == 0)
        hold_one(db);
    else if (strcmp(command, "backup") == 0 && argc == 4)
        back_up(db, argv[3]);
    tas_db_close(db);
    say("{\"event\":\"end\"}");
    return 0;
}
