"""The HTTP server and HTTP/2 peers that break the rules."""

import json
import struct

from http_site import (CONTINUATION, DATA, END_HEADERS, END_STREAM, H2, HEADERS, MEBI, NAME, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, Site,
                       literal)
from rig import main, until


def http2_peers_that_break_the_rules(rig):
    site = Site(rig, "header_s=3")
    ok = END_STREAM | END_HEADERS

    # Data for a request whose answer is on its way: this ended the process of the library that was tried first.
    site.program.ask("hold", "holding")
    peer = H2(site)
    peer.request(1, "/held", flags=END_HEADERS)
    peer.frame(DATA, 0, 1, b"x")
    peer.until("it is refused", lambda: 1 in peer.over)
    peer.request(3, "/held")
    site.program.wait("waiting")
    peer.frame(DATA, END_STREAM, 3, b"hello")  # after its end
    assert peer.closed() == 5 or 3 in peer.resets
    peer.close()
    site.program.ask("release", "released")

    breaks = [
        lambda p: p.s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        lambda p: p.frame(DATA, 0, 1, b"x"),  # of no stream
        lambda p: p.frame(HEADERS, ok, 2, b"\x82\x84\x87"),  # an even number
        lambda p: p.frame(HEADERS, ok, 0, b"\x82\x84\x87"),
        lambda p: p.frame(HEADERS, ok, 1, b"\xff\xff\xff\xff\xff\xff"),  # no such index
        lambda p: p.frame(HEADERS, ok, 1, b"\x40\x7f\xff\xff\xff\x7f"),
        lambda p: p.frame(CONTINUATION, 4, 1, b""),
        lambda p: (p.frame(HEADERS, END_STREAM, 1, b"\x82"), p.frame(PING, 0, 0, b"x" * 8)),
        lambda p: p.frame(SETTINGS, 0, 0, b"x" * 5),
        lambda p: p.frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 2**31)),
        lambda p: p.frame(PING, 0, 0, b"x"),
        lambda p: p.frame(WINDOW_UPDATE, 0, 0, b"\x00" * 4),
        lambda p: (p.frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), p.frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff")),
        lambda p: p.s.sendall(b"\x01\x00\x00\x00\x00\x00\x00\x00\x01"),  # a frame of 64 KiB
    ]
    for breaks_it in breaks:
        peer = H2(site)
        peer.settle()
        breaks_it(peer)
        assert peer.closed() not in (None, 0), breaks.index(breaks_it)
        peer.close()

    # Floods: of pings, settings, streams that are taken back at once, endless headers, empty frames.
    def flood(send, n):
        peer = H2(site)
        peer.settle()
        try:
            for i in range(n):
                send(peer, i)
        except OSError:
            pass
        peer.close()

    flood(lambda p, i: p.frame(PING, 0, 0, b"x" * 8), 20000)
    flood(lambda p, i: p.frame(SETTINGS, 0, 0), 20000)
    flood(lambda p, i: (p.request(1 + 2 * i, "/things/1"), p.frame(RST_STREAM, 0, 1 + 2 * i, b"\0\0\0\x08")), 5000)
    flood(lambda p, i: p.frame(HEADERS if i == 0 else CONTINUATION, 0, 1, literal("a", "b" * 1000)), 5000)
    flood(lambda p, i: p.request(1 + 2 * i, "/held_streams/1"), 200)
    flood(lambda p, i: p.frame(HEADERS, END_HEADERS, 1, literal(":method", "POST")) if i == 0 else p.frame(DATA, 0, 1), 5000)
    assert site.curl("--http2", "/tiny").status == 200

    # Heads that are not requests end their stream, or are answered, and nothing else.
    peer = H2(site)
    heads = [
        [(":method", "GET"), (":scheme", "https"), (":authority", NAME)],
        [(":method", "GET"), (":path", "/tiny"), (":authority", NAME)],
        [(":method", "GET"), (":method", "GET"), (":scheme", "https"), (":path", "/tiny"), (":authority", NAME)],
        [(":method", "GET"), (":scheme", "https"), (":path", "/tiny"), (":authority", NAME), ("Upper", "x")],
        [(":method", "GET"), (":scheme", "https"), (":path", "/tiny"), (":authority", NAME), ("connection", "close")],
        [(":method", "GET"), (":scheme", "https"), (":path", "/tiny"), (":authority", NAME), ("a", "b\r\nc: d")],
        [(":method", "GET"), (":scheme", "https"), (":path", "/tiny"), (":authority", NAME), ("authorization", "a"), ("authorization", "b")],
        [(":method", "POST"), (":scheme", "https"), (":path", "/echo"), (":authority", NAME), ("content-length", "-5")],
        [(":method", "POST"), (":scheme", "https"), (":path", "/echo"), (":authority", NAME), ("content-length", "5")],
        [(":method", "GET"), (":scheme", "https"), (":path", "/tiny"), (":authority", NAME), ("host", "other")],
    ]
    for i, fields in enumerate(heads):
        peer.frame(HEADERS, ok, 1 + 2 * i, b"".join(literal(n, v) for n, v in fields))
        peer.wait_reset(1 + 2 * i)
    for i, (path, code) in enumerate(((" /tiny", b"bad_path"), ("/\x7f", b"bad_path"), ("/%00", b"bad_path"), ("tiny", b"bad_path"))):
        peer.request(101 + 2 * i, path)
        peer.until("it is refused", lambda: 101 + 2 * i in peer.over or 101 + 2 * i in peer.resets)
        assert 101 + 2 * i in peer.resets or code in peer.data[101 + 2 * i]
    peer.frame(HEADERS, ok, 201, literal(":method", "GET") + literal(":scheme", "https") + literal(":path", "/tiny"))
    peer.until("no host", lambda: 201 in peer.over or 201 in peer.resets)
    # Cookies may come in crumbs (RFC 9113 section 8.2.3).
    peer.request(301, "/echo", more=[("cookie", "a=1"), ("cookie", "b=2")])
    assert json.loads(peer.reply(301))["cookie"] == "a=1; b=2"
    # A slow body ends its stream, a head that never ends the connection.
    peer.request(303, "/tiny")
    assert peer.reply(303) == b"ok\n"
    peer.frame(HEADERS, 0, 305, literal(":method", "GET"))
    peer.closed()
    peer.close()
    until("all are gone", lambda: site.stats()["connections"] == 0)
    assert site.curl("--http2", "/tiny").status == 200
    site.stop()


def a_slow_body_ends_its_stream_only(rig):
    site = Site(rig, "body_s=1")
    peer = H2(site)
    peer.request(1, "/streams/5")
    peer.wait_data(1, b"\n\n")
    peer.request(3, "/mirror", "POST", END_HEADERS)
    assert b"too_slow" in peer.reply(3)
    site.program.ask("publish 5 1 e x", "published")
    peer.wait_data(1, b"data: x\n\n")
    peer.close()
    site.quiet()
    site.stop()


def replies_that_nobody_reads_are_not_piled_up(rig):
    site = Site(rig, f"bodies_max={16 * MEBI}")  # a source may have one of them
    big, kibi = 128 * 1024, 1024
    peer = H2(site, window=0)
    peer.settle()
    for i in range(31):
        peer.request(1 + 2 * i, "/big")
    peer.request(63, "/tiny")
    peer.frame(PING, 0, 0, b"x" * 8)
    peer.until("all was read", lambda: peer.pongs == 1)
    until("five replies wait, the rest is not begun", lambda: site.stats()["held_bytes"] == 5 * big)
    assert site.stats()["requests_total"] == 5
    # Another connection of the same source has what is left.
    second = H2(site, window=0)
    for i in range(5):
        second.request(1 + 2 * i, "/big")
    until("two are refused", lambda: site.stats()["refused_total"] == 2)
    assert site.stats()["held_bytes"] < MEBI + 2 * kibi, site.stats()
    other = H2(site, window=MEBI, source="127.0.0.2")
    other.request(1, "/big")
    assert len(other.reply(1)) == big
    second.close()
    until("its part is free again", lambda: site.stats()["held_bytes"] == 5 * big)
    # What was postponed comes when the others were read.
    peer.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 16 * MEBI))
    peer.frame(SETTINGS, 0, 0, struct.pack(">HI", 4, MEBI))
    assert [len(peer.reply(1 + 2 * i)) for i in range(31)] == 31 * [big]
    assert peer.reply(63) == b"ok\n"
    # A postponed one may be taken back, and its connection may end.
    peer.frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0))
    for i in range(20):
        peer.request(101 + 2 * i, "/big")
    peer.frame(RST_STREAM, 0, 139, struct.pack(">I", 8))
    until("five more wait", lambda: site.stats()["held_bytes"] == 5 * big)
    peer.close()
    other.close()
    site.quiet()
    site.stop()


main(
    replies_that_nobody_reads_are_not_piled_up,
    http2_peers_that_break_the_rules,
    a_slow_body_ends_its_stream_only,
)
