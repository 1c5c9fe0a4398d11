"""What the tests of the HTTP server share: a running http_server, peers by curl and by hand."""

import json
import os
import socket
import ssl
import struct
import subprocess
import threading

from rig import Failed, Program, free_port, until

NAME = "site.tasuki.test"
VERSIONS = ("--http1.1", "--http2")
MEBI = 1024 * 1024
PATIENCE_S = 10  # a sanitizer's build is slower than what the deadlines are judged by


class Reply:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        self.version, self.status = words[0], int(words[1])
        self.headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                assert name.lower() not in self.headers, f"{name} twice"
                self.headers[name.lower()] = value.strip()
        self.body = body

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    def problem(self, status, code):
        """A refusal as all of them have to be."""
        assert self.status == status, (self.status, self.body)
        assert self.headers["content-type"] == "application/problem+json", self.headers
        problem = self.json()
        assert problem["status"] == status and problem["code"] == code and problem["detail"] and problem["type"] == "about:blank", problem
        return self


class Site:
    """A running http_server with a TLS and a plain listener."""

    def __init__(self, rig, *limits, client_ca=None, file=None, redirect=False):
        self.rig = rig
        self.crt, self.key = rig.make_cert(NAME)
        self.tls_port, self.port, self.redirect_port = free_port(), free_port(), free_port()
        argv = [rig.exe("http_server", os.path.join("tests", "e2e")), *limits, f"--file={file}",
                "--listen", f"127.0.0.1:{self.tls_port}", self.crt, self.key, *([client_ca] if client_ca else []),
                "--listen", f"127.0.0.1:{self.port}"]
        if redirect:
            argv += ["--redirect", f"127.0.0.1:{self.redirect_port}"]
        self.program = Program(rig, "http_server", argv)
        self.program.wait("ready")

    def url(self, path, tls=True):
        return f"https://{NAME}:{self.tls_port}{path}" if tls else f"http://127.0.0.1:{self.port}{path}"

    def curl_argv(self, version, path, *args, tls=True):
        return ["curl", "-s", "-S", "-i", "-N", version, "--path-as-is", "--cacert", self.rig.path("ca.pem"), "--connect-to",
                f"{NAME}:{self.tls_port}:127.0.0.1:{self.tls_port}", self.url(path, tls), *args]

    def curl(self, version, path, *args, tls=True, data=None):
        done = subprocess.run(self.curl_argv(version, path, *args, tls=tls), input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120)
        if done.returncode != 0:
            raise Failed(f"curl {version} {path}: {done.returncode} {done.stderr.decode()}\n{self.program.tail()}")
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        return Reply(head, body)

    def connect(self, tls=False, alpn=("http/1.1",), rcvbuf=None, cert=None, source=None):
        s = socket.socket()
        if source:
            s.bind((source, 0))
        if rcvbuf:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        s.settimeout(60)
        s.connect(("127.0.0.1", self.tls_port if tls else self.port))
        if not tls:
            return s
        context = ssl.create_default_context(cafile=self.rig.path("ca.pem"))
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if cert:
            context.load_cert_chain(*cert)
        return context.wrap_socket(s, server_hostname=NAME)

    def stats(self):
        return self.program.ask("stats", "stats")

    def quiet(self):
        """Every connection has gone, and nothing is counted twice or forgotten."""
        until("all connections are gone", lambda: self.stats()["connections"] == 0)
        stats = self.stats()
        assert stats["streams"] == 0 and stats["queued"] == 0 and stats["held_bytes"] == 0, stats

    def stop(self):
        got = self.program.ask("stop", "stopped")
        assert got["threads"] == 0 and self.program.exit_code() == 0, got
        return got


def read_reply(f, method="GET"):
    """One reply from a binary file over a socket; None: it was closed instead."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = f.readline()
        if not line:
            assert not head, f"cut in its head: {head}"
            return None
        head += line
    reply = Reply(head[:-4], b"")
    if method != "HEAD":
        reply.body = f.read(int(reply.headers.get("content-length", 0)))
    return reply


def ask(site, data, tls=False, method="GET"):
    """Sends bytes on a connection of their own: (the reply, what came after it until the server closed)."""
    with site.connect(tls) as s:
        s.sendall(data)
        with s.makefile("rb") as f:
            reply = read_reply(f, method)
            return reply, f


def is_closed(s, limit=PATIENCE_S):
    """The server closes: what came before."""
    s.settimeout(limit)
    got = b""
    try:
        while True:
            piece = s.recv(65536)
            if not piece:
                return got
            got += piece
    except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
        return got
    except TimeoutError:
        raise Failed(f"still open after {limit} s, got {got[-200:]}") from None


def head(method="GET", path="/tiny", *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


# --- event streams ---


class Listener:
    """curl on an event stream."""

    def __init__(self, site, version, path, tls=True):
        self.proc = subprocess.Popen(site.curl_argv(version, path, tls=tls), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.site = site
        self.head = Reply(self._until_blank(b"\r\n").strip(), b"")

    def _until_blank(self, blank):
        got = b""
        while True:
            line = self.proc.stdout.readline()
            if not line:
                raise Failed(f"the stream ended: {got} {self.proc.stderr.read()}\n{self.site.program.tail()}")
            got += line
            if line == blank:
                return got

    def next(self):
        """The next event's fields; {} for a comment."""
        fields = {}
        for line in self._until_blank(b"\n").decode().splitlines():
            name, colon, value = line.partition(":")
            if name:
                fields[name] = value.strip()
        return fields

    def wait(self, event):
        got = self.next()
        while got == {}:
            got = self.next()
        assert got["event"] == event, got
        return got

    def ended(self):
        rest = self.proc.stdout.read()
        assert self.proc.wait(60) == 0, self.proc.stderr.read()
        return rest

    def close(self):
        self.proc.kill()
        self.proc.communicate()


def listen_later(site, version, path, tls):
    """Its head comes only after what it waits for: made on a thread, got by calling the result."""
    box = []
    t = threading.Thread(target=lambda: box.append(Listener(site, version, path, tls)), daemon=True)
    t.start()

    def get():
        t.join(60)
        return box[0]

    return get


def until_line(f, wanted):
    while True:
        line = f.readline()
        assert line, f"closed before {wanted}"
        if line == wanted:
            return


# --- HTTP/2 by hand ---

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def literal(name, value):
    """A header without the compression of RFC 7541."""
    out = b"\x00"
    for text in (name, value):
        text = text.encode("latin-1")
        if len(text) < 127:
            out += bytes([len(text)])
        else:
            out, rest = out + b"\x7f", len(text) - 127
            while rest >= 128:
                out, rest = out + bytes([rest % 128 + 128]), rest // 128
            out += bytes([rest])
        out += text
    return out


class H2:
    """A peer that sends what it likes."""

    def __init__(self, site, rcvbuf=None, window=65535, source=None):
        self.s = site.connect(True, ["h2"], rcvbuf=rcvbuf, source=source)
        self.data, self.resets, self.goaway, self.status, self.over = {}, {}, None, {}, set()
        self.buffer = b""
        self.acks = self.pongs = 0
        self.s.sendall(PREFACE)
        self.frame(SETTINGS, 0, 0, struct.pack(">HI", 4, window))
        if window > 65535:
            self.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", window - 65535))

    def frame(self, kind, flags, stream, body=b""):
        self.s.sendall(struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body)

    def request(self, stream, path, method="GET", flags=END_STREAM | END_HEADERS, more=()):
        fields = [(":method", method), (":scheme", "https"), (":path", path), (":authority", NAME), *more]
        self.frame(HEADERS, flags, stream, b"".join(literal(n, v) for n, v in fields))

    def read(self):
        """One frame; False: closed."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                piece = self.s.recv(65536)
            except (ConnectionResetError, ssl.SSLEOFError):
                piece = b""
            if not piece:
                return False
            self.buffer += piece
        n = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big")
        body, self.buffer = self.buffer[9:9 + n], self.buffer[9 + n:]
        if kind == SETTINGS:
            self.acks += flags & ACK
            if not flags & ACK:
                self.frame(SETTINGS, ACK, 0)
        elif kind == DATA:
            self.data[stream] = self.data.get(stream, b"") + body
        elif kind == HEADERS:
            self.status.setdefault(stream, body)
        elif kind == RST_STREAM:
            self.resets[stream] = int.from_bytes(body, "big")
        elif kind == PING:
            self.pongs += 1
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(body[4:8], "big")
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.over.add(stream)
        return True

    def until(self, what, is_true):
        while not is_true():
            if not self.read():
                raise Failed(f"closed before {what}: resets {self.resets} goaway {self.goaway} data {self.data}")

    def settle(self):
        self.until("the settings are acknowledged", lambda: self.acks > 0)

    def reply(self, stream):
        self.until(f"stream {stream} is over", lambda: stream in self.over)
        return self.data.get(stream, b"")

    def wait_data(self, stream, end):
        self.until(f"stream {stream} says {end}", lambda: stream in self.over or self.data.get(stream, b"").endswith(end))
        assert self.data.get(stream, b"").endswith(end), (stream, end, self.data)
        return self.data[stream]

    def wait_reset(self, stream):
        self.until(f"stream {stream} is reset", lambda: stream in self.resets)

    def closed(self):
        while self.read():
            pass
        return self.goaway

    def close(self):
        self.s.close()
