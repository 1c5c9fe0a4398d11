"""Event streams of the HTTP server, and its end."""

import socket
import struct
import subprocess
import threading
import time

from http_site import (H2, PATIENCE_S, RST_STREAM, VERSIONS, Listener, Site, head, is_closed, listen_later, read_reply, until_line)
from rig import Failed, main, until


# --- event streams ---


def events_come_in_order(rig):
    site = Site(rig)
    for version in VERSIONS:
        for tls in (True, False):
            site.program.ask("hold", "holding")
            held = listen_later(site, version, "/held_streams/7?after=3", tls)
            site.program.wait("waiting")
            site.program.ask("publish 7 33 early {\"n\":1}", "published")  # subscribed, not yet filled
            site.program.ask("publish 8 34 other {}", "published")
            site.program.ask("release", "released")
            stream = held()
            h = stream.head.headers
            assert h["content-type"] == "text/event-stream" and h["cache-control"] == "no-store" and h["x-accel-buffering"] == "no", h
            assert "content-length" not in h
            assert stream.next() == {"id": "0000000000001", "event": "filled", "data": "3"}
            assert stream.next() == {"id": "0000000000011", "event": "early", "data": "{\"n\":1}"}
            for i in range(100):
                site.program.say(f"publish 7 {i + 100} many {i}")
            for i in range(100):
                assert stream.next()["data"] == str(i)
                site.program.wait("published")
            site.program.ask("has 7", "yes")
            site.program.ask("has 8", "no")
            site.program.say("publish 7 0 last bye")
            site.program.ask("end 7", "ended")
            assert stream.next() == {"event": "last", "data": "bye"}
            assert stream.ended() == b""
            until("nobody listens", lambda: site.program.ask("has 7", "no"))
        site.curl(version, "/streams/0").problem(403, "forbidden")
        site.curl(version, "/streams/5?after=bad").problem(400, "bad_after")
        got = site.curl(version, "/streams/5", "-I")
        assert got.status == 200 and got.headers["content-type"] == "text/event-stream"
        site.program.ask("has 5", "no")
    # Nothing goes first: the head alone says that it has begun.
    with site.connect(True) as s, s.makefile("rb") as f:
        s.sendall(head("GET", "/bare_streams/9"))
        assert read_reply(f).status == 200
        site.program.ask("publish 9 1 first x", "published")
        until_line(f, b"data: x\n")
    peer = H2(site)
    peer.request(1, "/bare_streams/9")
    peer.until("its head", lambda: 1 in peer.status)
    site.program.ask("publish 9 1 first x", "published")
    peer.wait_data(1, b"data: x\n\n")
    peer.close()
    site.quiet()
    site.stop()


def many_listen_and_each_hears_everything(rig):
    site = Site(rig, "streams=500")
    n, m = 150, 50
    readers = []
    for i in range(n):
        s = site.connect(True)
        s.sendall(head("GET", f"/streams/{1 + i % 2}"))
        readers.append((s, s.makefile("rb")))
        until_line(readers[-1][1], b"data: none\n")
    peers = [H2(site) for _ in range(5)]
    for peer in peers:
        for k in range(30):  # near the most that one connection may have; one by one: a lane's queue is short
            peer.request(1 + 2 * k, "/streams/1")
            peer.wait_data(1 + 2 * k, b"data: none\n\n")
    assert site.stats()["streams"] == n + 150
    for i in range(m):
        site.program.say(f"publish 1 {i + 1} e {i}")
    site.program.ask("publish 2 1 e last", "published")
    for k, (s, f) in enumerate(readers):
        for i in range(m if k % 2 == 0 else 0):
            until_line(f, b"data: %d\n" % i)
        if k % 2:
            until_line(f, b"data: last\n")
    for peer in peers:
        for k in range(30):
            data = peer.wait_data(1 + 2 * k, b"data: %d\n\n" % (m - 1))
            assert [line for line in data.splitlines() if line.startswith(b"data")] == \
                [b"data: none"] + [b"data: %d" % i for i in range(m)]
    for s, f in readers:
        f.close()
        s.close()
    for peer in peers:
        peer.close()
    site.quiet()
    site.stop()


def silence_is_broken_by_a_comment(rig):
    site = Site(rig)
    streams = [Listener(site, version, "/streams/5") for version in VERSIONS for _ in range(3)]
    begin = time.monotonic()
    for s in streams:
        s.wait("filled")
        assert s.next() == {}
    assert 10 < time.monotonic() - begin < 25
    site.program.ask("publish 5 1 e x", "published")
    for s in streams:
        s.wait("e")
        s.close()
    site.quiet()
    site.stop()


def who_cannot_keep_up_is_closed(rig):
    site = Site(rig)
    lazy = site.connect(True, rcvbuf=4096)
    lazy.sendall(head("GET", "/streams/5"))
    peer = H2(site, rcvbuf=4096, window=1000)
    peer.request(1, "/streams/5")
    good = Listener(site, "--http2", "/streams/5")
    good.wait("filled")
    until("three", lambda: site.stats()["streams"] == 3)
    n = 0
    while site.stats()["streams"] > 1:
        n += 1
        assert n < 1000
        site.program.ask(f"publish 5 {n} e {'x' * 100000}", "published")
        good.wait("e")
    peer.wait_reset(1)
    peer.request(3, "/tiny")  # only the stream went
    assert peer.reply(3) == b"ok\n"
    site.program.ask("publish 5 1 last x", "published")
    good.wait("last")
    for s in (lazy, peer.s):
        s.close()
    good.close()
    site.quiet()
    site.stop()


def the_oldest_stream_of_a_topic_makes_room(rig):
    site = Site(rig, "streams=2")
    for version in VERSIONS:
        streams = [Listener(site, version, "/streams/5") for _ in range(1)]
        streams[0].wait("filled")
        for _ in range(4):
            streams.append(Listener(site, version, "/streams/5"))
            streams[-1].wait("filled")
        for s in streams[:3]:
            assert s.ended() == b""
        site.program.ask("publish 5 1 e x", "published")
        for s in streams[3:]:
            s.wait("e")
            s.close()
        site.quiet()
    site.stop()


def streams_whose_reader_leaves_are_forgotten(rig):
    site = Site(rig)
    for version in VERSIONS:
        for _ in range(10):
            s = Listener(site, version, "/streams/5")
            s.wait("filled")
            s.close()
        until("nobody listens", lambda: site.stats()["streams"] == 0)
        site.program.ask("has 5", "no")
    peer = H2(site)
    peer.request(1, "/streams/5")
    peer.wait_data(1, b"\n\n")
    peer.frame(RST_STREAM, 0, 1, struct.pack(">I", 8))
    until("taken back alone", lambda: site.stats()["streams"] == 0)
    assert site.stats()["connections"] == 1
    peer.close()
    site.stop()


# --- the end ---


def draining_answers_what_was_asked(rig):
    site = Site(rig)
    site.program.ask("hold", "holding")
    held = [subprocess.Popen(site.curl_argv("--http1.1", "/held"), stdout=subprocess.PIPE)]
    site.program.wait("waiting")
    held.append(subprocess.Popen(site.curl_argv("--http2", "/held"), stdout=subprocess.PIPE))
    until("one waits", lambda: site.stats()["queued"] == 1)
    streams = [Listener(site, v, "/streams/5") for v in VERSIONS]
    for s in streams:
        s.wait("filled")
    idle, idle2, half = site.connect(), H2(site), site.connect(True)
    idle2.settle()
    half.sendall(b"GET /tiny HT")
    site.program.say("drain 60000")
    for s in streams:
        assert s.ended() == b""
    for s in (idle, idle2.s, half):
        is_closed(s)
        s.close()
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", site.port)) != 0, "no more are accepted"
    site.program.ask("release", "released")
    for p in held:
        assert p.communicate(timeout=60)[0].endswith(b"ok\n")
    site.program.wait("drained")
    site.quiet()
    site.stop()


def draining_waits_no_longer_than_it_was_told(rig):
    site = Site(rig)
    site.program.ask("hold", "holding")
    with site.connect() as s:
        s.sendall(head("GET", "/held"))
        site.program.wait("waiting")
        begin = time.monotonic()
        site.program.ask("drain 300", "drained")
        assert 0.25 < time.monotonic() - begin < PATIENCE_S
        assert site.stop()["passed"] == 1


# --- everything together ---


def many_at_once(rig):
    """Everything together, for sanitizers: requests, streams and publishing from another thread, peers that leave."""
    site = Site(rig, "streams=100")
    stop = threading.Event()
    failures = []

    def client(k):
        try:
            for i in range(15):
                if k % 3 == 0:
                    with site.connect(True) as s, s.makefile("rb") as f:
                        s.sendall(head("POST", "/mirror", "Content-Length: 5") + b"abcde" + head("GET", f"/things/{i}"))
                        assert read_reply(f).body == b"abcde" and read_reply(f).status == 200
                elif k % 3 == 1:
                    peer = H2(site)
                    for n in range(10):
                        peer.request(1 + 2 * n, f"/things/{n}")
                    peer.request(31, "/streams/5")
                    for n in range(10 if i % 2 else 3):
                        assert b"param0" in peer.reply(1 + 2 * n)
                    peer.close()
                else:
                    with site.connect(True) as s, s.makefile("rb") as f:
                        s.sendall(head("GET", "/streams/5"))
                        until_line(f, b"data: none\n")
                        until_line(f, b"event: e\n")
        except (OSError, AssertionError, Failed) as e:
            failures.append(e)

    def publisher():
        n = 0
        while not stop.is_set():
            n += 1
            site.program.ask(f"publish 5 {n} e {n}", "published")

    threads = [threading.Thread(target=client, args=(k,)) for k in range(9)]
    p = threading.Thread(target=publisher)
    for t in [*threads, p]:
        t.start()
    for t in threads:
        t.join()
    stop.set()
    p.join()
    assert not failures, failures
    site.quiet()
    site.stop()


main(
    events_come_in_order,
    many_listen_and_each_hears_everything,
    silence_is_broken_by_a_comment,
    who_cannot_keep_up_is_closed,
    the_oldest_stream_of_a_topic_makes_room,
    streams_whose_reader_leaves_are_forgotten,
    draining_answers_what_was_asked,
    draining_waits_no_longer_than_it_was_told,
    many_at_once,
)
