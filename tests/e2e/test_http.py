"""The HTTP server (src/http/server.h) as peers meet it: those who behave, by curl on both protocol versions, and those who do
not, by hand. The routes are http_server.c's."""

import os
import socket
import ssl
import struct
import subprocess
import threading
import time

from http_site import H2, MEBI, NAME, RST_STREAM, VERSIONS, Listener, Site, ask, head, is_closed, read_reply
from rig import Program, Rig, free_port, main, run, until

EADDRINUSE, EADDRNOTAVAIL = 98, 99


# --- what behaves ---


def a_request_arrives_as_it_was_sent(rig):
    site = Site(rig)
    for version in VERSIONS:
        got = site.curl(version, "/echo?a=%20b&&c=%zz", "-H", "Authorization: TSK1 a b", "-H", "If-None-Match: \"1\"", "-H",
                        "If-Modified-Since: Sun, 22 Nov 2026 00:00:00 GMT", "-H", "Range: bytes=0-1", "-H", "Accept-Language: ja",
                        "-H", "Origin: https://x", "-H", "Cookie: a=1; b=2", "-H", "User-Agent: me", "-H", "X-Else: y")
        assert got.status == 200 and got.version == {"--http1.1": "HTTP/1.1", "--http2": "HTTP/2"}[version]
        assert got.json() == {
            "method": "GET", "path": "/echo", "query": "a=%20b&&c=%zz", "host": f"{NAME}:{site.tls_port}",
            "authorization": "TSK1 a b", "content_type": "", "if_none_match": "\"1\"",
            "if_modified_since": "Sun, 22 Nov 2026 00:00:00 GMT", "range": "bytes=0-1", "accept_language": "ja",
            "origin": "https://x", "cookie": "a=1; b=2", "user_agent": "me", "peer_name": "", "param0": "", "param1": "",
            "source": "00" * 10 + "ffff7f000001", "is_http2": version == "--http2", "on_lane": False, "body_len": 0}
        h = got.headers
        assert h["content-type"] == "application/json" and int(h["content-length"]) == len(got.body), h
        assert h["strict-transport-security"] == "max-age=31536000; includeSubDomains", h
        assert h["x-content-type-options"] == "nosniff" and h["cache-control"] == "no-store" and h["server"] == "tasuki", h
        assert h["etag"] == "\"7\"" and abs(time.mktime(time.strptime(h["date"], "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone -
                                            time.time()) < 60, h
        got = site.curl(version, "/things/a%20b/parts/%E3%81%82").json()
        assert got["param0"] == "a b" and got["param1"] == "あ" and got["path"] == "/things/a b/parts/あ" and got["on_lane"], got
        got = site.curl(version, "/empty")
        assert got.status == 204 and not got.body and "content-length" not in got.headers, got.headers
    plain = site.curl("--http1.1", "/tiny", tls=False)
    assert plain.body == b"ok\n" and "strict-transport-security" not in plain.headers
    assert site.curl("--http2", "/tiny", tls=False).version == "HTTP/1.1", "no upgrade on a plain connection"
    site.quiet()
    site.stop()


def bodies_come_whole(rig):
    site = Site(rig)
    data = os.urandom(MEBI)
    for version in VERSIONS:
        for args in (["--data-binary", "@-"], ["-X", "POST", "-T", "-"], ["--data-binary", "@-", "-H", "Expect: 100-continue"]):
            for n in (1, 1000, 65536, MEBI):
                got = site.curl(version, "/mirror", *args, data=data[:n])
                assert got.status == 200 and got.body == data[:n], (version, args, n, got.status, len(got.body))
        assert site.curl(version, "/echo", "-X", "POST").json()["body_len"] == 0
        assert site.curl(version, "/echo", "-d", "").json()["body_len"] == 0
        assert site.curl(version, "/echo", "-X", "POST", "-T", "-", data=b"").json()["body_len"] == 0
    site.quiet()
    site.stop()


def what_is_not_there_and_what_is_not_allowed(rig):
    site = Site(rig)
    for version in VERSIONS:
        for path in ("/", "/tiny/", "/tin", "/tinyx", "/things/", "/things/a/", "/things/a/parts", "/things/a/parts/b/c",
                     "/things/" + "x" * 65, "//tiny", "/TINY"):
            site.curl(version, path).problem(404, "not_found")
        assert site.curl(version, "/things/" + "x" * 64).status == 200
        got = site.curl(version, "/echo", "-X", "DELETE").problem(405, "wrong_method")
        assert got.headers["allow"] == "GET, HEAD, POST, PUT", got.headers
        for method in ("OPTIONS", "PATCH", "BREW", "get"):
            site.curl(version, "/tiny", "-X", method).problem(405, "wrong_method")
        for path in ("/../tiny", "/a/../tiny", "/%2e%2e/tiny", "/./tiny", "/tiny%00", "/tiny%", "/tiny%4", "/tiny%zz", "/things/a%2fb",
                     "/tiny%0a", "/%ff"):
            site.curl(version, path).problem(400, "bad_path")
        site.curl(version, "/" + "x" * 2048).problem(414, "path_too_long")
        site.curl(version, "/" + "x" * 2047).problem(404, "not_found")
        got = site.curl(version, "/echo", "-I")
        assert got.status == 200 and not got.body and int(got.headers["content-length"]) > 100
        got = site.curl(version, "/nothing", "-I")
        assert got.status == 404 and not got.body and int(got.headers["content-length"]) > 100
    site.quiet()
    site.stop()


def a_body_that_is_too_large_is_refused_before_it_is_read(rig):
    site = Site(rig)
    for tls in (False, True):
        for path, length in (("/echo", 1001), ("/echo", 10**15 - 1), ("/mirror", MEBI + 1)):
            with site.connect(tls) as s:
                s.sendall(head("POST", path, f"Content-Length: {length}"))
                with s.makefile("rb") as f:
                    got = read_reply(f).problem(413, "too_large")
                    assert got.headers["connection"] == "close", got.headers
                    s.sendall(b"x" * 100)
                assert is_closed(s) == b""
        with site.connect(tls) as s:
            s.sendall(head("POST", "/echo", "Transfer-Encoding: chunked") + b"3e9\r\n")
            with s.makefile("rb") as f:
                read_reply(f).problem(413, "too_large")
    site.curl("--http2", "/echo", "--data-binary", "@-", data=b"x" * 1001).problem(413, "too_large")
    site.curl("--http2", "/echo", "-X", "POST", "-T", "-", data=b"x" * 1001).problem(413, "too_large")
    site.curl("--http2", "/mirror", "-X", "POST", "-T", "-", data=b"x" * 2 * MEBI).problem(413, "too_large")
    for version in VERSIONS:
        site.curl(version, "/echo", "-X", "PUT", "-d", "x").problem(413, "too_large")
        site.curl(version, "/tiny", "-X", "GET", "-d", "x").problem(413, "too_large")
        site.curl(version, "/nothing", "-d", "x").problem(404, "not_found")
        # Several requests on one connection: a refused one does no harm to the next.
        out = run(["curl", "-s", version, "--cacert", rig.path("ca.pem"), "--connect-to",
                   f"{NAME}:{site.tls_port}:127.0.0.1:{site.tls_port}", "-d", "x" * 2000, site.url("/echo"), "--next", "-s", version,
                   "--cacert", rig.path("ca.pem"), "--connect-to", f"{NAME}:{site.tls_port}:127.0.0.1:{site.tls_port}",
                   site.url("/tiny")])
        assert out.endswith("ok\n") and "too_large" in out, out
    site.quiet()
    site.stop()


# --- HTTP/1.1 by hand ---


def kept_and_pipelined_connections(rig):
    site = Site(rig)
    for tls in (False, True):
        with site.connect(tls) as s, s.makefile("rb") as f:
            for _ in range(3):
                s.sendall(head())
                assert read_reply(f).body == b"ok\n"
            many = 200
            requests = [head("GET", f"/things/{i}") if i % 3 else head("POST", "/mirror", "Content-Length: 5") + b"%05d" % i
                        for i in range(many)]
            s.sendall(b"".join(requests))
            for i in range(many):
                got = read_reply(f)
                assert got.json()["param0"] == str(i) if i % 3 else got.body == b"%05d" % i, (i, got.body)
            # One byte at a time, with an empty line before, which is allowed.
            for byte in b"\r\n" + head("HEAD", "/echo"):
                s.sendall(bytes([byte]))
            assert read_reply(f, "HEAD").status == 200
            for byte in head("POST", "/mirror", "Transfer-Encoding: chunked") + b"3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n":
                s.sendall(bytes([byte]))
            assert read_reply(f).body == b"abcde"
            s.sendall(head("GET", "/tiny", "Connection: Close"))
            assert read_reply(f).headers["connection"] == "close"
            assert f.read() == b""
        for line, keeps in (("", False), ("Connection: keep-alive\r\n", True)):
            with site.connect(tls) as s, s.makefile("rb") as f:
                s.sendall(b"GET /tiny HTTP/1.0\r\n" + line.encode() + b"\r\n")
                got = read_reply(f)
                assert got.body == b"ok\n" and got.headers["connection"] == ("keep-alive" if keeps else "close")
                if keeps:
                    s.sendall(b"GET /tiny HTTP/1.0\r\n\r\n")
                    assert read_reply(f).status == 200
                assert f.read() == b""
        got, _ = ask(site, b"GET http://other.test/echo?x HTTP/1.1\r\nHost: a\r\n\r\n", tls)
        assert got.json()["host"] == "other.test" and got.json()["path"] == "/echo" and got.json()["query"] == "x", got.body
    site.quiet()
    site.stop()


def hostile_heads_are_refused(rig):
    site = Site(rig)
    bad = [
        b"GET /tiny HTTP/1.1\r\n\r\n",  # no host
        b"GET /tiny HTTP/1.1\nHost: x\n\n",
        b"GET /tiny HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
        b"GET /tiny HTTP/3.0\r\nHost: x\r\n\r\n",
        b"GET  /tiny HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /ti ny HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /tiny\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        head("GET", "/tiny", "Host: y"),
        head("GET", "/tiny", " folded"),
        head("GET", "/tiny", "A : b"),
        head("GET", "/tiny", "A: b\x00c"),
        head("GET", "/tiny", "A: b\rc"),
        head("GET", "/tiny", "Authorization: a", "Authorization: b"),
        head("POST", "/echo", "Content-Length: 1", "Content-Length: 2"),
        head("POST", "/echo", "Content-Length: -1"),
        head("POST", "/echo", "Content-Length: +1"),
        head("POST", "/echo", "Content-Length: 1, 1"),
        head("POST", "/echo", "Content-Length: 99999999999999999999"),
        head("POST", "/echo", "Content-Length: 1", "Transfer-Encoding: chunked"),
        head("POST", "/echo", "Transfer-Encoding: gzip, chunked"),
        head("POST", "/echo", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        head("POST", "/echo", "Transfer-Encoding: identity"),
        head("POST", "/echo", "Expect: 200-ok"),
        b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        head("POST", "/echo", "Transfer-Encoding: chunked") + b"x\r\n",
        head("POST", "/echo", "Transfer-Encoding: chunked") + b"1\r\nab\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
    for data in bad:
        for tls in (False, True):
            with site.connect(tls) as s, s.makefile("rb") as f:
                s.sendall(data + b"GET /tiny HTTP/1.1\r\nHost: smuggled\r\n\r\n")
                got = read_reply(f)
                assert got and got.problem(400, "bad_request").headers["connection"] == "close", data
                assert f.read() == b"", data
    ask(site, b"GET tiny HTTP/1.1\r\nHost: x\r\n\r\n")[0].problem(400, "bad_path")
    ask(site, b"GET /tiny HTTP/1.1\r\nHost: a b\r\n\r\n")[0].problem(400, "bad_host")
    for data, status in (
        (b"G" * 9000, 414), (b"GET /" + b"x" * 9000, 414), (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 2000, 431),
        (head("GET", "/tiny", "A: " + "b" * 8192), 431), (b"GET / HTTP/1.1\r\nA: " + b"b" * 20000, 431),
    ):
        for tls in (False, True):
            got, _ = ask(site, data, tls)
            got.problem(status, "head_too_long")
    with_all = head("GET", "/tiny", "A: " + "b" * (8192 - len(head("GET", "/tiny", "A: "))))
    assert len(with_all) == 8192 and ask(site, with_all)[0].status == 200
    for version in VERSIONS:
        site.curl(version, "/tiny", "-H", "A: " + "b" * 8192).problem(431, "head_too_long")
        assert site.curl(version, "/tiny", "-H", "A: " + "b" * 7800).status == 200
    site.quiet()
    site.stop()


def connections_that_break_off_do_no_harm(rig):
    site = Site(rig)
    whole = head("POST", "/mirror", "Content-Length: 10") + b"0123456789"
    for tls in (False, True):
        for cut in range(0, len(whole), 7):
            for resets in (False, True):
                s = site.connect(tls)
                s.sendall(whole[:cut])
                if resets:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
    for _ in range(20):  # also inside the TLS handshake
        s = socket.create_connection(("127.0.0.1", site.tls_port))
        s.sendall(b"\x16\x03\x01\x02\x00\x01")
        s.close()
    assert site.curl("--http1.1", "/tiny").status == 200
    site.quiet()
    assert site.stats()["tls_failed_total"] >= 20
    site.stop()


def who_is_slow_is_not_waited_for(rig):
    site = Site(rig, "header_s=1", "body_s=2", "idle_s=1")
    begin = time.monotonic()
    waiting = []
    for tls in (False, True):
        for data in (b"", b"GET /tiny HTTP/1.1\r\n", b"\r\n"):
            s = site.connect(tls)
            s.sendall(data)
            waiting.append((s, b""))
        s = site.connect(tls)
        s.sendall(head("POST", "/mirror", "Content-Length: 10"))
        waiting.append((s, b"HTTP/1.1 408"))
        s = site.connect(tls)
        s.sendall(head("POST", "/mirror", "Transfer-Encoding: chunked") + b"1")
        waiting.append((s, b"HTTP/1.1 408"))
        s = site.connect(tls)
        s.sendall(head())
        waiting.append((s, b"HTTP/1.1 200"))
    waiting.append((socket.create_connection(("127.0.0.1", site.tls_port)), b""))  # no handshake at all
    s = site.connect(True, ["h2"])
    s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM")
    waiting.append((s, None))
    # A byte now and then does not make it longer.
    trickle = site.connect()

    def drip():
        try:
            for byte in head("GET", "/tiny", "A: " + "b" * 500):
                trickle.sendall(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            pass

    threading.Thread(target=drip, daemon=True).start()
    waiting.append((trickle, b""))
    for s, expected in waiting:
        got = is_closed(s, 30)
        assert expected is None or got[:12] == expected, (got, expected)
        s.close()
    took = time.monotonic() - begin
    assert 1.0 <= took < 30, took
    site.quiet()
    assert site.stats()["refused_total"] >= 11, site.stats()
    site.stop()


def a_body_has_to_come_at_a_kibibyte_a_second(rig):
    site = Site(rig, "body_s=60")
    with site.connect() as s:
        begin = time.monotonic()
        s.sendall(head("POST", "/mirror", f"Content-Length: {MEBI}"))
        got, sent = b"", 0
        while b"408" not in got:
            s.sendall(b"x" * 10)
            sent += 10
            s.settimeout(0.1)
            try:
                got += s.recv(4096)
            except TimeoutError:
                assert time.monotonic() - begin < 30
        assert time.monotonic() - begin >= 5 and sent < 5000
    site.quiet()
    site.stop()


def a_reply_that_nobody_reads_is_given_up(rig):
    with open(rig.path("big"), "wb") as f:
        f.truncate(100 * MEBI)
    site = Site(rig, file=rig.path("big"))
    begin = time.monotonic()
    waiting = []
    for tls in (False, True):
        s = site.connect(tls, rcvbuf=4096)
        s.sendall(head("GET", "/file"))
        waiting.append(s)
    frozen = H2(site, rcvbuf=4096, window=0)
    frozen.request(1, "/file")
    full = H2(site, rcvbuf=4096, window=2**31 - 1)
    full.request(1, "/file")
    # Somebody who reads slowly, but does, is left alone meanwhile.
    slow = site.connect(rcvbuf=4096)
    slow.sendall(head("GET", "/file"))
    for _ in range(60):
        if site.stats()["connections"] <= 2:
            break
        slow.recv(4096)
        time.sleep(1)
    took = time.monotonic() - begin
    assert 25 < took < 59, took
    frozen.wait_reset(1)  # only that stream
    frozen.request(3, "/tiny")
    slow.recv(4096)
    for s in [*waiting, slow, frozen.s, full.s]:
        s.close()
    site.quiet()
    site.stop()


def there_is_an_end_to_connections(rig):
    site = Site(rig, "max_connections=20", "per_source=10")
    mine = [site.connect() for _ in range(10)]
    until("ten", lambda: site.stats()["connections"] == 10)
    with site.connect() as s:
        assert is_closed(s) == b""
    others = []
    for i in range(10):
        s = socket.socket()
        s.bind((f"127.0.0.{2 + i}", 0))
        s.connect(("127.0.0.1", site.port))
        others.append(s)
    until("twenty", lambda: site.stats()["connections"] == 20)
    s = socket.socket()
    s.bind(("127.0.0.77", 0))
    s.settimeout(60)
    s.connect(("127.0.0.1", site.port))
    assert is_closed(s) == b""
    s.close()
    assert site.stats()["refused_total"] == 2
    for s in mine:
        s.close()
    until("there is room again", lambda: site.stats()["connections"] == 10)
    assert ask(site, head())[0].status == 200
    for s in others:
        s.close()
    site.quiet()
    site.stop()


# --- lanes ---


def a_full_lane_says_so(rig):
    site = Site(rig)
    for version in VERSIONS:
        site.program.ask("hold", "holding")
        before = site.stats()["passed"]
        running = subprocess.Popen(site.curl_argv(version, "/held"), stdout=subprocess.PIPE)
        site.program.wait("waiting")
        queued = subprocess.Popen(site.curl_argv(version, "/held"), stdout=subprocess.PIPE)
        until("one waits", lambda: site.stats()["queued"] == 1)
        got = site.curl(version, "/held").problem(503, "busy")
        assert int(got.headers["retry-after"]) >= 1
        assert site.curl(version, "/tiny").status == 200, "others are not held up"
        assert site.curl(version, "/things/1").status == 200
        until("the refused one is over", lambda: site.stats()["passed"] == before + 1)
        site.program.ask("release", "released")
        for p in (running, queued):
            assert p.communicate(timeout=60)[0].endswith(b"ok\n")
        until("each was told of once", lambda: site.stats()["passed"] == before + 3)
    site.quiet()
    site.stop()


def one_source_has_its_part_of_a_lane(rig):
    site = Site(rig)
    site.program.ask("hold", "holding")

    def ask_held(source):
        s = site.connect(source=source)
        s.sendall(head("GET", "/shared_held"))
        return s

    running = ask_held("127.0.0.1")
    site.program.wait("waiting")
    mine = [ask_held("127.0.0.1") for _ in range(10)]  # an eighth of 80
    until("ten wait", lambda: site.stats()["queued"] == 10)
    with ask_held("127.0.0.1") as s, s.makefile("rb") as f:
        got = read_reply(f).problem(503, "busy")
        assert int(got.headers["retry-after"]) >= 1
    other = ask_held("127.0.0.2")
    until("another source has its own part", lambda: site.stats()["queued"] == 11)
    # Whoever leaves before his turn is passed over, but not forgotten.
    for s in mine[:7]:
        s.close()
    until("seven have gone", lambda: site.stats()["connections"] == 5)
    site.program.ask("release", "released")
    for s in (running, *mine[7:], other):
        with s, s.makefile("rb") as f:
            assert read_reply(f).body == b"ok\n"
    site.quiet()
    assert site.stats()["held"] == 5 and site.stats()["passed"] == 13, site.stats()
    site.stop()


# --- memory ---


def one_source_has_its_part_of_the_memory_for_bodies(rig):
    site = Site(rig, f"bodies_max={4 * MEBI}")  # of which it may have one

    def begin(source, n):
        s = site.connect(source=source)
        s.sendall(head("POST", "/mirror", f"Content-Length: {MEBI}") + bytes(n))
        return s

    whole = begin("127.0.0.1", MEBI - 1)
    until("a mebibyte lies there", lambda: site.stats()["held_bytes"] == MEBI)
    with begin("127.0.0.1", 1000) as s, s.makefile("rb") as f:
        got = read_reply(f).problem(503, "busy")
        assert int(got.headers["retry-after"]) >= 1
    assert ask(site, head())[0].status == 200, "what takes no memory goes on"
    others = [begin(f"127.0.0.{2 + i}", MEBI - 1) for i in range(3)]
    until("all is taken", lambda: site.stats()["held_bytes"] == 4 * MEBI)
    with begin("127.0.0.9", 1000) as s, s.makefile("rb") as f:
        read_reply(f).problem(503, "busy")
    for s in (whole, *others):
        with s, s.makefile("rb") as f:
            s.sendall(b"x")
            assert len(read_reply(f).body) == MEBI
    site.quiet()
    site.stop()


def a_gate_answers_before_the_lane(rig):
    site = Site(rig)
    for version in VERSIONS:
        before = site.stats()["passed"]
        got = site.curl(version, "/held?no").problem(429, "slow_down")
        assert got.headers["retry-after"] == "30"
        assert site.curl(version, "/gated", "-X", "POST").status == 200
        site.curl(version, "/gated?no", "-X", "POST").problem(429, "slow_down")
        site.curl(version, "/gated", "-X", "GET").problem(405, "wrong_method")
        until("one has passed and is over", lambda: site.stats()["passed"] == before + 1)
    site.quiet()
    site.stop()


def who_goes_away_while_a_lane_works_is_not_answered(rig):
    site = Site(rig)
    for alpn in ("http/1.1", "h2"):
        for resets in (False, True):
            site.program.ask("hold", "holding")
            before = site.stats()["passed"]
            gone = []
            for n in range(2):  # one runs, one waits
                if alpn == "h2":
                    peer = H2(site)
                    peer.request(1, "/held")
                    gone.append(peer.s)
                else:
                    gone.append(site.connect(True))
                    gone[-1].sendall(head("GET", "/held"))
                if n == 0:
                    site.program.wait("waiting")
            until("one waits", lambda: site.stats()["queued"] == 1)
            for s in gone:
                if resets:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
            until("they are seen to be gone", lambda: site.stats()["connections"] == 0)
            assert site.stats()["passed"] == before
            site.program.ask("release", "released")
            until("both are over", lambda: site.stats()["passed"] == before + 2)
    # A stream of HTTP/2 may be taken back alone.
    site.program.ask("hold", "holding")
    peer = H2(site)
    peer.request(1, "/held")
    site.program.wait("waiting")
    peer.frame(RST_STREAM, 0, 1, struct.pack(">I", 8))
    peer.request(3, "/tiny")
    assert peer.reply(3) == b"ok\n"
    site.program.ask("release", "released")
    peer.close()
    site.quiet()
    site.stop()


def what_lies_in_a_lane_at_the_end_is_let_go(rig):
    site = Site(rig)
    site.program.ask("hold", "holding")
    held = [site.connect() for _ in range(2)]
    held[0].sendall(head("GET", "/held"))
    site.program.wait("waiting")
    held[1].sendall(head("GET", "/held"))
    until("one waits", lambda: site.stats()["queued"] == 1)
    assert site.stop()["passed"] == 2  # stop opens the door
    for s in held:
        s.close()


# --- files ---


def files_come_in_pieces(rig):
    data = os.urandom(3 * MEBI + 17)
    with open(rig.path("file"), "wb") as f:
        f.write(data)
    site = Site(rig, file=rig.path("file"))
    for version in VERSIONS:
        for tls in (True, False):
            got = site.curl(version, "/file", tls=tls)
            assert got.body == data and got.headers["cache-control"] == "public, max-age=60", got.headers
        got = site.curl(version, "/file?from=65530&len=100")
        assert got.status == 206 and got.body == data[65530:65630] and got.headers["content-range"] == "bytes 65530-/*"
        got = site.curl(version, "/file?len=0")
        assert got.status == 206 and got.body == b"" and got.headers["content-length"] == "0"
        got = site.curl(version, "/file", "-I")
        assert not got.body and int(got.headers["content-length"]) == len(data)
        # A file that ends before its time: the peer has to notice.
        for tls in (True, False):
            done = subprocess.run(site.curl_argv(version, f"/file?len={4 * MEBI}", tls=tls), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=60)
            assert done.returncode != 0 and len(done.stdout) < 4 * MEBI
    # Many at once, one that reads nothing, one that leaves.
    lazy = site.connect(rcvbuf=4096)
    lazy.sendall(head("GET", "/file"))
    leaver = site.connect(True)
    leaver.sendall(head("GET", "/file"))
    leaver.recv(1000)
    leaver.close()
    downloads = [subprocess.Popen(site.curl_argv(VERSIONS[i % 2], "/file"), stdout=subprocess.PIPE) for i in range(8)]
    for p in downloads:
        assert p.communicate(timeout=120)[0].endswith(data)
    lazy.close()
    site.quiet()
    site.stop()


# --- who is who ---


def the_plain_address_leads_to_the_encrypted_one(rig):
    site = Site(rig, redirect=True)

    def asks(data, method="GET"):
        with socket.create_connection(("127.0.0.1", site.redirect_port)) as s, s.makefile("rb") as f:
            s.sendall(data)
            return read_reply(f, method)

    for host, expected in (("example.com", "example.com"), ("example.com:80", "example.com"), ("[::1]:8080", "[::1]"), ("a-b.c", "a-b.c")):
        for method in ("GET", "HEAD"):
            got = asks(f"{method} /a/b?c=%20 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), method)
            assert got.status == 301 and got.headers["location"] == f"https://{expected}/a/b?c=%20" and got.body == b""
            assert "strict-transport-security" not in got.headers
    longest = "/" + "x" * 2000
    assert asks(f"GET {longest} HTTP/1.1\r\nHost: x\r\n\r\n".encode()).headers["location"] == "https://x" + longest
    for host in ("", "a/b", "a b", "a@b", "a\"b", "[::1", "a:b", "a:", "あ"):
        assert asks(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()).status == 400, host
    assert asks(b"GET / HTTP/1.1\r\n\r\n").status == 400
    assert asks(b"GET / HTTP/1.0\r\n\r\n").status == 400
    got = asks(b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n").problem(405, "wrong_method")
    assert got.headers["allow"] == "GET, HEAD"
    site.quiet()
    site.stop()


def only_who_shows_a_certificate_comes_in(rig):
    rig.make_ca()
    other = Rig(build=rig.build)
    try:
        site = Site(rig, client_ca=rig.path("ca.pem"))
        good = rig.make_cert("relay7.tasuki.test", usage="clientAuth")
        wrong_use = rig.make_cert("relay8.tasuki.test", usage="serverAuth")
        strange = other.make_cert("relay9.tasuki.test", usage="clientAuth")
        for version in VERSIONS:
            assert site.curl(version, "/echo", "--cert", good[0], "--key", good[1]).json()["peer_name"] == "relay7.tasuki.test"
            for args in ([], ["--cert", wrong_use[0], "--key", wrong_use[1]], ["--cert", strange[0], "--key", strange[1]]):
                done = subprocess.run(site.curl_argv(version, "/echo", *args), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                assert done.returncode != 0 and not done.stdout, (args, done)
        assert site.curl("--http1.1", "/echo", tls=False).json()["peer_name"] == ""
        until("they were counted", lambda: site.stats()["tls_failed_total"] == 6)
        site.quiet()
        site.stop()
    finally:
        other.close()


def tls_is_1_3_only(rig):
    site = Site(rig)

    def s_client(*args):
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{site.tls_port}", *args], input=b"", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60).stdout.decode(errors="replace")

    assert "alert protocol version" in s_client("-tls1_2")
    assert "Protocol  : TLSv1.3" in s_client() or "New, TLSv1.3" in s_client()
    assert "ALPN protocol: h2" in s_client("-alpn", "http/1.1,h2")
    assert "ALPN protocol: http/1.1" in s_client("-alpn", "spdy/1,http/1.1")
    assert "alert no application protocol" in s_client("-alpn", "tasuki/1")
    assert "X25519" in s_client("-groups", "X25519:P-256") and "prime256v1" in s_client("-groups", "P-256")
    assert "handshake failure" in s_client("-groups", "P-521")
    with site.connect(True, alpn=None) as s, s.makefile("rb") as f:  # who offers nothing speaks HTTP/1.1
        s.sendall(head())
        assert read_reply(f).body == b"ok\n"
    site.stop()


def new_certificates_are_read_without_a_restart(rig):
    site = Site(rig)

    def serial():
        return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", site.tls_port)))

    old = serial()
    kept = site.connect(True)
    stream = Listener(site, "--http2", "/streams/5")
    stream.wait("filled")
    for e in ("pem", "key"):
        os.rename(rig.path(f"{NAME}.{e}"), rig.path(f"old.{e}"))
    # The new pair is half there, then broken: the old one stays in force.
    assert not site.program.ask("reload", "reloaded")["ok"]
    with open(site.crt, "w") as f:
        f.write("not a certificate")
    got = site.program.ask("reload", "reloaded")
    assert not got["ok"] and site.crt in got["why"], got
    os.unlink(site.crt)
    rig.make_cert(NAME)
    os.rename(rig.path(f"{NAME}.key"), rig.path("new.key"))
    os.rename(rig.path("old.key"), rig.path(f"{NAME}.key"))
    got = site.program.ask("reload", "reloaded")
    assert not got["ok"] and site.key in got["why"], got  # the key of another certificate
    assert serial() == old
    os.rename(rig.path("new.key"), rig.path(f"{NAME}.key"))
    assert site.program.ask("reload", "reloaded")["ok"]
    assert serial() != old
    with kept, kept.makefile("rb") as f:  # connections that are there stay
        kept.sendall(head())
        assert read_reply(f).status == 200
    site.program.ask("publish 5 9 later {}", "published")
    stream.wait("later")
    stream.close()
    site.stop()


def what_cannot_be_bound_or_read_is_named(rig):
    crt, key = rig.make_cert(NAME)
    exe = rig.exe("http_server", os.path.join("tests", "e2e"))
    taken = socket.create_server(("127.0.0.1", 0))
    at = "127.0.0.1:%d" % taken.getsockname()[1]
    free = f"127.0.0.1:{free_port()}"
    with open(rig.path("junk.pem"), "w") as f:
        f.write("junk")
    junk = rig.path("junk.pem")
    cases = (
        ([at], EADDRINUSE, at), (["203.0.113.7:4443"], EADDRNOTAVAIL, "203.0.113.7:4443"), (["localhost:4443"], 0, "localhost:4443"),
        (["127.0.0.1"], 0, "127.0.0.1"), (["127.0.0.1:99999"], 0, "127.0.0.1:99999"), ([free, junk, key], 0, junk),
        ([free, crt, junk], 0, junk), ([free, crt, rig.path("absent.key")], 0, rig.path("absent.key")), ([free, crt, key, junk], 0, junk),
    )
    for args, number, named in cases:
        # The one before it is closed again.
        p = Program(rig, "refused", [exe, "--listen", free_or(args, free), "--listen", *args])
        got = p.wait("failed")
        assert got["errno"] == number and named in got["why"], (args, got)
        assert p.exit_code() == 1
    taken.close()
    p = Program(rig, "v6", [exe, "--listen", f"[::1]:{free_port()}", "--listen", at])
    if p.wait("ready"):
        port = int(p.proc.args[2].rsplit(":", 1)[1])
        with socket.create_connection(("::1", port)) as s, s.makefile("rb") as f:
            s.sendall(head("GET", "/echo"))
            assert read_reply(f).json()["source"] == "00" * 15 + "01"
        with socket.socket() as s:  # a v4 address listens there, and nowhere else
            assert s.connect_ex(("127.0.0.2", int(at.rsplit(":", 1)[1]))) != 0
    p.ask("stop", "stopped")


def free_or(args, free):
    """An address for the first listener that is not the second's."""
    return f"127.0.0.1:{free_port()}" if args[0] == free else free


main(
    a_request_arrives_as_it_was_sent,
    bodies_come_whole,
    what_is_not_there_and_what_is_not_allowed,
    a_body_that_is_too_large_is_refused_before_it_is_read,
    kept_and_pipelined_connections,
    hostile_heads_are_refused,
    connections_that_break_off_do_no_harm,
    who_is_slow_is_not_waited_for,
    a_body_has_to_come_at_a_kibibyte_a_second,
    a_reply_that_nobody_reads_is_given_up,
    there_is_an_end_to_connections,
    a_full_lane_says_so,
    one_source_has_its_part_of_a_lane,
    one_source_has_its_part_of_the_memory_for_bodies,
    a_gate_answers_before_the_lane,
    who_goes_away_while_a_lane_works_is_not_answered,
    what_lies_in_a_lane_at_the_end_is_let_go,
    files_come_in_pieces,
    the_plain_address_leads_to_the_encrypted_one,
    only_who_shows_a_certificate_comes_in,
    tls_is_1_3_only,
    new_certificates_are_read_without_a_restart,
    what_cannot_be_bound_or_read_is_named,
)
