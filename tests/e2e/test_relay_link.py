"""A relay that registers with a management server: keys, kills, heartbeats, and what happens when either is gone."""

import http.server
import json
import os
import queue
import signal
import socket
import ssl
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "vectors"))

import tasuki_ref as ref
from rig import free_port, main, run, until
from test_relay_service import CONFIG, call, change, get, log_of, metrics, relay_of, wait_log

NAME = "manager.tasuki.test"
TICKET, STATEMENT = 1, 2
ADMIN = 3  # why a session ended: TAS_END_ADMIN
REFUSED_TICKET = 10


def id_text(number):
    return "".join("0123456789abcdefghjkmnpqrstvwxyz"[number >> (60 - 5 * i) & 31] for i in range(13))


def keyset(root, keys, sequence=1):
    """The signed bytes; keys: (kid, use, public key)."""
    body = struct.pack(">BBHIQ", 1, len(keys), 0, sequence, 1)
    for kid, use, pk in keys:
        body += struct.pack(">BB6xQQ", kid, use, 0, 2**64 - 1) + pk
    return body + ref.ed_sign(root, ref.pad16("TSK1 keyset"), body)


def keys_of(rig):
    """The seeds that `tasuki-headless issue` has made: root, ticket, statement."""
    with open(rig.path("keys.bin"), "rb") as f:
        data = f.read()
    return data[:32], data[32:64], data[64:96]


def issued_keyset(rig, sequence=1, root=None):
    own_root, ticket, statement = keys_of(rig)
    return keyset(root or own_root, [(1, TICKET, ref.ed_public(ticket)), (2, STATEMENT, ref.ed_public(statement))], sequence)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Manager:
    """Speaks what a management server speaks to relays. May be stopped and started again at the same place."""

    def __init__(self, rig, name=NAME):
        self.rig, self.name, self.port = rig, name, free_port()
        self.where = f"127.0.0.1:{self.port}"
        self.url = f"https://{NAME}:{self.port}"
        self.answer = {"server_ms": 0, "keyset": "", "heartbeat_s": 1, "alternates": []}
        self.refusal = None  # (status, code, detail)
        self.hellos, self.streams, self.kills = [], [], []
        self.opened = 0
        self.server = None

    def start(self):
        manager = self
        crt, key = self.rig.make_cert(self.name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(crt, key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.rig.path("ca.pem"))

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                self.request.settimeout(20)
                self.request = context.wrap_socket(self.request, server_side=True)
                manager.connections.append(self.request)
                super().setup()

            def log_message(self, *args):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                names = [v for k, v in self.request.getpeercert()["subjectAltName"] if k == "DNS"]
                manager.hellos.append((self.path, body, names, self.headers))
                if manager.refusal:
                    status, code, detail = manager.refusal
                    data, kind = json.dumps({"code": code, "detail": detail}).encode(), "application/problem+json"
                else:
                    answer = dict(manager.answer, server_ms=manager.answer["server_ms"] or int(time.time() * 1000))
                    status, data, kind = 200, json.dumps(answer).encode(), "application/json"
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                mine = queue.Queue()
                if manager.has_no_streams:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                for line in manager.kills:
                    mine.put(line)
                manager.streams.append(mine)
                manager.opened += 1
                assert self.path == f"/v1/relay/{manager.relay_id}/stream", self.path
                while (text := mine.get()) is not None:
                    self.wfile.write(text.encode())
                    self.wfile.flush()

        self.connections = []
        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    relay_id = 1
    has_no_streams = False

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        for mine in self.streams:
            mine.put(None)
        self.streams.clear()
        for c in self.connections:
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def send(self, event, **data):
        text = f"event: {event}\ndata: {json.dumps(data)}\n\n"
        if event == "kill":
            self.kills.append(text)
        for mine in self.streams:
            mine.put(text)

    def kill(self, session, slot=255):
        self.send("kill", session=id_text(session), slot=slot)

    def wait_hello(self, what, fn, limit=20):
        return until(what, lambda: next((h for h in self.hellos if fn(h[1])), None), limit)

    def wait_stream(self, n=1):
        until("stream", lambda: self.opened >= n)


def client_cert(rig, name, ca=None):
    """A certificate for the link; ca: another authority's (certificate, key)."""
    rig.make_ca()
    ca_crt, ca_key = ca or (rig.path("ca.pem"), rig.path("ca.key"))
    key, csr, crt, ext = (rig.path(f"link-{name}.{e}") for e in ("key", "csr", "pem", "ext"))
    run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key,
         "-out", csr])
    with open(ext, "w") as f:
        f.write(f"subjectAltName=DNS:{name}\nextendedKeyUsage=clientAuth\n")
    run(["openssl", "x509", "-req", "-in", csr, "-CA", ca_crt, "-CAkey", ca_key, "-CAcreateserial", "-days", "30", "-extfile", ext,
         "-out", crt])
    return crt, key


def other_ca(rig):
    crt, key = rig.path("other-ca.pem"), rig.path("other-ca.key")
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other",
         "-keyout", key, "-out", crt, "-addext", "basicConstraints=critical,CA:TRUE"])
    return crt, key


def options(rig, *managers, root=None, link=None, ca=None):
    crt, key = link or client_cert(rig, "relay1.tasuki.test")
    root_pk = ref.ed_public(root or keys_of(rig)[0]).hex()
    sections = "".join(f'manager "{m.url}" {{ address = "{m.where}" }}\n' for m in managers)
    return (f'{sections}manager_ca = "{ca or rig.path("ca.pem")}"\nlink_certificate = "{crt}"\nlink_key = "{key}"\n'
            f'root = "{root_pk}"\nname = "relay1.tasuki.test"\nregion = "jp"\npublic_address = "127.83.0.2:443"\n')


def forget_static_keys(rig):
    open(rig.path("ticket_key.conf"), "w").close()


def set_up(rig, is_up=True, relays=(1,)):
    """A manager that gives the right keys, and a relay's configuration that has no keys of its own."""
    for i in relays:
        rig.add_relay(i)
    rig.issue()
    manager = Manager(rig)
    manager.answer["keyset"] = issued_keyset(rig).hex()
    return manager.start() if is_up else manager


def start_relay(rig, *managers, **kw):
    http = f"127.0.0.1:{free_port()}"
    extra = options(rig, *managers, **kw)
    forget_static_keys(rig)
    return rig.start_relay(1, extra, http=http, name=f"relay{len(rig.programs)}"), http  # a log of its own


def wait_keys(relay, n=1):
    until("a keyset was taken", lambda: len([e for e in log_of(relay) if e["event"] == "keyset_taken"]) >= n)


def session(rig, number=5):
    rig.issue("--session", number)
    display = rig.start_display("320x200")
    host, viewer = rig.start_host(display), rig.start_viewer()
    rig.join(host, viewer)
    return host, viewer, display


def joins_hold_with_keys_of_the_keyset_only(rig):
    manager = set_up(rig, is_up=False)
    relay, http = start_relay(rig, manager)
    assert get(http, "/healthz")[:2] == (503, "no keys yet\n")
    display = rig.start_display("320x200")
    host = rig.start_host(display, name="early")
    assert host.wait("closed")["reason"] == REFUSED_TICKET
    assert wait_log(relay, "refused")["code"] == 2
    assert wait_log(relay, "link_lost")["manager"] == manager.url
    manager.start()
    wait_keys(relay)
    until("200", lambda: get(http, "/healthz")[:2] == (200, "ok\n"))
    host, viewer, display = session(rig, 0x123456789ABCDEF)
    path, body, names, headers = manager.hellos[0]
    assert path == "/v1/relay/1/hello" and names == ["relay1.tasuki.test"], (path, names)
    assert headers["Content-Type"] == "application/json" and headers["User-Agent"].startswith("tasuki-relay/")
    version = body.pop("version")
    assert version and body == {"name": "relay1.tasuki.test", "address": "127.83.0.2:443", "region": "jp", "state": "up", "ends": 0,
                                "sessions": 0, "connections": 0, "max_connections": 18000, "sessions_here": []}, body
    body = manager.wait_hello("a session is told", lambda b: b["sessions_here"])[1]
    assert body["sessions_here"] == [id_text(0x123456789ABCDEF)], body
    assert (body["ends"], body["sessions"], body["connections"]) == (2, 1, 2), body
    m = metrics(http)
    assert (m["managers"], m["managers_connected"], m["kills_total"]) == (1, 1, 0), m
    assert len([e for e in log_of(relay) if e["event"] == "link_connected"]) == 1
    viewer.say("end")
    host.wait("closed")
    count = len(manager.hellos)
    until("it is told that it is over", lambda: [h for h in manager.hellos[count:] if not h[1]["sessions_here"]])


def a_kill_ends_a_session_at_both_ends_and_for_good(rig):
    manager = set_up(rig)
    relay, http = start_relay(rig, manager)
    wait_keys(relay)
    manager.wait_stream()
    host, viewer, display = session(rig, 77)
    begun = time.monotonic()
    manager.kill(78)  # somebody else's
    manager.send("unheard_of", x=1)
    manager.send("kill", session="not an id", slot=255)
    manager.kill(77)
    ended = [e.wait("closed") for e in (host, viewer)]
    took = time.monotonic() - begun
    assert [e["reason"] for e in ended] == [ADMIN, ADMIN], ended
    assert took < 1, took
    print(f"     both ends closed {took * 1000:.0f} ms after the word")
    again = rig.start_host(display, name="again")
    assert again.wait("closed")["reason"] == ADMIN
    assert wait_log(relay, "refused")["code"] == 12
    assert metrics(http)["kills_total"] == 2 and metrics(http)["ends"] == 0
    wait_log(relay, "kill_refused")
    manager.stop()
    wait_log(relay, "link_lost")
    manager.start()
    manager.wait_stream(2)  # and all is told again
    session(rig, 79)
    assert metrics(http)["kills_total"] == 2


def a_kill_of_a_slot_leaves_the_other(rig):
    manager = set_up(rig)
    relay, http = start_relay(rig, manager)
    wait_keys(relay)
    manager.wait_stream()
    host, viewer, display = session(rig, 77)
    manager.kill(77, slot=1)
    assert viewer.wait("closed")["reason"] == ADMIN
    until("the viewer left", lambda: metrics(http)["ends"] == 1)
    assert not [e for e in host.events if e["event"] == "closed"]
    again = rig.start_viewer(name="again")
    assert again.wait("closed")["reason"] == ADMIN
    manager.kill(77, slot=0)
    assert host.wait("closed")["reason"] == ADMIN


def without_managers_it_goes_on_and_returns(rig):
    manager = set_up(rig)
    relay, http = start_relay(rig, manager)
    wait_keys(relay)
    manager.wait_stream()
    host, viewer, display = session(rig)
    manager.stop()
    until("lost", lambda: metrics(http)["managers_connected"] == 0)
    assert get(http, "/healthz")[0] == 200
    viewer.say("chat still there")
    assert host.wait("chat")["text"] == "still there"
    rig.issue("--session", 6)
    host2, viewer2 = rig.start_host(display, name="host2"), rig.start_viewer(name="viewer2")
    rig.join(host2, viewer2)
    count = len(manager.hellos)
    manager.start()
    until("heartbeats again", lambda: len(manager.hellos) > count)
    manager.wait_stream(2)
    until("connected", lambda: metrics(http)["managers_connected"] == 1)
    assert sorted(manager.wait_hello("both", lambda b: len(b["sessions_here"]) == 2)[1]["sessions_here"]) == [id_text(5), id_text(6)]
    lost = [e for e in log_of(relay) if e["event"] == "link_lost"]
    assert len(lost) == 1, lost
    viewer.say("chat again")
    assert host.wait("chat", text="again")
    manager.kill(6)
    assert host2.wait("closed")["reason"] == ADMIN


def only_root_gives_keys_and_never_older_ones(rig):
    manager = set_up(rig)
    good = manager.answer["keyset"]
    manager.answer["keyset"] = issued_keyset(rig, root=os.urandom(32)).hex()
    relay, http = start_relay(rig, manager)
    refused = wait_log(relay, "keyset_refused")
    assert "root" in refused["why"] and "root" in refused["do"] and refused["level"] == "error", refused
    until("three heartbeats", lambda: len(manager.hellos) >= 3)
    assert get(http, "/healthz")[:2] == (503, "no keys yet\n")
    assert len([e for e in log_of(relay) if e["event"] == "keyset_refused"]) == 1, "it fills the log"
    for bad in ("", "zz", good[:-2], good + "00", "00" * 5000):
        count = len(manager.hellos)
        manager.answer["keyset"] = bad
        for i in (1, 2):
            manager.send("keyset")
            until("one more", lambda: len(manager.hellos) >= count + i)
    assert get(http, "/healthz")[0] == 503
    manager.answer["keyset"] = issued_keyset(rig, sequence=7).hex()
    manager.send("keyset")
    wait_keys(relay)
    assert wait_log(relay, "keyset_taken")["sequence"] == 7
    host, viewer, display = session(rig)
    root, ticket, statement = keys_of(rig)
    stranger = [(1, TICKET, ref.ed_public(os.urandom(32)))]
    manager.answer["keyset"] = keyset(root, stranger, sequence=6).hex()
    manager.send("keyset")
    assert wait_log(relay, "keyset_old")
    rig.issue("--session", 6)
    host, viewer = rig.start_host(display, name="host2"), rig.start_viewer(name="viewer2")
    rig.join(host, viewer)
    manager.answer["keyset"] = keyset(root, stranger, sequence=8).hex()
    manager.send("keyset")
    wait_keys(relay, 2)
    rig.issue("--session", 7)
    until("the new keys are in force", lambda: wait_log(relay, "keyset_taken", sequence=8))
    assert rig.start_host(display, name="host3").wait("closed")["reason"] == REFUSED_TICKET


def a_keyset_is_asked_for_at_once(rig):
    manager = set_up(rig)
    manager.answer["heartbeat_s"] = 60
    relay, http = start_relay(rig, manager)
    manager.wait_stream()
    assert len(manager.hellos) == 1
    manager.send("keyset")
    until("hello", lambda: len(manager.hellos) == 2)


def draining_is_told_at_once_and_going_too(rig):
    manager = set_up(rig)
    manager.answer["heartbeat_s"] = 60
    relay, http = start_relay(rig, manager)
    wait_keys(relay)
    begun = time.monotonic()
    relay.kill(signal.SIGUSR1)
    manager.wait_hello("draining", lambda b: b["state"] == "draining")
    relay.kill(signal.SIGTERM)
    assert relay.exit_code(20) == 0
    assert time.monotonic() - begun < 5
    assert [h[1]["state"] for h in manager.hellos] == ["up", "draining", "down"], manager.hellos
    manager.hellos.clear()
    relay, http = start_relay(rig, manager)
    wait_keys(relay)
    manager.stop()  # with nobody to tell it takes no longer
    begun = time.monotonic()
    relay.kill(signal.SIGTERM)
    assert relay.exit_code(20) == 0 and time.monotonic() - begun < 3


def alternates_come_from_the_manager(rig):
    manager = set_up(rig, relays=(1, 2, 3))
    manager.answer["alternates"] = [3]
    for i in (2, 3):
        rig.start_relay(i)
    relay, http = start_relay(rig, manager)
    wait_keys(relay)
    host, viewer, display = session(rig)
    assert relay_of(viewer) == 1
    relay.kill(signal.SIGTERM)
    assert relay.exit_code(30) == 0
    viewer.say("chat after")
    assert host.wait("chat")["text"] == "after"
    assert relay_of(viewer) == 3


def what_is_wrong_with_the_link_is_told_once_with_what_to_do(rig):
    manager = set_up(rig)
    stranger = client_cert(rig, "relay9.tasuki.test", other_ca(rig))
    relay, http = start_relay(rig, manager, link=stranger)
    lost = wait_log(relay, "link_lost")
    assert "our certificate" in lost["why"] and "link_certificate" in lost["do"], lost
    relay.kill(signal.SIGTERM)
    assert relay.exit_code(20) == 0
    relay, http = start_relay(rig, manager, ca=rig.path("other-ca.pem"))
    lost = wait_log(relay, "link_lost")
    assert "not trusted" in lost["why"] and "manager_ca" in lost["do"], lost
    relay.kill(signal.SIGTERM)
    assert relay.exit_code(20) == 0
    manager.refusal = (403, "relay_unknown", "no relay has the number 1 and the name relay1.tasuki.test")
    relay, http = start_relay(rig, manager)
    lost = wait_log(relay, "link_lost")
    assert "relay_unknown" in lost["why"] and "register relay 1" in lost["do"] and lost["level"] == "error", lost
    until("it asked four times", lambda: len(manager.hellos) >= 4)
    assert len([e for e in log_of(relay) if e["event"] == "link_lost"]) == 1
    manager.refusal, manager.has_no_streams = None, True
    wait_keys(relay)
    lost = wait_log(relay, "stream_lost")
    assert "404" in lost["why"] and "cannot be ended" in lost["do"], lost
    manager.has_no_streams = False
    manager.wait_stream()
    manager.answer["server_ms"] = int(time.time() * 1000) - 100000
    assert 99000 < wait_log(relay, "clock_differs")["ahead_ms"] < 130000


def one_of_two_managers_is_enough(rig):
    first, second = set_up(rig, is_up=False), Manager(rig)
    second.answer["keyset"] = first.answer["keyset"]
    second.start()
    relay, http = start_relay(rig, first, second)
    wait_keys(relay)
    session(rig)
    m = metrics(http)
    assert (m["managers"], m["managers_connected"]) == (2, 1), m
    first.start()
    until("both", lambda: metrics(http)["managers_connected"] == 2)
    second.stop()
    until("one", lambda: metrics(http)["managers_connected"] == 1)


def static_keys_count_beside_the_keyset(rig):
    manager = set_up(rig, is_up=False)
    root, ticket, statement = keys_of(rig)
    manager.answer["keyset"] = keyset(root, [(1, TICKET, ref.ed_public(os.urandom(32)))]).hex()
    http = f"127.0.0.1:{free_port()}"
    relay = rig.start_relay(1, options(rig, manager), http=http)
    assert get(http, "/healthz")[:2] == (200, "ok\n")
    manager.start()
    wait_keys(relay)
    session(rig)  # signed by the static key, which has the same number


def hup_changes_the_link_and_keeps_the_keys(rig):
    manager = set_up(rig)
    relay, http = start_relay(rig, manager)
    wait_keys(relay)
    manager.stop()
    conf = rig.path("relay1.conf")
    change(conf, 'region = "jp"', 'region = "de"')
    relay.kill(signal.SIGHUP)
    wait_log(relay, "reloaded")
    host, viewer, display = session(rig)
    assert get(http, "/healthz")[0] == 200
    manager.start()
    manager.wait_hello("the new region", lambda b: b["region"] == "de")
    change(conf, rig.path("link-relay1.tasuki.test.key"), "/nowhere.key")
    relay.kill(signal.SIGHUP)
    assert "/nowhere.key" in wait_log(relay, "reload_refused")["why"]
    change(conf, "/nowhere.key", rig.path("link-relay1.tasuki.test.key"))
    change(conf, ref.ed_public(keys_of(rig)[0]).hex(), ref.ed_public(bytes(32)).hex())
    relay.kill(signal.SIGHUP)
    wait_log(relay, "keyset_refused")
    assert get(http, "/healthz")[:2] == (503, "no keys yet\n"), "keys of a root that counts no longer"
    viewer.say("chat on")
    assert host.wait("chat")["text"] == "on"


def the_key_is_read_before_rights_are_given_up(rig):
    if os.geteuid() != 0:
        print("     left out: needs root")
        return
    manager = set_up(rig)
    crt, key = client_cert(rig, "relay1.tasuki.test")
    os.chmod(key, 0o600)
    os.chmod(rig.path("ca.pem"), 0o600)
    forget_static_keys(rig)
    relay = rig.start_relay(1, options(rig, manager, link=(crt, key)) + 'user = "nobody"\n')
    wait_keys(relay)
    manager.wait_stream()


def a_wrong_configuration_is_named(rig):
    manager = set_up(rig, is_up=False)
    extra = options(rig, manager)
    forget_static_keys(rig)
    conf = rig.relay_config(1, extra)
    assert call(rig, "--check", "--config", conf)[0] == 0
    for old, new, says in ((f'"{manager.url}"', '"http://manager.test"', "https://"),
                           (f'"{manager.url}"', f'"{manager.url}/v1"', "without a path"),
                           (f'"{manager.where}"', '"manager"', "address"),
                           ("manager_ca", "# manager_ca", "manager_ca"),
                           ("link_key", "# link_key", "link_key"),
                           ("root =", "# root =", "root must be 64"),
                           ('name = "relay1', 'name = "Relay1', "name must be"),
                           ("public_address", "# public_address", "public_address must be"),
                           ('link_key = "', 'link_key = "/nowhere', "/nowhere"),
                           ("manager \"", "#", "a manager")):
        conf = rig.relay_config(1, extra)
        change(conf, old, new)
        for mode in (["--check"], []):
            code, out, err = call(rig, *mode, "--config", conf)
            assert code == CONFIG and says in err, (new, code, err)


if __name__ == "__main__":
    main(
        joins_hold_with_keys_of_the_keyset_only,
        a_kill_ends_a_session_at_both_ends_and_for_good,
        a_kill_of_a_slot_leaves_the_other,
        without_managers_it_goes_on_and_returns,
        only_root_gives_keys_and_never_older_ones,
        a_keyset_is_asked_for_at_once,
        draining_is_told_at_once_and_going_too,
        alternates_come_from_the_manager,
        what_is_wrong_with_the_link_is_told_once_with_what_to_do,
        one_of_two_managers_is_enough,
        static_keys_count_beside_the_keyset,
        hup_changes_the_link_and_keeps_the_keys,
        the_key_is_read_before_rights_are_given_up,
        a_wrong_configuration_is_named,
    )
