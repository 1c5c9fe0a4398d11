"""The management server from outside: accounts, numbers, pairing, records, over HTTP/1.1 and with real relays; how it
starts, reloads and ends. What attackers and clumsy people do is in test_manager_bad.py."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from api import Api, Key, Refused, crockford_to_int
from pg import Postgres
from rig import free_port, in_ns, main, need_root, run, until
from service import PASSWORD, Service

WAIT_S = 12  # for one event of a stream; a comment comes after 15 s of silence


def refused(code, fn, *args, **kw):
    try:
        got = fn(*args, **kw)
    except Refused as e:
        assert e.code == code, (code, e.status, e.problem)
        return e
    raise AssertionError(f"not refused: {got}")


def started(rig, operators=("tanaka",), database=None, user=None, extra="", policy=()):
    s = Service(rig, database=database, user=user, extra=extra)
    s.add_company("acme", "株式会社アクメ", *policy)
    for login in operators:
        s.add_operator(login=login)
    s.start_manager()
    return s


def sql(s, text, *args):
    """A statement on the SQLite file, beside the server."""
    with sqlite3.connect(s.database.removeprefix("sqlite:"), timeout=30) as db:
        return db.execute(text, args).fetchall()


def listen(api, target):
    """A stream that gives up when nothing comes."""
    stream = api.stream(target)
    stream.answer.fp.raw._sock.settimeout(WAIT_S)  # the line has given its socket to the answer
    return stream


def to_the_end(stream):
    """All (event, data) up to the stream's end."""
    return [(name, data) for _, name, data in stream]


def relay_api(s, relay_id, number=1):
    """The relays' side of the server with the certificate of a relay."""
    return Api(s.server(number, relays=True, cert=s.rig.make_cert(f"relay{relay_id}.tasuki.test", usage="clientAuth")))


def say_up(s, relay_id=1, region="jp", **more):
    """A relay that is up for the next 20 s, without a program."""
    name = f"relay{relay_id}.tasuki.test"
    if (relay_id,) not in [tuple(r) for r in s.__dict__.setdefault("fake_relays", [])]:
        s.fake_relays.append((relay_id,))
        s.ctl("relay", "add", relay_id, name, f"127.0.0.1:{9000 + relay_id}", region)
    body = {"name": name, "address": f"127.0.0.1:{9000 + relay_id}", "region": region, "version": "0.1.0", "state": "up",
            "ends": 0, "sessions": 0, "connections": 0, "max_connections": 100, **more}
    return relay_api(s, relay_id).post(f"/v1/relay/{relay_id}/hello", body)


def paired(s, op, **more):
    """(session, customer, operator's key) of a session that runs."""
    say_up(s)
    session = op.issue(**more)
    cust = s.customer()
    claimed = cust.claim(session["number"])
    key, _ = op.answer(session["id"], claimed["claim"])
    return session, cust, key


def at_once(n, fn):
    """fn(i) on n threads that start together; what each gave, or its Refused or OSError."""
    gate = threading.Barrier(n)
    got = [None] * n

    def go(i):
        gate.wait()
        try:
            got[i] = fn(i)
        except (Refused, OSError) as e:
            got[i] = e

    threads = [threading.Thread(target=go, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return got


def damm(number):
    """The other implementation of the check digit."""
    table = ["0317598642", "7092154863", "4206871359", "1750983426", "6123045978", "3674209581", "5869720134", "8945362017",
             "9438617205", "2581436790"]
    state = "0"
    for c in number:
        state = table[int(state)][int(c)]
    return state


def a_session_from_login_to_record(rig):
    s = started(rig)
    s.start_relay(1)
    s.start_relay(2)
    op = s.operator()
    session = op.issue(customer="山田", reason="プリンタ", ticket_no="T-1")
    number = session["number"]
    assert session["state"] == "issued" and len(number) == 9 and damm(number) == "0", session
    stream = op.stream("/v1/stream")
    assert stream.until("session")[1]["id"] == session["id"]
    stream.until("ready")
    cust = s.customer()
    claimed = cust.claim(f"{number[:3]}-{number[3:6]} {number[6:]}")
    assert claimed["company"] == "株式会社アクメ", claimed
    _, waiting = stream.until("session", state="waiting")
    assert [c["host_name"] for c in waiting["claims"]] == ["PC-7"], waiting
    mine = cust.stream(cust.mine("/stream"))
    assert mine.until("claim")[1]["state"] == "pending"
    key, answered = op.answer(session["id"], claimed["claim"])
    grant = answered["grant"]
    assert (grant["role"], grant["slot"]) == (2, 1) and {r["id"] for r in grant["relays"]} == {1, 2}, grant
    _, told = mine.until("claim", state="answered")
    assert told["operator"] == "田中 花子" and told["grant"]["role"] == 1, told
    assert bytes.fromhex(told["grant"]["ticket"])[8:16] == crockford_to_int(session["id"]).to_bytes(8, "big")
    assert cust.renew(session["id"])["ticket"] != told["grant"]["ticket"]
    assert op.answer(session["id"], claimed["claim"], key)[1]["grant"]["session"] == session["id"]
    op.post(f"/v1/sessions/{session['id']}/events", {"events": [
        {"key": "01" * 8, "kind": "verified", "at_ms": op.now()}, {"key": "02" * 8, "kind": "view_on", "at_ms": op.now()}]})
    again = op.post(f"/v1/sessions/{session['id']}/events", {"events": [{"key": "01" * 8, "kind": "verified", "at_ms": op.now()}]})
    assert again == {"stored": 0}, again
    cust.post(cust.mine("/events"), {"events": [{"key": "03" * 8, "kind": "granted", "detail": {"rights": 3}, "at_ms": op.now()}]})
    ended = op.post(f"/v1/sessions/{session['id']}/end", {"reason": "operator", "relay": 1, "bytes_in": 5, "bytes_out": 7,
                                                          "rtt_p50_us": 900, "rtt_p95_us": 1900})
    assert ended["state"] == "ended" and ended["end_reason"] == "operator" and ended["is_verified"], ended
    assert mine.until("claim", state="over")
    op.post(f"/v1/sessions/{session['id']}/result", {"result": "solved", "note": "紙詰まり\n取り除いた"})
    refused("session_over", cust.renew, session["id"])
    record = s.ctl("session", "show", session["id"])
    print(record)
    for word in ("issued", "claimed", "answered", "verified", "granted", "ended", "solved", "bytes out          7", "confirmed"):
        assert word in record, (word, record)
    assert op.get("/v1/sessions")["sessions"][0]["result"] == "solved"


# ---- numbers ----


def an_operator_has_so_many_numbers_and_each_request_one(rig):
    s = started(rig, policy=("--max-numbers", "3"))
    op = s.operator()
    request = os.urandom(16)
    got = at_once(16, lambda i: op.issue(request, reason=f"try {i}"))
    assert len({g["id"] for g in got}) == 1 and len({g["number"] for g in got}) == 1, got
    assert op.issue(request)["id"] == got[0]["id"]
    kept = [op.issue() for _ in range(2)]
    e = refused("too_many_numbers", op.issue)
    assert e.status == 429 and "3 of your numbers" in e.problem["detail"], e
    first = op.post(f"/v1/sessions/{kept[0]['id']}/cancel")
    assert first["state"] == "ended" and first["end_reason"] == "cancelled" and first["number"] is None, first
    assert op.post(f"/v1/sessions/{kept[0]['id']}/cancel")["rev"] == first["rev"]  # twice is once
    assert op.issue()["state"] == "issued"
    crowd = at_once(12, lambda i: op.issue())
    assert all(isinstance(g, Refused) and g.code == "too_many_numbers" for g in crowd), crowd
    numbers = [row[0] for row in sql(s, "SELECT DISTINCT number_last3 FROM session")]
    assert len(numbers) >= 2
    listed = op.get("/v1/sessions?limit=2")
    assert [x["id"] for x in listed["sessions"]] == sorted((x["id"] for x in listed["sessions"]), reverse=True)
    rest = op.get(f"/v1/sessions?limit=100&before={listed['next']}")
    assert len(rest["sessions"]) == 2 and rest["next"] is None, rest
    for bad in ("limit=0", "limit=101", "limit=x", "before=1", "before=" + "z" * 13):
        refused("bad_request", op.get, f"/v1/sessions?{bad}")


def a_session_is_answered_once(rig):
    s = started(rig, operators=("tanaka", "sato"))
    op, other = s.operator(), s.operator(login="sato")
    session = op.issue()
    cust = s.customer()
    claim = cust.claim(session["number"])["claim"]
    e = refused("no_relay", op.answer, session["id"], claim)
    assert e.status == 503, e
    assert op.get(f"/v1/sessions/{session['id']}")["state"] == "waiting" and cust.get(cust.mine())["state"] == "pending"
    say_up(s)
    refused("absent", other.answer, session["id"], claim)
    refused("absent", other.get, f"/v1/sessions/{session['id']}")
    keys = [Key() for _ in range(8)]
    got = at_once(8, lambda i: op.answer(session["id"], claim, keys[i]))
    won = [i for i, g in enumerate(got) if not isinstance(g, Refused)]
    assert len(won) == 1 and all(g.code == "wrong_state" for g in got if isinstance(g, Refused)), got
    grant = got[won[0]][1]["grant"]
    again = op.answer(session["id"], claim, keys[won[0]])[1]["grant"]
    assert again["ticket"] != grant["ticket"] and again["session"] == session["id"]
    refused("wrong_state", op.post, f"/v1/sessions/{session['id']}/cancel")
    refused("wrong_state", op.post, f"/v1/sessions/{session['id']}/refuse", {"claim": claim})
    op.post(f"/v1/sessions/{session['id']}/end", {"reason": "operator"})
    refused("wrong_state", op.answer, session["id"], claim, keys[won[0]])
    second = op.issue()
    late = s.customer()
    waiting = late.claim(second["number"])["claim"]
    refused("absent", op.answer, session["id"], waiting)  # the claim of another session
    op.post(f"/v1/sessions/{second['id']}/cancel")
    refused("wrong_state", op.answer, second["id"], waiting)
    assert late.get(late.mine())["state"] == "over"
    refused("session_over", late.renew, second["id"])


def a_stranger_on_a_number_keeps_nobody_out(rig):
    s = started(rig)
    say_up(s)
    op = s.operator()
    session = op.issue()
    number = session["number"]
    pushy = [s.customer(source=f"127.66.6.{i + 1}") for i in range(5)]  # one /24
    for p in pushy:
        p.claim(number, host_name="squatter")
    states = [p.get(p.mine())["state"] for p in pushy]
    assert states == ["replaced"] * 3 + ["pending"] * 2, states
    mine = s.customer(source="127.7.7.7")
    mine.claim(number, host_name="customer")
    watch = listen(mine, mine.mine("/stream"))
    assert watch.until("claim")[1]["state"] == "pending"
    third = s.customer(source="127.8.8.8")
    e = refused("crowded", third.claim, number)
    assert e.status == 409, e
    pushy[0].token = pushy[0].key = None
    pushy[0].claim(number, host_name="squatter again")  # takes the place of his own network's oldest
    assert mine.get(mine.mine())["state"] == "pending"
    seen = op.get(f"/v1/sessions/{session['id']}")
    assert sorted(c["host_name"] for c in seen["claims"]) == ["customer", "squatter", "squatter again"], seen
    addresses = {c["host_name"]: c["address"] for c in seen["claims"]}
    assert addresses["customer"] == "127.7.7.7" and addresses["squatter"].startswith("127.66.6."), addresses
    for claim in seen["claims"]:
        if claim["host_name"] != "customer":
            op.post(f"/v1/sessions/{session['id']}/refuse", {"claim": claim["id"]})
            op.post(f"/v1/sessions/{session['id']}/refuse", {"claim": claim["id"]})  # twice is once
    assert pushy[0].get(pushy[0].mine())["state"] == "refused"
    token, pushy[0].token = pushy[0].token, None
    assert pushy[0].post("/v1/claims", pushy[0].claim_body(number), signed=False)["claim"] == pushy[0].id
    pushy[0].token = token
    assert pushy[0].get(pushy[0].mine())["state"] == "refused"  # the same key comes back as what it was
    third.claim(number, host_name="third")
    mine.post(mine.mine("/withdraw"))
    assert watch.until("claim", state="withdrawn")
    third.post(third.mine("/withdraw"))
    assert op.get(f"/v1/sessions/{session['id']}")["state"] == "issued"  # nobody waits; the number is good
    right, wrong = s.customer(source="127.7.7.7"), s.customer(source="127.9.9.9")
    right.claim(number)
    wrong.claim(number)
    others = listen(wrong, wrong.mine("/stream"))
    assert others.until("claim")[1]["state"] == "pending"
    op.answer(session["id"], right.id)
    _, told = others.until("claim", state="over")
    assert told["grant"] is None and told["operator"] is None, told
    right.post(right.mine("/withdraw"))  # too late: nothing happens
    assert right.get(right.mine())["state"] == "answered"
    late = s.customer()
    refused("number_unknown", late.claim, number)
    refused("not_logged_in", wrong.post, right.mine("/end"), {"reason": "customer"})
    refused("absent", wrong.post, wrong.mine("/end"), {"reason": "customer"})  # he has a claim but no session
    refused("absent", wrong.post, wrong.mine("/events"), {"events": [{"key": "01" * 8, "kind": "alarm", "at_ms": 1}]})


def who_takes_places_again_and_again_is_stopped(rig):
    s = started(rig)
    op = s.operator()
    number = op.issue()["number"]
    pushy = s.customer(source="127.66.6.6")
    stopped = 0
    for _ in range(30):
        pushy.token = pushy.key = None
        try:
            pushy.claim(number)
        except Refused as e:
            assert e.code == "slow_down" and e.status == 429, e
            stopped += 1
    assert stopped == 30 - 12, stopped  # two places, ten that were taken from himself
    assert s.customer(source="127.7.7.7").claim(number)


def a_key_that_claimed_one_number_claims_no_other(rig):
    s = started(rig)
    op = s.operator()
    first, second = op.issue(), op.issue()
    cust = s.customer()
    got = cust.claim(first["number"])
    assert cust.claim(first["number"])["claim"] == got["claim"]
    refused("key_used", cust.claim, second["number"])
    assert op.get(f"/v1/sessions/{second['id']}")["state"] == "issued"


# ---- records ----


def events_are_kept_once_and_only_those_that_an_end_may_tell(rig):
    s = started(rig)
    op = s.operator()
    session, cust, _ = paired(s, op)
    here = f"/v1/sessions/{session['id']}"

    def event(key, kind, **more):
        return {"key": f"{key:016x}", "kind": kind, "at_ms": op.now(), **more}

    got = op.post(here + "/events", {"events": [event(1, "chat"), event(1, "chat"), event(2, "hold")]})
    assert got == {"stored": 2}, got
    assert op.get(here)["state"] == "held"
    assert op.post(here + "/events", {"events": [event(2, "hold"), event(3, "unhold"), event(4, "suspended")]}) == {"stored": 2}
    assert op.get(here)["state"] == "reconnecting"
    op.post(here + "/events", {"events": [event(5, "resumed")]})
    assert op.get(here)["state"] == "active"
    for kind in ("granted", "consent", "operator_accepted", "issued", "login", "ended", "", "x" * 33, "answered"):
        refused("bad_request", op.post, here + "/events", {"events": [event(9, kind)]})
    for kind in ("verified", "view_on", "recorded", "record", "hold", "claimed", "file"):
        refused("bad_request", cust.post, cust.mine("/events"), {"events": [event(9, kind)]})
    big = {"text": "x" * 5000}
    for bad in ([], [event(i, "chat") for i in range(33)], [event(9, "chat", detail=big)], [event(9, "chat", detail=[])],
                [event(9, "chat", at_ms=-1)], [event(9, "chat", at_ms=1.5)], [dict(event(9, "chat"), key="zz" * 8)], [7], [None]):
        refused("bad_request", op.post, here + "/events", {"events": bad})
    assert [r for r in sql(s, "SELECT COUNT(*) FROM event WHERE ekey = ?", bytes(7) + b"\x09")] == [(0,)]
    for text in ("\u202egpj.exe", "bell\u0007", "\u0085"):
        refused("bad_request", cust.post, cust.mine("/events"), {"events": [event(7, "granted", detail={"text": text})]})
    cust.post(cust.mine("/events"), {"events": [event(7, "granted", detail={"rights": 1, "text": "<b>\n襷"})]})
    ends = at_once(2, lambda i: op.post(here + "/end", {"reason": "operator"}) if i else
                   cust.post(cust.mine("/end"), {"reason": "customer", "text": "終わり"}))
    assert not any(isinstance(e, Refused) for e in ends), ends
    record = op.get(here)
    assert record["end_reason"] in ("operator", "customer"), record
    assert op.post(here + "/end", {"reason": "lost"})["end_reason"] == record["end_reason"]  # the first word stands
    assert op.post(here + "/events", {"events": [event(8, "chat")]}) == {"stored": 1}  # told late, kept all the same
    for bad in ("customer", "expired", "admin", "", "x" * 17):
        refused("bad_request", op.post, here + "/end", {"reason": bad})
    refused("bad_request", cust.post, cust.mine("/end"), {"reason": "operator"})
    assert op.post(here + "/result", {"result": "open"})["result"] == "open"
    assert op.post(here + "/result", {"result": "solved", "note": "a\nb\tc"})["note"] == "a\nb\tc"
    refused("bad_request", op.post, here + "/result", {"result": "good"})
    before = op.issue()
    assert op.post(f"/v1/sessions/{before['id']}/result", {"result": "aborted"})["result"] == "aborted"
    shown = s.ctl("session", "show", session["id"])
    assert "\u202e" not in shown and "\x07" not in shown, shown
    s.ctl("audit", "verify", "--company", "acme")


def one_end_cannot_fill_the_chain_nor_report_for_ever(rig):
    s = started(rig)
    op = s.operator()
    session, cust, _ = paired(s, op)
    told = 0
    with_room = True
    while with_room:
        batch = [{"key": f"{told + i:016x}", "kind": "alarm", "at_ms": 1} for i in range(32)]
        try:
            told += cust.post(cust.mine("/events"), {"events": batch})["stored"]
        except Refused as e:
            assert e.code == "events_full" and e.status == 409, e
            with_room = False
    assert 4000 < told <= 4096, told
    here = f"/v1/sessions/{session['id']}"
    assert op.post(here + "/events", {"events": [{"key": "ff" * 8, "kind": "chat", "at_ms": 1}]}) == {"stored": 1}
    op.post(here + "/end", {"reason": "operator", "verified": True, "recorded": True})
    assert sql(s, "SELECT is_verified, is_recorded FROM session") == [(1, 1)]
    sql(s, "UPDATE session SET ended_at = ended_at - 8 * 86400000")
    refused("events_full", op.post, here + "/events", {"events": [{"key": "fe" * 8, "kind": "chat", "at_ms": 1}]})


def what_a_customers_machine_says_comes_back_as_it_was_or_not_at_all(rig):
    s = started(rig)
    op = s.operator()
    session, cust, _ = paired(s, op)
    here = f"/v1/sessions/{session['id']}/device"
    refused("absent", op.get, here)
    for bad in ({"bidi": "\u202ecod.exe"}, {"esc": "\x1b[2J"}, {"c1": ["\x9b31m"]}, {"del": {"a": "\x7f"}}, {"mark": "\u0001broken"},
                {"\u0001broken": 1}, {"\u2066": 1}):
        refused("bad_request", op.call, "PUT", here, {"info": bad})
    hostile = {"name": "<script>alert(1)</script>", "quote": "\"'\\\n", "amp": "&lt;", "surrogate pair": "😀",
               "n": [1, -5, 2**63 - 1, None, True]}
    assert op.call("PUT", here, {"info": hostile}) == {"stored": True}
    status, headers, data = op.raw("GET", here)
    assert status == 200 and headers["content-type"] == "application/json", headers
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store", headers
    assert json.loads(data)["info"] == hostile and b"\x1b" not in data and b"\n" not in data, data
    deep = {"a": {"b": {"c": {"d": {"e": {}}}}}}
    op.call("PUT", here, {"info": deep})
    refused("bad_request", op.call, "PUT", here, {"info": {"f": deep}})
    refused("bad_request", op.call, "PUT", here, {"info": {"f": {"g": {"h": deep}}}})
    fits = {"x": "a" * (256 * 1024 - 40)}
    op.call("PUT", here, {"info": fits})
    e = refused("too_large", op.call, "PUT", here, {"info": {"x": "a" * (256 * 1024)}})
    assert e.status == 413, e
    refused("bad_request", op.call, "PUT", here, {"info": [1]})
    refused("bad_request", op.call, "PUT", here, {"info": "text"})
    swells = b'{"info":{"n":[' + b",".join([b"1e15"] * 50000) + b"]}}"  # three times as long once it is written out
    assert len(swells) < 256 * 1024
    status, _, data = op.raw("PUT", here, swells)
    assert status == 400 and json.loads(data)["code"] == "bad_request", (status, data)
    assert op.get(here)["info"] == fits
    assert op.call("DELETE", here) == {} and op.call("DELETE", here) == {}
    refused("absent", op.get, here)
    waiting = op.issue()
    refused("absent", op.call, "PUT", f"/v1/sessions/{waiting['id']}/device", {"info": {}})  # nobody was answered
    for column in ("customer_address", "operator_login", "end_text", "note", "ticket_no"):
        sql(s, f"UPDATE session SET {column} = ?", "a\x1b[31m\x9bb\u202ec\x7f\r\nd\x07")
    sql(s, "UPDATE event SET actor = ?, kind = ?, detail = ?", "x\x1b]0;owned\x07", "\u009b2J", "\x08\u2066")
    argv = [rig.exe("tasukictl", "src/admin"), "--config", s.config(1), "session", "show", session["id"]]
    shown = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout.decode()
    assert not [c for c in shown if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u2066")], repr(shown)
    sql(s, "UPDATE session SET note = CAST(x'ff41c0af42' AS TEXT)")
    shown = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout
    assert b"?A??B" in shown and shown.decode(), shown


# ---- streams ----


def a_stream_goes_on_where_it_broke(rig):
    s = started(rig, policy=("--max-numbers", "1000"))
    op = s.operator()
    live = [op.issue() for _ in range(3)]
    a, b = listen(op, "/v1/stream"), listen(op, "/v1/stream")
    for stream in (a, b):
        seen = {stream.until("session")[1]["id"] for _ in range(3)}
        assert seen == {x["id"] for x in live}, seen
        after, _ = stream.until("ready")
    new = op.issue()
    ids = [stream.until("session", id=new["id"])[0] for stream in (a, b)]
    assert ids[0] == ids[1], ids
    a.close()
    op.post(f"/v1/sessions/{live[0]['id']}/cancel")
    op.post(f"/v1/sessions/{live[1]['id']}/result", {"result": "open"})
    b.until("session", id=live[0]["id"], state="ended")
    again = listen(op, f"/v1/stream?after={ids[0]}")
    batch = {}
    for ident, name, data in again:
        if name == "ready":
            break
        batch[data["id"]] = data
        assert ident == data["rev"], (ident, data)
    assert batch[live[0]["id"]]["state"] == "ended" and batch[live[1]["id"]]["result"] == "open", batch
    fresh = listen(op, "/v1/stream")
    seen = []
    for _, name, data in fresh:
        if name == "ready":
            break
        seen.append(data["id"])
    assert sorted(seen) == sorted([live[1]["id"], live[2]["id"], new["id"]]), seen
    # what 500 sessions did while the tool was away comes whole, and in one go
    template = sql(s, "SELECT id, rev FROM session WHERE id = (SELECT MAX(id) FROM session)")[0]
    columns = [r[1] for r in sql(s, "PRAGMA table_info(session)")]
    changed = {"id": "id + n.i", "rev": "rev + n.i", "request": "randomblob(16)", "number_hash": "randomblob(32)", "state": "'ended'"}
    sql(s, f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO session "
           f"SELECT {', '.join(changed.get(c, 'session.' + c) for c in columns)} FROM session, n WHERE session.id = ?", template[0])
    resumed = listen(op, f"/v1/stream?after={ids[0]}")
    seen = set()
    for _, name, data in resumed:
        if name == "ready":
            break
        seen.add(data["id"])
    assert len(seen) >= 500, len(seen)
    for bad in ("zzz", "%00", "z" * 13, "0" * 13):
        assert listen(op, f"/v1/stream?after={bad}").until("ready")


def the_seventeenth_stream_closes_the_oldest(rig):
    s = started(rig)
    op = s.operator()
    streams = [listen(op, "/v1/stream") for _ in range(17)]
    for stream in streams[1:]:
        stream.until("ready")
    to_the_end(streams[0])
    session = op.issue()
    for stream in streams[1:]:
        stream.until("session", id=session["id"])


# ---- out ----


def whoever_is_stopped_is_out_at_once_and_relays_hear_of_it(rig):
    s = started(rig, operators=("tanaka", "sato"))
    with open(rig.path("pw"), "w") as f:
        f.write("Ku-mo3tori8x\n")
    say_up(s)
    kills = relay_stream(s, 1)
    other = s.operator(login="sato")
    theirs = listen(other, "/v1/stream")
    theirs.until("ready")
    ways = [("operator", "disable", "acme", "tanaka"), ("operator", "reset", "acme", "tanaka", "--password-file", rig.path("pw")),
            ("company", "freeze", "acme")]
    undo = {"disable": ("operator", "enable", "acme", "tanaka"), "freeze": ("company", "unfreeze", "acme")}
    password = PASSWORD
    for way in ways:
        op = s.operator(password=password)
        session, cust, _ = paired(s, op)
        stream, mine = listen(op, "/v1/stream"), listen(cust, cust.mine("/stream"))
        stream.until("ready")
        mine.until("claim", state="answered")
        s.ctl(*way)
        start = time.monotonic()
        heard = to_the_end(stream)
        assert heard and heard[-1][0] == "logout" and heard[-1][1]["code"], heard
        refused("not_logged_in", op.get, "/v1/me")
        mine.until("claim", state="over")
        kills.until("kill", session=session["id"])
        assert time.monotonic() - start < 2, (way, time.monotonic() - start)
        assert sql(s, "SELECT state, end_reason FROM session WHERE id = ?", crockford_to_int(session["id"])) == [("ended", "admin")]
        refused("session_over", cust.renew, session["id"])
        if way[1] == "freeze":
            refused("login_refused", s.operator, source="127.3.3.3", password="Ku-mo3tori8x")
            refused("not_logged_in", other.get, "/v1/me")
        if way[1] in undo:
            s.ctl(*undo[way[1]])
        if way[1] == "reset":
            refused("login_refused", s.operator, source="127.3.3.4")
            password = "Ku-mo3tori8x"
    again = relay_stream(s, 1)  # a relay that was away hears all of them again
    assert again.until("kill", session=session["id"])


def relay_stream(s, relay_id):
    """Relays do not sign: their certificate says who they are."""
    from api import Line, Stream

    api = relay_api(s, relay_id)
    line = Line(api.servers[0], timeout=WAIT_S)
    line.request("GET", f"/v1/relay/{relay_id}/stream")
    answer = line.getresponse()
    assert answer.status == 200, (answer.status, answer.read())
    return Stream(line, answer)


def logging_out_ends_the_stream_of_that_tool_only(rig):
    s = started(rig)
    gone, stays = s.operator(), s.operator()
    session, cust, _ = paired(s, gone)
    stream = listen(gone, "/v1/stream")
    stream.until("ready")
    start = time.monotonic()
    assert gone.post("/v1/logout") == {}
    heard = to_the_end(stream)
    assert time.monotonic() - start < 2 and not [h for h in heard if h[0] == "logout"], heard
    refused("not_logged_in", gone.get, "/v1/me")
    refused("not_logged_in", gone.post, "/v1/logout")
    refused("not_logged_in", gone.stream, "/v1/stream")
    assert stays.get("/v1/me")["operator"]["login"] == "tanaka"
    assert stays.get(f"/v1/sessions/{session['id']}")["state"] == "active"
    short = s.operator()
    stream = listen(short, "/v1/stream")
    stream.until("ready")
    sql(s, "UPDATE tool_login SET expires_at = ? WHERE id = (SELECT MAX(id) FROM tool_login)", int(time.time() * 1000) + 1200)
    to_the_end(stream)
    refused("not_logged_in", short.get, "/v1/me")


def a_relay_is_who_its_certificate_says(rig):
    s = started(rig)
    say_up(s, 1)
    say_up(s, 2)
    one = relay_api(s, 1)
    body = {"name": "relay2.tasuki.test", "address": "127.0.0.1:1", "region": "jp", "version": "0.1.0", "state": "up", "ends": 0,
            "sessions": 0, "connections": 0, "max_connections": 100}
    e = refused("not_this_relay", one.post, "/v1/relay/2/hello", body)
    assert e.status == 403
    refused("not_this_relay", one.get, "/v1/relay/2/stream")
    refused("not_this_relay", one.post, "/v1/relay/1/hello", body)
    refused("not_this_relay", one.post, "/v1/relay/3/hello", body)
    for bad in ("0", "-1", "x", "1x", "99999999999999999999"):
        refused("absent", one.post, f"/v1/relay/{bad}/hello", body)
    for name, value in (("state", "gone"), ("ends", -1), ("max_connections", 0), ("region", ""), ("address", "\x1b"), ("x", 1)):
        refused("bad_request", one.post, "/v1/relay/1/hello", {**body, "name": "relay1.tasuki.test", name: value})
    for what in ("/v1/sessions", "/v1/me", "/v1/server"):  # its listener knows nothing else
        refused("not_found", one.get, what)
    refused("not_found", s.api().post, "/v1/relay/1/hello", body)  # nor the public one this
    for cert in (None, rig.make_cert("manager.tasuki.test")):  # none, or one that is no client's
        api = Api(s.server(relays=True, cert=cert))
        try:
            status, _, _ = api.raw("POST", "/v1/relay/1/hello", json.dumps(body).encode())
            raise AssertionError(f"let in with {cert}: {status}")
        except OSError:
            pass
    assert len(s.api().get("/v1/relays")["relays"]) == 2


# ---- several servers ----


def two_servers_are_one(rig, database=None):
    s = started(rig, database=database, extra="misses_per_hour = 4\n")
    s.start_manager(2)
    say_up(s)
    op, op2 = s.operator(number=1), s.operator(number=2)
    far = listen(op2, "/v1/stream")
    far.until("ready")
    session = op.issue()
    assert far.until("session")[1]["id"] == session["id"]
    cust = s.customer(number=2)
    claim = cust.claim(session["number"])["claim"]
    mine = listen(cust, cust.mine("/stream"))
    mine.until("claim", state="pending")
    key = Key()
    sides = [op, op2]
    got = at_once(8, lambda i: sides[i % 2].answer(session["id"], claim, [key, Key()][i % 2]))
    won = [g for g in got if not isinstance(g, Refused)]
    assert won and len({g[0].pk for g in won}) == 1, got
    assert all(g.code == "wrong_state" for g in got if isinstance(g, Refused)), [g for g in got if isinstance(g, Refused)]
    mine.until("claim", state="answered")
    here = f"/v1/sessions/{session['id']}"
    ends = at_once(8, lambda i: sides[i % 2].post(here + "/end", {"reason": ["operator", "lost"][i % 2]}))
    assert not any(isinstance(e, Refused) for e in ends) and len({e["end_reason"] for e in ends}) == 1, ends
    mine.until("claim", state="over")
    request = os.urandom(16)
    issued = at_once(8, lambda i: sides[i % 2].issue(request))
    assert len({i["id"] for i in issued}) == 1, issued
    cancelled = at_once(8, lambda i: sides[i % 2].post(f"/v1/sessions/{issued[0]['id']}/cancel"))
    assert not any(isinstance(c, Refused) for c in cancelled), cancelled
    number = op.issue()["number"]
    for i in range(4):
        refused("number_unknown", s.customer(number=1 + i % 2, source="127.4.4.4").claim, wrong_number(i))
    for n in (1, 2):
        refused("slow_down", s.customer(number=n, source="127.4.4.4").claim, number)
    s.managers[2].kill(signal.SIGTERM)
    assert s.managers[2].exit_code() == 0
    s.start_manager(2, name="manager2 again")
    refused("slow_down", s.customer(number=2, source="127.4.4.4").claim, number)
    assert s.customer(number=2, source="127.4.4.5").claim(number)


def two_servers_on_postgresql_are_one(rig):
    two_servers_are_one(rig, Postgres(rig).url())


def wrong_number(i):
    """A number that was not given out, with its check digit."""
    digits = f"{10000000 + i * 7919:08d}"
    return digits + damm(digits)


# ---- starting, reloading, ending ----


def checked(s, change=lambda text: text, option="--check", prefix=()):
    """(exit code, output) with a changed configuration."""
    path = s.rig.path("changed.conf")
    with open(s.config(1), encoding="utf-8") as f:
        text = change(f.read())
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o644)
    argv = [*prefix, s.rig.exe("tasuki-manager"), "--config", path, *([option] if option else [])]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return done.returncode, done.stdout.decode()


def what_is_wrong_with_the_configuration_is_named(rig):
    s = Service(rig)
    assert checked(s) == (0, f"{rig.path('changed.conf')}: ok\n")
    conf = rig.path("changed.conf")
    crt, key = rig.make_cert("manager.tasuki.test")

    def wrong(change, *words):
        code, said = checked(s, change)
        assert code == 78 and all(str(w) in said for w in words), (code, said, words)

    lines = open(s.config(1)).read().count("\n")
    wrong(lambda t: t + "nonsense = 1\n", f"{conf}:{lines + 1}", "nonsense")
    wrong(lambda t: t + "misses_per_hour = 0\n", "misses_per_hour", conf)
    wrong(lambda t: t + "misses_per_hour = x\n", f"{conf}:{lines + 1}")
    wrong(lambda t: t.replace('database = "sqlite:', 'database = "mysql:'), "database must be")
    wrong(lambda t: t.replace('listen = {"127', 'listen = {"host'), "listen")
    wrong(lambda t: t.replace(crt, rig.path("none.pem")), "none.pem")
    wrong(lambda t: t.replace(f'private_key = "{key}"', f'private_key = "{rig.path("ca.key")}"'), "ca.key")
    wrong(lambda t: t.replace(rig.path("terms.txt"), rig.path("none.txt")), "none.txt")
    wrong(lambda t: t.replace(s.keys, rig.path("nowhere")), "nowhere/server.keys")
    wrong(lambda t: t.replace("clock = \"warn\"", "clock = \"maybe\""), "clock")
    for name in ("server.keys", "signer.keys"):
        os.chmod(f"{s.keys}/{name}", 0o644)
        wrong(lambda t: t, name, "may read")
        os.chmod(f"{s.keys}/{name}", 0o600)
    with open(f"{s.keys}/server.keys") as f:
        good = f.read()
    with open(f"{s.keys}/server.keys", "w") as f:
        f.write(good.replace("number", "numbre"))
    wrong(lambda t: t, "server.keys")
    with open(f"{s.keys}/server.keys", "w") as f:
        f.write(good)
    secret = "postgresql://tasuki:hunter2secret@127.0.0.1/tasuki"
    code, said = checked(s, lambda t: t.replace(s.database, secret), "--print-config")
    assert code == 0 and "hunter2secret" not in said and "database" in said and "misses_per_hour = 10" in said, said


def what_keeps_it_from_starting_is_said(rig):
    s = started(rig)
    code, said = checked(s, option=None)
    assert code == 75 and s.addresses[1][0] in said and "listen_failed" in said, (code, said)
    free = {s.addresses[1][i]: f"127.83.9.1:{free_port('127.83.9.1')}" for i in range(2)}
    free[s.addresses[1][2]] = f"127.0.0.1:{free_port()}"

    def moved(text):
        for old, new in free.items():
            text = text.replace(old, new)
        return text

    known = sql(s, "SELECT MAX(version) FROM schema_version")[0][0]
    sql(s, "INSERT INTO schema_version SELECT * FROM schema_version LIMIT 0")
    sql(s, "UPDATE schema_version SET version = ? WHERE version = ?", known + 1, known)
    code, said = checked(s, moved, option=None)
    assert code == 78 and "schema_differs" in said and "newer release" in said, (code, said)
    sql(s, "UPDATE schema_version SET version = ? WHERE version = ?", known, known + 1)
    empty = rig.path("store/empty.db")
    code, said = checked(s, lambda t: moved(t).replace(s.database, f"sqlite:{empty}"), option=None)
    assert code == 78 and "tasukictl db migrate" in said, (code, said)
    code, said = checked(s, lambda t: moved(t).replace(s.database, f"sqlite:{rig.path('no/such/folder')}/x.db"), option=None)
    assert code == 75 and "database_failed" in said and "no/such/folder" in said, (code, said)
    code, said = checked(s, lambda t: moved(t).replace(s.database, f"postgresql://x:y@127.0.0.1:{free_port()}/z"), option=None)
    assert code == 75 and "database_failed" in said, (code, said)
    if '"clock_unsynchronised"' in s.managers[1].log():
        code, said = checked(s, lambda t: moved(t).replace('clock = "warn"', 'clock = "require"'), option=None)
        assert code == 75 and "clock_unsynchronised" in said, (code, said)
    else:
        print("     the clock is synchronised here: clock = require starts")
    code, said = checked(s, lambda t: moved(t) + 'user = "nosuchuser"\n', option=None)
    assert code == 78 and "nosuchuser" in said and "cannot_become_user" in said, (code, said)


def without_the_right_to_a_port_it_says_so(rig):
    need_root()
    s = Service(rig)
    ns = rig.namespace("low")
    for folder in (s.keys, rig.path("store")):
        os.chown(folder, 61000, 61000)
        for name in os.listdir(folder):
            os.chown(os.path.join(folder, name), 61000, 61000)
    os.chown(rig.make_cert("manager.tasuki.test")[1], 61000, 61000)
    code, said = checked(s, lambda t: t.replace(s.addresses[1][0], "127.83.1.1:443"), option=None,
                         prefix=in_ns(ns, "setpriv", "--reuid=61000", "--regid=61000", "--clear-groups", "--inh-caps=-all",
                                      "--bounding-set=-all"))
    assert code in (75, 78) and "127.83.1.1:443" in said and "ermission denied" in said, (code, said)


def signals_do_what_they_say(rig):
    notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notes.bind(rig.path("notify"))
    notes.settimeout(WAIT_S)
    s = Service(rig)
    s.add_company()
    s.add_operator()
    p = s.start_manager(env=dict(os.environ, NOTIFY_SOCKET=rig.path("notify")))
    assert notes.recv(100) == b"READY=1"
    op = s.operator()
    stream = listen(op, "/v1/stream")
    stream.until("ready")
    old = s.api().get("/v1/keyset")["keyset"]

    def hup(event):
        before = p.log().count(f'"{event}"')
        p.kill(signal.SIGHUP)
        until(event, lambda: p.log().count(f'"{event}"') > before)

    def serial():
        with socket.create_connection(s.addresses[1][0].rsplit(":", 1)) as sock:
            with s.server().context.wrap_socket(sock, server_hostname="manager.tasuki.test") as tls:
                return tls.getpeercert()["serialNumber"]

    first = serial()
    crt, key = rig.make_cert("manager.tasuki.test")
    os.rename(crt, crt + ".old")
    rig.make_cert("manager.tasuki.test")
    run([rig.exe("tasukictl", "src/admin"), "keyset", "rotate", s.keys])
    assert serial() == first
    hup("reloaded")
    assert serial() != first
    new = s.api().get("/v1/keyset")["keyset"]
    assert new != old and len(new) > len(old)
    assert op.get("/v1/me")["operator"]["login"] == "tanaka"  # who is logged in stays so, and so do streams
    with open(s.config(1), "a") as f:
        f.write("nonsense = 1\n")
    hup("reload_refused")
    refusal = [line for line in s.log_lines() if line["event"] == "reload_refused"][-1]
    assert "nonsense" in refusal["why"] and "manager1.conf:" in refusal["why"], refusal
    s.config(1)
    with open(crt, "w") as f:
        f.write("broken")
    second = s.api().get("/v1/keyset")
    hup("reload_refused")
    assert serial() != first and s.api().get("/v1/keyset") == second
    session = op.issue()
    stream.until("session", id=session["id"])
    at_once(2, lambda i: p.kill(signal.SIGTERM) if i else s.operator(source="127.5.5.5"))  # answered, or too late
    assert notes.recv(100) == b"STOPPING=1"
    to_the_end(stream)
    assert p.exit_code() == 0
    assert [line["code"] for line in s.log_lines() if line["event"] == "stopped"] == [0]


if __name__ == "__main__":
    main(a_session_from_login_to_record, an_operator_has_so_many_numbers_and_each_request_one, a_session_is_answered_once,
         a_stranger_on_a_number_keeps_nobody_out, who_takes_places_again_and_again_is_stopped,
         a_key_that_claimed_one_number_claims_no_other, events_are_kept_once_and_only_those_that_an_end_may_tell,
         one_end_cannot_fill_the_chain_nor_report_for_ever,
         what_a_customers_machine_says_comes_back_as_it_was_or_not_at_all, a_stream_goes_on_where_it_broke,
         the_seventeenth_stream_closes_the_oldest, whoever_is_stopped_is_out_at_once_and_relays_hear_of_it,
         logging_out_ends_the_stream_of_that_tool_only, a_relay_is_who_its_certificate_says, two_servers_are_one,
         two_servers_on_postgresql_are_one, what_is_wrong_with_the_configuration_is_named,
         what_keeps_it_from_starting_is_said, without_the_right_to_a_port_it_says_so, signals_do_what_they_say)
