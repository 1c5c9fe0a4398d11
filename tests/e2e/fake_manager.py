"""A management server for tests of the tools: the contract's API over real TLS, with real signatures by the second
implementation (tests/vectors/tasuki_ref.py), all in the test's own process. State is in memory and shared by as many
front doors as the test wants: kill(i) takes one of them away with all its connections, as a crash would.

It checks what tools send (members, signatures, proof of work) as strictly as the contract says, remembers it for the
test, and lies when the test asks for it (`twist`).
"""

import hashlib
import http.server
import json
import os
import secrets
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors"))
import tasuki_ref as ref  # noqa: E402

from rig import free_port  # noqa: E402

HOST, VIEWER = 1, 2
KID_TICKET, KID_STATEMENT = 1, 2
BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
COMPANY, COMPANY_NAME, COMPANY_ID = "sakura", "さくらサポート株式会社", 7
OPERATOR, OPERATOR_NAME, PASSWORD = "hanako", "佐藤 花子", "correct horse 電池"
CUSTOMER_NAME = "お客様"
FORGET_S = 600

DAMM = ["0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
        "3674209581", "5869720134", "8945362017", "9438617205", "2581436790"]


def damm(digits):
    state = 0
    for d in digits:
        state = int(DAMM[state][int(d)])
    return state


def id_text(n):
    return "".join(BASE32[n >> (5 * i) & 31] for i in range(12, -1, -1))


def id_number(text):
    if len(text) != 13 or any(c not in BASE32 for c in text):
        raise Problem(404, "not_there", "There is no such thing")
    n = 0
    for c in text:
        n = n << 5 | BASE32.index(c)
    return n


class Problem(Exception):
    def __init__(self, status, code, detail, **more):
        super().__init__(detail)
        self.status, self.code, self.detail, self.more = status, code, detail, more


def take(body, needed=(), optional=()):
    """The members of a request; unknown ones are refused, as by the real server."""
    if not isinstance(body, dict):
        raise Problem(400, "bad_request", "an object is expected")
    for name in body:
        if name not in needed and name not in optional:
            raise Problem(400, "bad_request", f"unknown member {name}")
    for name in needed:
        if body.get(name) is None:
            raise Problem(400, "bad_request", f"{name} is missing")
    return body


def unhex(body, name, size):
    text = body[name]
    if not isinstance(text, str) or len(text) != 2 * size or text != text.lower():
        raise Problem(400, "bad_request", f"{name} must be {2 * size} lower-case hexadecimal digits")
    return bytes.fromhex(text)


class FakeManager:
    def __init__(self, rig, doors=1):
        self.rig = rig
        self.lock = threading.Condition()
        self.root, self.ticket_key, self.statement_key = (secrets.token_bytes(32) for _ in range(3))
        self.sequence = 3
        self.session_ttl_s, self.connect_ttl_s = 900, 60
        self.pow_bits = 0
        self.demands_pow_by_problem = False
        self.clock_skew_ms = 0
        self.sends_peer_statement = True
        self.twist = {}  # name: function of an answer's object, giving an object, text to send, or bytes
        self.nonces, self.logins, self.sessions, self.claims = {}, {}, {}, {}
        self.changes = []  # (number of the event, session id)
        self.requests = []  # (door, method, path, body)
        self.renewed = 0
        self._last_id = 0
        self.doors = []
        rig.make_ca()
        self._write_ticket_key()
        for i in range(doors):
            self.doors.append(Door(self, i))

    # --- what the outside needs ---

    def _write_ticket_key(self):
        with open(self.rig.path("ticket_key.conf"), "w") as f:
            f.write(f'ticket_key "{KID_TICKET}" {{\n    public_key = "{ref.ed_public(self.ticket_key).hex()}"\n}}\n')

    def org(self, **more):
        """The organisation's section, as a file."""
        with open(self.rig.path("ca.pem")) as f:
            ca = f.read()
        text = json.dumps({
            "organisation": "Test", "managers": [{"url": d.url, "address": d.address} for d in self.doors],
            "downloads": [], "ca": ca, "root": ref.ed_public(self.root).hex(), "sequence": 1, **more,
        }).encode()
        section = b"TSKORG1\0" + struct.pack(">I", len(text)) + text
        section += ref.ed_sign(self.root, ref.pad16("TSK1 org"), text)
        path = self.rig.path("org.bin")
        with open(path, "wb") as f:
            f.write(section + bytes(8192 - len(section)))
        return path

    def kill(self, i):
        self.doors[i].close()

    def revive(self, i):
        if self.doors[i].listener:
            self.doors[i].listener.close()
        self.doors[i] = Door(self, i, self.doors[i].port)

    def hang(self, i):
        """The machine is there and takes connections, and nothing ever answers."""
        self.doors[i].close()
        listener = socket.create_server(("127.0.0.1", self.doors[i].port), backlog=64)
        self.doors[i].listener = listener

    def close(self):
        for d in self.doors:
            d.close()

    def now_ms(self):
        return int(time.time() * 1000) + self.clock_skew_ms

    def events(self, session):
        with self.lock:
            return [e["kind"] for e in self.sessions[session]["events"]]

    # --- signing ---

    def keyset(self):
        keys = [(KID_TICKET, 1, self.ticket_key), (KID_STATEMENT, 2, self.statement_key)]
        out = struct.pack(">BBxxIQ", 1, len(keys), self.sequence, self.now_ms())
        for kid, use, seed in keys:
            out += struct.pack(">BB6xQQ32s", kid, use, 0, 2**63, ref.ed_public(seed))
        return out + ref.ed_sign(self.root, ref.pad16("TSK1 keyset"), out)

    def ticket(self, s, role, slot, pop_pk):
        relays = (list(self.rig.relays) + [0] * 4)[:4]
        body = struct.pack(">BBBBHHQ16sQIIII32s4IB23x", 1, KID_TICKET, role, slot, 0x7F, 1, s["id"],
                           secrets.token_bytes(16), self.now_ms() - 500, self.connect_ttl_s, self.session_ttl_s, 0,
                           COMPANY_ID, pop_pk, *relays, 1)
        return body + ref.ed_sign(self.ticket_key, ref.pad16("TSK1 ticket"), body)

    def statement(self, s, role, slot, pop_pk):
        name = CUSTOMER_NAME if role == HOST else OPERATOR_NAME
        return ref.statement(self.statement_key, KID_STATEMENT, role, slot, 0x7F, 1, s["id"], COMPANY_ID,
                             self.now_ms() + 24 * 3600 * 1000, pop_pk, COMPANY_NAME, name)

    def grant(self, s, role):
        slot = 0 if role == HOST else 1
        own, peer = (s["host_pk"], s["viewer_pk"]) if role == HOST else (s["viewer_pk"], s["host_pk"])
        relays = [{"id": i, "name": name, "address": address} for i, (address, name) in self.rig.relays.items()]
        peer_role = VIEWER if role == HOST else HOST
        peer_object = {"name": OPERATOR_NAME if role == HOST else CUSTOMER_NAME}
        if self.sends_peer_statement:
            peer_object["statement"] = self.statement(s, peer_role, 1 - slot, peer).hex()
        return {"session": id_text(s["id"]), "role": role, "slot": slot, "ticket": self.ticket(s, role, slot, own).hex(),
                "statement": self.statement(s, role, slot, own).hex(), "keyset": self.keyset().hex(),
                "server_ms": self.now_ms(), "relays": relays[:4], "peer": peer_object}

    # --- objects ---

    def new_id(self):
        self._last_id = max(self._last_id + 1, (int(time.time() * 1000) - 1735689600000) << 22)
        return self._last_id

    def session_object(self, s):
        fields = ("issued_at", "expires_at", "joined_at", "answered_at", "ended_at", "end_reason", "result", "note",
                  "customer", "reason", "ticket_no")
        return {"id": id_text(s["id"]), "state": s["state"], "number_last3": s["number"][-3:],
                "number": s["number"] if s["state"] in ("issued", "waiting") else None,
                **{f: s.get(f) for f in fields}, "operator": OPERATOR_NAME, "seconds_waiting": 0, "seconds_active": 0,
                "seconds_reconnecting": 0, "rev": id_text(s["rev"]),
                "claims": [{"id": id_text(c["id"]), "host_name": c["host_name"], "os": c["os"],
                            "tool_version": c["tool_version"], "language": c["language"], "address": "127.0.0.1",
                            "claimed_at": c["claimed_at"], "state": c["state"]}
                           for c in self.claims.values() if c["session"] is s and c["state"] in ("pending", "answered")]}

    def claim_object(self, c):
        is_answered = c["state"] == "answered"
        return {"id": id_text(c["id"]), "state": c["state"], "company": COMPANY_NAME,
                "operator": OPERATOR_NAME if is_answered else None,
                "grant": self.grant(c["session"], HOST) if is_answered else None, "server_ms": self.now_ms()}

    def changed(self, s):
        """With the lock held."""
        s["rev"] = self.new_id()
        self.changes.append((len(self.changes) + 1, s["id"]))
        self.lock.notify_all()

    # --- who asks ---

    def use_nonce(self, text):
        with self.lock:
            bits = self.nonces.pop(text, None)
        if bits is None:
            raise Problem(400, "nonce_expired", "The nonce is unknown, used or too old")
        return bytes.fromhex(text)

    def check_signature(self, method, target, header, body):
        words = (header or "").split(" ")
        refused = Problem(401, "not_logged_in", "You are not logged in")
        if len(words) != 4 or words[0] != "TSK1":
            raise refused
        token, ms, sig = words[1:]
        kind = token[:2]
        with self.lock:
            owner = (self.logins if kind == "o." else self.claims).get(id_number(token[2:15]))
        if not owner or owner["token"] != token:
            raise refused
        if abs(int(ms) - self.now_ms()) > 120000:
            raise Problem(401, "clock_wrong", "Your clock is wrong", server_ms=self.now_ms())
        text = f"{method}\n{target}\n{ms}\n".encode()
        if not ref.ed_verify(owner["pk"], bytes.fromhex(sig), ref.pad16("TSK1 request"), text,
                             hashlib.sha256(body).digest()):
            raise refused
        return owner

    # --- routes ---

    def open_route(self, method, path, body):
        if (method, path) == ("GET", "/v1/server"):
            return {"server_ms": self.now_ms(), "version": "0.1.0", "min_tool_version": "0.1.0", "organisation": "Test"}
        if (method, path) == ("GET", "/v1/keyset"):
            return {"keyset": self.keyset().hex()}
        if (method, path) == ("GET", "/v1/relays"):
            return {"relays": [{"id": i, "name": name, "address": address, "region": f"r{i}"}
                               for i, (address, name) in self.rig.relays.items()]}
        if (method, path) == ("GET", "/v1/terms"):
            return {"version": "2026-1", "ja": "規約\n一", "en": "Terms\nOne"}
        if (method, path) == ("POST", "/v1/nonce"):
            take(body)
            nonce = secrets.token_hex(48)
            bits = 0 if self.demands_pow_by_problem else self.pow_bits
            with self.lock:
                self.nonces[nonce] = bits
            return {"nonce": nonce, "server_ms": self.now_ms(), "pow_bits": bits}
        routes = {"/v1/login": self.login, "/v1/claims": self.claim, "/v1/renew": self.renew}
        return routes[path](body) if method == "POST" and path in routes else None

    def login(self, body):
        take(body, ("company", "id", "password", "device_pk", "nonce", "sig"), ("tool_version",))
        pk, nonce = unhex(body, "device_pk", 32), self.use_nonce(body["nonce"])
        if not ref.ed_verify(pk, unhex(body, "sig", 64), ref.pad16("TSK1 login"), nonce, pk):
            raise Problem(400, "bad_request", "sig is wrong")
        if (body["company"], body["id"], body["password"]) != (COMPANY, OPERATOR, PASSWORD):
            raise Problem(401, "login_refused", "Company code, ID or password is wrong")
        with self.lock:
            n = self.new_id()
            token = f"o.{id_text(n)}.{secrets.token_hex(32)}"
            self.logins[n] = {"id": n, "token": token, "pk": pk}
        return {"token": token, "expires_at": self.now_ms() + 3600000, "server_ms": self.now_ms(),
                "company": {"code": COMPANY, "name": COMPANY_NAME, "id": COMPANY_ID},
                "operator": {"id": id_text(1), "login": OPERATOR, "name": OPERATOR_NAME}}

    def claim(self, body):
        take(body, ("number", "pop_pk", "nonce", "sig", "host_name", "os", "tool_version", "language", "terms_version"),
             ("pow", "terms_at_ms", "rtt"))
        number = body["number"].replace("-", "").replace(" ", "")
        if damm(number) != 0:
            raise Problem(422, "number_mistyped", "The check digit is wrong")
        pk, nonce = unhex(body, "pop_pk", 32), self.use_nonce(body["nonce"])
        if not ref.ed_verify(pk, unhex(body, "sig", 64), ref.pad16("TSK1 claim"), number.encode(), pk, nonce):
            raise Problem(400, "bad_request", "sig is wrong")
        if self.pow_bits:
            work = unhex(body, "pow", 8) if body.get("pow") else None
            got = ref.sha256(ref.pad16("TSK1 pow"), nonce, number.encode(), pk, work) if work else b"\xff" * 32
            if int.from_bytes(got, "big") >> (256 - self.pow_bits):
                raise Problem(428, "pow_needed", "Work is needed", pow_bits=self.pow_bits)
        elif "pow" in body:
            raise Problem(400, "bad_request", "pow was not asked for")
        with self.lock:
            s = next((s for s in self.sessions.values() if s["number"] == number and s["state"] in ("issued", "waiting")), None)
            c = next((c for c in self.claims.values() if c["pk"] == pk), None)
            if not s and not c:
                raise Problem(404, "number_unknown", "The number is unknown or no longer good")
            if not c:
                n = self.new_id()
                c = {"id": n, "pk": pk, "token": f"c.{id_text(n)}.{secrets.token_hex(32)}", "session": s, "state": "pending",
                     "claimed_at": self.now_ms(), **{f: body[f] for f in ("host_name", "os", "tool_version", "language")},
                     "rtt": body.get("rtt")}
                self.claims[n] = c
                s["state"] = "waiting"
                self.changed(s)
        return {"claim": id_text(c["id"]), "token": c["token"], "company": COMPANY_NAME, "server_ms": self.now_ms(),
                "expires_at": self.now_ms() + FORGET_S * 1000}

    def renew(self, body):
        take(body, ("session", "role", "slot", "nonce", "sig"))
        s = self.sessions.get(id_number(body["session"]))
        nonce, role, slot = self.use_nonce(body["nonce"]), body["role"], body["slot"]
        pk = s and (s["host_pk"] if role == HOST else s["viewer_pk"])
        if not s or s["state"] == "ended":
            raise Problem(403, "session_over", "The session is over")
        if not ref.ed_verify(pk, unhex(body, "sig", 64), ref.pad16("TSK1 renew"),
                             struct.pack(">QBB", s["id"], role, slot), nonce):
            raise Problem(403, "session_over", "The session is over")
        self.renewed += 1
        return {"ticket": self.ticket(s, role, slot, pk).hex(), "server_ms": self.now_ms()}

    def operator_route(self, login, method, path, query, body):
        parts = path.split("/")[2:]
        if (method, path) == ("POST", "/v1/logout"):
            with self.lock:
                del self.logins[login["id"]]
            return {}
        if (method, path) == ("POST", "/v1/sessions"):
            return self.issue(take(body, ("request",), ("customer", "reason", "ticket_no")))
        if (method, path) == ("GET", "/v1/sessions"):
            limit = int(query.get("limit", ["20"])[0])
            with self.lock:
                newest = sorted(self.sessions.values(), key=lambda s: -s["id"])[:limit]
                return {"sessions": [self.session_object(s) for s in newest], "next": None}
        s = self.sessions.get(id_number(parts[1])) if len(parts) >= 2 and parts[0] == "sessions" else None
        if not s:
            raise Problem(404, "not_there", "There is no such session")
        action = parts[2] if len(parts) > 2 else ""
        with self.lock:
            return self.session_action(s, method, action, body)

    def session_action(self, s, method, action, body):
        if method == "GET" and not action:
            return self.session_object(s)
        if action == "device" and method == "PUT":
            s["device"] = take(body, ("info",))["info"]
            return {"stored": True}
        if action == "cancel":
            if s["state"] not in ("issued", "waiting"):
                raise Problem(409, "wrong_state", "The session has begun, or is over")
            self.finish(s, "cancelled")
            return self.session_object(s)
        if action == "answer":
            return self.answer(s, take(body, ("claim", "pop_pk"), ("rtt",)))
        if action == "refuse":
            self.claims[id_number(body["claim"])]["state"] = "refused"
            s["state"] = "issued"
            self.changed(s)
            return self.session_object(s)
        if action == "events":
            return self.store_events(s, body)
        if action == "end":
            figures = ("bytes_in", "bytes_out", "rtt_p50_us", "rtt_p95_us", "relay", "verified", "recorded")
            take(body, ("reason",), ("text", *figures))
            if body["reason"] not in ("operator", "lost", "timeout", "error"):
                raise Problem(400, "bad_request", "reason")
            s["operator_end"] = body
            self.finish(s, body["reason"])
            return self.session_object(s)
        if action == "result":
            s.update(take(body, ("result",), ("note",)))
            self.changed(s)
            return self.session_object(s)
        raise Problem(404, "not_there", "There is no such thing")

    def issue(self, body):
        request = unhex(body, "request", 16)
        with self.lock:
            s = next((s for s in self.sessions.values() if s["request"] == request), None)
            if not s:
                digits = "".join(str(secrets.randbelow(10)) for _ in range(8))
                n = self.new_id()
                s = {"id": n, "request": request, "number": digits + str(damm(digits)), "state": "issued", "events": [],
                     "keys": set(), "issued_at": self.now_ms(), "expires_at": self.now_ms() + FORGET_S * 1000,
                     **{f: body.get(f) for f in ("customer", "reason", "ticket_no")}}
                self.sessions[n] = s
                self.changed(s)
            return self.session_object(s)

    def answer(self, s, body):
        c = self.claims.get(id_number(body["claim"]))
        if not c or c["session"] is not s or c["state"] not in ("pending", "answered") or s["state"] == "ended":
            raise Problem(409, "wrong_state", "That customer has gone")
        s.update(viewer_pk=unhex(body, "pop_pk", 32), host_pk=c["pk"], state="active", answered_at=self.now_ms(),
                 operator_rtt=body.get("rtt"))
        c["state"] = "answered"
        self.changed(s)
        return {"session": self.session_object(s), "grant": self.grant(s, VIEWER)}

    def store_events(self, s, body):
        stored = 0
        for e in take(body, ("events",))["events"]:
            take(e, ("key", "kind", "at_ms"), ("detail",))
            unhex(e, "key", 8)
            if abs(e["at_ms"] - self.now_ms()) > 600000:
                raise Problem(400, "bad_request", "at_ms")
            if e["key"] not in s["keys"]:
                s["keys"].add(e["key"])
                s["events"].append(e)
                stored += 1
        self.lock.notify_all()
        return {"stored": stored}

    def finish(self, s, reason):
        if s["state"] == "ended":
            return
        s.update(state="ended", ended_at=self.now_ms(), end_reason=reason)
        for c in self.claims.values():
            if c["session"] is s and c["state"] in ("pending", "answered"):
                c["state"] = "over"
        self.changed(s)

    def claim_route(self, c, method, path, body):
        parts = path.split("/")[2:]
        if len(parts) < 2 or parts[0] != "claims" or id_number(parts[1]) != c["id"]:
            raise Problem(404, "not_there", "There is no such claim")
        action = parts[2] if len(parts) > 2 else ""
        with self.lock:
            if method == "POST" and action == "events":
                return self.store_events(c["session"], body)
            if method == "POST" and action == "withdraw":
                c["state"] = "withdrawn"
                self.changed(c["session"])
            elif method == "POST" and action == "end":
                if body["reason"] not in ("customer", "lost", "timeout", "error"):
                    raise Problem(400, "bad_request", "reason")
                c["session"]["customer_end"] = body
                self.finish(c["session"], body["reason"])
            return self.claim_object(c)


class Door:
    """One server process's worth of sockets."""

    def __init__(self, manager, number, port=None):
        self.manager, self.number = manager, number
        self.port = port or free_port()
        self.name = f"manager{number + 1}.tasuki.test"
        self.url, self.address = f"https://{self.name}", f"127.0.0.1:{self.port}"
        crt, key = manager.rig.make_cert(self.name)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.load_cert_chain(crt, key)
        self.sockets, self.is_closed, self.listener = set(), False, None
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.door = self
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        if self.is_closed:
            return
        self.is_closed = True
        self.server.shutdown()
        self.server.server_close()
        for s in list(self.sockets):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        with self.manager.lock:
            self.manager.lock.notify_all()


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass  # clients that go away in the middle are what the tests are about


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.door = self.server.door
        self.raw = self.request
        self.door.sockets.add(self.raw)
        self.request = self.door.tls.wrap_socket(self.request, server_side=True)
        self.door.sockets.add(self.request)
        self.request.settimeout(120)
        super().setup()

    def finish(self):
        try:
            super().finish()
        finally:
            self.door.sockets.discard(self.request)
            self.door.sockets.discard(self.raw)

    def log_message(self, *args):
        pass

    def send(self, status, data, content_type="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def twisted(self, name, value):
        fn = self.door.manager.twist.get(name)
        value = fn(value) if fn else value
        return value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else json.dumps(value).encode()

    def answer(self):
        m = self.door.manager
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        target = urllib.parse.urlsplit(self.path)
        try:
            body = json.loads(raw) if raw else None
            with m.lock:
                m.requests.append((self.door.number, self.command, self.path, body))
            result = m.open_route(self.command, target.path, body)
            if result is None:
                owner = m.check_signature(self.command, self.path, self.headers.get("Authorization"), raw)
                if target.path.endswith("/stream"):
                    self.stream(owner, urllib.parse.parse_qs(target.query))
                    return
                if "session" in owner:
                    result = m.claim_route(owner, self.command, target.path, body)
                else:
                    result = m.operator_route(owner, self.command, target.path, urllib.parse.parse_qs(target.query), body)
            self.send(200, self.twisted(target.path.rsplit("/", 1)[-1], result))
        except Problem as p:
            data = {"type": "about:blank", "title": "", "status": p.status, "code": p.code, "detail": p.detail, **p.more}
            self.send(p.status, json.dumps(data).encode(), "application/problem+json")

    do_GET = do_POST = do_PUT = answer

    def event(self, name, data, number=None):
        text = (f"id: e:{number}/x\n" if number is not None else "") + f"event: {name}\ndata: "
        data = text.encode() + data + b"\n\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def stream(self, owner, query):
        m = self.door.manager
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if "session" in owner:
            self.claim_stream(owner)
        else:
            after = query.get("after", [None])[0]
            self.operator_stream(owner, int(after[2:-2]) if after else None)
        self.wfile.write(b"0\r\n\r\n")

    def operator_stream(self, owner, after):
        m = self.door.manager
        with m.lock:
            at = len(m.changes)
            ids = [i for n, i in m.changes if n > after] if after is not None else [
                s["id"] for s in m.sessions.values() if s["state"] != "ended"]
            first = [m.session_object(m.sessions[i]) for i in dict.fromkeys(ids)]
        for data in first:
            self.event("session", self.twisted("stream", data), at)
        self.event("ready", json.dumps({"server_ms": m.now_ms()}).encode(), at)
        while not self.door.is_closed:
            with m.lock:
                if len(m.changes) == at and owner["id"] in m.logins:
                    m.lock.wait(1)
                new, is_out = m.changes[at:], owner["id"] not in m.logins
                datas = [(n, m.session_object(m.sessions[i])) for n, i in new]
            for n, data in datas:
                at = n
                self.event("session", self.twisted("stream", data), n)
            if is_out:
                self.event("logout", b'{"code":"frozen"}')
                return

    def claim_stream(self, c):
        m = self.door.manager
        last = None
        while not self.door.is_closed:
            with m.lock:
                if last == c["state"]:
                    m.lock.wait(1)
                if last == c["state"]:
                    continue
                last, data = c["state"], m.claim_object(c)
            self.event("claim", self.twisted("claim", data))
