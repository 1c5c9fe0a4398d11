"""tasukictl audit verify: records that real servers wrote are found unbroken, and every way of changing them is found out.

A world of two companies is written once by tasuki-manager, relays and tasukictl; each way of tampering gets a copy of it.
"""

import hashlib
import json
import os
import re
import sqlite3
import struct
import subprocess
import sys
import threading

from api import Key, Refused
from audit_world import Pg, Sqlite, World, changed, int_to_crockford, must_be_unbroken, quoted, verify
from pg import Postgres
from rig import Failed, main, run

HERE = os.path.dirname(os.path.abspath(__file__))
DOC = os.path.join(HERE, "..", "..", "docs", "audit.md")
HOUR_MS = 3600 * 1000


# ---- the attacker's tools ----

EVENT = "company_id, seq, id, session_id, at, actor, kind, detail, hash"


def event_hash(before, row):
    company, seq, ident, session, at, actor, kind, detail = row[:8]
    actor, kind, detail = (t.encode() for t in (actor, kind, detail))
    return hashlib.sha256(b"TSK1 event".ljust(16, b"\0") + before + struct.pack(">IQQQQ", company, seq, ident, session, at)
                          + struct.pack(">H", len(actor)) + actor + struct.pack(">H", len(kind)) + kind
                          + struct.pack(">I", len(detail)) + detail).digest()


def rechain(db, company=1):
    """What whoever may write in the database can do: all hashes anew, and the head."""
    before = hashlib.sha256(b"TSK1 chain".ljust(16, b"\0") + struct.pack(">I", company)).digest()
    last = 0
    for row in db.rows(f"SELECT {EVENT} FROM event WHERE company_id = {company} ORDER BY seq"):
        last, before = row[1], event_hash(before, row)
        if row[8] != before:
            changed(db, f"UPDATE event SET hash = {db.blob(before)} WHERE company_id = {company} AND seq = {last}")
    changed(db, f"UPDATE company SET chain_seq = {last}, chain_hash = {db.blob(before)} WHERE id = {company}")


def resign(db, company=1):
    """Checkpoints that fit the chain, with signatures of a key of one's own."""
    key = Key()
    for seq, at, digest in db.rows("SELECT c.seq, c.at, e.hash FROM checkpoint c JOIN event e ON e.company_id = c.company_id AND "
                                   f"e.seq = c.seq WHERE c.company_id = {company}"):
        sig = key.sign("TSK1 checkpoint", struct.pack(">IQ", company, seq), digest, struct.pack(">Q", at))
        changed(db, f"UPDATE checkpoint SET hash = {db.blob(digest)}, sig = {db.blob(sig)} WHERE company_id = {company} AND "
                    f"seq = {seq}")


def close_gap(db, seq, company=1):
    """Rows behind a deleted one move down; one by one, for the primary key's sake."""
    for (n,) in db.rows(f"SELECT seq FROM event WHERE company_id = {company} AND seq > {seq} ORDER BY seq"):
        changed(db, f"UPDATE event SET seq = seq - 1 WHERE company_id = {company} AND seq = {n}")


def seq_of(db, kind, session=None, company=1):
    where = f"company_id = {company} AND kind = '{kind}'" + (f" AND session_id = {session}" if session else "")
    return db.rows(f"SELECT MIN(seq) FROM event WHERE {where}")[0][0]


def head(db, company=1):
    return db.rows(f"SELECT chain_seq FROM company WHERE id = {company}")[0][0]


# ---- ways of tampering: each gives the expressions of which one line each must be found ----

TAMPER = []


def tamper(*args, code=1):
    """args: of tasukictl audit verify; "anchors" stands for the log."""

    def note(fn):
        TAMPER.append((fn.__name__, fn, args, code))
        return fn

    return note


def plain_tamper(name, sql, *wanted, most=1, args=(), code=1):
    """sql and wanted may name {full}, {beta} ... (sessions), {claim_full} ... (claims), {S_full} (a session's text)."""

    def fn(w, db):
        names = {**{k: w.number(k) for k in w.ids}, **{f"claim_{k}": w.claim(k) for k in w.claims},
                 **{f"S_{k}": v for k, v in w.ids.items()}, "head": head(db), "answered": seq_of(db, "answered")}
        changed(db, sql.format(**names), most)
        return [x.format(**names) for x in wanted]

    TAMPER.append((name, fn, args, code))


AT_ANSWERED = "WHERE company_id = 1 AND kind = 'answered' AND session_id = {full}"
BAD_ROW = "company acme seq {answered}: the row .* is not what its hash was made of"
plain_tamper("an_events_detail", f"UPDATE event SET detail = replace(detail, 'PC-7', 'PC-8') {AT_ANSWERED}", BAD_ROW)
plain_tamper("an_events_time", f"UPDATE event SET at = at + 1 {AT_ANSWERED}", BAD_ROW)
plain_tamper("an_events_actor", f"UPDATE event SET actor = 'operator:suzuki' {AT_ANSWERED}", BAD_ROW)
plain_tamper("an_events_kind", f"UPDATE event SET kind = 'refused' {AT_ANSWERED}", BAD_ROW)
plain_tamper("an_events_id", f"UPDATE event SET id = id + 1 {AT_ANSWERED}", BAD_ROW)
plain_tamper("an_event_moves_to_another_session", f"UPDATE event SET session_id = {{cancelled}} {AT_ANSWERED}", BAD_ROW,
             "acme session {S_full}: .*answered_at is [0-9]+ in the table, but the chain has no answered event")
plain_tamper("an_event_moves_to_another_company", "UPDATE event SET company_id = 2, seq = 1000 " + AT_ANSWERED,
             "company acme seq [0-9]+: the row {answered} before it is missing",
             "company beta seq 1000: the rows [0-9]+ to 999 before it are missing",
             "acme session {S_full} seq 1000: [0-9]+ of this session's events, this one first, stand in the chain of another company")
plain_tamper("a_row_deleted_in_the_middle", "DELETE FROM event " + AT_ANSWERED,
             "company acme seq [0-9]+: the row {answered} before it is missing")
plain_tamper("the_last_row_deleted", "DELETE FROM event WHERE company_id = 1 AND seq = {head}",
             "company acme seq [0-9]+: the chain ends here, but .* has {head} rows: the last ones were deleted",
             "company acme seq {head}: a checkpoint was made here, but the chain has no such row any more")
plain_tamper("the_chains_head", "UPDATE company SET chain_hash = (SELECT chain_hash FROM company WHERE id = 2) WHERE id = 1",
             "company acme seq {head}: the head in the company's row is not the hash of the last row")

SESSION = "company acme session {S_full} seq [0-9]+: "
plain_tamper("a_sessions_end_reason", "UPDATE session SET end_reason = 'customer' WHERE id = {full}",
             SESSION + 'end_reason is "customer" in the table, but its ended event [0-9]+ says "operator"')
plain_tamper("a_sessions_end_text", "UPDATE session SET end_text = NULL WHERE id = {full}",
             SESSION + 'end_text is "" in the table, but its ended event [0-9]+ says "done"')
plain_tamper("a_sessions_operator", "UPDATE session SET operator_login = 'suzuki', operator_name = '鈴木', operator_id = (SELECT id "
             "FROM operator WHERE login = 'suzuki') WHERE id = {full}",
             SESSION + 'operator_login is "suzuki" in the table, but its issued event [0-9]+ says "tanaka"')
plain_tamper("a_sessions_account", "UPDATE session SET operator_id = (SELECT id FROM operator WHERE login = 'suzuki') WHERE id = {full}",
             SESSION + 'the session belongs to the account "suzuki", but names the operator "tanaka"')
plain_tamper("a_sessions_customer", "UPDATE session SET customer = '田中' WHERE id = {full}",
             SESSION + 'customer is "田中" in the table, but its issued event [0-9]+ says "山田"')
plain_tamper("a_sessions_note", "UPDATE session SET note = 'nothing' WHERE id = {full}",
             SESSION + 'note is "nothing" in the table, but its result event [0-9]+ says "紙詰まり\\?取り除いた\\?"')
plain_tamper("a_sessions_result", "UPDATE session SET result = 'open' WHERE id = {full}",
             SESSION + 'result is "open" in the table, but its result event [0-9]+ says "solved"')
plain_tamper("a_sessions_end", "UPDATE session SET ended_at = ended_at + 60000 WHERE id = {full}",
             SESSION + "ended_at is [0-9]+ in the table, but its ended event [0-9]+ is of [0-9]+")
plain_tamper("a_sessions_answer", "UPDATE session SET answered_at = answered_at - 60000 WHERE id = {full}",
             SESSION + "answered_at is [0-9]+ in the table, but its answered event [0-9]+ says [0-9]+")
plain_tamper("a_sessions_bytes", "UPDATE session SET bytes_out = 1 WHERE id = {full}",
             SESSION + "bytes_out is 1 in the table, but its ended event [0-9]+ says 7")
plain_tamper("a_sessions_address", "UPDATE session SET customer_address = '192.0.2.1' WHERE id = {full}",
             SESSION + 'customer_address is "192.0.2.1" in the table, but its answered event [0-9]+ says "127.0.0.1"')
plain_tamper("a_sessions_relays", "UPDATE session SET relays = '4,1' WHERE id = {full}",
             SESSION + 'the session\'s relays are "4,1", but by the chain the first is 1')
plain_tamper("a_sessions_code", "UPDATE session SET is_verified = 0 WHERE id = {full}",
             "company acme session {S_full}: the check code is not confirmed in the table, but the chain has a verified event")
plain_tamper("a_sessions_recording", "UPDATE session SET is_recorded = 1 WHERE id = {crowded}",
             "company acme session {S_crowded}: the session is recorded in the table, but the chain has no record event")
plain_tamper("a_sessions_pauses", "UPDATE session SET ms_held = 600000 WHERE id = {full}",
             "company acme session {S_full}: ms_held and ms_reconnecting are 600000 and [0-9]+ in the table")
plain_tamper("a_session_that_is_not_over", "UPDATE session SET state = 'active', ended_at = NULL WHERE id = {full}",
             SESSION + 'the session\'s state is "active" in the table, but by the chain it is ended')
plain_tamper("a_session_that_is_over", "UPDATE session SET state = 'ended' WHERE id = {waiting}",
             'acme session {S_waiting}: the session\'s state is "ended" in the table, but by the chain it is issued or waiting')
plain_tamper("a_session_that_nobody_waits_in", "UPDATE session SET state = 'issued' WHERE id = {waiting}",
             'acme session {S_waiting}: the session\'s state is "issued", but 1 customers wait')
plain_tamper("a_session_of_another_company", "UPDATE session SET company_id = 2 WHERE id = {full}",
             "company beta session {S_full} seq [0-9]+: [0-9]+ of this session's events, this one first, stand in the chain of another company \\(id 1\\)",
             "company beta session {S_full}: .*the chain has no issued event of it: it was added")

CLAIM = "company acme session {S_full} seq [0-9]+: "
plain_tamper("a_claims_host", "UPDATE claim SET host_name = 'PC-1' WHERE id = {claim_full}",
             CLAIM + 'the claim\'s host_name is "PC-1" in the table, but its claimed event [0-9]+ says "PC-7"')
plain_tamper("a_claims_terms", "UPDATE claim SET terms_at = 1 WHERE id = {claim_full}",
             CLAIM + "the claim's terms_at is 1 in the table, but its claimed event [0-9]+ says nothing of it")
plain_tamper("a_claims_state", "UPDATE claim SET state = 'withdrawn' WHERE id = {claim_refused}",
             CLAIM + 'claim [0-9a-z]+ is "withdrawn" in the table, but by the chain it is refused')
plain_tamper("a_claims_time", "UPDATE claim SET claimed_at = claimed_at - 3600000 WHERE id = {claim_over}",
             "claim [0-9a-z]+ was made at another time than its event")
plain_tamper("a_claim_that_was_not_replaced", "UPDATE claim SET state = 'replaced' WHERE id = {claim_waiting}",
             'claim [0-9a-z]+ is "replaced" in the table, but by the chain it is pending')
plain_tamper("a_claim_that_was_replaced", "UPDATE claim SET state = 'over' WHERE id = {claim_replaced}",
             "company acme session {S_crowded} seq [0-9]+: "
             'claim [0-9a-z]+ is "over" in the table, but by the chain it is replaced')
plain_tamper("a_claim_that_does_not_wait_yet", "UPDATE claim SET state = 'pending' WHERE id = {claim_choosing}",
             'session {S_choosing} seq [0-9]+: claim [0-9a-z]+ is "pending" in the table, but by the chain it is choosing',
             'session {S_choosing}: the session\'s state is "issued", but 1 customers wait')
plain_tamper("a_claim_that_waits", "UPDATE claim SET state = 'choosing' WHERE id = {claim_waiting}",
             'claim [0-9a-z]+ is "choosing" in the table, but by the chain it is pending')
plain_tamper("a_host_that_was_never_told", "UPDATE claim SET host_name = 'PC-7' WHERE id = {claim_chose_withdrawn}",
             'session {S_chosen} seq [0-9]+: the claim\'s host_name is "PC-7" in the table, but its choosing event [0-9]+ says ""')
plain_tamper("a_claims_address_that_two_events_tell", "UPDATE claim SET address = '192.0.2.1' WHERE id = {claim_chosen}",
             'session {S_chosen} seq [0-9]+: the claim\'s address is "192.0.2.1" in the table, but its claimed event [0-9]+ says',
             'session {S_chosen} seq [0-9]+: the claim\'s address is "192.0.2.1" in the table, but its choosing event says')
plain_tamper("a_choosing_claim_deleted", "DELETE FROM claim WHERE id = {claim_choosing}",
             "session {S_choosing} seq [0-9]+: claim [0-9a-z]+ was made here, but is not in the table: it was deleted")
plain_tamper("an_early_claims_time", "UPDATE claim SET claimed_at = claimed_at - 3600000 WHERE id = {claim_choosing}",
             "session {S_choosing} seq [0-9]+: claim [0-9a-z]+ was made at another time than its event")
plain_tamper("late_figures", "UPDATE session SET bytes_in = 54 WHERE id = {figures}",
             "company acme session {S_figures} seq [0-9]+: bytes_in is 54 in the table, but its figures event [0-9]+ says 55")
plain_tamper("a_claim_deleted", "DELETE FROM claim WHERE id = {claim_refused}",
             CLAIM + "claim [0-9a-z]+ was made here, but is not in the table: it was deleted")
plain_tamper("a_claim_moved", "UPDATE claim SET session_id = {cancelled} WHERE id = {claim_refused}",
             CLAIM + "claim [0-9a-z]+ was made here, but is not in the table: it was deleted",
             "acme session {S_cancelled}: claim [0-9a-z]+ stands in the table, but the chain has no claimed event of it: it was added")
plain_tamper("another_customer", "UPDATE session SET claim_id = {claim_refused} WHERE id = {full}",
             SESSION + 'the customer in the session is claim "[0-9a-z]+", but by the chain claim "[0-9a-z]+" was answered')

plain_tamper("device_information", "UPDATE device SET info = replace(info, 'y', 'z') WHERE session_id = {full}",
             SESSION + "the device information is not what was stored here: its SHA-256 differs")
plain_tamper("device_information_deleted", "DELETE FROM device WHERE session_id = {full}",
             SESSION + "device information was stored here and is gone, but the chain has no device_deleted event")
plain_tamper("device_information_of_another", "UPDATE device SET session_id = {crowded} WHERE session_id = {full}",
             "acme session {S_crowded}: device information stands in the table, but the chain has no device event: it was added")
plain_tamper("device_information_brought_back", "INSERT INTO device (session_id, company_id, at, info, delete_after) VALUES "
             "({undeviced}, 2, 1, '{{\"cpu\":\"z\"}}', 2)",
             "company beta session {S_undeviced} seq [0-9]+: device information stands in the table, but was deleted here")

plain_tamper("an_operator_added", "INSERT INTO operator (id, company_id, login, name, password, state, failures, locked_until, "
             "created_at) VALUES (77, 1, 'mallory', 'M', 'x', 'active', 0, 0, 1)",
             'company acme: operator "mallory" was not added by tasukictl: the chain has no operator_added')
plain_tamper("an_operator_renamed", "UPDATE operator SET name = 'Tanaka' WHERE login = 'tanaka'",
             'company acme seq [0-9]+: operator "tanaka" is called "Tanaka" in the table, but was added as "田中 花子"')
plain_tamper("an_operator_enabled", "UPDATE operator SET state = 'active' WHERE login = 'suzuki'",
             'company acme: operator "suzuki" is "active" in the table, but by the chain disabled')
plain_tamper("an_operator_deleted", "DELETE FROM operator WHERE login = 'suzuki'",
             'company acme seq [0-9]+: operator "suzuki" was added here, but is not in the table')
plain_tamper("a_companys_lock", "UPDATE company SET lock_after = 0 WHERE id = 1",
             "company acme: lock_after is 0 in the table, but event [0-9]+ says 7")
plain_tamper("a_companys_rights", "UPDATE company SET perms = 1 WHERE id = 2", "company beta: rights is 1 in the table, but event [0-9]+ says 127")
plain_tamper("a_companys_regions", "UPDATE company SET regions = '' WHERE id = 1",
             'company acme: regions is "" in the table, but event [0-9]+ says "jp"')
plain_tamper("a_companys_state", "UPDATE company SET state = 'frozen' WHERE id = 1",
             'company acme seq [0-9]+: the company\'s state is "frozen" in the table, but by the chain it is active')
plain_tamper("a_keyset", "UPDATE keyset SET bytes = (SELECT hash FROM event WHERE company_id = 1 AND seq = 1)",
             "KEYSET 1 in the table is no KEYSET", "names key [0-9]+, and no KEYSET signed by the root has such an audit key")


@tamper()
def last_rows_deleted_and_the_head_mended(w, db):
    last = head(db)
    changed(db, f"DELETE FROM event WHERE company_id = 1 AND seq > {last - 2}", 2)
    rechain(db)
    return [f"company acme seq {last}: a checkpoint was made here, but the chain has no such row any more"]


@tamper("--anchor", "anchors")
def last_rows_deleted_with_their_checkpoints(w, db):
    last = head(db)
    changed(db, f"DELETE FROM event WHERE company_id = 1 AND seq > {last - 2}", 2)
    changed(db, f"DELETE FROM checkpoint WHERE company_id = 1 AND seq > {last - 2}", 2)
    rechain(db)
    return [f"company acme seq {last}: the anchor in line [0-9]+ is of a row that the chain has no more: its end was cut off"]


@tamper()
def a_row_inserted_into_the_middle(w, db):
    at = seq_of(db, "answered")
    for (n,) in db.rows(f"SELECT seq FROM event WHERE company_id = 1 AND seq >= {at} ORDER BY seq DESC"):
        changed(db, f"UPDATE event SET seq = seq + 1 WHERE company_id = 1 AND seq = {n}")
    changed(db, f"INSERT INTO event ({EVENT}) SELECT company_id, {at}, id + 1, session_id, at, actor, 'granted', '{{}}', hash FROM event "
                f"WHERE company_id = 1 AND seq = {at - 1}")
    changed(db, "UPDATE company SET chain_seq = chain_seq + 1 WHERE id = 1")
    return [f"company acme seq {at}: the row \\(granted by .*\\) is not what its hash was made of",
            f"company acme seq {at + 1}: the row .* is not what its hash was made of",
            "company acme seq [0-9]+: the checkpoint here has another hash than the chain"]


@tamper()
def two_rows_swapped(w, db):
    one, two = (seq_of(db, k, w.number("full")) for k in ("verified", "view_on"))
    for a, b in ((one, -1), (two, one), (-1, two)):
        changed(db, f"UPDATE event SET seq = {b} WHERE company_id = 1 AND seq = {a}")
    return [f"company acme seq {n}: the row .* is not what its hash was made of" for n in (one, two)]


def forget(w, db):
    """The refused stranger never was: his events and rows go, and the chain is made anew."""
    for kind in ("refused", "claimed"):
        at = seq_of(db, kind, w.number("full"))
        changed(db, f"DELETE FROM event WHERE company_id = 1 AND seq = {at}")
        close_gap(db, at)
    changed(db, f"DELETE FROM claim WHERE id = {w.claim('refused')}")
    last = head(db)
    changed(db, f"DELETE FROM checkpoint WHERE company_id = 1 AND seq > {last - 2}", 2)
    rechain(db)


@tamper()
def a_chain_made_anew(w, db):
    forget(w, db)
    return ["company acme seq [0-9]+: the checkpoint here has another hash than the chain"]


@tamper()
def a_chain_made_anew_with_checkpoints_forged(w, db):
    forget(w, db)
    resign(db)
    return ["company acme seq [0-9]+: the checkpoint here is forged: its signature is not that of key [0-9]+"]


@tamper("--anchor", "anchors")
def a_chain_made_anew_without_checkpoints(w, db):
    forget(w, db)
    changed(db, "DELETE FROM checkpoint WHERE company_id = 1", 50)
    return ["company acme seq [0-9]+: the anchor in line [0-9]+ has another hash than the chain: the chain was rewritten"]


@tamper(code=0)
def what_only_anchors_find(w, db):
    """As the document says: without anchors all that is left is a warning."""
    forget(w, db)
    changed(db, "DELETE FROM checkpoint WHERE company_id = 1", 50)
    return ["warning: company acme seq 1: the chain has no checkpoint", "verified: unbroken"]


@tamper(code=0)
def all_checkpoints_deleted(w, db):
    changed(db, "DELETE FROM checkpoint", 50)
    return ["warning: company acme seq 1: the chain has no checkpoint", "warning: company beta seq 1: the chain has no checkpoint"]


@tamper("--anchor", "anchors")
def all_checkpoints_deleted_and_anchors_kept(w, db):
    changed(db, "DELETE FROM checkpoint", 50)
    return [f"company acme seq {head(db)}: the anchor in line [0-9]+ is of a checkpoint that is not in the table: it was deleted"]


@tamper()
def a_checkpoint_forged(w, db):
    sig = Key().sign("TSK1 checkpoint", b"x")
    changed(db, f"INSERT INTO checkpoint (company_id, seq, hash, at, kid, sig) SELECT e.company_id, e.seq, e.hash, c.at, c.kid, "
                f"{db.blob(sig)} FROM event e, checkpoint c WHERE e.company_id = 1 AND e.seq = 3 AND c.company_id = 1 AND c.seq = {head(db)}")
    return ["company acme seq 3: the checkpoint here is forged: its signature is not that of key"]


@tamper()
def a_checkpoint_of_a_key_that_is_none(w, db):
    changed(db, "UPDATE checkpoint SET kid = 200 WHERE company_id = 2", 9)
    return ["company beta seq [0-9]+: the checkpoint here names key 200, and no KEYSET signed by the root has such an audit key"]


@tamper()
def a_checkpoint_of_another_company(w, db):
    changed(db, f"INSERT INTO checkpoint (company_id, seq, hash, at, kid, sig) SELECT 2, 1, hash, at, kid, sig FROM checkpoint WHERE "
                f"company_id = 1 AND seq = {head(db)}")
    return ["company beta seq 1: the checkpoint here is forged", "company beta seq 1: the checkpoint here has another hash than the chain"]


@tamper()
def checkpoints_of_before(w, db):
    changed(db, f"UPDATE checkpoint SET at = at - {HOUR_MS} WHERE company_id = 1", 9)
    return ["company acme seq [0-9]+: the checkpoint here (is forged|names key)", "company acme seq [0-9]+: the checkpoint here is older than"]


@tamper()
def a_keyset_of_ones_own(w, db):
    """A KEYSET by another root, with a key of one's own, and checkpoints of that key."""
    theirs = w.rig.path("theirs")
    if not os.path.exists(theirs):
        run([w.rig.exe("tasukictl", "src/admin"), "keyset", "init", theirs])
    with open(os.path.join(theirs, "signer.keys")) as f:
        keyset = bytes.fromhex(re.search(r'keyset = "([0-9a-f]+)"', f.read())[1])
    changed(db, f"INSERT INTO keyset (sequence, at, bytes) VALUES (2, 1, {db.blob(keyset)})")
    return ["KEYSET 2 in the table is not signed by the root"]


@tamper()
def a_session_deleted(w, db):
    n = w.number("full")
    for table in ("device", "claim", "reception"):
        changed(db, f"DELETE FROM {table} WHERE session_id = {n}", 9)
    changed(db, f"DELETE FROM session WHERE id = {n}")
    return [f"company acme session {w.ids['full']} seq [0-9]+: the chain names this session, but it is not in the table: it was deleted"]


@tamper()
def a_session_deleted_with_its_events(w, db):
    n = w.number("full")
    for table in ("device", "claim", "reception", "event"):
        changed(db, f"DELETE FROM {table} WHERE session_id = {n}", 50)
    changed(db, f"DELETE FROM session WHERE id = {n}")
    return ["company acme seq [0-9]+: the rows [0-9]+ to [0-9]+ before it are missing"]


@tamper()
def a_session_added(w, db):
    columns = "company_id, operator_id, operator_login, operator_name, state, number_hash, number_last3, issued_at, expires_at, " \
              "operator_address, operator_version, perms, is_verified, is_recorded, ms_held, ms_reconnecting, seen_at, rev"
    changed(db, f"INSERT INTO session (id, request, {columns}) SELECT id + 1, {db.blob(b'r' * 16)}, {columns} FROM session WHERE "
                f"id = {w.number('cancelled')}")
    return ["company acme session [0-9a-z]{13}: the session stands in the table, but the chain has no issued event of it: it was added"]


@tamper()
def a_row_hidden_behind_a_second_one(w, db):
    """An id twice, and times that lie."""
    last = head(db)
    changed(db, f"INSERT INTO event ({EVENT}) SELECT company_id, seq + 1, id, session_id, at - {HOUR_MS}, actor, kind, detail, hash FROM "
                f"event WHERE company_id = 1 AND seq = {last}")
    rechain(db)
    return [f"company acme seq {last + 1}: its id stands in an earlier row too",
            f"warning: company acme seq {last + 1}: its time is 3600 s before that of the row before"]


@tamper("--anchor", "anchors")
def a_company_deleted(w, db):
    for table in ("device", "claim", "event", "checkpoint", "tool_login"):
        changed(db, f"DELETE FROM {table} WHERE company_id = 2", 50) if table != "device" else None
    changed(db, "DELETE FROM reception WHERE session_id IN (SELECT id FROM session WHERE company_id = 2)", 9)
    for table in ("session", "operator"):
        changed(db, f"DELETE FROM {table} WHERE company_id = 2", 9)
    changed(db, "DELETE FROM company WHERE id = 2")
    return ["seq [0-9]+: the anchor in line [0-9]+ is of a company \\(id 2\\) that is not there: it was deleted"]


@tamper()
def a_replaced_event_of_somebody_else(w, db):
    changed(db, "UPDATE event SET actor = 'customer' WHERE kind = 'replaced' AND session_id = " + str(w.number("crowded")))
    rechain(db)
    return [f"company acme session {w.ids['crowded']} seq [0-9]+: this replaced event is not of the system"]


@tamper()
def figures_before_the_end(w, db):
    where = f"company_id = 1 AND session_id = {w.number('figures')}"
    changed(db, f"UPDATE event SET kind = 'figures' WHERE kind = 'answered' AND {where}")
    rechain(db)
    return [f"company acme session {w.ids['figures']} seq [0-9]+: this figures event comes before the end"]


@tamper()
def a_company_row_deleted(w, db):
    changed(db, "DELETE FROM company WHERE id = 2")
    return ["there are events of a company \\(id 2\\) that is not there",
            f"session {w.ids['beta']}: the session belongs to a company that is not there \\(id 2\\)"]


@tamper()
def details_that_are_none(w, db):
    changed(db, f"UPDATE event SET detail = '[' WHERE kind = 'issued' AND session_id = {w.number('full')}")
    rechain(db)
    return [f"company acme session {w.ids['full']} seq [0-9]+: the detail of this issued event cannot be read"]


@tamper()
def text_that_steers_a_terminal(w, db):
    changed(db, f"UPDATE session SET customer = {quoted(chr(27) + '[2J' + chr(0x202e) + chr(10) + 'company acme: fine')} WHERE id = {w.number('full')}")
    return ['customer is "\\?\\[2J\\?\\?\\?\\?company acme: fine" in the table']


@tamper()
def a_row_that_nobody_can_read(w, db):
    changed(db, f"UPDATE event SET detail = '{'x' * 1100}' WHERE kind = 'ended' AND session_id = {w.number('full')}")
    for _ in range(15):  # more than 32 MiB
        changed(db, f"UPDATE event SET detail = detail || detail WHERE kind = 'ended' AND session_id = {w.number('full')}")
    return ["company acme seq [0-9]+: a row from here on is larger than any that is written; the rest of this chain was not looked at",
            f"company acme session {w.ids['full']}: a row that belongs to it is larger than any that is written"]


@tamper("--company", "acme", code=0)
def another_company_is_not_looked_at(w, db):
    changed(db, "UPDATE session SET end_reason = 'error' WHERE company_id = 2 AND end_reason = 'lost'")
    return ["^[0-9]+ events, 9 sessions of 1 company verified: unbroken$"]


def every_tampering(world, make):
    """Each on a copy of its own; what was missed is told all at once."""
    missed = []
    for name, fn, args, code in TAMPER:
        db = make(world, "tampered")
        wanted = fn(world, db)
        db.done()
        got, lines, err = verify(world, db.url, *(world.anchors() if a == "anchors" else a for a in args))
        db.drop()
        absent = [x for x in wanted if not any(re.search(x, line) for line in lines)]
        shown = all(c.isprintable() for line in lines for c in line)
        if got != code or absent or not shown or err:
            missed.append("\n".join([f"--- {name}: exit {got}, wanted {code}; absent: {absent}; {err}", *lines]))
    print(f"{len(TAMPER)} ways of tampering, {len(missed)} missed", flush=True)
    assert not missed, "\n".join(missed)


# ---- what is not tampered with ----


def looks_right(world):
    lines = must_be_unbroken(world)
    assert re.fullmatch(r"\d+ events, 11 sessions of 2 companies verified: unbroken", lines[-1]) and len(lines) == 1, lines
    assert must_be_unbroken(world, "--anchor", world.anchors()) == lines
    assert "of 1 company" in must_be_unbroken(world, "--company", "beta", "--anchor", world.anchors())[-1]
    code, lines, _ = verify(world, None, "--json")
    assert code == 0 and json.loads(lines[-1])["level"] == "summary" and json.loads(lines[-1])["sessions"] == 11, lines
    code, _, err = verify(world, None, "--company", "nobody")
    assert code == 1 and "there is no company nobody" in err, (code, err)


def many_who_typed_one_number(world):
    """However many there are, a chain that was written in order can be verified."""
    many = 20000
    db = Sqlite(world, "many")
    db.run("BEGIN")
    claim, session, last = world.claim("waiting"), world.number("waiting"), head(db)
    detail, = db.rows(f"SELECT detail FROM event WHERE kind = 'claimed' AND session_id = {session}")[0]
    old = re.search(r'"claim":"([0-9a-z]+)"', detail)[1]
    columns = [c[1] for c in db.rows("PRAGMA table_info(claim)")]
    values = ", ".join({"id": "id + ?", "pop_pk": "randomblob(32)"}.get(c, c) for c in columns)
    for i in range(1, many + 1):
        db.db.execute(f"INSERT INTO claim SELECT {values} FROM claim WHERE id = {claim}", (i,))
        db.db.execute(f"INSERT INTO event ({EVENT}) SELECT 1, {last} + ?, (SELECT MAX(id) + 1 FROM event), {session}, "
                      f"(SELECT at FROM event WHERE kind = 'claimed' AND session_id = {session} ORDER BY seq LIMIT 1), 'customer', "
                      "'claimed', ?, x'00'", (i, detail.replace(old, int_to_crockford(claim + i, len(old)))))
    rechain(db)
    db.run("COMMIT")
    db.done()
    code, lines, err = verify(world, db.url)
    db.drop()
    assert code == 0 and not err and lines[-1].endswith("verified: unbroken"), (code, lines[:5], len(lines), err)


def every_company_gets_its_checkpoint(world):
    """More than are signed in one page; the server signs all heads when it stops."""
    for i in range(205):
        world.service.ctl("company", "add", f"many-{i}", f"Many {i}")
    world.start()
    world.stop()
    db = sqlite3.connect(world.rig.path("store/tasuki.db"))
    bare = db.execute("SELECT code FROM company WHERE NOT EXISTS (SELECT 1 FROM checkpoint WHERE company_id = company.id AND "
                      "seq = chain_seq)").fetchall()
    db.close()
    assert not bare, bare
    must_be_unbroken(world, "--anchor", world.anchors())


def one_company_fails_alone(world):
    """What is wrong with the first company keeps nobody else from a checkpoint, and is logged once."""
    db = sqlite3.connect(world.rig.path("store/tasuki.db"), isolation_level=None)
    db.execute("CREATE TRIGGER no BEFORE INSERT ON checkpoint WHEN NEW.company_id = 1 BEGIN SELECT RAISE(ABORT, 'not this one'); END")
    for company in ("acme", "beta"):
        world.service.ctl("company", "set", company, "--max-numbers", "8")
    world.start()
    world.stop()
    bare = db.execute("SELECT code FROM company WHERE NOT EXISTS (SELECT 1 FROM checkpoint WHERE company_id = company.id AND "
                      "seq = chain_seq)").fetchall()
    db.execute("DROP TRIGGER no")
    db.close()
    with open(world.rig.path(world.logs[-1] + ".log"), encoding="utf-8") as f:
        told = [line for line in f if '"upkeep_failed"' in line]
    assert bare == [("acme",)], bare
    assert len(told) == 1 and '"checkpoint"' in told[0] and "not this one" in told[0], told


def two_at_once_change_one_company(world):
    """Each option is set in what is there when its turn comes."""
    conf = world.service.config(1)
    argv = [world.rig.exe("tasukictl", "src/admin"), "--config", conf, "company", "set", "beta"]
    for n in range(2, 12):
        options = [("--max-numbers", str(n)), ("--lock-after", str(n)), ("--lock-minutes", str(n)), ("--name", f"Beta {n}")]
        both = [subprocess.Popen([*argv, *o], stdout=subprocess.DEVNULL) for o in options]
        assert [p.wait() for p in both] == [0] * len(both)
        db = sqlite3.connect(world.rig.path("store/tasuki.db"))
        row = db.execute("SELECT max_live, lock_after, lock_minutes, name FROM company WHERE code = 'beta'").fetchone()
        db.close()
        assert row == (n, n, n, f"Beta {n}"), row


def findings_as_json(world, make):
    db = make(world, "tampered")
    changed(db, f"UPDATE session SET end_reason = 'customer' WHERE id = {world.number('full')}")
    db.done()
    code, lines, _ = verify(world, db.url, "--json")
    db.drop()
    finding, summary = map(json.loads, lines)
    assert code == 1 and summary["findings"] == 1, lines
    assert finding["level"] == "finding" and finding["company"] == "acme" and finding["session"] == world.ids["full"], lines
    assert finding["seq"] > 0 and finding["what"].startswith("end_reason is"), lines


def wrong_files_are_told(world):
    """Exit code 78, and nothing is called unbroken."""
    rig = world.rig
    with open(os.path.join(world.service.keys, "root.pub")) as f:
        root = f.read().strip()
    with open(os.path.join(world.service.keys, "signer.keys")) as f:
        keyset = re.search(r'keyset = "([0-9a-f]+)"', f.read())[1]
    files = {"empty": "", "garbage": "hello\n", "cut": keyset[:-2], "forged": keyset[:-2] + ("00" if keyset[-2:] != "00" else "01")}
    for name, text in files.items():
        with open(rig.path(name), "w") as f:
            f.write(text)
    for args in (("--anchor", rig.path("none")), ("--anchor", rig.path("empty")), ("--anchor", rig.path("garbage")),
                 ("--keyset", rig.path("none")), ("--keyset", rig.path("garbage")), ("--keyset", rig.path("cut")),
                 ("--keyset", rig.path("forged"))):
        code, lines, err = verify(world, None, *args)
        assert code == 78 and not lines and err, (args, code, lines, err)
    with open(rig.path("good"), "w") as f:
        f.write(f"{root}\n{keyset}\n")
    must_be_unbroken(world, "--keyset", rig.path("good"))
    with open(rig.path("other"), "w") as f:
        f.write("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\n")
    code, lines, _ = verify(world, None, "--keyset", rig.path("other"))
    assert code == 1 and any("KEYSET 1 in the table is not signed by the root" in line for line in lines), lines


def a_copy_is_verified_elsewhere(world):
    """With a database and keys of one's own: no configuration, no secrets of the server."""
    rig = world.rig
    copy = Sqlite(world, "carried")
    copy.done()
    keys = os.path.join(world.service.keys, "root.pub")
    argv = [rig.exe("tasukictl", "src/admin"), "--config", rig.path("none"), "audit", "verify", "--database"]

    def elsewhere(*args):
        done = subprocess.run([*argv, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return done.returncode, done.stdout

    code, said = elsewhere(copy.url, "--keyset", keys, "--anchor", world.anchors())
    assert code == 0 and "unbroken" in said, (code, said)
    assert elsewhere(copy.url) == (78, "")
    assert elsewhere("sqlite:" + rig.path("none.db"), "--keyset", keys) == (75, "") and not os.path.exists(rig.path("none.db"))


def a_keyset_file_stands_in_for_the_table(world, make):
    db = make(world, "tampered")
    changed(db, "DELETE FROM keyset")
    db.done()
    with open(os.path.join(world.service.keys, "signer.keys")) as f:
        keyset = re.search(r'keyset = "([0-9a-f]+)"', f.read())[1]
    with open(world.rig.path("kept"), "w") as f:
        f.write(keyset)
    assert verify(world, db.url)[0] == 1
    code, lines, _ = verify(world, db.url, "--keyset", world.rig.path("kept"))
    db.drop()
    assert code == 0, lines


def a_running_server_is_verified(world):
    """Whatever is written meanwhile: one state of the database is looked at, and all anchors of the log are in it."""
    world.start()
    world.service.ctl("operator", "unlock", "beta", "sato")
    sato = world.service.operator("beta", "sato")
    is_over, wrong = threading.Event(), []

    def work():
        try:
            while not is_over.is_set():
                world.short_session(sato, "busy")
        except (Failed, Refused, OSError) as e:
            wrong.append(e)

    busy = threading.Thread(target=work)
    busy.start()
    try:
        for _ in range(8):
            must_be_unbroken(world, "--anchor", world.anchors())
    finally:
        is_over.set()
        busy.join()
    world.stop()
    assert not wrong, wrong
    must_be_unbroken(world, "--anchor", world.anchors())


# ---- the document's own example ----


def the_documents_example_runs(world):
    with open(DOC, encoding="utf-8") as f:
        example = re.search(r"```python\n(.*?)```", f.read(), re.S)[1]
    path = world.rig.path("example.py")
    with open(path, "w", encoding="utf-8") as f:
        f.write(example)
    good = Sqlite(world, "good")
    good.done()
    said = run([sys.executable, path, good.path])
    assert re.fullmatch(r"(?:(acme|beta): \d+ rows, unbroken\n){2}", said), said
    bad = Sqlite(world, "bad")
    changed(bad, f"UPDATE event SET at = at + 1 WHERE company_id = 1 AND seq = {seq_of(bad, 'answered')}")
    at = seq_of(bad, "answered")
    bad.done()
    done = subprocess.run([sys.executable, path, bad.path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and f"acme: broken at row {at}" in done.stderr, (done.stdout, done.stderr)


def records_in_sqlite(rig):
    world = World(rig)
    looks_right(world)
    wrong_files_are_told(world)
    a_copy_is_verified_elsewhere(world)
    findings_as_json(world, Sqlite)
    a_keyset_file_stands_in_for_the_table(world, Sqlite)
    the_documents_example_runs(world)
    many_who_typed_one_number(world)
    every_tampering(world, Sqlite)
    a_running_server_is_verified(world)
    two_at_once_change_one_company(world)
    one_company_fails_alone(world)
    every_company_gets_its_checkpoint(world)


def records_in_postgresql(rig):
    pg = Postgres(rig)
    world = World(rig, pg.url())
    world.pg = pg
    looks_right(world)
    findings_as_json(world, Pg)
    a_keyset_file_stands_in_for_the_table(world, Pg)
    every_tampering(world, Pg)
    a_running_server_is_verified(world)
    pg.stop()
    code, lines, err = verify(world)
    assert code == 75 and not lines and pg.password not in err, (code, lines, err)


if __name__ == "__main__":
    main(records_in_sqlite, records_in_postgresql)
