"""The HTTP client (src/http/client.h) against servers and proxies that behave, or do not."""

import base64
import http.server
import json
import os
import socket
import socketserver
import ssl
import struct
import threading
import time

from rig import Program, free_port, main, run

ADDRESS = "127.0.0.1"
NAME = "manager.tasuki.test"


class Site(http.server.ThreadingHTTPServer):
    """An https server on a free port. `seen`: (method, path, headers, body) of what came."""

    daemon_threads = True

    def __init__(self, rig, name=NAME, client_ca=None, tls=None):
        super().__init__((ADDRESS, 0), Handler)
        self.seen, self.connections, self.go = [], 0, threading.Event()
        crt, key = rig.make_cert(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, key)
        if tls:
            context.maximum_version = tls
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        self.context = context
        self.where = "%s:%d" % self.server_address
        self.url = f"https://{NAME}:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        try:
            with self.context.wrap_socket(request, server_side=True) as tls:
                self.connections += 1
                self.RequestHandlerClass(tls, client_address, self)
        except OSError:
            pass

    def handle_error(self, request, client_address):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status=200, body=b"", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def stream(self, kind="text/event-stream"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        getattr(self, "on_" + self.path.strip("/").split("?")[0])()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = any

    def on_good(self):
        self.answer(200, b'{"good":true}', Content_Type="application/json")

    def on_absent(self):
        self.answer(404, b'{"code":"absent"}', Content_Type="application/problem+json")

    def on_busy(self):
        self.answer(503, b"later", Retry_After="7")

    def on_moved(self):
        self.answer(302, b"", Location=self.server.url + "/good")

    def on_silent(self):
        self.server.go.wait(60)

    def on_large(self):
        self.answer(200, b"x" * (4 * 1024 * 1024))

    def on_too_large(self):
        self.answer(200, b"x" * (4 * 1024 * 1024 + 1))

    def on_endless(self):
        self.stream("application/json")
        while True:
            self.chunk(b"x" * 65536)

    def on_headers(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"x-more: and more\r\n" * 100000)

    def on_cut(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def on_events(self):
        self.stream()
        for part in (b": hello\n\n", b"id: 1\nevent: kill\ndata: {}\n\n", b"data: a\r\ndata: b\r\n\r\n", b"data: sp", b"lit\n",
                     b"\n", b"\xef\xbb\xbfid: odd\n\n", b"id: 2\ndata\n\n"):
            self.chunk(part)
        self.chunk(b"")

    def on_dying(self):
        self.stream()
        self.chunk(b"data: one\n\ndata: unfin")
        self.close_connection = True

    def on_alive(self):
        """Comments for a while, then silence."""
        self.stream()
        for _ in range(6):
            self.chunk(b":\n")
            self.server.go.wait(0.25)
        self.chunk(b"data: still here\n\n")
        self.server.go.wait(60)

    def on_large_event(self):
        self.stream()
        self.chunk(b"data: " + b"x" * (1024 * 1024 - 6) + b"\n\n")
        self.chunk(b"data: " + b"x" * (512 * 1024) + b"\ndata: " + b"x" * (512 * 1024) + b"\n\n")
        self.chunk(b"")

    def on_flood(self):
        self.stream()
        for i in range(20000):
            self.chunk(b"data: %d\n\n" % i)
        self.chunk(b"")

    def on_no_stream(self):
        self.answer(200, b"<html>", Content_Type="text/html")


class Raw(Site):
    """Answers with the bytes that script(n, path) gives for the n-th request, from 0; None: no word, and the end. `ends`: after
    how many requests it hangs up; `farewell`: with close_notify."""

    def __init__(self, rig, script, ends=None, farewell=True, **kw):
        self.script, self.ends, self.farewell = script, ends, farewell
        super().__init__(rig, **kw)

    def finish_request(self, request, client_address):
        try:
            tls = self.context.wrap_socket(request, server_side=True)
        except OSError:
            return
        self.connections += 1
        try:
            self.talk(tls)
        except OSError:
            pass
        tls.close()

    def talk(self, tls):
        reader = tls.makefile("rb")
        served = 0
        while served != self.ends and (line := reader.readline()):
            served += 1
            while reader.readline().strip():
                pass
            answer = self.script(len(self.seen), line.split()[1].decode())
            self.seen.append(line)
            if answer is None:
                return
            tls.sendall(answer)
        if self.farewell:
            tls.unwrap()


class Proxy(socketserver.ThreadingTCPServer):
    """Speaks CONNECT only; `routes`: where names lead. `wants`: "user:password"."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, routes, wants=None):
        super().__init__((ADDRESS, 0), ProxyHandler)
        self.routes, self.wants, self.seen = routes, wants, []
        self.where = "%s:%d" % self.server_address
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass


def carry(a, b):
    try:
        while (data := a.recv(65536)):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def carry_both(a, b):
    back = threading.Thread(target=carry, args=(b, a), daemon=True)
    back.start()
    carry(a, b)
    back.join()


class ProxyHandler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode().split()
        headers = {}
        while (text := self.rfile.readline().decode().strip()):
            name, value = text.split(":", 1)
            headers[name.lower()] = value.strip()
        server = self.server
        server.seen.append((line[0], line[1], headers))
        wanted = server.wants and "Basic " + base64.b64encode(server.wants.encode()).decode()
        if wanted and headers.get("proxy-authorization") != wanted:
            self.wfile.write(b"HTTP/1.1 407 who are you\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
            return
        if line[0] != "CONNECT" or line[1] not in server.routes:
            self.wfile.write(b"HTTP/1.1 403 not there\r\nContent-Length: 0\r\n\r\n")
            return
        host, port = server.routes[line[1]].rsplit(":", 1)
        with socket.create_connection((host, int(port))) as other:
            self.wfile.write(b"HTTP/1.1 200 go on\r\n\r\n")
            carry_both(self.connection, other)


class NtlmProxy(Proxy):
    """Lets in who goes through NTLM's three messages and gives the right name (nothing here can check the proof)."""

    def __init__(self, routes, user):
        self.user = user
        super().__init__(routes)
        self.RequestHandlerClass = NtlmHandler


class NtlmHandler(socketserver.StreamRequestHandler):
    def refuse(self, challenge):
        self.wfile.write(b"HTTP/1.1 407 who are you\r\nProxy-Authenticate: %s\r\nContent-Length: 0\r\n\r\n" % challenge)

    def handle(self):
        while (line := self.rfile.readline().decode().split()):
            auth = ""
            while (text := self.rfile.readline().decode().strip()):
                name, value = text.split(":", 1)
                auth = value.strip() if name.lower() == "proxy-authorization" else auth
            self.server.seen.append((line[0], line[1], auth))
            message = base64.b64decode(auth[5:]) if auth.startswith("NTLM ") else b""
            if message[8:9] == b"\1":
                target = "TASUKI".encode("utf-16-le")
                self.refuse(b"NTLM " + base64.b64encode(b"NTLMSSP\0\2\0\0\0" + struct.pack("<HHII", len(target), len(target), 48, 0x80201)
                                                       + b"\1" * 8 + bytes(8) + struct.pack("<HHI", 0, 0, 48 + len(target)) + target))
            elif message[8:9] == b"\3":
                length, _, at = struct.unpack("<HHI", message[36:44])
                if message[at:at + length] not in (self.server.user.encode("utf-16-le"), self.server.user.encode()):
                    self.refuse(b"NTLM")
                    return
                host, port = self.server.routes[line[1]].rsplit(":", 1)
                with socket.create_connection((host, int(port))) as other:
                    self.wfile.write(b"HTTP/1.1 200 go on\r\n\r\n")
                    carry_both(self.connection, other)
                return
            else:
                self.refuse(b"Negotiate\r\nProxy-Authenticate: NTLM" if self.server.user == "nobody" else b"NTLM")


class SocksHandler(socketserver.StreamRequestHandler):
    """SOCKS 5 with names, without a password (RFC 1928)."""

    def handle(self):
        self.rfile.read(self.rfile.read(2)[1])
        self.wfile.write(b"\5\0")
        _, _, _, kind = self.rfile.read(4)
        name = self.rfile.read(self.rfile.read(1)[0]).decode() if kind == 3 else None
        port, = struct.unpack(">H", self.rfile.read(2))
        self.server.seen.append((name, port))
        host, port = self.server.routes[f"{name}:{port}"].rsplit(":", 1)
        with socket.create_connection((host, int(port))) as other:
            self.wfile.write(b"\5\0\0\1" + bytes(6))
            carry_both(self.connection, other)


class Driver(Program):
    def __init__(self, rig, *options, env=None, within=()):
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        clean.update(env or {})
        super().__init__(rig, f"driver{len(rig.programs)}", [*within, rig.exe("http_driver", "tests/e2e")], env=clean)
        self.n = 0
        self.made = self.ask_("client " + " ".join(options) if options else "client", "client")

    def ask_(self, line, event, **fields):
        self.say(line)
        return self.wait(event, **fields)

    def start(self, site, path, method="GET", ms=0, auth="-", body="-", url=None, address=None):
        self.n += 1
        name = f"q{self.n}"
        self.say(f"ask {name} {method} {url or site.url}{path} {address or site.where} {ms} {auth} {body}")
        return name

    def get(self, site, path, *args, **kw):
        return self.wait("answer", name=self.start(site, path, *args, **kw))

    def listen(self, site, path, ms=0):
        self.n += 1
        name = f"q{self.n}"
        self.say(f"listen {name} {site.url}{path} {site.where} {ms}")
        return name

    def finish(self):
        """Ends well: no leak, no error that a sanitizer saw."""
        self.proc.stdin.close()
        assert self.exit_code() == 0, self.tail()


def driver(rig, *options, **kw):
    rig.make_ca()
    return Driver(rig, f"ca={rig.path('ca.pem')}", *options, **kw)


def answers_come_whatever_their_status(rig):
    site, d = Site(rig), driver(rig)
    a = d.get(site, "/good")
    assert (a["err"], a["status"], a["body"], a["type"], a["why"]) == ("OK", 200, '{"good":true}', "application/json", ""), a
    assert a["connect_us"] > 0 and a["retry"] == -1, a
    a = d.get(site, "/absent")
    assert (a["err"], a["status"], a["body"]) == ("OK", 404, '{"code":"absent"}'), a
    assert a["connect_us"] == 0 and site.connections == 1, "the connection was not kept"
    a = d.get(site, "/busy")
    assert (a["status"], a["retry"]) == (503, 7), a
    a = d.get(site, "/moved")
    assert (a["err"], a["status"]) == ("OK", 302) and len(site.seen) == 4, "a redirect was followed"
    d.finish()


def requests_are_what_was_asked(rig):
    site, d = Site(rig), driver(rig)
    for method, body in (("POST", '{"a":1}'), ("POST", "-"), ("PUT", "{}"), ("DELETE", "-"), ("DELETE", "{}"), ("PATCH", "{}"),
                         ("HEAD", "-"), ("GET", "-")):
        a = d.get(site, "/good", method=method, body=body, auth="Tasuki-1")
        assert (a["err"], a["status"]) == ("OK", 200), (method, a)
        seen_method, path, headers, seen_body = site.seen[-1]
        assert (seen_method, path) == (method, "/good")
        assert seen_body == (b"" if body == "-" else body.encode()), (method, seen_body)
        assert headers.get("Content-Type") == (None if body == "-" else "application/json"), (method, headers)
        assert headers["Authorization"] == "Tasuki-1" and headers["User-Agent"] == "http-driver/1", headers
        assert "Expect" not in headers and "Accept-Encoding" not in headers, headers
        assert headers["Host"] == site.url[len("https://"):], headers
    large = '"' + "y" * 300000 + '"'
    d.get(site, "/good", method="POST", body=large)
    assert site.seen[-1][3] == large.encode()
    assert site.connections == 1, site.connections
    d.finish()


def nobody_else_is_trusted(rig):
    site, d = Site(rig), driver(rig)
    other = Site(rig, name="other.tasuki.test")
    a = d.get(other, "/good")
    assert a["err"] == "AUTH" and "made out to another name" in a["why"], a
    wrong = rig.path("wrong.pem")
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=wrong",
         "-keyout", rig.path("wrong.key"), "-out", wrong])
    for option in (f"ca={wrong}", f"ca_pem={wrong}", "proxy="):
        e = Driver(rig, option)
        a = e.get(site, "/good")
        assert a["err"] == "AUTH" and "not trusted" in a["why"] and NAME in a["why"], a
        e.finish()
    e = Driver(rig, f"ca_pem={rig.path('ca.pem')}")
    assert e.get(site, "/good")["err"] == "OK"
    e.finish()
    old = Site(rig, tls=ssl.TLSVersion.TLSv1_2)
    a = d.get(old, "/good")
    assert a["err"] == "IO" and "TLS 1.3" in a["why"], a
    assert not other.seen and not old.seen
    d.finish()


def the_systems_authorities_do_not_count_beside_ours(rig):
    """libcurl goes on looking into the folder of the system's when the file is replaced."""
    site = Site(rig)
    folder = rig.path("certs")
    os.makedirs(folder)
    hashed = run(["openssl", "x509", "-noout", "-hash", "-in", rig.path("ca.pem")]).strip()
    os.symlink(rig.path("ca.pem"), os.path.join(folder, hashed + ".0"))
    wrong = rig.path("wrong.pem")
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=wrong",
         "-keyout", rig.path("wrong.key"), "-out", wrong])
    d = Driver(rig, f"ca={wrong}", env={"SSL_CERT_DIR": folder, "SSL_CERT_FILE": rig.path("ca.pem")})
    assert d.get(site, "/good")["err"] == "AUTH"
    d.finish()


def the_systems_authorities_are_found_on_other_systems(rig):
    """Where OpenSSL was built to look there is nothing; the distribution keeps them elsewhere."""
    rig.make_ca()
    site = Site(rig)
    for place, err in (("certs/ca-certificates.crt", "OK"), ("ca-bundle.pem", "OK"), ("cert.pem", "OK"), ("nothing.pem", "AUTH")):
        d = Driver(rig, within=["unshare", "--mount", "--propagation", "private", "sh", "-ec",
                                'mount -t tmpfs none /etc/ssl; mkdir /etc/ssl/certs; cp "$0" /etc/ssl/"$1"; rmdir /etc/ssl/certs 2>&1 || :; '
                                'exec "$2"', rig.path("ca.pem"), place])
        a = d.get(site, "/good")
        assert a["err"] == err, (place, a)
        d.finish()


def a_certificate_of_ours_is_shown_when_asked_for(rig):
    rig.make_ca()
    site = Site(rig, client_ca=rig.path("ca.pem"))
    crt, key = client_cert(rig, "relay1.tasuki.test")
    d = driver(rig, f"certificate={crt}", f"private_key={key}")
    os.unlink(key)  # it was read at the start: a process that has given up its rights could not now
    assert d.get(site, "/good")["err"] == "OK"
    d.finish()
    d = driver(rig)
    a = d.get(site, "/good")
    assert a["err"] == "IO" and "our certificate" in a["why"], a
    d.finish()
    for option, what in (("ca=/nowhere.pem", "No such file"), (f"ca={__file__}", "PEM"), (f"ca={rig.dir}", "directory")):
        e = Driver(rig, option)
        assert not e.made["ok"] and what in e.made["why"], e.made
        e.finish()


def client_cert(rig, name):
    rig.make_ca()
    key, csr, crt, ext = (rig.path(f"client-{name}.{e}") for e in ("key", "csr", "pem", "ext"))
    run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key,
         "-out", csr])
    with open(ext, "w") as f:
        f.write(f"subjectAltName=DNS:{name}\nextendedKeyUsage=clientAuth\n")
    run(["openssl", "x509", "-req", "-in", csr, "-CA", rig.path("ca.pem"), "-CAkey", rig.path("ca.key"), "-CAcreateserial", "-days",
         "30", "-extfile", ext, "-out", crt])
    return crt, key


def who_cannot_be_reached_is_named(rig):
    site, d = Site(rig), driver(rig)
    a = d.get(site, "/good", address=f"{ADDRESS}:{free_port()}")
    assert a["err"] == "IO" and f"{NAME} cannot be reached" in a["why"], a
    a = d.get(site, "/good", url="https://no-such-name.invalid", address="-")
    assert a["err"] == "IO" and "no-such-name.invalid" in a["why"] and "not known" in a["why"], a
    for url in ("http://127.0.0.1", "ftp://127.0.0.1", "file:///etc", "nonsense://", "https://"):
        a = d.get(site, "/good", url=url, address="-")
        assert a["err"] == "IO" and "https://" in a["why"], a
    a = d.get(site, "/good", address="nonsense")
    assert a["err"] == "IO" and "192.0.2.1:443" in a["why"], a
    a = d.get(site, "/good", auth="a\rb")
    assert a["err"] == "IO" and "Authorization" in a["why"], a
    with socket.socket() as deaf:
        deaf.bind((ADDRESS, 0))
        deaf.listen()
        begun = time.monotonic()
        a = d.get(site, "/good", ms=300, address="%s:%d" % deaf.getsockname())
        assert a["err"] == "IO" and "in time" in a["why"] and 0.25 < time.monotonic() - begun < 5, a
    a = d.get(site, "/silent", ms=300)
    assert a["err"] == "IO" and "in time" in a["why"], a
    a = d.get(site, "/cut")
    assert a["err"] == "IO" and "lost" in a["why"] and a["len"] == 0, a
    site.go.set()
    assert not [s for s in site.seen if s[1] == "/good"]
    d.finish()


def odd_answers_are_read_as_they_are(rig):
    ok, typed = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"HTTP/1.1 200\r\nContent-Type: a/b\r\nContent-Length: 0\r\n\r\n"
    answers = {
        "/interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nRetry-After: 3\r\n\r\n" + ok, 200, "hi"),
        "/no_words": (typed, 200, ""),
        "/nothing": (b"HTTP/1.1 204 \r\nContent-Length: 7\r\n\r\n", 204, ""),
        "/chunks": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1;x=y\r\nh\r\n01\r\ni\r\n0\r\nTrailer: x\r\n\r\n", 200, "hi"),
        "/twice": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 200, "hi"),
        "/more": (ok + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", 200, "hi"),
        "/close": (ok.replace(b"\r\n\r\n", b"\r\nconnection: x, CLOSE\r\n\r\n"), 200, "hi"),
        "/old": (ok.replace(b"1.1", b"1.0"), 200, "hi"),
    }
    site, d = Raw(rig, lambda n, path: answers[path][0]), driver(rig)
    for path, (_, status, body) in answers.items():
        before = site.connections
        a = d.get(site, path)
        assert (a["err"], a["status"], a["body"], a["retry"]) == ("OK", status, body, -1), (path, a)
        assert site.connections - before == (path in ("/interim", "/close", "/old")), (path, site.connections)
    for answer in (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                   b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", b"SSH-2.0-x\r\n\r\n", b"\r\n\r\n",
                   b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", b"HTTP/2 200 OK\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n",
                   b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                   b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"):
        odd = Raw(rig, lambda n, path: answer)
        a = d.get(odd, "/x")
        assert a["err"] == "IO" and "not HTTP/1.1, or damaged" in a["why"] and a["status"] == 0, (answer, a)
    for farewell, err in ((True, "OK"), (False, "IO")):
        until_end = Raw(rig, lambda n, path: b"HTTP/1.1 200 OK\r\n\r\nall of it", ends=1, farewell=farewell)
        a = d.get(until_end, "/x")
        assert a["err"] == err and a["len"] == (9 if farewell else 0), a
    d.finish()


def a_kept_connection_that_died_is_made_anew(rig):
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    site, d = Raw(rig, lambda n, path: None if n == 1 else ok), driver(rig)
    assert d.get(site, "/1")["err"] == "OK"
    a = d.get(site, "/2", method="POST", body='{"once":true}')
    assert (a["err"], a["body"]) == ("OK", "hi") and a["connect_us"] > 0, a
    assert [line.split()[1] for line in site.seen] == [b"/1", b"/2", b"/2"] and site.connections == 2, site.seen
    d.finish()
    for script, seen in ((lambda n, path: None if n else ok, 3), (lambda n, path: b"HTTP/1.1 2" if n else ok, 2)):
        site, d = Raw(rig, script, ends=2), driver(rig)
        assert d.get(site, "/1")["err"] == "OK"
        a = d.get(site, "/2")
        assert a["err"] == "IO" and ("hung up" in a["why"] or "lost" in a["why"]), a
        assert len(site.seen) == seen, "tried again more than once, or after a part of the answer"
        d.finish()
    site, d = Raw(rig, lambda n, path: ok, ends=1), driver(rig)
    for i in range(5):  # whether the end is seen before the next request, or after
        assert d.get(site, "/x")["err"] == "OK"
    assert site.connections == 5 and len(site.seen) == 5, (site.connections, site.seen)
    d.finish()


def make_odd_cert(rig, names, *when):
    """A certificate for `names` ("DNS:...", "IP:..."); when: faketime's words and days, for one out of its time."""
    stem = rig.path("odd%d" % len(os.listdir(rig.dir)))
    run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=odd", "-keyout", stem + ".key",
         "-out", stem + ".csr"])
    with open(stem + ".ext", "w") as f:
        f.write(f"subjectAltName={names}\n")
    time_, days = when or ("1 hour ago", "2")  # not "now": the clocks of two programs differ by a tick
    run(["faketime", time_, "openssl", "x509", "-req", "-in", stem + ".csr", "-CA", rig.path("ca.pem"), "-CAkey", rig.path("ca.key"),
         "-CAcreateserial", "-days", days, "-extfile", stem + ".ext", "-out", stem + ".pem"])
    return stem + ".pem", stem + ".key"


def certificates_are_judged(rig):
    d = driver(rig)
    for names, when, words in (("DNS:" + NAME, ("10 days ago", "5"), "has expired, or the clock of this machine is wrong"),
                               ("DNS:" + NAME, ("+5 days", "5"), "is not valid yet, or the clock of this machine is wrong"),
                               ("DNS:x." + NAME, (), "made out to another name"), ("IP:127.0.0.1", (), "made out to another name")):
        site = Site(rig)
        site.context.load_cert_chain(*make_odd_cert(rig, names, *when))
        a = d.get(site, "/good")
        assert a["err"] == "AUTH" and words in a["why"] and NAME in a["why"], a
        assert not site.seen
    site = Site(rig)
    site.context.load_cert_chain(*make_odd_cert(rig, "IP:127.0.0.1,DNS:" + NAME))
    names_seen = []
    site.context.sni_callback = lambda tls, name, context: names_seen.append(name)
    assert d.get(site, "/good", url=f"https://{site.where}", address="-")["err"] == "OK"
    assert d.get(site, "/good", url=f"HTTPS://{NAME}.:443")["err"] == "OK"
    assert names_seen == [None, NAME], names_seen
    assert [s[2]["Host"] for s in site.seen] == [site.where, NAME + "."], site.seen
    d.finish()


def answers_are_bounded(rig):
    site, d = Site(rig), driver(rig)
    a = d.get(site, "/large")
    assert (a["err"], a["len"]) == ("OK", 4 * 1024 * 1024), a
    for path in ("/too_large", "/endless", "/headers"):
        a = d.get(site, path)
        assert a["err"] == "LIMIT" and "too large" in a["why"] and a["len"] == 0, (path, a)
    d.finish()


def events_come_one_by_one(rig):
    site, d = Site(rig), driver(rig)
    name = d.listen(site, "/events")
    a = d.wait("answer", name=name)
    got = [(e["id"], e["type"], e["data"]) for e in d.events if e["event"] == "event"]
    assert got == [("1", "kill", "{}"), ("", "message", "a\nb"), ("", "message", "split"), ("2", "message", "")], got
    assert (a["err"], a["status"], a["len"]) == ("OK", 200, 0), a
    assert site.seen[-1][2]["Accept"] == "text/event-stream"
    d.events.clear()
    a = d.wait("answer", name=d.listen(site, "/flood"))
    assert [int(e["data"]) for e in d.events if e["event"] == "event"] == list(range(20000)) and a["err"] == "OK", a
    d.finish()


def a_stream_that_dies_is_told(rig):
    site, d = Site(rig), driver(rig)
    name = d.listen(site, "/dying")
    assert d.wait("event", name=name)["data"] == "one"
    a = d.wait("answer", name=name)
    assert a["err"] == "IO" and "lost" in a["why"], a
    begun = time.monotonic()
    name = d.listen(site, "/alive", ms=900)
    assert d.wait("event", name=name)["data"] == "still here"
    assert time.monotonic() - begun > 1.2, "comments did not keep it alive, or were not waited for"
    a = d.wait("answer", name=name)
    assert a["err"] == "IO" and "silent for 0.9 s" in a["why"], a
    assert d.wait("answer", name=d.listen(site, "/silent", ms=300))["err"] == "IO"
    a = d.wait("answer", name=d.listen(site, "/absent"))
    assert (a["err"], a["status"], a["body"]) == ("OK", 404, '{"code":"absent"}'), a
    a = d.wait("answer", name=d.listen(site, "/no_stream"))
    assert a["err"] == "IO" and "not answer with an event stream" in a["why"], a
    name = d.listen(site, "/large_event")
    assert d.wait("event", name=name)["len"] == 1024 * 1024 - 6
    a = d.wait("answer", name=name)
    assert a["err"] == "LIMIT", a
    site.go.set()
    d.finish()


def callbacks_may_cancel_ask_and_free(rig):
    site = Site(rig)
    d = driver(rig)
    name = d.listen(site, "/flood")
    d.say(f"within {name} cancel {name}")
    assert d.wait("event", name=name)["data"] == "0"
    silent = d.start(site, "/silent")
    first = d.start(site, "/good")
    d.say(f"within {first} cancel {silent}")
    d.wait("answer", name=first)
    second = d.start(site, "/good")
    d.say(f"within {second} ask again")
    d.wait("answer", name=second)
    assert d.wait("answer", name="again")["status"] == 200
    third = d.start(site, "/good")
    d.say(f"within {third} cancel {third}")
    d.wait("answer", name=third)
    assert sum(e.get("name") == name for e in d.events) == 1 and not [e for e in d.events if e.get("name") == silent]
    gone = d.start(site, "/silent")
    d.say(f"cancel {gone}")
    unresolved = d.start(site, "/good", url="https://slow.invalid", address="-")
    d.say(f"cancel {unresolved}")
    d.finish()
    for path, count in (("/flood", 1), ("/good", 1)):
        d = driver(rig)
        others = [d.start(site, "/silent"), d.listen(site, "/alive")]
        name = d.listen(site, path) if path == "/flood" else d.start(site, path)
        d.say(f"within {name} free -")
        d.wait("event" if path == "/flood" else "answer", name=name)
        d.finish()
        assert not [e for e in d.events if e.get("name") in others]
        assert sum(e.get("name") == name for e in d.events) == count
    d = driver(rig)
    for path in ("/silent", "/good", "/endless"):
        d.start(site, path)
    d.ask_("free", "freed")
    d.finish()
    site.go.set()


def a_proxy_carries_it(rig):
    site = Site(rig)
    at = site.url[len("https://"):]
    open_proxy, closed = Proxy({at: site.where}), Proxy({at: site.where}, wants="me:se cret")
    for proxy, user in ((open_proxy, ""), (closed, "me:se%20cret@")):
        for d in (driver(rig, f"proxy=http://{user}{proxy.where}"), driver(rig, env={"https_proxy": f"http://{user}{proxy.where}"}),
                  driver(rig, env={"ALL_PROXY": f"http://{user}{proxy.where}", "no_proxy": "localhost"})):
            a = d.get(site, "/good", address="-")
            assert (a["err"], a["status"]) == ("OK", 200), a
            assert proxy.seen[-1][:2] == ("CONNECT", at), proxy.seen
            assert "authorization" not in proxy.seen[-1][2]
            assert d.ask_(f"has_proxy {site.url}/good", "has_proxy")["is"]
            d.finish()
    d = driver(rig, f"proxy=http://me:wrong@{closed.where}")
    a = d.get(site, "/good", address="-", auth="secret")
    assert a["err"] == "IO" and "user name and password" in a["why"], a
    d.finish()
    d = driver(rig, f"proxy=http://{open_proxy.where}")
    a = d.get(site, "/good", url="https://other.tasuki.test", address="-")
    assert a["err"] == "IO" and "does not let us through" in a["why"], a
    d.finish()
    d = driver(rig, f"proxy=http://{ADDRESS}:{free_port()}")
    a = d.get(site, "/good", address="-")
    assert a["err"] == "IO" and "the proxy cannot be reached" in a["why"], a
    d.finish()
    before = len(open_proxy.seen)
    for d in (driver(rig, "proxy=", env={"https_proxy": f"http://{open_proxy.where}"}),
              driver(rig, env={"https_proxy": f"http://{open_proxy.where}", "no_proxy": "other.test, .tasuki.test"})):
        assert d.get(site, "/good")["err"] == "OK"
        assert not d.ask_(f"has_proxy {site.url}", "has_proxy")["is"]
        d.finish()
    assert len(open_proxy.seen) == before


def which_proxy_is_in_force(rig):
    for env, url, expected in (
        ({}, "https://a.test", False),
        ({"http_proxy": "http://p:1"}, "https://a.test", False),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.test", True),
        ({"HTTPS_PROXY": "http://p:1", "no_proxy": "*"}, "https://a.test", False),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.test"}, "https://a.test:8443/x", False),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "A.TEST"}, "https://b.a.test.", False),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".a.test"}, "https://a.test", False),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a.test"}, "https://ba.test", True),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b,,c a.test.,"}, "https://u:p@a.test", False),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b.a.test"}, "https://a.test", True),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "::1"}, "https://[::1]:443", False),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1"}, "https://127.0.0.1:443", False),
        ({"HTTPS_PROXY": "", "https_proxy": ""}, "https://a.test", False),
    ):
        d = driver(rig, env=env)
        assert d.ask_(f"has_proxy {url}", "has_proxy")["is"] == expected, (env, url)
        d.finish()


def a_tunnel_gives_a_descriptor(rig):
    class Echo(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"echo " + self.rfile.readline())

    echo = socketserver.ThreadingTCPServer((ADDRESS, 0), Echo)
    echo.daemon_threads = True
    threading.Thread(target=echo.serve_forever, daemon=True).start()
    routes = {"relay1.tasuki.test:443": "%s:%d" % echo.server_address}
    for wants, user in ((None, ""), ("me:pw", "me:pw@")):
        proxy = Proxy(routes, wants)
        d = driver(rig, env={"https_proxy": f"http://{user}{proxy.where}"})
        for i in range(3):
            t = d.ask_(f"tunnel t{i} relay1.tasuki.test:443", "tunnel", name=f"t{i}")
            assert t["fd"] >= 0 and t["got"] == "echo hello\n" and t["why"] == "", t
        t = d.ask_("tunnel x relay2.tasuki.test:443", "tunnel", name="x")
        assert t["fd"] == -1 and "does not let us through" in t["why"], t
        d.say("tunnel y relay1.tasuki.test:443")
        d.say("cancel y")
        d.finish()
        proxy.shutdown()
    proxy = Proxy(routes, "me:pw")
    d = driver(rig, f"proxy=http://{proxy.where}")
    t = d.ask_("tunnel t relay1.tasuki.test:443", "tunnel", name="t")
    assert t["fd"] == -1 and "user name and password" in t["why"], t
    t = d.ask_("tunnel u nonsense", "tunnel", name="u")
    assert t["fd"] == -1 and "relay.example:443" in t["why"], t
    d.say("tunnel z relay1.tasuki.test:443")
    d.say("within z free -")
    d.wait("tunnel", name="z")
    d.finish()
    d = driver(rig)
    t = d.ask_("tunnel t relay1.tasuki.test:443", "tunnel", name="t")
    assert t["fd"] == -1 and "no proxy" in t["why"], t
    d.finish()


def other_proxies_are_libcurls_matter(rig):
    """Those that want NTLM, or speak SOCKS."""
    site = Site(rig)
    at = site.url[len("https://"):]
    proxy = NtlmProxy({at: site.where}, "me")
    d = driver(rig, f"proxy=http://me:secret@{proxy.where}")
    a = d.get(site, "/good", address="-")
    assert (a["err"], a["status"]) == ("OK", 200), a
    first, *rest = proxy.seen
    assert first == ("CONNECT", at, "Basic " + base64.b64encode(b"me:secret").decode()), first
    assert all(auth == "" or auth.startswith("NTLM ") for _, _, auth in rest) and len(rest) >= 2, rest
    d.finish()
    d = driver(rig, f"proxy=http://you:secret@{proxy.where}")
    a = d.get(site, "/good", address="-")
    assert a["err"] == "IO" and "the proxy wants NTLM" in a["why"] and "user name and password" in a["why"], a
    d.finish()
    socks = Proxy({at: site.where})
    socks.RequestHandlerClass = SocksHandler
    d = driver(rig, env={"ALL_PROXY": f"socks5h://{socks.where}"})
    assert d.get(site, "/good", address="-")["err"] == "OK"
    assert socks.seen == [(NAME, site.server_address[1])], socks.seen
    d.finish()
    with socket.socket() as deaf:
        deaf.bind((ADDRESS, 0))
        deaf.listen()
        where = "%s:%d" % deaf.getsockname()
        d = driver(rig, f"proxy=socks5h://{where}")
        a = d.get(site, "/good", address="-", ms=300)
        assert a["err"] == "IO" and "in time" in a["why"], a
        d.start(site, "/good", address="-")
        d.finish()  # does not wait for libcurl
    nowhere = rig.path("nowhere")
    os.makedirs(nowhere)
    for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
        open(os.path.join(nowhere, name), "w").close()
    for url, words in ((f"http://me:secret@{proxy.where}", "the proxy wants NTLM"), (f"socks5://{socks.where}", "the proxy speaks SOCKS")):
        d = driver(rig, f"proxy={url}", env={"LD_LIBRARY_PATH": nowhere})
        a = d.get(site, "/good", address="-")
        assert a["err"] == "IO" and words in a["why"] and "install the package libcurl4" in a["why"], a
        d.finish()
    for url, words in (("https://" + proxy.where, "itself reached by https://"), ("ftp://" + proxy.where, "of the form http://user"),
                       ("http://a b:1", "of the form http://user"), ("http://no-such-proxy.invalid:1", "the name of the proxy is not known")):
        d = driver(rig, env={"https_proxy": url})
        a = d.get(site, "/good", address="-")
        assert a["err"] == "IO" and words in a["why"], (url, a)
        d.finish()


class Place:
    """Where a server of ours listens."""

    def __init__(self, where):
        self.where = where
        self.url = f"https://{NAME}:{where.rsplit(':', 1)[1]}"


def our_own_server_is_asked(rig):
    crt, key = rig.make_cert(NAME)
    site = Place(f"{ADDRESS}:{free_port()}")
    server = Program(rig, "server", [rig.exe("http_server", "tests/e2e"), "--listen", site.where, crt, key])
    server.wait("ready")
    d = driver(rig)
    a = d.get(site, "/echo", auth="Tasuki-1")
    seen = json.loads(a["body"])
    assert (a["err"], a["status"], a["retry"]) == ("OK", 200, -1) and a["connect_us"] > 0, a
    assert not seen["is_http2"] and seen["authorization"] == "Tasuki-1" and seen["user_agent"] == "http-driver/1", seen
    asked = [d.start(site, "/echo", method="POST", body='{"n":%d}' % i) for i in range(20)]
    while asked:  # they come in any order
        a = d.wait("answer")
        asked.remove(a["name"])
        assert (a["err"], a["status"]) == ("OK", 200), a
    a = d.get(site, "/mirror", method="POST", body='"' + "y" * 900000 + '"')
    assert (a["err"], a["len"]) == ("OK", 900002), a
    assert d.get(site, "/held?no")["retry"] == 30
    name = d.listen(site, "/streams/5?after=7")
    e = d.wait("event", name=name)
    assert (e["id"], e["type"], e["data"]) == ("0000000000001", "filled", "7"), e
    for i in range(100):
        server.ask(f"publish 5 {i + 2} tick {i}", "published")
    for i in range(100):
        assert d.wait("event", name=name)["data"] == str(i)
    assert server.ask("stats", "stats")["connections"] <= 17, "more connections are kept than 16 and the stream's"
    cancelled = d.listen(site, "/streams/6")
    assert d.wait("event", name=cancelled)["type"] == "filled"
    d.say(f"cancel {cancelled}")
    d.get(site, "/tiny")
    server.say("end 5")
    a = d.wait("answer", name=name)
    assert (a["err"], a["status"]) == ("OK", 200), a
    name = d.listen(site, "/streams/5")
    d.wait("event", name=name)
    server.kill()
    a = d.wait("answer", name=name)
    assert a["err"] == "IO" and "lost" in a["why"], a
    d.finish()


if __name__ == "__main__":
    main(
        answers_come_whatever_their_status,
        requests_are_what_was_asked,
        nobody_else_is_trusted,
        the_systems_authorities_do_not_count_beside_ours,
        the_systems_authorities_are_found_on_other_systems,
        a_certificate_of_ours_is_shown_when_asked_for,
        who_cannot_be_reached_is_named,
        odd_answers_are_read_as_they_are,
        a_kept_connection_that_died_is_made_anew,
        certificates_are_judged,
        answers_are_bounded,
        events_come_one_by_one,
        a_stream_that_dies_is_told,
        callbacks_may_cancel_ask_and_free,
        a_proxy_carries_it,
        which_proxy_is_in_force,
        a_tunnel_gives_a_descriptor,
        other_proxies_are_libcurls_matter,
        our_own_server_is_asked,
    )
