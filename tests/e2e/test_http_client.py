"""The HTTP client (src/http/client.h) against servers and proxies that behave, or do not."""

import base64
import http.server
import json
import os
import socket
import socketserver
import ssl
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

            def carry(a, b):
                try:
                    while (data := a.recv(65536)):
                        b.sendall(data)
                    b.shutdown(socket.SHUT_WR)
                except OSError:
                    pass

            back = threading.Thread(target=carry, args=(other, self.connection), daemon=True)
            back.start()
            carry(self.connection, other)
            back.join()


class Driver(Program):
    def __init__(self, rig, *options, env=None):
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        clean.update(env or {})
        super().__init__(rig, f"driver{len(rig.programs)}", [rig.exe("http_driver", "tests/e2e")], env=clean)
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


class Place:
    """Where a server of ours listens."""

    def __init__(self, where):
        self.where = where
        self.url = f"https://{NAME}:{where.rsplit(':', 1)[1]}"


def our_own_server_is_asked_by_http_2(rig):
    crt, key = rig.make_cert(NAME)
    site = Place(f"{ADDRESS}:{free_port()}")
    server = Program(rig, "server", [rig.exe("http_server", "tests/e2e"), "--listen", site.where, crt, key])
    server.wait("ready")
    d = driver(rig)
    a = d.get(site, "/echo", auth="Tasuki-1")
    seen = json.loads(a["body"])
    assert (a["err"], a["status"], a["retry"]) == ("OK", 200, -1) and a["connect_us"] > 0, a
    assert seen["is_http2"] and seen["authorization"] == "Tasuki-1" and seen["user_agent"] == "http-driver/1", seen
    asked = [d.start(site, "/echo", method="POST", body='{"n":%d}' % i) for i in range(20)]
    while asked:  # they come in any order
        a = d.wait("answer")
        asked.remove(a["name"])
        assert (a["status"], a["connect_us"]) == (200, 0), a
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
    assert server.ask("stats", "stats")["connections"] == 1, "one connection carries all of it"
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
        a_certificate_of_ours_is_shown_when_asked_for,
        who_cannot_be_reached_is_named,
        answers_are_bounded,
        events_come_one_by_one,
        a_stream_that_dies_is_told,
        callbacks_may_cancel_ask_and_free,
        a_proxy_carries_it,
        which_proxy_is_in_force,
        a_tunnel_gives_a_descriptor,
        our_own_server_is_asked_by_http_2,
    )
