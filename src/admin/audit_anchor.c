/* Anchors: checkpoints as the log of the management server tells them, kept where who writes in the database
 * does not reach. Each must lie on the chain. */
#include "admin/audit_private.h"
#include "base/hex.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_LEN = 4096, ANCHORS_MAX = 50 * 1000 * 1000 };

struct anchor {
    int64_t company_id, seq, at, kid, line;
    uint8_t hash[32], sig[64];
};

struct audit_anchors {
    FILE *kept; /* struct anchor after struct anchor, in a file without a name */
    int64_t n;
    int64_t broken; /* lines that look like one and are none */
};

static bool read_anchor(struct anchor *out, const struct tas_json *json) {
    const char *hash = tas_json_get_text(json, "hash");
    const char *sig = tas_json_get_text(json, "sig");
    out->company_id = tas_json_get_int(json, "company", -1);
    out->seq = tas_json_get_int(json, "seq", -1);
    out->at = tas_json_get_int(json, "at", -1);
    out->kid = tas_json_get_int(json, "kid", -1);
    return out->company_id >= 0 && out->seq > 0 && out->at > 0 && out->kid >= 0 && hash && sig &&
           tas_hex_decode(out->hash, sizeof(out->hash), hash) == TAS_OK &&
           tas_hex_decode(out->sig, sizeof(out->sig), sig) == TAS_OK;
}

/* A log may put something before the JSON, and holds other lines. */
static bool take_line(struct audit_anchors *anchors, const char *line, int64_t number) {
    struct anchor anchor = {.line = number};
    char why[TAS_JSON_WHY];
    const char *brace = strchr(line, '{');
    if (!brace || !strstr(brace, "\"checkpoint\""))
        return true;
    struct tas_json *json = tas_json_parse(tas_bytes_of(brace, strlen(brace)), why);
    const char *component = tas_json_get_text(json, "component");
    const char *event = tas_json_get_text(json, "event");
    bool is_one = component && event && strcmp(component, "audit") == 0 && strcmp(event, "checkpoint") == 0;
    bool is_good = is_one && read_anchor(&anchor, json);
    tas_json_free(json);
    anchors->broken += (is_one || !json) && !is_good;
    if (!is_good)
        return true;
    anchors->n++;
    return anchors->n < ANCHORS_MAX && fwrite(&anchor, sizeof(anchor), 1, anchors->kept) == 1;
}

static bool take_all(struct audit_anchors *anchors, FILE *f) {
    char line[LINE_MAX_LEN];
    bool is_good = true;
    bool is_rest = false; /* of a line that is longer than any of ours */
    for (int64_t number = 1; is_good && fgets(line, sizeof(line), f);) {
        size_t len = strcspn(line, "\n");
        bool is_whole = line[len] == '\n' || feof(f);
        line[len] = '\0';
        if (is_whole && !is_rest)
            is_good = take_line(anchors, line, number);
        is_rest = !is_whole;
        number += is_whole;
    }
    return is_good && !ferror(f) && fflush(anchors->kept) == 0;
}

struct audit_anchors *audit_anchors_read(const char *path, char why[AUDIT_KEYS_WHY]) {
    struct audit_anchors *anchors = calloc(1, sizeof(*anchors));
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    const char *bad = NULL;
    if (anchors && f)
        anchors->kept = tmpfile();
    if (!anchors)
        bad = "out of memory";
    else if (!f || !anchors->kept)
        bad = strerror(errno);
    else if (!take_all(anchors, f))
        bad = "cannot be read, or there is no room for its anchors in the folder for temporary files";
    else if (anchors->n == 0)
        bad = "holds no anchor: lines of tasuki-manager's log with component \"audit\" and event "
              "\"checkpoint\"";
    if (f && f != stdin)
        fclose(f);
    if (!bad)
        return anchors;
    snprintf(why, AUDIT_KEYS_WHY, "%s: %s", path, bad);
    audit_anchors_free(anchors);
    return NULL;
}

void audit_anchors_free(struct audit_anchors *anchors) {
    if (!anchors)
        return;
    if (anchors->kept)
        fclose(anchors->kept);
    free(anchors);
}

static int check_one(struct audit *a, const struct anchor *anchor) {
    struct store_audit_spot spot;
    int err = store_audit_spot(a->db, anchor->company_id, anchor->seq, &spot);
    if (err != TAS_OK)
        return err;
    const struct audit_place place = {.company = spot.has_company ? spot.code : NULL, .seq = anchor->seq};
    err = audit_keys_check(a->keys, anchor->company_id, anchor->seq, anchor->hash, anchor->at, anchor->kid,
                           anchor->sig);
    if (err != TAS_OK)
        audit_finding(&a->report, place,
                      "the anchor in line %" PRId64
                      " is not signed by an audit key: the log was changed, or is of "
                      "another installation",
                      anchor->line);
    else if (!spot.has_company)
        audit_finding(&a->report, place,
                      "the anchor in line %" PRId64 " is of a company (id %" PRId64
                      ") that is not there: it was "
                      "deleted",
                      anchor->line, anchor->company_id);
    else if (!spot.has_event)
        audit_finding(&a->report, place,
                      "the anchor in line %" PRId64
                      " is of a row that the chain has no more: its end was cut off",
                      anchor->line);
    else if (memcmp(spot.event_hash, anchor->hash, 32) != 0)
        audit_finding(&a->report, place,
                      "the anchor in line %" PRId64
                      " has another hash than the chain: the chain was rewritten",
                      anchor->line);
    else if (!spot.has_checkpoint)
        audit_finding(&a->report, place,
                      "the anchor in line %" PRId64
                      " is of a checkpoint that is not in the table: it was deleted",
                      anchor->line);
    else if (memcmp(spot.checkpoint_hash, anchor->hash, 32) != 0)
        audit_finding(&a->report, place,
                      "the anchor in line %" PRId64 " has another hash than the checkpoint in the table",
                      anchor->line);
    return TAS_OK;
}

int audit_anchors_check(struct audit *a, struct audit_anchors *anchors) {
    struct anchor anchor;
    int err = TAS_OK;
    if (anchors->broken)
        audit_warning(&a->report, (struct audit_place){0},
                      "%" PRId64 " anchors cannot be read: were lines of the log cut?", anchors->broken);
    rewind(anchors->kept);
    for (int64_t i = 0; err == TAS_OK && i < anchors->n; i++) {
        if (fread(&anchor, sizeof(anchor), 1, anchors->kept) != 1)
            return TAS_E_IO;
        if (!a->company_id || a->company_id == anchor.company_id)
            err = check_one(a, &anchor);
    }
    return err;
}
