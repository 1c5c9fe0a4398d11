"""The management server's API for tests: an operator's and a customer's side in python, sharing no code with the tools."""

import hashlib
import http.client
import json
import os
import socket
import ssl
import struct
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def pad16(domain):
    return domain.encode().ljust(16, b"\0")


class Key:
    def __init__(self):
        self.sk = Ed25519PrivateKey.generate()
        self.pk = self.sk.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    def sign(self, domain, *parts):
        return self.sk.sign(pad16(domain) + b"".join(parts))


class Refused(Exception):
    """An answer that is a problem."""

    def __init__(self, status, problem, headers):
        super().__init__(f"{status} {problem}")
        self.status, self.problem, self.headers = status, problem, headers
        self.code = problem.get("code") if isinstance(problem, dict) else None


class Line(http.client.HTTPSConnection):
    """One kept connection to an address, whatever the server's name; optionally from a source address."""

    def __init__(self, server, source=None, timeout=60):
        self._server = server
        super().__init__(server.name, server.port, context=server.context, timeout=timeout)
        self._from = (source, 0) if source else None

    def connect(self):
        sock = socket.create_connection((self._server.host, self._server.port), self.timeout, self._from)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._server.context.wrap_socket(sock, server_hostname=self._server.name)


class Server:
    """Where a management server is."""

    def __init__(self, address, name, ca, cert=None):
        self.host, port = address.rsplit(":", 1)
        self.port, self.name = int(port), name
        self.context = ssl.create_default_context(cafile=ca)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        if cert:
            self.context.load_cert_chain(*cert)


class Api:
    """Calls on one kept connection per thread; made anew when it broke, and then tried once more."""

    def __init__(self, *servers, source=None):
        self.servers = list(servers)
        self.source = source
        self.token = self.key = None
        self.clock = 0  # server's minus ours, ms
        self._local = threading.local()

    def now(self):
        return int(time.time() * 1000) + self.clock

    def line(self):
        line = getattr(self._local, "line", None)
        if line is None:
            line = self._local.line = Line(self.servers[0], self.source)
        return line

    def drop(self):
        if getattr(self._local, "line", None):
            self._local.line.close()
            self._local.line = None

    def authorization(self, method, target, body):
        ms = self.now()
        sig = self.key.sign("TSK1 request", f"{method}\n{target}\n{ms}\n".encode(), hashlib.sha256(body).digest())
        return f"TSK1 {self.token} {ms} {sig.hex()}"

    def raw(self, method, target, body=b"", headers=None, signed=None):
        """(status, headers, body) of one exchange; network errors are raised."""
        headers = dict(headers or {})
        if body and "content-type" not in headers:
            headers["content-type"] = "application/json"
        if signed or (signed is None and self.token):
            headers["authorization"] = self.authorization(method, target, body)
        line = self.line()
        try:
            line.request(method, target, body or None, headers)
            answer = line.getresponse()
            data = answer.read()
        except Exception:
            self.drop()
            raise
        if answer.will_close:
            self.drop()
        return answer.status, answer.headers, data

    def call(self, method, target, body=None, signed=None):
        """The answer's JSON. Refused: it was a problem."""
        data = b"" if body is None else json.dumps(body).encode()
        try:
            status, headers, got = self.raw(method, target, data, signed=signed)
        except (http.client.RemoteDisconnected, http.client.BadStatusLine, ConnectionError, BrokenPipeError):
            status, headers, got = self.raw(method, target, data, signed=signed)
        parsed = json.loads(got) if got else None
        if status >= 400:
            raise Refused(status, parsed, headers)
        return parsed

    def get(self, target, **kw):
        return self.call("GET", target, **kw)

    def post(self, target, body=None, **kw):
        return self.call("POST", target, {} if body is None else body, **kw)

    def nonce(self):
        got = self.post("/v1/nonce", signed=False)
        self.clock = got["server_ms"] - int(time.time() * 1000)
        return bytes.fromhex(got["nonce"]), got["pow_bits"]

    def stream(self, target):
        """Events of a stream as (id, event, data), until it ends. Blocks."""
        line = Line(self.servers[0], self.source, timeout=None)
        line.request("GET", target, headers={"authorization": self.authorization("GET", target, b"")})
        answer = line.getresponse()
        if answer.status != 200:
            raise Refused(answer.status, json.loads(answer.read()), answer.headers)
        return Stream(line, answer)


class Stream:
    """is_repeat: the last event was told before; one that opens while a change is being passed on hears of it twice, which does no harm."""

    def __init__(self, line, answer):
        self.line, self.answer = line, answer
        self.told, self.is_repeat = set(), False

    def __iter__(self):
        event = {}
        while True:
            raw = self.answer.readline()
            if not raw:
                return
            text = raw.decode().rstrip("\r\n")
            if text == "":
                if "data" in event:
                    name, data = event.get("event", "message"), json.loads(event["data"])
                    self._note(name, data)
                    yield event.get("id", ""), name, data
                event = {}
            elif not text.startswith(":"):
                name, _, value = text.partition(":")
                event[name] = value.removeprefix(" ")

    def _note(self, name, data):
        what = name, data.get("rev") or data.get("state")  # of a session, of a claim
        self.is_repeat = what[1] is not None and what in self.told
        self.told.add(what)

    def until(self, event, **fields):
        for ident, name, data in self:
            if name == event and all(data.get(k) == v for k, v in fields.items()):
                return ident, data
        raise AssertionError(f"the stream ended before {event} {fields}")

    def close(self):
        try:
            self.line.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass
        self.line.close()


class Operator(Api):
    def login_body(self, company, ident, password, key=None):
        key = key or Key()
        nonce, _ = self.nonce()
        return key, {"company": company, "id": ident, "password": password, "device_pk": key.pk.hex(), "nonce": nonce.hex(),
                     "sig": key.sign("TSK1 login", nonce, key.pk).hex(), "tool_version": "0.1.0"}

    def login(self, company, ident, password):
        key, body = self.login_body(company, ident, password)
        got = self.post("/v1/login", body, signed=False)
        self.key, self.token = key, got["token"]
        return got

    def issue(self, request=None, **more):
        return self.post("/v1/sessions", {"request": (request or os.urandom(16)).hex(), **more})

    def answer(self, session, claim, key=None):
        key = key or Key()
        return key, self.post(f"/v1/sessions/{session}/answer", {"claim": claim, "pop_pk": key.pk.hex()})


class Customer(Api):
    def claim_body(self, number, bits=None, **more):
        nonce, wanted = self.nonce()
        digits = number.replace("-", "").replace(" ", "").encode()
        body = {"number": number, "pop_pk": self.key.pk.hex(), "nonce": nonce.hex(),
                "sig": self.key.sign("TSK1 claim", digits, self.key.pk, nonce).hex(), "host_name": "PC-7", "os": "Debian 12",
                "tool_version": "0.1.0", "language": "ja", "terms_version": "1", "terms_at_ms": self.now(), **more}
        if wanted if bits is None else bits:
            body["pow"] = self.work(nonce, digits, wanted if bits is None else bits).hex()
        return body

    def work(self, nonce, digits, bits):
        head = pad16("TSK1 pow") + nonce + digits + self.key.pk
        n = 0
        while int.from_bytes(hashlib.sha256(head + struct.pack(">Q", n)).digest()[:4], "big") >> (32 - bits):
            n += 1
        return struct.pack(">Q", n)

    def claim(self, number, **more):
        self.key = self.key or Key()
        got = self.post("/v1/claims", self.claim_body(number, **more), signed=False)
        self.token, self.id = got["token"], got["claim"]
        return got

    def ready(self, host_name="PC-7", system="Debian 12"):
        return self.post(self.mine("/ready"), {"host_name": host_name, "os": system})

    def mine(self, rest=""):
        return f"/v1/claims/{self.id}{rest}"

    def renew(self, session, role=1, slot=0, key=None):
        nonce, _ = self.nonce()
        said = crockford_to_int(session).to_bytes(8, "big") + bytes([role, slot])
        return self.post("/v1/renew", {"session": session, "role": role, "slot": slot, "nonce": nonce.hex(),
                                       "sig": (key or self.key).sign("TSK1 renew", said, nonce).hex()}, signed=False)


def crockford_to_int(text):
    value = 0
    for c in text:
        value = value << 5 | "0123456789abcdefghjkmnpqrstvwxyz".index(c.lower())
    return value


def quote(text):
    return urllib.parse.quote(text, safe="")
