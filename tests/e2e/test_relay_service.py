"""tasuki-relay as a service: its options, configuration, signals, sockets, logs and figures, as an administrator meets them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from http.client import HTTPException

from rig import Failed, free_port, main, run, until

USAGE, TEMPORARY, CONFIG = 2, 75, 78


def call(rig, *args, **kw):
    """Runs the relay to its end: (exit code, standard output, standard error)."""
    done = subprocess.run([rig.exe("tasuki-relay"), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          **kw)
    return done.returncode, done.stdout, done.stderr


def named(rig, extra="", http=None):
    """A configuration for relay 1."""
    if 1 not in rig.relays:
        rig.add_relay(1)
    rig.issue()
    return rig.relay_config(1, extra, http=http)


def line_of(conf, text):
    with open(conf) as f:
        return 1 + next(i for i, line in enumerate(f) if text in line)


def change(conf, old, new):
    with open(conf) as f:
        text = f.read()
    assert old in text, (old, text)
    with open(conf, "w") as f:
        f.write(text.replace(old, new))


def log_of(program):
    """Every line of the log is one JSON object with the fields that all have."""
    lines = [json.loads(line) for line in program.log().splitlines()]
    for line in lines:
        assert {"time", "level", "component", "event"} <= set(line), line
    return lines


def wait_log(program, event, **fields):
    def seen():
        if program.proc.poll() is not None and event not in program.log():
            raise Failed(f"{program.name} ended without {event}\n{program.tail()}")
        return [e for e in log_of(program) if e["event"] == event and all(e.get(k) == v for k, v in fields.items())]

    return until(f"{event} in the log of {program.name}", seen)[-1]


def get(address, path="/metrics", method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://{address}{path}", method=method), timeout=10) as r:
            return r.status, r.read().decode(), r.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(), e.headers
    except HTTPException as e:
        raise Failed(f"{method} {path}: {e!r}") from None


def metrics(address):
    """All figures, checked for form: HELP and TYPE before each."""
    status, text, headers = get(address)
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), (status, headers["Content-Type"])
    assert text.endswith("\n")
    figures, described = {}, {}
    for line in text.splitlines():
        m = re.fullmatch(r"# (HELP|TYPE) (tasuki_relay_[a-z_]+) (.+)", line)
        if m:
            described.setdefault(m[2], {})[m[1]] = m[3]
            continue
        m = re.fullmatch(r"(tasuki_relay_[a-z_]+) (-?\d+)", line)
        assert m, f"not a line of a text exposition: {line}"
        assert set(described[m[1]]) == {"HELP", "TYPE"} and m[1] not in figures, line
        assert described[m[1]]["TYPE"] == ("counter" if m[1].endswith("_total") else "gauge"), line
        figures[m[1].removeprefix("tasuki_relay_")] = int(m[2])
    return figures


def session(rig, relay_ids=(1,), extra="", http=None):
    """Relays, a display and two ends that are ACTIVE."""
    for i in relay_ids:
        rig.add_relay(i)
    rig.issue()
    relays = {i: rig.start_relay(i, extra, http=http if i == relay_ids[0] else None) for i in relay_ids}
    host, viewer = rig.start_host(rig.start_display("320x200")), rig.start_viewer()
    rig.join(host, viewer)
    return relays, host, viewer


def relay_of(viewer):
    return viewer.ask("figures", "figures")["relay"]


# --- options and configuration ---


def help_version_and_unknown_options(rig):
    code, out, err = call(rig, "--help")
    assert code == 0 and out.startswith("Usage: tasuki-relay") and not err
    for option in ("--config", "--check", "--print-config", "--version", "--help"):
        assert option in out or option in ("--help", "--version"), option
    code, out, err = call(rig, "--version")
    assert code == 0 and re.fullmatch(r"tasuki-relay \S+\n", out), out
    for args in (["--frobnicate"], ["extra"], ["--config"], ["-x"]):
        code, out, err = call(rig, *args)
        assert code == USAGE and "Usage:" in err and not out, (args, code, out, err)
    code, out, err = call(rig, "--config", rig.path("absent.conf"))
    assert code == CONFIG and rig.path("absent.conf") in err and "No such file" in err, (code, err)
    code, out, err = call(rig, "--config", rig.dir)
    assert code == CONFIG and "directory" in err, (code, err)


def a_wrong_configuration_is_named_by_file_and_line(rig):
    conf = named(rig, "thread = 2\n")
    code, out, err = call(rig, "--check", "--config", conf)
    assert code == CONFIG and f"{conf}:{line_of(conf, 'thread = 2')}: " in err and "thread" in err, (code, err)
    conf = named(rig, "threads = 65\n\n\n")
    code, out, err = call(rig, "--check", "--config", conf)
    assert code == CONFIG and f"{conf}:{line_of(conf, 'threads')}: " in err and "from 1 to 64" in err, (code, err)
    code, out, err = call(rig, "--config", conf)
    assert code == CONFIG, "started with a wrong configuration"
    conf = named(rig)
    code, out, err = call(rig, "--check", "--config", conf)
    assert (code, out, err) == (0, f"{conf}: ok\n", ""), (code, out, err)


def a_wrong_certificate_is_named(rig):
    conf = named(rig)
    crt, key = rig.make_cert("relay1.tasuki.test")
    _, other_key = rig.make_cert("other.tasuki.test")
    for old, new, file, says in ((crt, "/absent.pem", "/absent.pem", "No such file"), (key, "/absent.key", "/absent.key", "No such file"),
                                 (key, other_key, other_key, "mismatch"), (crt, key, key, ""), (key, crt, crt, "")):
        conf = named(rig)
        change(conf, f'"{old}"', f'"{new}"')
        for args in (["--check"], []):
            code, out, err = call(rig, *args, "--config", conf)
            assert code == CONFIG and file in err and says in err, (old, new, code, err)


def print_config_prints_what_is_in_force(rig):
    conf = named(rig, "threads = 3\n")
    code, out, err = call(rig, "--print-config", "--config", conf)
    assert code == 0 and not err
    for line in ("relay_id = 1", "threads = 3", "drain_seconds = 30", 'log_level = "info"', 'ticket_key "1" {'):
        assert line in out, (line, out)
    again = rig.path("again.conf")
    with open(again, "w") as f:
        f.write(out)
    assert call(rig, "--print-config", "--config", again) == (0, out, ""), "what is printed is not a configuration"


def a_port_in_use_is_a_temporary_failure(rig):
    conf = named(rig)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken = "127.0.0.1:%d" % s.getsockname()[1]
        change(conf, rig.relays[1][0], taken)
        code, out, err = call(rig, "--config", conf)
        assert code == TEMPORARY and taken in err and "in use" in err, (code, err)
        conf = named(rig, http=taken)
        code, out, err = call(rig, "--config", conf)
        assert code == TEMPORARY and taken in err, (code, err)
    conf = named(rig)
    change(conf, rig.relays[1][0], "relay.example:443")
    code, out, err = call(rig, "--config", conf)
    assert code == CONFIG and "listen" in err, (code, err)


def clock_is_synchronised():
    import ctypes

    timex = ctypes.create_string_buffer(512)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    return 0 <= state < 5 and not int.from_bytes(timex[40:44], "little") & 0x40


def an_unsynchronised_clock_is_refused_or_told(rig):
    synchronised = clock_is_synchronised()
    conf = named(rig)
    change(conf, 'clock = "warn"', 'clock = "require"')
    if not synchronised:
        code, out, err = call(rig, "--config", conf)
        assert code == TEMPORARY and "clock_unsynchronised" in err, (code, err)
    http = f"127.0.0.1:{free_port()}"
    relay = rig.start_relay(1, http=http)
    assert metrics(http)["clock_synchronised"] == int(synchronised)
    assert any(e["event"] == "clock_unsynchronised" and e["level"] == "warn" for e in log_of(relay)) != synchronised


# --- TLS ---


def s_client(rig, *args, say=""):
    address, name = rig.relays[1]
    done = subprocess.run(["openssl", "s_client", "-connect", address, "-servername", name, "-CAfile", rig.path("ca.pem"), "-verify",
                           "5", "-verify_hostname", name, *args], input=say, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, errors="replace")
    return done.stdout


def only_tls_1_3_with_our_alpn_is_spoken(rig):
    rig.add_relay(1)
    rig.issue()
    relay = rig.start_relay(1)
    out = s_client(rig, "-alpn", "tasuki/1")
    assert "TLSv1.3" in out and "ALPN protocol: tasuki/1" in out and "Verification: OK" in out, out
    assert "New Session Ticket" not in out and "Early data was not sent" in out, out
    out = s_client(rig, "-alpn", "h2,tasuki/1,http/1.1")
    assert "ALPN protocol: tasuki/1" in out, out
    for args in (["-alpn", "h2"], ["-alpn", "tasuki/2"], ["-tls1_2", "-alpn", "tasuki/1"], ["-tls1_2"]):
        out = s_client(rig, *args)
        assert "alert" in out and "ALPN protocol: tasuki" not in out, (args, out)
    out = s_client(rig, "-alpn", "tasuki/1", say="k\nK\nQ\n")
    assert "KEYUPDATE" in out, out
    assert relay.proc.poll() is None


def one_without_alpn_is_refused(rig):
    rig.add_relay(1)
    rig.issue()
    rig.start_relay(1)
    address, name = rig.relays[1]
    started = time.monotonic()
    with subprocess.Popen(["openssl", "s_client", "-connect", address, "-quiet", "-no_ign_eof"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as p:
        p.stdout.read()  # until the relay closes: our input stays open
        p.stdin.close()
    assert time.monotonic() - started < 8, "kept until the door's limit"


# --- HTTP ---


def health_and_metrics_tell_what_goes_on(rig):
    http = f"127.0.0.1:{free_port()}"
    relays, host, viewer = session(rig, http=http)
    assert get(http, "/healthz")[:2] == (200, "ok\n")
    assert get(http, "/")[0] == 404
    assert get(http, "/healthz/")[0] == 404
    assert get(http, "/metrics?x=1")[0] in (200, 404)
    assert get(http, "/metrics", "POST")[0] in (404, 405), "only GET is for reading"
    m = metrics(http)
    assert (m["connections"], m["unauthenticated"], m["ends"], m["sessions"], m["joins_total"]) == (2, 0, 2, 1, 2), m
    assert m["records_total"] > 0 and m["bytes_total"] > m["records_total"] and m["draining"] == 0, m
    assert m["refused_total"] == 0 and m["queued_bytes"] >= 0, m
    until("nothing is left queued", lambda: metrics(http)["queued_bytes"] == 0)
    port = int(http.rsplit(":", 1)[1])
    for other in ("127.0.0.2", "::1"):
        try:
            socket.create_connection((other, port), 2).close()
            raise AssertionError(f"HTTP answers on {other}")
        except OSError:
            pass
    viewer.say("end")
    assert (host.exit_code(), viewer.exit_code()) == (0, 0)
    until("they are gone", lambda: metrics(http)["connections"] == 0)
    m = metrics(http)
    assert (m["ends"], m["sessions"], m["queued_bytes"], m["joins_total"]) == (0, 0, 0, 2), m


def logs_hold_no_secret(rig):
    relays, host, viewer = session(rig, extra='log_level = "debug"')
    viewer.say("end")
    host.exit_code()
    relays[1].kill(signal.SIGTERM)
    assert relays[1].exit_code() == 0
    lines = log_of(relays[1])
    assert {"ready", "joined", "left", "stopped"} <= {e["event"] for e in lines}, lines
    text = relays[1].log().lower()
    with open(rig.path("keys.bin"), "rb") as f:
        secrets = [f.read()[i:i + 32].hex() for i in (0, 32, 64)]
    for name in ("host.end", "viewer.end"):
        with open(rig.path(name)) as f:
            secrets += re.findall(r'"([0-9a-f]{64,})"', f.read())
    pieces = {s[i:i + 24] for s in secrets for i in range(0, len(s) - 23, 2)} - {"0" * 24}
    assert len(pieces) > 500
    for word in re.findall(r"[0-9a-f]{24,}", text):
        assert not any(word[i:i + 24] in pieces for i in range(len(word) - 23)), f"a secret is in the log: {word}"
    assert not re.search(r"[0-9a-f]{32,}", text), "what is this long hexadecimal number?"


# --- signals ---


def hup_reads_certificate_and_ticket_keys_again_or_keeps_the_old(rig):
    rig.add_relay(1)
    rig.issue()
    relay = rig.start_relay(1)
    address, name = rig.relays[1]
    crt, key = rig.make_cert(name)

    def serial():
        return re.search(r"serial=(\w+)", run(["openssl", "x509", "-noout", "-serial"], input=s_client(rig, "-alpn", "tasuki/1").encode()))[1]

    first = serial()
    conf = rig.path("relay1.conf")
    for wrong in (lambda: change(conf, "relay_id = 1", "relay_id = x"), lambda: os.truncate(crt, 0)):
        shutil.copy(conf, conf + ".good")
        shutil.copy(crt, crt + ".good")
        wrong()
        before = len([e for e in log_of(relay) if e["event"] == "reload_refused"])
        relay.kill(signal.SIGHUP)
        until("refusal", lambda: len([e for e in log_of(relay) if e["event"] == "reload_refused"]) > before)
        assert serial() == first
        shutil.copy(conf + ".good", conf)
        shutil.copy(crt + ".good", crt)
    assert conf in wait_log(relay, "reload_refused")["why"] or crt in wait_log(relay, "reload_refused")["why"]
    os.unlink(crt)
    rig.make_cert(name)
    relay.kill(signal.SIGHUP)
    wait_log(relay, "reloaded")
    assert serial() != first
    display = rig.start_display("320x200")
    os.unlink(rig.path("keys.bin"))  # new ticket keys, which the relay does not know yet
    rig.issue()
    host = rig.start_host(display)
    assert host.wait("closed")["reason"] == 10
    rig.relay_config(1)
    relay.kill(signal.SIGHUP)
    until("reloaded again", lambda: len([e for e in log_of(relay) if e["event"] == "reloaded"]) == 2)
    rig.issue()
    host, viewer = rig.start_host(display, name="host2"), rig.start_viewer(name="viewer2")
    rig.join(host, viewer)


def term_without_sessions_ends_at_once(rig):
    rig.add_relay(1)
    rig.issue()
    for sig in (signal.SIGTERM, signal.SIGINT):
        relay = rig.start_relay(1, "drain_seconds = 3600", name=f"relay-{sig.name}")
        relay.kill(sig)
        assert relay.exit_code(20) == 0
        assert {"draining", "stopped"} <= {e["event"] for e in log_of(relay)}


def term_moves_a_session_to_the_other_relay(rig):
    relays, host, viewer = session(rig, (1, 2), "drain_seconds = 3600")
    first = relay_of(viewer)
    viewer.say("chat before")
    assert host.wait("chat")["text"] == "before"
    relays[first].kill(signal.SIGTERM)
    assert relays[first].exit_code(30) == 0
    viewer.say("chat after")
    assert host.wait("chat")["text"] == "after"
    assert relay_of(viewer) == 3 - first
    assert not any(e["event"] == "closed" for e in host.events + viewer.events)


def a_drain_ends_at_its_deadline(rig):
    relays, host, viewer = session(rig, extra="drain_seconds = 1")  # and nowhere to go
    relays[1].kill(signal.SIGTERM)
    assert relays[1].exit_code(30) == 0
    assert wait_log(relays[1], "left")["code"] == 11


def usr1_drains_and_stays(rig):
    http = f"127.0.0.1:{free_port()}"
    relays, host, viewer = session(rig, extra="drain_seconds = 1", http=http)
    relays[1].kill(signal.SIGUSR1)
    until("503", lambda: get(http, "/healthz")[:2] == (503, "draining\n"))
    until("all are gone", lambda: metrics(http)["connections"] == 0)
    m = metrics(http)
    assert (m["draining"], m["ends"], m["queued_bytes"]) == (1, 0, 0), m
    assert relays[1].proc.poll() is None, "it did not stay"
    try:
        socket.create_connection(tuple(rig.relays[1][0].rsplit(":", 1)), 2).close()
        raise AssertionError("it still listens")
    except OSError:
        pass
    relays[1].kill(signal.SIGTERM)
    assert relays[1].exit_code(20) == 0


# --- the system around it ---


def the_service_manager_is_told(rig):
    rig.add_relay(1)
    rig.issue()
    for i, name in enumerate((rig.path("notify"), f"@tasuki-test-{os.getpid()}")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind("\0" + name[1:] if name[0] == "@" else name)
            s.settimeout(20)
            relay = rig.start_relay(1, env=dict(os.environ, NOTIFY_SOCKET=name), name=f"relay-notify{i}")
            assert s.recv(100) == b"READY=1"
            relay.kill(signal.SIGUSR1)  # it stays: systemd must not be told that it stops
            wait_log(relay, "draining")
            relay.kill(signal.SIGTERM)
            assert s.recv(100) == b"STOPPING=1"
            assert relay.exit_code(20) == 0


def sockets_may_come_from_the_service_manager(rig):
    conf = named(rig)
    for blocking in (False, True):  # systemd gives blocking ones unless NonBlocking=true
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", 0))
            s.listen()
            s.setblocking(blocking)
            address = "127.0.0.1:%d" % s.getsockname()[1]
            rig.relays[1] = (address, rig.relays[1][1])
            script = f'exec 3<&{s.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" --config "$1"'
            log = open(rig.path("given.log"), "wb")
            proc = subprocess.Popen(["sh", "-c", script, rig.exe("tasuki-relay"), conf], pass_fds=[s.fileno()], stderr=log)
        try:
            for _ in range(3):
                assert "ALPN protocol: tasuki/1" in s_client(rig, "-alpn", "tasuki/1"), open(rig.path("given.log")).read()
        finally:
            proc.send_signal(signal.SIGTERM)
            try:
                assert proc.wait(20) == 0
            finally:
                proc.kill()
                log.close()


def socket_activate_starts_it(rig):
    if not shutil.which("systemd-socket-activate"):
        print("     left out: no systemd-socket-activate")
        return
    conf = named(rig)
    address = f"127.0.0.1:{free_port()}"
    rig.relays[1] = (address, rig.relays[1][1])
    log = open(rig.path("activate.log"), "wb")
    proc = subprocess.Popen(["systemd-socket-activate", "-l", address, rig.exe("tasuki-relay"), "--config", conf], stderr=log)
    try:
        until("it listens", lambda: "Listening on" in open(rig.path("activate.log")).read())
        assert "ALPN protocol: tasuki/1" in s_client(rig, "-alpn", "tasuki/1")
        assert "ALPN protocol: tasuki/1" in s_client(rig, "-alpn", "tasuki/1")
    finally:
        proc.send_signal(signal.SIGTERM)
        proc.wait(20)
        log.close()


def status_of(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def privileges_are_dropped(rig):
    if os.geteuid() != 0:
        print("     left out: needs root")
        return
    import pwd

    nobody = pwd.getpwnam("nobody")
    rig.add_relay(1)
    rig.issue()
    relay = rig.start_relay(1, 'user = "nobody"')
    for task in os.listdir(f"/proc/{relay.pid}/task"):
        status = status_of(f"{relay.pid}/task/{task}")
        assert status["Uid"].split() == [str(nobody.pw_uid)] * 4, status["Uid"]
        assert status["Gid"].split() == [str(nobody.pw_gid)] * 4, status["Gid"]
        assert "0" not in status["Groups"].split(), status["Groups"]
        assert status["NoNewPrivs"] == "1" and int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0, status
    with open(f"/proc/{relay.pid}/limits") as f:
        core = next(line for line in f if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"], core
    conf = named(rig, 'user = "no such user"')
    address = f"127.0.0.1:{free_port()}"
    change(conf, rig.relays[1][0], address)
    code, out, err = call(rig, "--config", conf)
    assert code == CONFIG and "cannot_become_user" in err, (code, err)
    assert [json.loads(line) for line in err.splitlines()][-1]["user"] == "no such user", err


def killed_it_leaves_no_file(rig):
    rig.add_relay(1)
    rig.issue()
    os.makedirs(rig.path("cwd"))
    relay = rig.start_relay(1, prefix=["env", "-C", rig.path("cwd")], env=dict(os.environ, HOME=rig.path("cwd"), TMPDIR=rig.path("cwd")))
    held = [os.readlink(f"/proc/{relay.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{relay.pid}/fd")]
    files = [p for p in held if p.startswith("/") and not p.startswith(("/dev/null", rig.path("relay1.log")))]
    assert not files, files
    relay.kill()
    relay.proc.wait()
    assert os.listdir(rig.path("cwd")) == []


def out_of_descriptors_it_waits_and_goes_on(rig):
    rig.add_relay(1)
    rig.issue()
    relay = rig.start_relay(1, "threads = 1\nmax_unauthenticated_per_source = 1000", prefix=["prlimit", "--nofile=40:40"])
    host, port = rig.relays[1][0].rsplit(":", 1)
    many = [socket.create_connection((host, int(port))) for _ in range(60)]
    wait_log(relay, "accept_failed")

    def cpu():
        with open(f"/proc/{relay.pid}/stat") as f:
            return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")

    before, lines = cpu(), len(log_of(relay))
    time.sleep(1.0)  # what it does with nothing to do is what is measured
    assert len(log_of(relay)) - lines < 50, "it fills the log"
    assert cpu() - before < 0.5, "it spins"
    for s in many:
        s.close()
    until("it accepts again", lambda: "ALPN protocol: tasuki/1" in s_client(rig, "-alpn", "tasuki/1"))


if __name__ == "__main__":
    main(
        help_version_and_unknown_options,
        a_wrong_configuration_is_named_by_file_and_line,
        a_wrong_certificate_is_named,
        print_config_prints_what_is_in_force,
        a_port_in_use_is_a_temporary_failure,
        an_unsynchronised_clock_is_refused_or_told,
        only_tls_1_3_with_our_alpn_is_spoken,
        one_without_alpn_is_refused,
        health_and_metrics_tell_what_goes_on,
        logs_hold_no_secret,
        hup_reads_certificate_and_ticket_keys_again_or_keeps_the_old,
        term_without_sessions_ends_at_once,
        term_moves_a_session_to_the_other_relay,
        a_drain_ends_at_its_deadline,
        usr1_drains_and_stays,
        the_service_manager_is_told,
        sockets_may_come_from_the_service_manager,
        socket_activate_starts_it,
        privileges_are_dropped,
        killed_it_leaves_no_file,
        out_of_descriptors_it_waits_and_goes_on,
    )
