"""docs/openapi.yaml against the real management server: every route and every status that can be brought about, over HTTP/1.1
through a validating proxy (prism) and over HTTP/2 by curl, each answer also held against the schemas by a second validator."""

import copy
import glob
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api import Customer, Key, Operator, crockford_to_int, pad16
from contract import (SPEC, TOOLS, TOP, Client, Flood, OverHttp2, Spec, Tables, ThroughCrookedProxy, ThroughProxy, compact,
                      events_of, fill, node_modules)
from rig import main, run, until
from service import PASSWORD, Service

LONG = 300 * 1024  # more than any route's body

# Statuses that these tests do not bring about: why not.
NOT_HERE = {
    "408": "half a minute each; test_http.py and test_http2.py do it, before any route is asked",
    "500": "the server has no memory left",
}
NOT_HERE_OF = {
    ("getServer", "503"): "the server has no memory left",
    ("getTerms", "503"): "the server has no memory left",
    ("getKeyset", "503"): "the signer is gone, and the server ends within a second (test_manager_fault.py)",
}


# ---- the walk ----


class Walk:
    """An installation, and requests that bring it from the first login to the last event."""

    SETTINGS = "login_failures = 4\nmisses_per_hour = 12\npow_above_per_minute = 3\n"

    def __init__(self, rig, transport):
        document = Spec.load()
        self.rig = rig
        self.has_small_disk = os.geteuid() == 0
        if self.has_small_disk:
            os.makedirs(rig.path("store"))
            run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", rig.path("store")])
        self.service = Service(rig, extra=self.SETTINGS)
        self.service.add_company("acme", "株式会社アクメ", "--max-numbers", "20", "--lock-after", "0")
        self.service.add_operator()
        self.service.add_operator(login="sato", name="佐藤 一郎")
        self.service.ctl("relay", "add", 7, "relay7.tasuki.test", "203.0.113.7:443", "jp")
        self.service.ctl("relay", "add", 8, "relay8.tasuki.test", "203.0.113.8:443", "jp")
        self.service.start_manager()
        self.ask = Client(self.service, transport(self.service, document), document)
        self.op = Operator(self.service.server())
        self.session = self.customer = None  # one that waits, and who does

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.has_small_disk:
            run(["umount", "--lazy", self.rig.path("store")])

    # --- pieces of requests ---

    def nonce(self):
        return bytes.fromhex(self.ask("makeNonce", body={})["nonce"])

    def login_body(self, ident="tanaka", password=PASSWORD, nonce=None):
        self.op.key = self.op.key or Key()
        nonce = nonce or self.nonce()
        return {"company": "acme", "id": ident, "password": password, "device_pk": self.op.key.pk.hex(), "nonce": nonce.hex(),
                "sig": self.op.key.sign("TSK1 login", nonce, self.op.key.pk).hex(), "tool_version": "0.1.0"}

    def claim_body(self, number, key, bits=0, nonce=None, **more):
        nonce = nonce or self.nonce()
        body = {"number": number, "pop_pk": key.pk.hex(), "nonce": nonce.hex(),
                "sig": key.sign("TSK1 claim", number.encode(), key.pk, nonce).hex(), "host_name": "受付-7", "os": "Debian 12",
                "tool_version": "0.1.0", "language": "ja", "terms_version": "2026-11", "terms_at_ms": self.op.now(), **more}
        if bits:
            worker = Customer(self.service.server())
            worker.key = key
            body["pow"] = worker.work(nonce, number.encode(), bits).hex()
        return body

    def renew_body(self, session, key, role=1, slot=0, nonce=None):
        nonce = nonce or self.nonce()
        said = crockford_to_int(session).to_bytes(8, "big") + bytes([role, slot])
        return {"session": session, "role": role, "slot": slot, "nonce": nonce.hex(),
                "sig": key.sign("TSK1 renew", said, nonce).hex()}

    def events_body(self, kind):
        return {"events": [{"key": os.urandom(8).hex(), "kind": kind, "detail": detail, "at_ms": self.op.now()}
                           for detail in ({"言葉": "はい", "n": 1}, None)]}

    @staticmethod
    def hello_body(relay=7, **more):
        return {"name": f"relay{relay}.tasuki.test", "address": f"203.0.113.{relay}:443", "region": "jp", "version": "0.1.0",
                "state": "up", "ends": 2, "sessions": 1, "connections": 3, "max_connections": 100, **more}

    @staticmethod
    def issue_body(**more):
        return {"request": os.urandom(16).hex(), **more}

    def issue(self):
        return self.ask("issueNumber", self.op, self.issue_body(customer="山田 \"太郎\"", reason=None), 201)

    @staticmethod
    def ready_body():
        return {"host_name": "受付-7", "os": "Debian 12"}

    def new_claim(self, session, **more):
        """A customer who waits on the session."""
        customer = Customer(self.service.server())
        customer.key = Key()
        got = self.ask("claimNumber", body=self.claim_body(session["number"], customer.key, rtt=[{"relay": 7, "us": 900}], **more))
        customer.token, customer.id = got["token"], got["claim"]
        return customer

    def answered(self):
        """(session, customer) who talk to each other."""
        session = self.issue()
        customer = self.new_claim(session)
        self.ask("sayHello", body=self.hello_body(), id="7")
        got = self.ask("answerClaim", self.op, {"claim": customer.id, "pop_pk": Key().pk.hex()}, id=session["id"])
        return got["session"], customer

    # --- the way ---

    def open_routes(self):
        for name in ("getServer", "getKeyset", "listRelays", "getTerms"):
            self.ask(name)
        hello = self.ask("sayHello", body=self.hello_body(), id="7")
        assert hello["alternates"] == [], hello
        assert [r["id"] for r in self.ask("listRelays")["relays"]] == [7]

    def log_in(self):
        self.op.clock = 0
        self.op.token = self.ask("logIn", body=self.login_body())["token"]
        self.ask("getMe", self.op)
        self.ask("logIn", body=self.login_body(password="wrong-Password-1"), status=401, code="login_refused", is_right=True)
        body = self.login_body()
        self.ask("logIn", body={**body, "nonce": "00" * 48}, status=400, code="nonce_old", is_right=True)

    def a_session(self):
        """Numbers, claims, answers, refusals, reports, in every order that has an answer of its own."""
        ask, op = self.ask, self.op
        body = self.issue_body(reason="プリンタ")
        session = ask("issueNumber", op, body, 201)
        assert ask("issueNumber", op, body, 200)["id"] == session["id"]
        first = self.new_claim(session)
        ask("getClaim", first, id=first.id)
        ask("reportCustomerEvents", first, self.events_body("granted"), 404, "absent", is_right=True, id=first.id)
        ask("endClaim", first, {"reason": "customer"}, 404, "absent", is_right=True, id=first.id)
        ask("putDevice", op, {"info": {}}, 404, "absent", is_right=True, id=session["id"])
        ask("refuseClaim", op, {"claim": first.id}, id=session["id"])
        ask("answerClaim", op, {"claim": first.id, "pop_pk": first.key.pk.hex()}, 409, "wrong_state", id=session["id"])
        second = self.new_claim(session)
        assert ask("withdrawClaim", second, {}, id=second.id)["state"] == "withdrawn"
        ask("withdrawClaim", second, id=second.id)
        ask("refuseClaim", op, {"claim": second.id}, 409, "wrong_state", id=session["id"])
        key_used = self.claim_body(self.issue()["number"], second.key)
        ask("claimNumber", body=key_used, status=409, code="key_used")
        third = self.new_claim(session, host_name="", os="", choosing=True)
        assert ask("getClaim", third, id=third.id)["state"] == "choosing"
        answer = {"claim": third.id, "pop_pk": Key().pk.hex(), "rtt": [{"relay": 7, "us": 1200}]}
        ask("answerClaim", op, answer, 404, "absent", is_right=True, id=session["id"])
        ask("refuseClaim", op, {"claim": third.id}, 404, "absent", is_right=True, id=session["id"])
        assert ask("readyClaim", third, self.ready_body(), id=third.id)["state"] == "pending"
        ask("readyClaim", third, self.ready_body(), id=third.id)
        ask("readyClaim", second, self.ready_body(), 409, "wrong_state", id=second.id)
        ask("sayHello", body=self.hello_body(state="down"), id="7")
        ask("answerClaim", op, answer, 503, "no_relay", id=session["id"])
        ask("sayHello", body=self.hello_body(sessions_here=[session["id"]]), id="7")
        assert ask("answerClaim", op, answer, id=session["id"])["session"]["state"] == "active"
        ask("answerClaim", op, answer, id=session["id"])
        assert ask("readyClaim", third, self.ready_body(), id=third.id)["state"] == "answered"
        assert ask("getClaim", third, id=third.id)["grant"]["role"] == 1
        ask("cancelNumber", op, {}, 409, "wrong_state", id=session["id"])
        self.reports(session, third)

    def reports(self, session, customer):
        ask, op = self.ask, self.op
        events = self.events_body("verified")
        assert ask("reportOperatorEvents", op, events, id=session["id"]) == {"stored": 2}
        assert ask("reportOperatorEvents", op, events, id=session["id"]) == {"stored": 0}
        for kind in ("suspended", "resumed", "hold"):
            ask("reportOperatorEvents", op, self.events_body(kind), id=session["id"])
            ask("getSession", op, id=session["id"])
        ask("reportCustomerEvents", customer, self.events_body("granted"), id=customer.id)
        ask("getDevice", op, status=404, code="absent", is_right=True, id=session["id"])
        ask("putDevice", op, {"info": {"名": {"b": [{"c": {"d": 1}}]}}}, id=session["id"])
        ask("putDevice", op, {"info": {"a": {"b": [{"c": {"d": [{}]}}]}}}, 400, "bad_request", is_right=True, id=session["id"])
        ask("getDevice", op, id=session["id"])
        ask("deleteDevice", op, id=session["id"])
        ask("deleteDevice", op, id=session["id"])
        ask("renewTicket", body=self.renew_body(session["id"], customer.key))
        ask("setResult", op, {"result": "open", "note": "一行目\n\t二行目"}, id=session["id"])
        figures = {"bytes_in": 5, "bytes_out": 7, "rtt_p50_us": 900, "rtt_p95_us": 1900, "relay": 7, "verified": True,
                   "recorded": False}
        assert ask("endClaim", customer, {"reason": "customer", "text": "終わり"}, id=customer.id)["state"] == "over"
        ask("endSession", op, {"reason": "operator", **figures}, id=session["id"])
        ask("setResult", op, {"result": "solved"}, id=session["id"])
        ask("renewTicket", body=self.renew_body(session["id"], customer.key), status=403, code="session_over")
        ended_long_ago = "UPDATE session SET ended_at = ended_at - 8 * 24 * 3600 * 1000 WHERE ended_at IS NOT NULL"
        with sqlite3.connect(self.rig.path("store/tasuki.db")) as db:
            db.execute(ended_long_ago)
        db.close()
        ask("reportOperatorEvents", op, self.events_body("chat"), 409, "events_full", id=session["id"])
        ask("reportCustomerEvents", customer, self.events_body("granted"), 409, "events_full", id=customer.id)
        ask("setResult", op, {"result": "aborted"}, 409, "events_full", id=session["id"])
        ask("putDevice", op, {"info": {"late": True}}, 409, "events_full", id=session["id"])

    def lists(self):
        ask, op = self.ask, self.op
        page = ask("listSessions", op, query="limit=1")
        assert page["next"] == page["sessions"][0]["id"], page
        ask("listSessions", op, query=f"before={page['next']}&limit=100")
        ask("listSessions", op, query="limit=0", status=400, code="bad_request")
        ask("cancelNumber", op, {}, id=page["next"])
        assert ask("cancelNumber", op, id=page["next"])["end_reason"] == "cancelled"

    # --- refusals that many routes have ---

    def params(self, operation, value=None):
        return {"id": value or ("7" if operation.is_relays else "0000000000000")} if "{id}" in operation.path else {}

    def signer(self, operation):
        if "operator" in operation.security:
            return self.op
        return self.customer if "customer" in operation.security else None

    def refused_everywhere(self):
        self.session = self.issue()
        self.customer = self.new_claim(self.session)
        for o in self.ask.spec.operations.values():
            self.refused_by_form(o)
            if o.security and not o.is_relays:
                self.refused_by_signature(o)
            if "{id}" in o.path:
                self.refused_by_id(o)
            if o.body.get("required"):
                self.refused_by_body(o)
        self.ask("sayHello", body=self.hello_body(8), status=403, code="not_this_relay", id="8")
        self.ask("streamKills", status=403, code="not_this_relay", id="9")
        for number in ("123", "123456780", "12345678x"):
            self.ask("claimNumber", body=self.claim_body(number, Key()), status=422, code="number_mistyped")

    def refused_by_form(self, o):
        p = self.params(o)
        self.ask.raw(o.id, 400, "bad_path", query=b"?\xff", **p)
        self.ask.raw(o.id, 413, "too_large", length=LONG, **p)
        self.ask(o.id, status=414, code="head_too_long", query="x=" + "y" * 9000, is_right=False, **p)
        self.ask(o.id, status=431, code="head_too_long", headers={"x-long": "y" * 9000}, is_right=False, **p)
        if p:
            self.ask(o.id, status=414, code="path_too_long", is_right=False, id="y" * 2100)

    def refused_by_signature(self, o):
        who = self.signer(o)
        p = self.params(o, who.id if who is self.customer else None)
        target = o.path.format(**p)
        self.ask(o.id, status=401, code="not_logged_in", **p)
        late = copy.copy(who)
        late._local, late.clock = threading.local(), who.clock - 121000
        got = self.ask(o.id, late, status=401, code="clock_wrong", **p)
        assert abs(got["server_ms"] - who.now()) < 60000, got
        other = who.authorization(o.method, target + "?", b"")
        self.ask(o.id, status=401, code="not_logged_in", headers={"authorization": other}, **p)

    def refused_by_id(self, o):
        who = self.signer(o)
        body = {"sayHello": self.hello_body(), "setResult": {"result": "open"}, "putDevice": {"info": {}},
                "endSession": {"reason": "lost"}, "answerClaim": {"claim": "0000000000000", "pop_pk": "00" * 32},
                "refuseClaim": {"claim": "0000000000000"}, "reportOperatorEvents": self.events_body("chat")}.get(o.id)
        self.ask(o.id, who, body, 404, "absent", id="no-id")
        if who is self.op:
            self.ask(o.id, who, body, 404, "absent", is_right=True, id="0000000000000")

    def refused_by_body(self, o):
        who = self.signer(o)
        p = self.params(o, who.id if who is self.customer else None)
        self.ask(o.id, who, {"surplus": "多い"}, 400, "bad_request", **p)
        self.ask(o.id, who, b"reason=lost", 415, "not_json", headers={"content-type": "application/x-www-form-urlencoded"}, **p)

    # --- a server in trouble ---

    def writing_requests(self):
        """(operation, who, body, params) that would change something, of all routes that can."""
        session, customer = self.answered()
        self.ask("putDevice", self.op, {"info": {"a": 1}}, id=session["id"])
        waiting = self.issue()
        waits = [self.new_claim(waiting) for _ in range(2)]
        live = self.issue()
        chooser = self.new_claim(live, choosing=True)
        nonce = self.nonce()
        sid, cid = {"id": session["id"]}, {"id": customer.id}
        return [
            ("sayHello", None, self.hello_body(sessions_here=[session["id"]]), {"id": "7"}),
            ("renewTicket", None, self.renew_body(session["id"], customer.key, nonce=nonce), {}),
            ("reportOperatorEvents", self.op, self.events_body("file"), sid),
            ("reportCustomerEvents", customer, self.events_body("granted"), cid),
            ("putDevice", self.op, {"info": {"a": 2}}, sid),
            ("deleteDevice", self.op, None, sid),
            ("setResult", self.op, {"result": "solved"}, sid),
            ("endSession", self.op, {"reason": "timeout"}, sid),
            ("endClaim", customer, {"reason": "error"}, cid),
            ("withdrawClaim", waits[0], None, {"id": waits[0].id}),
            ("refuseClaim", self.op, {"claim": waits[1].id}, {"id": waiting["id"]}),
            ("answerClaim", self.op, {"claim": waits[1].id, "pop_pk": Key().pk.hex()}, {"id": waiting["id"]}),
            ("claimNumber", None, self.claim_body(live["number"], Key(), nonce=nonce), {}),
            ("readyClaim", chooser, self.ready_body(), {"id": chooser.id}),
            ("cancelNumber", self.op, {}, {"id": live["id"]}),
            ("issueNumber", self.op, self.issue_body(), {}),
            ("logIn", None, self.login_body(nonce=nonce), {}),
            ("logOut", self.op, {}, {}),
        ]

    def reading_requests(self):
        mine = {"id": self.customer.id}
        own = {"id": self.session["id"]}
        return [("listRelays", None, {}), ("getMe", self.op, {}), ("listSessions", self.op, {}), ("getSession", self.op, own),
                ("getDevice", self.op, own), ("streamSessions", self.op, {}), ("getClaim", self.customer, mine),
                ("streamClaim", self.customer, mine), ("streamKills", None, {"id": "7"})]

    def with_a_full_disk(self, requests):
        """What is there is left over from a log that was emptied before; a reader keeps it from being used again from the start."""
        path = self.rig.path("store/tasuki.db")
        db = sqlite3.connect(path, isolation_level=None)
        ballast = self.rig.path("store/ballast")
        try:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM session").fetchall()
            fill(ballast)
            for name, who, body, params in requests:
                self.ask(name, who, body, 507, "storage_full", **params)
        finally:
            if os.path.exists(ballast):
                os.unlink(ballast)
            db.execute("ROLLBACK")
            db.close()

    def without_tables(self, requests):
        reading = [(name, who, None, params) for name, who, params in self.reading_requests()]
        with Tables(self.rig.path("store/tasuki.db")):
            for name, who, body, params in [*requests, *reading, ("makeNonce", None, {}, {})]:
                self.ask(name, who, body, 503, "try_again", **params)

    def trouble(self):
        requests = self.writing_requests()
        if self.has_small_disk:
            self.with_a_full_disk(requests)
        self.without_tables(requests)
        for name, who, body, params in requests:  # nothing was changed: all of it can still be done
            status = {"issueNumber": 201, "answerClaim": 409}.get(name, 200)
            self.ask(name, who, body, status, **params)
        self.ask("getMe", self.op, status=401, code="not_logged_in", is_right=True)
        self.log_in_again()

    def log_in_again(self):
        self.op.key = None
        self.op.token = self.ask("logIn", body=self.login_body())["token"]

    # --- limits ---

    def limits(self):
        self.crowd()
        self.many_numbers()
        self.misses()
        self.failed_logins()
        self.flood()

    def crowd(self):
        session = self.issue()
        for source in ("127.9.1.1", "127.9.1.2", "127.9.2.1"):
            self.service.customer(source=source).claim(session["number"])
        self.ask("claimNumber", body=self.claim_body(session["number"], Key()), status=409, code="crowded")

    def many_numbers(self):
        for _ in range(40):
            got = self.op.raw("POST", "/v1/sessions", compact(self.issue_body()))
            if got[0] == 429:
                break
        self.ask("issueNumber", self.op, self.issue_body(), 429, "too_many_numbers")

    def misses(self):
        """Wrong numbers: at first they cost nothing, then work, then time. Asked again with a number that is right."""
        session = self.service.operator(login="sato").issue()
        wrong = "000000000"  # its check digit fits
        headers = {"content-type": "application/json"}
        self.ask("claimNumber", body=self.claim_body(wrong, Key()), status=404, code="number_unknown")
        for _ in range(8):  # what was withdrawn and replaced before counts too
            if self.op.raw("POST", "/v1/claims", compact(self.claim_body(wrong, Key())), headers, signed=False)[0] == 428:
                break
        key = Key()
        asked = self.ask("claimNumber", body=self.claim_body(session["number"], key), status=428, code="pow_needed")
        self.ask("claimNumber", body=self.claim_body(session["number"], key, bits=asked["pow_bits"] + 1))
        for _ in range(12):
            nonce = self.ask("makeNonce", body={})
            body = self.claim_body(wrong, Key(), nonce["pow_bits"] + 1, bytes.fromhex(nonce["nonce"]))
            if self.op.raw("POST", "/v1/claims", compact(body), headers, signed=False)[0] == 429:
                break
        self.ask("claimNumber", body=self.claim_body(wrong, Key()), status=429, code="slow_down")

    def flood(self):
        body = {"makeNonce": {}, "renewTicket": self.renew_body("0000000000000", Key())}
        with Flood(self.service.server()):
            for name in ("getKeyset", "listRelays", "makeNonce", "renewTicket"):
                self.refused_in_the_end(name, body.get(name))

    def refused_in_the_end(self, name, body):
        """Now and then one gets through."""
        for _ in range(200):
            try:
                return self.ask(name, body=body, status=429, code="slow_down")
            except AssertionError as e:
                last = e
                if "429 wanted" not in str(e):
                    raise
        raise last

    def failed_logins(self):
        body = self.login_body(password="wrong-Password-1")
        for _ in range(8):
            if self.op.raw("POST", "/v1/login", compact(body), signed=False)[0] == 429:
                break
        self.ask("logIn", body=body, status=429, code="slow_down")

    # --- streams, and the end ---

    def streams(self):
        """All three at once; each is ended by the server, which the proxy waits for."""
        sato = self.service.operator(login="sato", source="127.9.4.1")
        session = sato.issue()
        customer = self.service.customer(source="127.9.5.1")
        customer.claim(session["number"], choosing=True)
        got = {}
        threads = [threading.Thread(target=self.follow, args=(got, *a)) for a in (
            ("streamSessions", sato, {"query": "after=" + session["rev"]}), ("streamClaim", customer, {"id": customer.id}),
            ("streamKills", None, {"id": "7"}))]
        for t in threads:
            t.start()
        until("three streams", lambda: self.service.metrics()["http_streams"] == 3)
        customer.ready()
        sato.answer(session["id"], customer.id)
        sato.post(f"/v1/sessions/{session['id']}/end", {"reason": "operator"})
        self.service.managers[1].kill(signal.SIGHUP)
        until("reloaded", lambda: '"event":"reloaded"' in self.service.managers[1].log())
        self.service.ctl("operator", "disable", "acme", "sato")
        until("the operator's stream ended", lambda: self.service.metrics()["http_streams"] == 2)
        self.service.managers[1].kill(signal.SIGTERM)
        for t in threads:
            t.join()
        for name, events in (("streamSessions", {"session", "ready", "logout"}), ("streamClaim", {"claim"}),
                             ("streamKills", {"kill", "keyset"})):
            if isinstance(got[name], Exception):
                raise got[name]
            told = {event for event, _ in events_of(got[name].body.decode())}
            assert told == events, (name, told)

    def follow(self, got, name, who, how):
        try:
            got[name] = self.ask(name, who, **how)
        except Exception as e:
            got[name] = e

    def all(self):
        self.open_routes()
        self.log_in()
        self.a_session()
        self.lists()
        self.refused_everywhere()
        self.trouble()
        self.limits()
        self.streams()

    # --- was it all? ---

    def must_have_seen_everything(self):
        print(f"{len(self.ask.seen)} pairs of route and status answered over {self.ask.transport.name}", flush=True)
        missing = []
        for o in self.ask.spec.operations.values():
            for status in o.responses:
                is_left_out = status in NOT_HERE or (o.id, status) in NOT_HERE_OF or (status == "507" and not self.has_small_disk)
                if not is_left_out and (o.id, status) not in self.ask.seen:
                    missing.append(f"{o.id} {status}")
        assert not missing, "described, but never answered: " + ", ".join(missing)


# ---- tests ----


def the_linter_has_nothing_to_say(rig):
    redocly = os.path.join(node_modules(rig.build), "@redocly", "cli", "bin", "cli.js")
    env = dict(os.environ, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true", NO_COLOR="1")
    argv = ["node", redocly, "lint", "--config", os.path.join(TOOLS, "redocly.yaml"), "--format", "json", SPEC]
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    problems = json.loads(done.stdout)["problems"]
    assert done.returncode == 0 and not problems, json.dumps(problems, indent=1)


def every_route_of_the_server_is_described_and_no_other(rig):
    del rig
    there = set()
    for path in glob.glob(os.path.join(TOP, "src", "manager", "*.c")):
        with open(path, encoding="utf-8") as f:
            there |= set(re.findall(r'\.method = "(\w+)",\s*\.path = "([^"]+)"', f.read()))
    there -= {("GET", "/healthz"), ("GET", "/metrics")}  # on a local address: docs/operations.md
    described = {(o.method, o.path) for o in Spec(Spec.load()).operations.values()}
    assert there == described, f"not described: {there - described}; not there: {described - there}"


def is_signed(pk, sig, domain, *parts):
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(pk)).verify(bytes.fromhex(sig), pad16(domain) + b"".join(parts))
    except InvalidSignature:
        return False
    return True


def examples_of(spec, content):
    if "example" in content:
        return [content["example"]]
    return [spec.follow(e)["value"] for e in content["examples"].values()]


def the_examples_are_true(rig):
    """They fit their schemas (the second validator's word), and their signatures are right."""
    del rig
    spec = Spec(Spec.load())
    for o in spec.operations.values():
        for what in [o.body, *o.responses.values()]:
            for content in what.get("content", {}).values():
                for example in examples_of(spec, content):
                    assert not spec.wrongs_of_content(content, example), (o.id, spec.wrongs_of_content(content, example))

    def example(name):
        return spec.operations[name].body["content"]["application/json"]["example"]

    b = example("logIn")
    assert is_signed(b["device_pk"], b["sig"], "TSK1 login", bytes.fromhex(b["nonce"]), bytes.fromhex(b["device_pk"]))
    c = example("claimNumber")
    digits = re.sub("[ -]", "", c["number"]).encode()
    assert is_signed(c["pop_pk"], c["sig"], "TSK1 claim", digits, bytes.fromhex(c["pop_pk"]), bytes.fromhex(c["nonce"]))
    r = example("renewTicket")
    said = crockford_to_int(r["session"]).to_bytes(8, "big") + bytes([r["role"], r["slot"]])
    assert is_signed(c["pop_pk"], r["sig"], "TSK1 renew", said, bytes.fromhex(r["nonce"]))
    text = spec.document["components"]["securitySchemes"]["operator"]["description"]
    pk, = re.findall(r"public key `(\w+)`", text)
    digest, = re.findall(r"the hash `(\w+)`", text)
    ms, sig = re.findall(r"Authorization: TSK1 \S+ (\d+) (\w{128})", text)[0]
    body = compact(example("issueNumber"))
    assert body.decode() in text and hashlib.sha256(body).hexdigest() == digest
    assert is_signed(pk, sig, "TSK1 request", f"POST\n/v1/sessions\n{ms}\n".encode(), bytes.fromhex(digest))


def every_answer_over_http1_is_as_described(rig):
    with Walk(rig, ThroughProxy) as walk:
        walk.all()
        walk.must_have_seen_everything()


def every_answer_over_http2_is_as_described(rig):
    with Walk(rig, OverHttp2) as walk:
        walk.all()
        walk.must_have_seen_everything()


def a_crooked_description_is_noticed_at_every_answer(rig):
    """The proxy says nothing when it cannot read a schema: here it must find every answer wrong."""
    with Walk(rig, ThroughCrookedProxy) as walk:
        walk.open_routes()
        walk.log_in()
        walk.a_session()
        walk.lists()
        walk.refused_everywhere()
        walk.streams()


def in_own_mounts():
    """Mounts of the tests vanish with their processes, whatever ends them."""
    if os.geteuid() == 0 and "TASUKI_OWN_MOUNTS" not in os.environ:
        os.environ["TASUKI_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


if __name__ == "__main__":
    in_own_mounts()
    main(the_linter_has_nothing_to_say, every_route_of_the_server_is_described_and_no_other, the_examples_are_true,
         every_answer_over_http1_is_as_described, every_answer_over_http2_is_as_described,
         a_crooked_description_is_noticed_at_every_answer)
