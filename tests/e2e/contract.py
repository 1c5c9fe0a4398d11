"""What test_contract.py is made of: docs/openapi.yaml with a validator of our own, the validating proxy, and clients that hold
every answer against it."""

import copy
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import threading

import jsonschema
import yaml

from rig import Failed, Program, free_port, run, until

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SPEC = os.path.join(TOP, "docs", "openapi.yaml")
TOOLS = os.path.join(TOP, "tools", "contract")
METHODS = ("get", "put", "post", "delete", "patch")


# ---- the description ----


class Operation:
    def __init__(self, spec, path, method, shared, raw):
        self.path, self.method, self.raw = path, method.upper(), raw
        self.id = raw["operationId"]
        self.responses = {s: spec.follow(r) for s, r in raw["responses"].items()}
        self.body = spec.follow(raw.get("requestBody") or {})
        self.security = [name for entry in raw["security"] for name in entry]
        self.parameters = [spec.follow(p) for p in shared + raw.get("parameters", [])]

    @property
    def is_stream(self):
        return "text/event-stream" in self.responses["200"]["content"]

    @property
    def is_relays(self):
        return "relay" in self.security


class Spec:
    """The second validator: jsonschema over the schemas of the description."""

    def __init__(self, document):
        self.document = document
        self._resolver = jsonschema.RefResolver("", document)
        self._validators = {}
        self.operations = {}
        for path, item in document["paths"].items():
            for method in METHODS:
                if method in item:
                    o = Operation(self, path, method, item.get("parameters", []), item[method])
                    self.operations[o.id] = o

    @staticmethod
    def load():
        with open(SPEC, encoding="utf-8") as f:
            return yaml.safe_load(f)

    def follow(self, value):
        while isinstance(value, dict) and set(value) == {"$ref"}:
            _, value = self._resolver.resolve(value["$ref"])
        return value

    def _validator(self, schema):
        if id(schema) not in self._validators:
            self._validators[id(schema)] = jsonschema.Draft202012Validator(schema, resolver=self._resolver)
        return self._validators[id(schema)]

    def wrongs(self, schema, value):
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}" for e in self._validator(schema).iter_errors(value)]

    def wrongs_of_answer(self, operation, answer):
        """What is not as described; nothing when all is."""
        described = operation.responses.get(str(answer.status))
        if described is None:
            return [f"status {answer.status} is not described"]
        content_type = answer.headers.get("content-type", "")
        content = described["content"].get(content_type.split(";")[0].strip())
        if content is None:
            return [f"content type {content_type!r} is not described"]
        wrongs = []
        for name, header in described.get("headers", {}).items():
            header, value = self.follow(header), answer.headers.get(name.lower())
            if value is None:
                wrongs += [f"header {name} is missing"] if header.get("required") else []
            else:
                wrongs += self.wrongs(header["schema"], int(value) if value.isdigit() else value)
        is_events = operation.is_stream and answer.status == 200
        return wrongs + self.wrongs_of_content(content, answer.body.decode() if is_events else json.loads(answer.body))

    def wrongs_of_content(self, content, value):
        """Of a body, or of a stream and what is in its events."""
        schema = content["schema"]
        wrongs = self.wrongs(schema, value)
        if "x-events" in schema:
            for name, data in events_of(value):
                wrongs += [f"event {name}: {w}" for w in self.wrongs(schema["x-events"][name], json.loads(data))]
        return wrongs

    def wrongs_of_request(self, operation, params, query, body):
        wrongs = []
        for p in operation.parameters:
            value = params.get(p["name"]) if p["in"] == "path" else query.get(p["name"])
            if value is not None:
                is_number = self.follow(p["schema"])["type"] == "integer"
                wrongs += self.wrongs(p["schema"], int(value) if is_number else value)
        if body is not None:
            wrongs += self.wrongs(operation.body["content"]["application/json"]["schema"], body)
        elif operation.body.get("required"):
            wrongs.append("a body is required")
        return wrongs


def events_of(text):
    """(name, data) of each event of a stream."""
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "data" in fields:
            yield fields["event"], fields["data"]


def crooked(document):
    """The same description, wrong in every answer: no server can hold to it."""
    document = copy.deepcopy(document)
    spec = Spec(document)
    for o in spec.operations.values():
        for status, described in o.responses.items():
            described = copy.deepcopy(described)
            for content in described["content"].values():
                schema = copy.deepcopy(spec.follow(content["schema"]))
                for one in schema.get("oneOf", [schema]):
                    one.update({"pattern": "^no such stream$"} if one["type"] == "string"
                               else {"required": one.get("required", []) + ["no_such_member"]})
                content["schema"] = schema
            o.raw["responses"][status] = described
    return document


def without_security(document):
    """For requests that are not signed on purpose, and for the relays' routes: the proxy knows no mutualTLS."""
    document = copy.deepcopy(document)
    for o in Spec(document).operations.values():
        o.raw["security"] = []
    return document


# ---- the tools ----


_refused = []  # why the tools cannot be had: said again to each test, without trying again


def node_modules(build):
    """Where the linter and the proxy are: installed once per lock file, into the build directory."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise Failed(f"{program} is missing: install the Debian packages nodejs and npm")
    if _refused:
        raise Failed(_refused[0])
    with open(os.path.join(TOOLS, "package-lock.json"), "rb") as f:
        folder = os.path.join(os.path.abspath(build), "contract-" + hashlib.sha256(f.read()).hexdigest()[:16])
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(folder, "complete")):
            _install(folder)
    return os.path.join(folder, "node_modules")


def _install(folder):
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(TOOLS, name), folder)
    argv = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"]
    done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        _refused.append("@redocly/cli and @stoplight/prism-cli are not here and could not be installed: `npm ci` needs a network, "
                        f"once; what it installs is kept in {folder}")
        raise Failed(f"{done.stdout}\n{_refused[0]}")
    with open(os.path.join(folder, "complete"), "w"):
        pass


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {k.lower(): v for k, v in headers}

    def json(self):
        return json.loads(self.body)


class Proxy:
    """prism in front of one listener of the server. Every answer that it passes on was held against the document."""

    def __init__(self, rig, name, document, address, cert=None, checks_requests=True, is_crooked=False):
        path = rig.path(f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as f:
            yaml.safe_dump(document, f, allow_unicode=True)
        host, port = address.rsplit(":", 1)
        self.is_crooked = is_crooked
        self.port = free_port()
        env = dict(os.environ, NODE_EXTRA_CA_CERTS=rig.path("ca.pem"), UPSTREAM=host, NO_COLOR="1")
        env["UPSTREAM_CERT"], env["UPSTREAM_KEY"] = cert or ("", "")
        modules = node_modules(rig.build)
        argv = ["node", "--require", os.path.join(TOOLS, "upstream.cjs"),
                os.path.join(modules, "@stoplight", "prism-cli", "dist", "index.js"), "proxy", path,
                f"https://manager.tasuki.test:{port}", "--host", "127.0.0.1", "--port", str(self.port), "--verboseLevel", "error",
                f"--errors={'false' if is_crooked else 'true'}", f"--validate-request={'true' if checks_requests else 'false'}"]
        self.program = Program(rig, name, argv, env=env, stdin=False)

    def wait(self):
        def is_listening():
            if self.program.proc.poll() is not None:
                raise Failed(f"{self.program.name} ended\n{self.program.tail()}")
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0

        until(f"{self.program.name} listens", is_listening, pause=0.05)

    def ask(self, method, target, headers, body):
        line = http.client.HTTPConnection("127.0.0.1", self.port)
        line.request(method, target, body or None, headers)
        got = line.getresponse()
        answer = Answer(got.status, got.getheaders(), got.read())
        line.close()
        self._check(answer, f"{method} {target[:200]}")
        return answer

    def _check(self, answer, what):
        """A violation that is an error makes a 500 of the proxy's own; one that is a warning stands in this header only."""
        violations = answer.headers.get("sl-violations")
        if self.is_crooked:
            assert violations and '"response"' in violations, f"the proxy let a wrong answer pass: {what}: {answer.body}"
        elif violations or b"stoplight.io/prism" in answer.body:
            raise AssertionError(f"{what}: {answer.status} {violations} {answer.body.decode()[:2000]}")


def relay_cert(service):
    """Of the relay that these tests are."""
    return service.rig.make_cert("relay7.tasuki.test", usage="clientAuth")


class ThroughProxy:
    """HTTP/1.1: client to prism, prism to the server."""

    name = "http1"

    def __init__(self, service, document):
        self.service = service
        self.is_crooked = False
        public, relays, _ = service.addresses[1]
        rig, free, cert = service.rig, without_security(document), relay_cert(service)
        self.proxies = {
            (False, True): Proxy(rig, "prism", document, public),
            (False, False): Proxy(rig, "prism-any", free, public, checks_requests=False),
            (True, True): Proxy(rig, "prism-relays", free, relays, cert),
            (True, False): Proxy(rig, "prism-relays-any", free, relays, cert, checks_requests=False),
        }
        for proxy in self.proxies.values():
            proxy.wait()

    def ask(self, operation, target, headers, body, is_right):
        return self.proxies[operation.is_relays, is_right].ask(operation.method, target, headers, body)

    def ask_raw(self, operation, target, headers, length):
        """What the proxy does not pass on as it is: straight to the server, a head that announces `length` bytes."""
        server = self.service.server(relays=operation.is_relays, cert=relay_cert(self.service) if operation.is_relays else None)
        head = [f"{operation.method} ".encode() + target + b" HTTP/1.1", b"Host: manager.tasuki.test", b"Connection: close",
                f"Content-Length: {length}".encode(), *(f"{k}: {v}".encode() for k, v in headers.items())]
        with socket.create_connection((server.host, server.port)) as plain:
            with server.context.wrap_socket(plain, server_hostname=server.name) as s:
                s.sendall(b"\r\n".join(head) + b"\r\n\r\n")
                got = http.client.HTTPResponse(s)
                got.begin()
                return Answer(got.status, got.getheaders(), got.read())


class ThroughCrookedProxy(ThroughProxy):
    """The same with a description that is wrong everywhere: nothing may pass."""

    def __init__(self, service, document):
        self.service = service
        self.is_crooked = True
        public, relays, _ = service.addresses[1]
        wrong, cert = crooked(without_security(document)), relay_cert(service)
        one = Proxy(service.rig, "prism", wrong, public, checks_requests=False, is_crooked=True)
        other = Proxy(service.rig, "prism-relays", wrong, relays, cert, checks_requests=False, is_crooked=True)
        self.proxies = {(False, True): one, (False, False): one, (True, True): other, (True, False): other}
        for proxy in self.proxies.values():
            proxy.wait()


class OverHttp2:
    """curl to the server itself."""

    name = "http2"

    def __init__(self, service, document):
        del document
        self.service = service
        self.is_crooked = False
        self._lock = threading.Lock()
        self._count = 0

    def ask(self, operation, target, headers, body, is_right):
        del is_right
        return self._curl(operation, target.encode(), headers, body)

    def ask_raw(self, operation, target, headers, length):
        return self._curl(operation, target, headers, b" " * length)

    def _curl(self, operation, target, headers, body):
        rig = self.service.rig
        with self._lock:
            self._count += 1
            stem = rig.path(f"curl{self._count}")
        address = self.service.addresses[1][1 if operation.is_relays else 0]
        host, port = address.rsplit(":", 1)
        argv = ["curl", "--silent", "--show-error", "--http2", "--tlsv1.3", "--noproxy", "*", "--cacert", rig.path("ca.pem"),
                "--resolve", f"manager.tasuki.test:{port}:{host}", "--output", stem, "--dump-header", stem + ".head",
                "--request", operation.method, "--request-target", target]
        if operation.is_relays:
            crt, key = relay_cert(self.service)
            argv += ["--cert", crt, "--key", key]
        for name, value in headers.items():
            argv += ["--header", f"{name}: {value}"]
        if body:
            with open(stem + ".body", "wb") as f:
                f.write(body)
            argv += ["--data-binary", "@" + stem + ".body"]
            argv += [] if "content-type" in headers else ["--header", "content-type: application/json"]
        run([*argv, f"https://manager.tasuki.test:{port}/"])
        with open(stem + ".head", "rb") as f:
            lines = f.read().decode().split("\r\n")
        assert lines[0].startswith("HTTP/2 "), lines
        with open(stem, "rb") as f:
            got = f.read()
        return Answer(int(lines[0].split()[1]), [line.split(": ", 1) for line in lines[1:] if ": " in line], got)


# ---- asking ----


def compact(value):
    """As the proxy writes JSON again: signatures are over these bytes."""
    return b"" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Client:
    """Asks by operation, checks every answer against the description, and notes what was seen."""

    def __init__(self, service, transport, document):
        self.service, self.transport = service, transport
        self.spec = Spec(crooked(document) if transport.is_crooked else document)
        self.right = Spec(document)
        self.seen = set()  # (operation id, status)
        self.codes = set()

    def _check(self, operation, answer, status, code):
        what = f"{self.transport.name} {operation.id}: {answer.status} {answer.body.decode()[:1500]}"
        wrongs = self.spec.wrongs_of_answer(operation, answer)
        if self.transport.is_crooked:
            assert wrongs, f"the second validator let a wrong answer pass: {what}"
        else:
            assert not wrongs, f"{what}\n" + "\n".join(wrongs)
        assert answer.status == status, f"{status} wanted: {what}"
        if code:
            assert answer.json()["code"] == code, f"{code} wanted: {what}"
        self.seen.add((operation.id, str(status)))
        self.codes.add((status, code))

    def __call__(self, name, who=None, body=None, status=200, code=None, query="", is_right=None, headers=None, **params):
        """Asks operation `name` (its operationId). who: who signs it. is_right: a request as described."""
        operation = self.spec.operations[name]
        is_right = status not in (400, 401, 415, 422) and code != "absent" if is_right is None else is_right
        if is_right:
            pairs = dict(p.split("=", 1) for p in query.split("&")) if query else {}
            wrongs = self.right.wrongs_of_request(self.right.operations[name], params, pairs, body)
            assert not wrongs, f"{name}: not a request as described: {wrongs}"
        target = operation.path.format(**params) + ("?" + query if query else "")
        data = body if isinstance(body, bytes) else compact(body)
        headers = dict(headers or {})
        if data and "content-type" not in headers:
            headers["content-type"] = "application/json"
        if who and "authorization" not in headers:
            headers["authorization"] = who.authorization(operation.method, target, data)
        answer = self.transport.ask(operation, target, headers, data, is_right)
        self._check(operation, answer, status, code)
        return answer if operation.is_stream and status == 200 else answer.json()

    def raw(self, name, status, code, query=b"", length=0, **params):
        operation = self.spec.operations[name]
        answer = self.transport.ask_raw(operation, operation.path.format(**params).encode() + query, {}, length)
        self._check(operation, answer, status, code)


# ---- trouble for the server ----


class Tables:
    """All tables of a database are out of the way."""

    def __init__(self, path):
        self.path = path

    def _rename(self, old, new):
        db = sqlite3.connect(self.path, timeout=60)
        db.execute("PRAGMA legacy_alter_table = ON")
        names = [n for n, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        with db:
            for name in names:
                if name.endswith(old):
                    db.execute(f"ALTER TABLE \"{name}\" RENAME TO \"{name[:len(name) - len(old)]}{new}\"")
        db.close()

    def __enter__(self):
        self._rename("", "_away")

    def __exit__(self, *_):
        self._rename("_away", "")


class Flood:
    """More requests to a route that is limited than it takes, for as long as wanted."""

    AT_ONCE = 100
    REQUEST = b"GET /v1/keyset HTTP/1.1\r\nHost: manager.tasuki.test\r\n\r\n"
    BEGIN = b"HTTP/1.1 "

    def __init__(self, server):
        self._server = server
        self._is_over = threading.Event()
        self._has_begun = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        server = self._server
        while not self._is_over.is_set():
            with socket.create_connection((server.host, server.port)) as plain:
                with server.context.wrap_socket(plain, server_hostname=server.name) as s:
                    while not self._is_over.is_set() and self._burst(s):
                        self._has_begun.set()

    def _burst(self, s):
        """False: the server closed the connection."""
        s.sendall(self.REQUEST * self.AT_ONCE)
        answers, rest = 0, b""
        while answers < self.AT_ONCE:
            got = s.recv(65536)
            if not got:
                return False
            rest += got
            answers += rest.count(self.BEGIN)
            rest = rest[-len(self.BEGIN) + 1:]
        return True

    def __enter__(self):
        self._thread.start()
        self._has_begun.wait()

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()


def fill(path):
    """Takes all the room that is left."""
    with open(path, "wb", buffering=0) as f:
        size = 1 << 20
        while size:
            try:
                f.write(bytes(size))
            except OSError:
                size //= 2
