"""Attackers and clumsy people at the management server: guessing, forging, crossing, flooding, nonsense."""

import ctypes
import hashlib
import itertools
import json
import math
import os
import random
import signal
import ssl
import statistics
import subprocess
import threading
import time

from api import Customer, Key, Operator, Refused, crockford_to_int
from rig import Failed, in_ns, main, need_root, until
from service import PASSWORD, Service
from test_manager import at_once, listen, paired, refused, say_up, sql, started, wrong_number
from test_needles import found, memory_of

FREELY = "misses_per_hour = 1000000\npow_above_per_minute = 1000000\nlogin_failures = 1000000\n"
ALIKE = 0.10  # how far the medians of times that must not differ may be apart
BY_CHANCE = 1e-4  # rarer is not chance: of two kinds of requests one is the slower
CLONE_NEWNET = 0x40000000


def chance(wins, rounds):
    """How likely a fair coin falls on one side at least so often, whichever side (sign test)."""
    tail = sum(math.comb(rounds, k) for k in range(max(wins, rounds - wins), rounds + 1)) / 2**rounds
    return min(1.0, 2 * tail)


def same_times(what, samples, order):
    """samples() gives (kind, function) round by round, each kind once a round in random order. The times of two kinds differ
    when their medians are apart and one is the slower so often that chance can't be why: whatever else this machine does
    falls on all kinds alike."""
    times = {kind: [] for kind in order}
    for kind, fn in samples():
        start = time.perf_counter()
        fn()
        times[kind].append(time.perf_counter() - start)
    rounds = min(len(t) for t in times.values())
    medians = {kind: statistics.median(t) for kind, t in times.items()}
    shown = ", ".join(f"{k} {m * 1000:.2f} ms" for k, m in medians.items())
    print(f"     {what}: {shown}; {rounds} rounds")
    for a, b in itertools.combinations(order, 2):
        slower = sum(x > y for x, y in zip(times[a], times[b]))
        apart = max(medians[a], medians[b]) / min(medians[a], medians[b]) - 1
        if apart > ALIKE and chance(slower, rounds) < BY_CHANCE:
            raise AssertionError(f"{what}: {shown}: {a} took longer than {b} in {slower} of {rounds} rounds")


def answer_of(api, method, target, body=None, **kw):
    """(status, headers but the date, parsed body)."""
    status, headers, data = api.raw(method, target, json.dumps(body).encode() if body is not None else b"", **kw)
    return status, {k.lower(): v for k, v in headers.items() if k.lower() != "date"}, json.loads(data)


# ---- numbers ----


def wrong_expired_and_used_numbers_are_one(rig):
    s = started(rig, extra=FREELY, policy=("--max-numbers", "50"))
    say_up(s)
    op = s.operator()
    numbers = {"wrong": wrong_number(1)}
    for kind in ("expired", "swept", "answered", "ended", "cancelled"):
        session = op.issue()
        numbers[kind] = session["number"]
        if kind in ("answered", "ended"):
            op.answer(session["id"], s.customer().claim(session["number"])["claim"])
        if kind == "ended":
            op.post(f"/v1/sessions/{session['id']}/end", {"reason": "operator"})
        if kind == "cancelled":
            op.post(f"/v1/sessions/{session['id']}/cancel")
        if kind == "expired":  # the number's row only: the sweep has not been there yet
            sql(s, "UPDATE reception SET expires_at = 1 WHERE session_id = ?", crockford_to_int(session["id"]))
        if kind == "swept":
            sql(s, "UPDATE session SET expires_at = 1 WHERE id = ?", crockford_to_int(session["id"]))
            until("swept", lambda: op.get(f"/v1/sessions/{session['id']}")["end_reason"] == "expired" if
                  op.get(f"/v1/sessions/{session['id']}")["state"] == "ended" else False)
    answers = {}
    for kind, number in numbers.items():
        cust = s.customer()
        cust.key = Key()
        answers[kind] = answer_of(cust, "POST", "/v1/claims", cust.claim_body(number), signed=False)
    assert answers["wrong"][0] == 404 and answers["wrong"][2]["code"] == "number_unknown", answers["wrong"]
    assert all(a == answers["wrong"] for a in answers.values()), answers
    before = s.metrics()["misses_total"]
    digits = numbers["wrong"]
    for typo in (digits[:8] + str((int(digits[8]) + 1) % 10), digits[:3] + digits[4] + digits[3] + digits[5:] if digits[3] != digits[4]
                 else digits[:8] + str((int(digits[8]) + 2) % 10), digits[:8], digits + "1", "12345678x", "１２３４５６７８２"):
        cust = s.customer()
        cust.key = Key()
        e = refused("number_mistyped", cust.post, "/v1/claims", {**cust.claim_body(digits), "number": typo}, signed=False)
        assert e.status == 422
    assert s.metrics()["misses_total"] == before  # a slip of the finger costs nothing

    lines = [s.customer(source=f"127.9.0.{i + 1}") for i in range(8)]
    rounds = 200

    def samples():
        made = []
        for i in range(rounds):
            for kind in random.sample(("wrong", "expired", "answered"), 3):
                cust = lines[len(made) % len(lines)]
                cust.key = Key()
                body = json.dumps(cust.claim_body(numbers[kind])).encode()
                made.append((kind, lambda c=cust, b=body: c.raw("POST", "/v1/claims", b, signed=False)))
        return made

    same_times("numbers", samples, ("wrong", "expired", "answered"))


def in_namespace(ns, fn):
    """fn() on a thread whose sockets are in the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    got = []

    def go():
        with open(f"/run/netns/{ns}") as f:
            if libc.setns(f.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        try:
            got.append((True, fn()))
        except BaseException as e:  # handed on to the caller's thread
            got.append((False, e))

    t = threading.Thread(target=go)
    t.start()
    t.join()
    if not got[0][0]:
        raise got[0][1]
    return got[0][1]


def guessing_is_stopped_by_address_and_network(rig):
    need_root()
    ns = rig.namespace("six")
    s = Service(rig, addresses={1: ("[fd83::1]:8443", "127.83.1.1:8444", "127.0.0.1:9465")}, extra="pow_above_per_minute = 1000000\n")
    s.add_company("acme", "株式会社アクメ", "--max-numbers", "200")
    s.add_operator()

    def add(address):
        subprocess.run(["ip", "-n", ns, "-6", "addr", "add", f"{address}/128", "dev", "lo", "nodad"], check=True)

    def customer(source):
        if source not in there:
            add(source)
            there.add(source)
        server = s.server()
        server.host = "fd83::1"
        return Customer(server, source=source)

    def misses(source, n):
        """n wrong numbers; how many were taken before it was refused."""
        cust = customer(source)
        for i in range(n):
            cust.key = Key()
            try:
                cust.post("/v1/claims", cust.claim_body(wrong_number(i)), signed=False)
            except Refused as e:
                if e.code == "slow_down":
                    assert e.status == 429 and e.headers["retry-after"], e
                    return i
                assert e.code == "number_unknown", e
        return n

    def right(source):
        cust = customer(source)
        return cust.claim(next(numbers))

    there = set()
    add("fd83::1")
    s.start_manager(prefix=in_ns(ns))

    def play():
        nonlocal numbers
        server = s.server()
        server.host = "fd83::1"
        op = Operator(server)
        op.login("acme", "tanaka", PASSWORD)
        numbers = iter([op.issue()["number"] for _ in range(40)])
        # a /64: ten, from whichever of its addresses; the right number is refused then, too
        assert misses("fd83:1:1:100::1", 6) == 6 and misses("fd83:1:1:100::2", 9) == 4
        refused("slow_down", right, "fd83:1:1:100::3")
        assert right("fd83:1:1:101::1")
        # a /56: four times as many
        taken = [misses(f"fd83:1:1:{0x100 + i:x}::1", 10) for i in range(1, 6)]
        assert taken == [10, 10, 10, 0, 0], taken  # with the ten from above
        refused("slow_down", right, "fd83:1:1:1ff::1")
        assert right("fd83:1:1:200::1")
        # a /48: sixteen times
        taken = [misses(f"fd83:1:1:{0x200 * k + i:x}::1", 10) for k in range(1, 5) for i in range(4)]
        assert sum(taken) == 120, taken
        refused("slow_down", right, "fd83:1:1:ffff::1")
        assert right("fd83:1:2::1")
        # v4 stands for itself, and mapped addresses are no way round
        assert "64:fd83000100010100" in [r[0] for r in sql(s, "SELECT scope FROM miss")]

    numbers = None
    in_namespace(ns, play)
    s.managers[1].kill(15)
    assert s.managers[1].exit_code() == 0
    s.start_manager(name="manager again", prefix=in_ns(ns))
    in_namespace(ns, lambda: refused("slow_down", right, "fd83:1:1:ffff::1"))


def guessing_from_one_v4_address_stops_there_and_nowhere_else(rig):
    s = started(rig)
    op = s.operator()
    number = op.issue()["number"]
    cust = s.customer(source="127.20.0.1")
    for i in range(10):
        cust.key = Key()
        refused("number_unknown", cust.claim, wrong_number(i))
    cust.key = Key()
    e = refused("slow_down", cust.claim, number)
    assert e.status == 429 and int(e.headers["retry-after"]) > 0, e
    assert s.customer(source="127.20.0.2").claim(number)["company"]
    s.managers[1].kill(15)
    assert s.managers[1].exit_code() == 0
    s.start_manager(name="manager1 again")
    refused("slow_down", s.customer(source="127.20.0.1").claim, number)
    sql(s, "UPDATE miss SET since = since - 3600001")
    assert s.customer(source="127.20.0.1").claim(number)


def when_many_guess_claims_cost_work(rig):
    s = started(rig, extra="pow_above_per_minute = 5\n")
    op = s.operator()
    number, other = op.issue()["number"], op.issue()["number"]
    for i in range(6):
        cust = s.customer(source=f"127.21.0.{i + 1}")
        refused("number_unknown", cust.claim, wrong_number(i))
    cust = s.customer()
    nonce, bits = cust.nonce()
    assert bits == 16, bits
    cust.key = Key()
    lazy = cust.claim_body(number, bits=0)
    e = refused("pow_needed", cust.post, "/v1/claims", lazy, signed=False)
    assert e.status == 428 and e.problem["pow_bits"] == 16, e
    honest = cust.claim_body(number)
    refused("pow_needed", cust.post, "/v1/claims", {**lazy, "pow": honest["pow"]}, signed=False)  # of another nonce
    wrong = cust.claim_body(other)
    nonce = bytes.fromhex(honest["nonce"])
    digits = other.encode()
    moved = {**honest, "number": other, "sig": cust.key.sign("TSK1 claim", digits, cust.key.pk, nonce).hex()}
    refused("pow_needed", cust.post, "/v1/claims", moved, signed=False)  # of another number
    thief = Key()
    stolen = {**honest, "pop_pk": thief.pk.hex(), "sig": thief.sign("TSK1 claim", number.encode(), thief.pk, nonce).hex()}
    refused("pow_needed", cust.post, "/v1/claims", stolen, signed=False)  # of another key
    refused("nonce_old", cust.post, "/v1/claims", {**honest, "pop_pk": thief.pk.hex()}, signed=False)
    refused("nonce_old", cust.post, "/v1/claims", {**honest, "nonce": wrong["nonce"]}, signed=False)
    made_up = bytearray(nonce)
    made_up[8] = 0  # a nonce that asks for no work
    refused("nonce_old", cust.post, "/v1/claims",
            {**honest, "nonce": made_up.hex(), "sig": cust.key.sign("TSK1 claim", number.encode(), cust.key.pk, bytes(made_up)).hex()},
            signed=False)
    before = s.metrics()["misses_total"]
    assert cust.post("/v1/claims", honest, signed=False)["claim"]
    assert s.metrics()["misses_total"] == before


# ---- logging in ----


def every_failed_login_is_the_same(rig):
    logins = ("tanaka", "off", "locked", "wrongpw")
    s = started(rig, operators=logins, extra=FREELY, policy=("--lock-after", "0"))
    s.add_company("iced", "Iced")
    s.add_operator("iced", "tanaka")
    s.ctl("operator", "disable", "acme", "off")
    s.ctl("company", "freeze", "iced")
    sql(s, "UPDATE operator SET locked_until = ? WHERE login = 'locked'", int(time.time() * 1000) + 3600000)
    cases = {
        "unknown company": ("nobody", "tanaka", PASSWORD), "unknown id": ("acme", "nobody", PASSWORD),
        "wrong password": ("acme", "wrongpw", "not-it-4711"), "disabled": ("acme", "off", PASSWORD),
        "frozen": ("iced", "tanaka", PASSWORD), "locked": ("acme", "locked", PASSWORD),
    }
    sources = iter(f"127.30.{i // 250}.{i % 250 + 1}" for i in range(2000))
    answers = {}
    for name, (company, login, password) in cases.items():
        op = Operator(s.server(), source=next(sources))
        _, body = op.login_body(company, login, password)
        answers[name] = answer_of(op, "POST", "/v1/login", body, signed=False)
    first = answers["wrong password"]
    assert first[0] == 401 and first[2]["code"] == "login_refused", first
    assert first[2]["detail"] == "Company code, ID or password is wrong", first
    assert all(a == first for a in answers.values()), answers

    def samples():
        for _ in range(40):
            for name, (company, login, password) in random.sample(list(cases.items()), len(cases)):
                op = Operator(s.server(), source=next(sources))  # each a stranger: nothing is throttled
                _, body = op.login_body(company, login, password)
                data = json.dumps(body).encode()
                yield name, lambda: op.raw("POST", "/v1/login", data, signed=False)
                op.drop()

    same_times("logins", samples, tuple(cases))
    assert Operator(s.server(), source=next(sources)).login("ACME", "tanaka", PASSWORD)["operator"]["login"] == "tanaka"


def an_account_locks_and_opens_again(rig):
    s = started(rig, policy=("--lock-after", "3", "--lock-minutes", "1"))
    turns = iter(range(1, 250))

    def wrong():
        refused("login_refused", s.operator, password="not-it-4711", source=f"127.31.0.{next(turns)}")

    def good():
        return s.operator(source=f"127.31.1.{next(turns)}")

    def state():
        return sql(s, "SELECT failures, locked_until FROM operator")[0]

    def locks():
        return sql(s, "SELECT COUNT(*) FROM event WHERE kind = 'account_locked'")[0][0]

    wrong()
    wrong()
    good()  # forgets both
    assert state() == (0, 0)
    for _ in range(3):
        wrong()
    refused("login_refused", good)
    failures, until_ms = state()
    assert failures == 3 and 50000 < until_ms - time.time() * 1000 <= 60000 and locks() == 1, (failures, until_ms)
    wrong()
    assert state() == (3, until_ms) and locks() == 1  # who goes on guessing cannot keep the owner out for longer
    sql(s, "UPDATE operator SET locked_until = ?", int(time.time() * 1000) - 1)
    wrong()  # after a lock one slip is one slip
    assert state() == (1, 0), state()
    good()
    for _ in range(3):
        wrong()
    assert locks() == 2
    s.ctl("operator", "unlock", "acme", "tanaka")
    good()
    for _ in range(3):
        wrong()
    with open(rig.path("pw"), "w") as f:
        f.write("Ku-mo3tori8x\n")
    s.ctl("operator", "reset", "acme", "tanaka", "--password-file", rig.path("pw"))
    refused("login_refused", good)
    assert s.operator(password="Ku-mo3tori8x", source="127.31.2.1")
    # many at once do not get more tries than one after the other
    got = at_once(12, lambda i: s.operator(password=f"not-it-{i:04}", source=f"127.31.3.{i + 1}"))
    assert all(isinstance(g, Refused) for g in got)
    assert state()[0] <= 3, state()


def a_source_that_fails_too_often_waits_and_others_do_not(rig):
    s = started(rig, operators=("tanaka", "sato"), extra="login_failures = 4\n", policy=("--lock-after", "0"))
    trusted = s.operator(source="127.32.0.9")
    assert trusted
    bad = [refused("login_refused", s.operator, password="not-it-4711", source="127.32.0.1") for _ in range(4)]
    assert len(bad) == 4
    e = refused("slow_down", s.operator, source="127.32.0.1")
    assert e.status == 429 and 1 <= int(e.headers["retry-after"]) <= 301, e.headers
    assert s.operator(source="127.32.0.2") and s.operator(source="127.32.0.9")
    for _ in range(3):  # a clumsy one at a place that is known
        refused("login_refused", s.operator, password="not-it-4711", source="127.32.0.9")
        assert s.operator(source="127.32.0.9")
    got = at_once(8, lambda i: s.operator(login="sato", source=f"127.32.1.{i + 1}"))
    assert all(isinstance(g, Operator) for g in got), got
    # many at once from one stranger: some are sent away for a second, none waits in a queue
    got = at_once(12, lambda i: s.operator(password="not-it-4711", source="127.32.2.1"))
    codes = {g.code for g in got}
    assert codes == {"login_refused", "slow_down"} and sum(g.code == "login_refused" for g in got) <= 4, codes
    assert s.metrics()["throttled_total"] >= 2
    # a nonce of somebody else's, or none of ours, is no login, and costs no hashing
    op = Operator(s.server(), source="127.32.3.1")
    key, body = op.login_body("acme", "tanaka", PASSWORD)
    refused("nonce_old", op.post, "/v1/login", {**body, "device_pk": Key().pk.hex()}, signed=False)
    refused("nonce_old", op.post, "/v1/login", {**body, "nonce": os.urandom(48).hex()}, signed=False)
    for weak in (bytes(32), b"\x01" + bytes(31), b"\xff" * 32):  # points of small order, no point
        refused("nonce_old", op.post, "/v1/login", {**body, "device_pk": weak.hex(), "sig": (b"\x01" + bytes(63)).hex()}, signed=False)


# ---- tokens ----


def a_token_is_good_for_its_owner_and_its_request_only(rig):
    s = started(rig, operators=("tanaka", "sato"))
    s.add_company("beta", "Beta")
    s.add_operator("beta", "suzuki")
    a, b, c = s.operator(), s.operator(login="sato"), s.operator("beta", "suzuki")
    session, cust, _ = paired(s, a)

    def signed(target="/v1/me", method="GET", body=b"", token=a.token, key=a.key, ms=None, said=None):
        """401's code of a request with an authorization of this kind; None: it was taken."""
        ms = a.now() if ms is None else ms
        m, t, d = said or (method, target, body)
        sig = key.sign("TSK1 request", f"{m}\n{t}\n{ms}\n".encode(), hashlib.sha256(d).digest())
        status, _, data = a.raw(method, target, body, {"authorization": f"TSK1 {token} {ms} {sig.hex()}"}, signed=False)
        return json.loads(data).get("code") if status >= 400 else None

    assert signed() is None
    mac = a.token.rsplit(".", 1)[1]
    forged = [a.token[:-1] + ("0" if a.token[-1] != "0" else "1"), a.token.rsplit(".", 1)[0] + "." + b.token.rsplit(".", 1)[1],
              b.token.rsplit(".", 1)[0] + "." + mac, b.token, c.token, "c" + a.token[1:], cust.token, "o" + cust.token[1:],
              a.token.upper(), a.token + "0", a.token[:-1], "o.0000000000000." + mac, "o..", "", "x" * 500]
    for token in forged:
        assert signed(token=token) == "not_logged_in", token
    assert signed(key=b.key) == "not_logged_in"
    texts = set()
    for header in ("", "Bearer x", "TSK1", "TSK1 ", "TSK1 a b", f"TSK1 {a.token}", f"TSK1 {a.token} 1", f"TSK1 {a.token} -1 {'0' * 128}",
                   f"TSK1 {a.token}  {'0' * 128}", f"TSK1 {a.token} 9999999999999999999 {'0' * 128}", f"TSK1 {a.token} {a.now()} zz",
                   f"TSK1 {a.token} {a.now()} {'0' * 127}", f"TSK1 {a.token} {a.now()} {'0' * 128}", f"TSK1 {a.token} {a.now()} {'f' * 128}",
                   f"tsk1 {a.token} {a.now()} {'0' * 128}", "TSK1 " + "x" * 3000):
        status, _, data = a.raw("GET", "/v1/me", headers={"authorization": header}, signed=False)
        assert status in (401, 431), (header, status)
        if status == 401 and json.loads(data)["code"] != "clock_wrong":
            texts.add(data)
    assert len(texts) == 1, texts  # one text for all
    # replayed elsewhere
    here = f"/v1/sessions/{session['id']}"
    for kw in (dict(said=("GET", "/v1/sessions", b"")), dict(said=("POST", "/v1/me", b"")), dict(said=("GET", "/v1/me", b"{}")),
               dict(target="/v1/sessions?limit=2", said=("GET", "/v1/sessions?limit=1", b"")),
               dict(target="/v1/sessions?limit=2", said=("GET", "/v1/sessions", b"")),
               dict(method="POST", target=here + "/end", body=b'{"reason":"lost"}', said=("POST", here + "/end", b'{"reason":"operator"}')),
               dict(method="DELETE", target=here + "/device", said=("GET", here + "/device", b""))):
        assert signed(**kw) == "not_logged_in", kw
    for off in (-121000, 121000, -10**9, 10**14):
        assert signed(ms=max(0, a.now() + off)) == "clock_wrong", off
    assert signed(ms=a.now() - 110000) is None and signed(ms=a.now() + 110000) is None
    status, _, data = a.raw("GET", "/v1/me", headers={"authorization": f"TSK1 {a.token} 1 {'0' * 128}"}, signed=False)
    assert abs(json.loads(data)["server_ms"] - a.now()) < 5000, data
    # customers at operators' doors and the other way round; one customer at another's
    other = s.customer()
    other.claim(b.issue()["number"])
    a_customer = [(method, path) for method, path, kind, _ in ROUTES if kind == "operator"]
    for method, path in a_customer:
        target = path.replace("{id}", session["id"])
        e = refused("not_logged_in", cust.call, method, target, {} if method in ("POST", "PUT") else None)
        assert e.status == 401
    for method, path in [(m, p) for m, p, kind, _ in ROUTES if kind == "customer"]:
        target = path.replace("{id}", cust.id)
        for who in (a, other):
            refused("not_logged_in", who.call, method, target, {} if method == "POST" else None)
        refused("not_logged_in", cust.call, method, path.replace("{id}", session["id"]), {} if method == "POST" else None)
    # renewal is signed by the session's key, for its role
    refused("session_over", other.renew, session["id"])
    refused("session_over", cust.renew, session["id"], role=2, slot=1)
    refused("session_over", cust.renew, session["id"], slot=1)
    refused("session_over", cust.renew, "0" * 13)
    seen = sql(s, "SELECT seen_at FROM session WHERE id = ?", crockford_to_int(session["id"]))
    refused("session_over", other.renew, session["id"])
    assert sql(s, "SELECT seen_at FROM session WHERE id = ?", crockford_to_int(session["id"])) == seen  # no sign of life
    assert cust.renew(session["id"])["ticket"]


# method, path, who signs, a body that fits
ROUTES = [
    ("GET", "/v1/sessions/{id}", "operator", None),
    ("POST", "/v1/sessions/{id}/cancel", "operator", {}),
    ("POST", "/v1/sessions/{id}/answer", "operator", {"claim": "{claim}", "pop_pk": "ab" * 32}),
    ("POST", "/v1/sessions/{id}/refuse", "operator", {"claim": "{claim}"}),
    ("POST", "/v1/sessions/{id}/events", "operator", {"events": [{"key": "01" * 8, "kind": "chat", "at_ms": 1}]}),
    ("POST", "/v1/sessions/{id}/end", "operator", {"reason": "operator"}),
    ("POST", "/v1/sessions/{id}/result", "operator", {"result": "solved"}),
    ("PUT", "/v1/sessions/{id}/device", "operator", {"info": {}}),
    ("GET", "/v1/sessions/{id}/device", "operator", None),
    ("DELETE", "/v1/sessions/{id}/device", "operator", None),
    ("GET", "/v1/claims/{id}", "customer", None),
    ("POST", "/v1/claims/{id}/ready", "customer", {"host_name": "PC-7", "os": "Debian 12"}),
    ("POST", "/v1/claims/{id}/withdraw", "customer", {}),
    ("POST", "/v1/claims/{id}/events", "customer", {"events": [{"key": "01" * 8, "kind": "alarm", "at_ms": 1}]}),
    ("POST", "/v1/claims/{id}/end", "customer", {"reason": "customer"}),
]


def no_operator_crosses_into_another_company_or_to_a_colleague(rig):
    s = started(rig, operators=("tanaka", "sato"))
    s.add_company("beta", "Beta GmbH")
    s.add_operator("beta", "suzuki", "Suzuki Secret")
    victim = s.operator("beta", "suzuki")
    waiting = victim.issue(customer="SecretCustomer")
    claim = s.customer().claim(waiting["number"])["claim"]
    running, cust, _ = paired(s, victim, customer="SecretCustomer")
    victim.call("PUT", f"/v1/sessions/{running['id']}/device", {"info": {"Secret": 1}})
    own = s.operator().issue()
    before = sql(s, "SELECT id, state, rev, result FROM session"), sql(s, "SELECT COUNT(*) FROM event WHERE company_id = 2")
    for attacker in (s.operator(), s.operator(login="sato")):
        for method, path, kind, body in ROUTES:
            if kind != "operator":
                continue
            for session in (waiting, running):
                text = json.dumps(body).replace("{claim}", claim) if body is not None else ""
                found = attacker.raw(method, path.replace("{id}", session["id"]), text.encode())
                absent = attacker.raw(method, path.replace("{id}", "06yzzzzzzzzzz"), text.encode())
                assert found[0] == absent[0] == 404, (method, path, found)
                assert found[2] == absent[2] and b"Secret" not in found[2] and b"Beta" not in found[2], (path, found, absent)
        for body in ({"claim": claim, "pop_pk": "ab" * 32}, {"claim": cust.id, "pop_pk": "ab" * 32}):
            refused("absent", attacker.post, f"/v1/sessions/{own['id']}/answer", body)  # my session, their customer
        seen = json.dumps(attacker.get("/v1/sessions?limit=100"))
        assert "Secret" not in seen and waiting["id"] not in seen and running["id"] not in seen
        stream = listen(attacker, f"/v1/stream?after={waiting['id']}")
        for _, name, data in stream:
            assert "Secret" not in json.dumps(data) and data.get("id") not in (waiting["id"], running["id"])
            if name == "ready":
                break
    after = sql(s, "SELECT id, state, rev, result FROM session"), sql(s, "SELECT COUNT(*) FROM event WHERE company_id = 2")
    assert after == before
    mixed = Operator(s.server(), source="127.40.0.1")  # company A's code with B's operator
    refused("login_refused", mixed.login, "acme", "suzuki", PASSWORD)


# ---- bodies ----

NUMBERS = (-1, 2**63 - 1, 2**63, 2**64, 10**400, 1.5, 1e300, True, "1", None, [], {})
TEXTS = ("\u0000", "a\u0000b", "\u202egpj", "a\u2066b", "\x1b[31m", "\x7f", "\x85", "a\nb", "x" * 1000000, "é" * 101, 1, None, [], {}, True)
RAW = (b"", b"{", b"null", b"[]", b'"x"', b"7", b"{}x", b"{}{}", b"\xff\xfe", b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}',
       b'{"a":"\\ud800"}', b'{"a":"\\udc00\\ud800"}', b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":1,"a":2}', b"{'a':1}", b'{"a":NaN}',
       b'{"a":1e999}', b'{"a":-}', b'{"a":01}', b'{"' + b"\xe6\xbc\xa2" * 7 + b"\xe6", b'{"a":"' + b"\x01" * 5, b"[" * 50000, b'{"a":' * 9 + b"1" + b"}" * 9,
       b'{"x":' + b"[" * 7 + b"]" * 7 + b"}", b"\xef\xbb\xbf{}", b"\x00", b" " * 60, b'{"' + b"k" * 3000 + b'":1}', b'{"\x01broken":1}')


OPTIONAL = ("terms_at_ms", "rtt", "pow", "choosing")


def is_sound_refusal(what, status, headers, data, most=(400, 401, 404, 409, 413, 415, 422, 428, 429)):
    assert status in most, (what, status, data[:300])
    problem = json.loads(data.decode())
    assert problem["status"] == status and problem["code"] and problem["detail"] and problem["type"] == "about:blank", (what, problem)
    assert headers["content-type"] == "application/problem+json", (what, headers)
    assert not [c for c in problem["detail"] if ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u202e\u2066"], (what, problem)
    return problem["code"]


def nonsense_in_a_body_is_refused_in_words(rig):
    s = started(rig, extra=FREELY, policy=("--max-numbers", "1000"))
    op = s.operator()
    session, cust, _ = paired(s, op)
    waiting = op.issue()
    third = s.customer()
    claim = third.claim(waiting["number"])["claim"]
    chooser = s.customer()
    chooser.claim(waiting["number"], choosing=True)
    key = Key()
    _, login = op.login_body("acme", "tanaka", PASSWORD)
    strangers = s.customer(source="127.50.0.1")
    strangers.key = Key()
    sources = iter(f"127.51.{i // 250}.{i % 250 + 1}" for i in range(5000))
    here, theirs = f"/v1/sessions/{session['id']}", cust.mine()
    cases = [  # who, path, a good body, largest body
        (strangers, "/v1/nonce", {}, 64),
        (strangers, "/v1/claims", strangers.claim_body(wrong_number(1), choosing=True), 8192),
        (chooser, chooser.mine("/ready"), {"host_name": "PC-7", "os": "Debian 12"}, 2048),
        (strangers, "/v1/renew", {"session": session["id"], "role": 1, "slot": 0, "nonce": "ab" * 48, "sig": "ab" * 64}, 1024),
        (None, "/v1/login", {k: v for k, v in login.items() if k != "tool_version"}, 4096),
        (op, "/v1/sessions", {"request": "ab" * 16, "customer": "a", "reason": "b", "ticket_no": "c"}, 4096),
        (op, f"/v1/sessions/{waiting['id']}/answer", {"claim": claim, "pop_pk": key.pk.hex(), "rtt": [{"relay": 1, "us": 5}]}, 4096),
        (op, f"/v1/sessions/{waiting['id']}/refuse", {"claim": "06yzzzzzzzzzz"}, 256),
        (op, here + "/events", {"events": [{"key": "01" * 8, "kind": "chat", "detail": {}, "at_ms": 1}]}, 160 * 1024),
        (op, here + "/end", {"reason": "operator", "text": "x", "bytes_in": 1, "bytes_out": 1, "rtt_p50_us": 1, "rtt_p95_us": 1,
                             "relay": 1, "verified": True, "recorded": True}, 4096),
        (op, here + "/result", {"result": "solved", "note": "x"}, 32 * 1024),
        (cust, theirs + "/events", {"events": [{"key": "01" * 8, "kind": "alarm", "detail": {}, "at_ms": 1}]}, 160 * 1024),
        (cust, theirs + "/end", {"reason": "customer"}, 4096),
    ]
    lenient = {"rtt"}  # a measurement that does not fit is left out
    tried = 0

    crowd = [s.customer(source=f"127.50.1.{i + 1}") for i in range(16)]  # so that none asks too often

    def send(who, path, body, headers=None):
        who = Operator(s.server(), source=next(sources)) if who is None else crowd[tried % 16] if who is strangers else who
        signed = who.token is not None
        try:
            return who.raw("POST", path, body, headers, signed=signed)
        except (OSError, ssl.SSLError):
            who.drop()
            return who.raw("POST", path, body, headers, signed=signed)

    for who, path, good, most in cases:
        for raw in RAW:
            if len(raw) <= most:
                code = is_sound_refusal((path, raw[:40]), *send(who, path, raw))
                assert code == "bad_request", (path, raw[:40], code)
                tried += 1
        needed = {"/v1/sessions": ["request"], "end": ["reason"], "result": ["result"], "answer": ["claim", "pop_pk"]}
        needed = needed.get(path, needed.get(path.rsplit("/", 1)[1], [k for k in good if k not in OPTIONAL]))
        for body in [{**good, "unknown": 1}] + [{k: v for k, v in good.items() if k != gone} for gone in needed]:
            assert is_sound_refusal((path, body), *send(who, path, json.dumps(body).encode())) == "bad_request", (path, body)
        for name, value in good.items():
            if name in lenient:
                continue
            for bad in NUMBERS if isinstance(value, int) and not isinstance(value, bool) else TEXTS:
                if isinstance(value, bool) and isinstance(bad, bool) or bad is None and name not in ("request", "claim", "pop_pk"):
                    continue
                if bad == 2**63 - 1 and name.startswith("bytes") or name == "note" and bad in ("a\nb", "é" * 101) or bad == {} and name == "detail":
                    continue
                for ascii_only in (True, False):
                    data = json.dumps({**good, name: bad}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
                    code = is_sound_refusal((path, name, str(bad)[:20]), *send(who, path, data))
                    assert code in ("bad_request", "too_large", "number_mistyped"), (path, name, str(bad)[:20], code)
                    tried += 1
        text = json.dumps(good).encode()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data; boundary=x"):
            assert is_sound_refusal((path, kind), *send(who, path, text, {"content-type": kind})) == "not_json"
        assert is_sound_refusal((path, "large"), *send(who, path, b" " * (most + 1))) == "too_large"
    assert op.get("/v1/me") and s.managers[1].proc.poll() is None
    assert op.get(f"/v1/sessions/{session['id']}")["state"] == "active"
    assert chooser.get(chooser.mine())["state"] == "choosing"
    issued = op.raw("POST", "/v1/sessions", b'{"request":"' + b"cd" * 16 + b'"}', {"content-type": "Application/JSON; charset=utf-8"})
    assert issued[0] == 201, issued
    for rtt in ([{"relay": 1}], [1, "x", None], [{"relay": -1, "us": 1e300}], [{"relay": 2**62, "us": -5}]):
        op.post(f"/v1/sessions/{waiting['id']}/refuse", {"claim": claim})
        third.token = third.key = None
        claim = third.claim(waiting["number"], rtt=rtt)["claim"]
    assert op.answer(waiting["id"], claim)
    print(f"     {tried} bodies refused")


def curl(s, *args, data=None):
    """(status, body) over HTTP/2."""
    host, port = s.addresses[1][0].rsplit(":", 1)
    body = ["--data-binary", "@-"] if data is not None else []
    done = subprocess.run(["curl", "-sS", "--http2", "--cacert", s.rig.path("ca.pem"), "--resolve", f"manager.tasuki.test:{port}:{host}",
                           "-w", "\n%{http_version} %{http_code}", *body, *args], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Failed(f"curl: {done.stderr.decode()}")
    body, _, tail = done.stdout.rpartition(b"\n")
    version, status = tail.decode().split()
    assert version == "2", tail
    return int(status), body


def http2_says_the_same(rig):
    s = started(rig)
    op = s.operator()
    at = f"https://manager.tasuki.test:{s.addresses[1][0].rsplit(':', 1)[1]}"

    def post(path, body, signed=True, kind="application/json"):
        headers = ["-H", f"content-type: {kind}"]
        if signed:
            headers += ["-H", "authorization: " + op.authorization("POST", path, body)]
        return curl(s, *headers, at + path, data=body)

    status, body = post("/v1/sessions", json.dumps({"request": "ab" * 16, "customer": "山田"}).encode())
    assert status == 201 and json.loads(body)["customer"] == "山田", (status, body)
    status, body = curl(s, "-H", "authorization: " + op.authorization("GET", "/v1/me", b""), at + "/v1/me")
    assert status == 200 and json.loads(body)["operator"]["login"] == "tanaka"
    for raw in RAW:
        if len(raw) > 4096 or not raw:
            continue
        status, body = post("/v1/sessions", raw)
        assert status == 400 and json.loads(body)["code"] == "bad_request", (raw[:40], status, body)
    status, body = post("/v1/sessions", b" " * 5000)
    assert status == 413 and json.loads(body)["code"] == "too_large"
    status, body = post("/v1/sessions", b"{}", kind="text/plain")
    assert status == 415 and json.loads(body)["code"] == "not_json"
    status, body = post("/v1/sessions", b"{}", signed=False)
    assert status == 401 and json.loads(body)["code"] == "not_logged_in"
    status, body = post("/v1/nonce", b"{}", signed=False)
    assert status == 200 and len(json.loads(body)["nonce"]) == 96
    for path in ("/v1/nothing", "/v1/../v1/me", "/v1/sessions/x", "/metrics", "/healthz", "/v1/relay/1/stream"):
        status, body = curl(s, "--path-as-is", "-H", "authorization: " + op.authorization("GET", path, b""), at + path)
        assert status in (400, 404) and json.loads(body)["code"], (path, status, body)


# ---- floods ----


def many_notices_of_another_server_all_arrive(rig):
    """More in ten seconds than one question for notices brings."""
    s = started(rig)
    op = s.operator()
    stream = listen(op, "/v1/stream")
    stream.until("ready")
    session = op.issue()
    stream.until("session", id=session["id"])
    now = (int(time.time() * 1000) - 1735689600000) << 22
    sql(s, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO notice "
           "SELECT ? + (900 << 12) + (i % 4096), 'session', 5, 5 FROM n", now)
    changed = crockford_to_int(session["id"])
    sql(s, "UPDATE session SET customer = 'from afar', rev = ? WHERE id = ?", now + (900 << 12) + 4000, changed)
    operator_id = sql(s, "SELECT operator_id FROM session WHERE id = ?", changed)[0][0]
    sql(s, "INSERT INTO notice VALUES (?, 'session', ?, ?)", now + (900 << 12) + 4000, operator_id, changed)
    assert stream.until("session", customer="from afar")


def one_source_cannot_ask_too_often(rig):
    s = started(rig)
    api, other = s.api(source="127.60.0.1"), s.api(source="127.60.0.2")
    end = time.monotonic() + 10
    status = 200
    while status != 429 and time.monotonic() < end:
        got = at_once(8, lambda i: [api.raw("GET", "/v1/keyset")[0] for _ in range(100)])
        status = max(max(g) for g in got)
    assert status == 429
    assert other.get("/v1/keyset")
    until("it may again", lambda: api.raw("GET", "/v1/keyset")[0] == 200, limit=10)


# ---- what is left when it is taken over ----


def it_lives_without_rights_and_its_signer_with_the_keys(rig):
    need_root()
    s = started(rig, user="nobody")
    p = s.managers[1]
    assert os.stat(rig.make_cert("manager.tasuki.test")[1]).st_mode & 0o077 == 0  # root's alone
    op = s.operator()
    session, cust, _ = paired(s, op)
    for task in os.listdir(f"/proc/{p.pid}/task"):
        with open(f"/proc/{p.pid}/task/{task}/status") as f:
            status = dict(line.split(":", 1) for line in f.read().splitlines())
        assert status["Uid"].split() == ["65534"] * 4 and int(status["CapEff"], 16) == 0, status
        assert status["NoNewPrivs"].strip() == "1" and status["Groups"].split() in ([], ["65534"]), status
    for name in os.listdir(rig.path("store")):
        assert os.stat(rig.path(f"store/{name}")).st_uid == 65534, name
        assert os.stat(rig.path(f"store/{name}")).st_mode & 0o077 == 0, name
    with open(f"/proc/{p.pid}/task/{p.pid}/children") as f:
        signer = int(f.read().split()[0])
    with open(f"{s.keys}/signer.keys") as f:
        seeds = [line.split('"')[1] for line in f if line.strip().startswith("seed")]
    assert len(seeds) == 3, seeds
    needles = {f"seed {i} {kind}": value for i, seed in enumerate(seeds)
               for kind, value in (("raw", bytes.fromhex(seed)), ("text", seed.encode()))}
    assert found(needles, memory_of(signer)) >= {"seed 0 raw", "seed 1 raw", "seed 2 raw"}
    assert not found(needles, memory_of(p.pid)), found(needles, memory_of(p.pid))
    secret = {"password": PASSWORD.encode()}
    with open(f"{s.keys}/server.keys") as f:
        for i, line in enumerate(f):
            if '"' in line:
                secret[f"server key {i}"] = line.split('"')[1].encode()
    assert not found(secret, memory_of(p.pid)), found(secret, memory_of(p.pid))
    p.kill(signal.SIGHUP)  # what only root may read cannot be read again: it goes on with what it has
    until("reload refused", lambda: '"reload_refused"' in p.log())
    assert op.get(f"/v1/sessions/{session['id']}")["state"] == "active"
    os.kill(signer, signal.SIGKILL)
    assert p.exit_code() == 75
    assert [line["level"] for line in s.log_lines() if line["event"] == "signer_gone"] == ["error"]


if __name__ == "__main__":
    main(wrong_expired_and_used_numbers_are_one, guessing_is_stopped_by_address_and_network,
         guessing_from_one_v4_address_stops_there_and_nowhere_else, when_many_guess_claims_cost_work,
         every_failed_login_is_the_same, an_account_locks_and_opens_again,
         a_source_that_fails_too_often_waits_and_others_do_not, a_token_is_good_for_its_owner_and_its_request_only,
         no_operator_crosses_into_another_company_or_to_a_colleague, nonsense_in_a_body_is_refused_in_words,
         http2_says_the_same, many_notices_of_another_server_all_arrive, one_source_cannot_ask_too_often,
         it_lives_without_rights_and_its_signer_with_the_keys)
