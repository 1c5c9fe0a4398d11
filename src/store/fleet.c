#include "store/fleet.h"

#include "store/rows_private.h"

#define RELAY_COLUMNS "id, name, address, region, state, version, ends, max_connections, seen_at"

static void relay_of(const struct tas_rows *rows, size_t r, void *to) {
    struct store_relay *out = to;
    *out = (struct store_relay){
        .id = tas_rows_int(rows, r, 0),
        .ends = tas_rows_int(rows, r, 6),
        .max_connections = tas_rows_int(rows, r, 7),
        .seen_at = tas_rows_int(rows, r, 8),
    };
    STORE_COPY_TEXT(rows, r, 1, out->name);
    STORE_COPY_TEXT(rows, r, 2, out->address);
    STORE_COPY_TEXT(rows, r, 3, out->region);
    STORE_COPY_TEXT(rows, r, 4, out->state);
    STORE_COPY_TEXT(rows, r, 5, out->version);
}

int store_relay_add(struct tas_db *db, const struct store_relay *r) {
    return tas_db_do(db, NULL,
                     "INSERT INTO relay (" RELAY_COLUMNS ") VALUES ($1, $2, $3, $4, 'new', '', 0, 0, 0)",
                     tas_int(r->id), tas_text(r->name), tas_text(r->address), tas_text(r->region));
}

int store_relay_remove(struct tas_db *db, int64_t id) {
    return store_need_change(db, tas_db_do(db, NULL, "DELETE FROM relay WHERE id = $1", tas_int(id)));
}

int store_relay_get(struct tas_db *db, int64_t id, struct store_relay *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows, "SELECT " RELAY_COLUMNS " FROM relay WHERE id = $1", tas_int(id));
    err = store_need_row(err, &rows);
    if (err == TAS_OK)
        relay_of(rows, 0, out);
    tas_rows_free(rows);
    return err;
}

int store_relay_list(struct tas_db *db, struct store_relay **out, size_t *n) {
    struct tas_rows *rows = NULL;
    int err = tas_db_run(db, "SELECT " RELAY_COLUMNS " FROM relay ORDER BY id", NULL, 0, &rows);
    struct store_relay *all = store_array(&err, rows, sizeof(*all), relay_of, n);
    if (all)
        *out = all;
    return err;
}

int store_relay_said(struct tas_db *db, const struct store_relay *r) {
    return store_need_change(
        db, tas_db_do(db, NULL,
                      "UPDATE relay SET address = $2, state = $3, version = $4, ends = $5, "
                      "max_connections = $6, seen_at = $7 WHERE id = $1",
                      tas_int(r->id), tas_text(r->address), tas_text(r->state), tas_text(r->version),
                      tas_int(r->ends), tas_int(r->max_connections), tas_int(r->seen_at)));
}

/* ---- node numbers ---- */

enum { NODES = 1024 };

/* The holder's own number first (a holder is one process: it has one only when a commit was not heard of),
 * then the one that has been free for longest, then one nobody had. */
static int pick_node(struct tas_db *db, const char *holder, int64_t now_ms, int64_t *node) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT id FROM node WHERE holder = $1 OR lease_until < $2 ORDER BY CASE WHEN holder "
                        "= $1 THEN 0 ELSE "
                        "1 END, lease_until LIMIT 1",
                        tas_text(holder), tas_int(now_ms));
    if (err == TAS_OK && tas_rows_len(rows) > 0) {
        *node = tas_rows_int(rows, 0, 0);
        tas_rows_free(rows);
        return TAS_OK;
    }
    tas_rows_free(rows);
    if (err != TAS_OK)
        return err;
    err = tas_db_run(db, "SELECT CAST(COALESCE(MAX(id), 0) + 1 AS BIGINT) FROM node", NULL, 0, &rows);
    if (err == TAS_OK)
        *node = tas_rows_int(rows, 0, 0);
    tas_rows_free(rows);
    return err == TAS_OK && *node >= NODES ? TAS_E_FULL : err;
}

int store_node_lease(struct tas_db *db, const char *holder, int64_t now_ms, int64_t until, int64_t *node) {
    int err = pick_node(db, holder, now_ms, node);
    if (err != TAS_OK)
        return err;
    err = tas_db_do(db, NULL,
                    "INSERT INTO node (id, holder, lease_until) VALUES ($1, $2, $3) ON CONFLICT (id) DO "
                    "UPDATE SET holder = "
                    "$2, lease_until = $3 WHERE node.lease_until < $4 OR node.holder = $2",
                    tas_int(*node), tas_text(holder), tas_int(until), tas_int(now_ms));
    /* Somebody was faster: the whole transaction again. */
    return err == TAS_OK && tas_db_changes(db) == 0 ? TAS_E_MORE : err;
}

int store_node_renew(struct tas_db *db, int64_t node, const char *holder, int64_t until) {
    return store_need_change(db, tas_db_do(db, NULL,
                                           "UPDATE node SET lease_until = $3 WHERE id = $1 AND holder = $2",
                                           tas_int(node), tas_text(holder), tas_int(until)));
}

int store_node_release(struct tas_db *db, int64_t node, const char *holder) {
    return tas_db_do(db, NULL, "UPDATE node SET lease_until = 0 WHERE id = $1 AND holder = $2", tas_int(node),
                     tas_text(holder));
}

/* ---- notices ---- */

int store_notice_add(struct tas_db *db, const struct store_notice *n) {
    int err = tas_db_do(db, NULL, "INSERT INTO notice (id, kind, a, b) VALUES ($1, $2, $3, $4)",
                        tas_id_value(n->id), tas_text(n->kind), tas_id_value(n->a), tas_id_value(n->b));
    return err != TAS_OK ? err : tas_db_notify(db);
}

static void notice_row(const struct tas_rows *rows, size_t row, void *out) {
    struct store_notice *notice = out;
    notice->id = (uint64_t)tas_rows_int(rows, row, 0);
    STORE_COPY_TEXT(rows, row, 1, notice->kind);
    notice->a = (uint64_t)tas_rows_int(rows, row, 2);
    notice->b = (uint64_t)tas_rows_int(rows, row, 3);
}

int store_notice_list(struct tas_db *db, uint64_t after, const char *kind, int64_t but_node,
                      struct store_notice **out, size_t *n) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows,
                        "SELECT id, kind, a, b FROM notice WHERE id > $1 AND (kind = $2 OR CAST($2 AS text) "
                        "= '') AND ((id >> 12) & 1023) <> $3 ORDER BY id LIMIT 1000",
                        tas_id_value(after), tas_text(kind ? kind : ""), tas_int(but_node));
    struct store_notice *all = store_array(&err, rows, sizeof(*all), notice_row, n);
    if (all)
        *out = all;
    return err;
}

int store_notice_purge(struct tas_db *db, uint64_t before) {
    return tas_db_do(db, NULL, "DELETE FROM notice WHERE id < $1", tas_id_value(before));
}

/* ---- limits that all management servers share ---- */

int store_miss_count(struct tas_db *db, const char *scope, int64_t window_start, int64_t *out) {
    struct tas_rows *rows = NULL;
    int err = tas_db_do(db, &rows, "SELECT count FROM miss WHERE scope = $1 AND since >= $2", tas_text(scope),
                        tas_int(window_start));
    if (err == TAS_OK)
        *out = tas_rows_len(rows) ? tas_rows_int(rows, 0, 0) : 0;
    tas_rows_free(rows);
    return err;
}

int store_miss_add(struct tas_db *db, const char *scope, int64_t now_ms, int64_t window_start) {
    return tas_db_do(
        db, NULL,
        "INSERT INTO miss (scope, count, since) VALUES ($1, 1, $2) ON CONFLICT (scope) DO UPDATE SET count = "
        "CASE WHEN miss.since < $3 THEN 1 ELSE miss.count + 1 END, since = CASE WHEN miss.since < $3 THEN "
        "CAST($2 AS BIGINT) ELSE miss.since END",
        tas_text(scope), tas_int(now_ms), tas_int(window_start));
}

int store_miss_purge(struct tas_db *db, int64_t before) {
    return tas_db_do(db, NULL, "DELETE FROM miss WHERE since < $1", tas_int(before));
}
