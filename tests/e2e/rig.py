"""What the end-to-end tests, the demo and the benches build on: real programs on real sockets and displays.

A Rig keeps everything that it starts (processes, network namespaces, files in a temporary folder) and takes it away
again, also after a failure. Nothing waits by sleeping: every wait is for an event, with one generous limit after which
the test fails and shows what the programs said.
"""

import json
import os
import queue
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

GIVE_UP_S = 60
SKIP = 77  # exit code that meson counts as skipped
SEE, CONTROL, CHAT = 1, 2, 4
ALL = 0x7F


class Failed(Exception):
    """A wait that ran into its limit, or a program that ended too early."""


class Program:
    """A program whose standard output is lines of JSON, with an optional "event"."""

    def __init__(self, rig, name, argv, env=None, stdin=True):
        self.name = name
        self.events = []
        self._queue = queue.Queue()
        self._log_path = os.path.join(rig.dir, name + ".log")
        log = open(self._log_path, "ab")
        self.proc = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=env,
            start_new_session=True,
        )
        log.close()
        rig.programs.append(self)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.proc.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": "text", "text": line.decode(errors="replace").rstrip()}
            event["seen_at"] = time.monotonic()
            self.events.append(event)
            self._queue.put(event)
        self._queue.put(None)

    @property
    def pid(self):
        return self.proc.pid

    def log(self):
        with open(self._log_path, errors="replace") as f:
            return f.read()

    def say(self, line):
        self.proc.stdin.write((line + "\n").encode())
        self.proc.stdin.flush()

    def wait(self, event, limit=GIVE_UP_S, **fields):
        """The next event of that name whose fields are these; others are passed over."""
        end = time.monotonic() + limit
        while True:
            try:
                got = self._queue.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise Failed(f"{self.name}: no {event} {fields} within {limit} s\n{self.tail()}") from None
            if got is None:
                self._queue.put(None)
                raise Failed(f"{self.name} ended before {event} {fields}\n{self.tail()}")
            if got.get("event") == event and all(got.get(k) == v for k, v in fields.items()):
                return got

    def ask(self, line, event, **fields):
        self.say(line)
        return self.wait(event, **fields)

    def tail(self):
        last = "\n".join(json.dumps(e, ensure_ascii=False) for e in self.events[-12:])
        return f"--- {self.name} said\n{last}\n--- its log\n{self.log()[-3000:]}"

    def kill(self, sig=signal.SIGKILL):
        if self.proc.poll() is None:
            os.kill(self.proc.pid, sig)

    def exit_code(self, limit=GIVE_UP_S):
        try:
            return self.proc.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within {limit} s\n{self.tail()}") from None


def run(argv, **kw):
    """A command that must succeed; what it printed."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def until(what, fn, limit=GIVE_UP_S, pause=0.01):
    """Calls fn until it gives something true, and gives that back."""
    end = time.monotonic() + limit
    while True:
        got = fn()
        if got:
            return got
        if time.monotonic() > end:
            raise Failed(f"not within {limit} s: {what}")
        time.sleep(pause)


def free_port(host="127.0.0.1"):
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]


class Rig:
    def __init__(self, build=None, keep=None):
        self.build = build or os.environ.get("TASUKI_BUILD") or "build"
        self.dir = keep or tempfile.mkdtemp(prefix="tasuki-")
        os.makedirs(self.dir, exist_ok=True)
        os.chmod(self.dir, 0o711)  # programs of other users find their own files below it
        self._keep = bool(keep)
        self.viewer_dir = self.dir  # where the viewer may write
        self.programs = []
        self._namespaces = []
        self.relays = {}  # id: (address, name)
        self._made_ca = False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close_programs(self):
        """Ends everything that was started."""
        for p in reversed(self.programs):
            if p.proc.poll() is None:
                p.kill(signal.SIGTERM)
        end = time.monotonic() + 5
        for p in self.programs:
            try:
                p.proc.wait(max(0.05, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                p.kill()
                p.proc.wait()

    def close(self):
        self.close_programs()
        for ns in self._namespaces:
            subprocess.run(["ip", "netns", "del", ns], stderr=subprocess.DEVNULL)
        if not self._keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def exe(self, name, folder=None):
        """A program of the build, copied to where other users can reach it: the checkout may lie in a closed home."""
        folder = folder or os.path.join("src", name.removeprefix("tasuki-"))
        copy = self.path(os.path.join("bin", name))
        if not os.path.exists(copy):
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            os.chmod(os.path.dirname(copy), 0o755)
            shutil.copy2(os.path.join(self.build, folder, name), copy)
            os.chmod(copy, 0o755)
        return copy

    # --- certificates ---

    def make_ca(self):
        """A throw-away authority, good for this rig only."""
        if self._made_ca:
            return
        key, crt = self.path("ca.key"), self.path("ca.pem")
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
             "-subj", "/CN=Tasuki throw-away CA", "-keyout", key, "-out", crt,
             "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"])
        os.chmod(crt, 0o644)
        self._made_ca = True

    def make_cert(self, name, owner=None, usage="serverAuth"):
        self.make_ca()
        stem = name if usage == "serverAuth" else f"{name}-{usage}"
        key, csr, crt, ext = (self.path(f"{stem}.{e}") for e in ("key", "csr", "pem", "ext"))
        if os.path.exists(crt):
            return crt, key
        run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
             "-keyout", key, "-out", csr])
        with open(ext, "w") as f:
            f.write(f"subjectAltName=DNS:{name}\nextendedKeyUsage={usage}\n")
        run(["openssl", "x509", "-req", "-in", csr, "-CA", self.path("ca.pem"), "-CAkey", self.path("ca.key"),
             "-CAcreateserial", "-days", "365", "-extfile", ext, "-out", crt])
        if owner:
            os.chown(key, owner, owner)
        return crt, key

    # --- relays ---

    def add_relay(self, relay_id, address=None):
        """Names a relay, so that tickets can list it; start_relay() starts it."""
        address = address or f"127.0.0.1:{free_port()}"
        self.relays[relay_id] = (address, f"relay{relay_id}.tasuki.test")
        return address

    def relay_config(self, relay_id, extra="", owner=None, http=None):
        address, name = self.relays[relay_id]
        crt, key = self.make_cert(name, owner)
        with open(self.path("ticket_key.conf")) as f:
            ticket_key = f.read()
        others = ", ".join(f'"{i}"' for i in self.relays if i != relay_id)
        conf = self.path(f"relay{relay_id}.conf")
        with open(conf, "w") as f:
            f.write(f'relay_id = {relay_id}\nlisten = {{"{address}"}}\ncertificate = "{crt}"\nprivate_key = "{key}"\n'
                    f'clock = "warn"\nalternates = {{{others}}}\n{extra}\n{ticket_key}')
            if http:
                f.write(f'http = "{http}"\n')
        return conf

    def start_relay(self, relay_id, extra="", prefix=(), owner=None, http=None, env=None, name=None):
        conf = self.relay_config(relay_id, extra, owner, http)
        if owner:
            os.chown(conf, owner, owner)
        p = Program(self, name or f"relay{relay_id}", [*prefix, self.exe("tasuki-relay"), "--config", conf], env=env,
                    stdin=False)

        def ready():
            if p.proc.poll() is not None:
                raise Failed(f"relay {relay_id} did not start\n{p.log()}")
            return '"event":"ready"' in p.log()

        until(f"relay {relay_id} ready", ready)
        return p

    # --- ends ---

    def issue(self, *args, owners=(None, None)):
        """End files for one session over all relays named so far."""
        self.make_ca()
        relays = []
        for i, (address, name) in self.relays.items():
            relays += ["--relay", f"{i}={address}={name}"]
        run([self.exe("tasuki-headless"), "issue", "--dir", self.dir, "--ca", self.path("ca.pem"), *relays, *map(str, args)])
        for end, owner in zip(("host.end", "viewer.end"), owners):
            if owner:
                os.chown(self.path(end), owner, owner)

    def start_host(self, display, rights=ALL, prefix=(), env=None, name="host"):
        env = dict(env or os.environ, DISPLAY=display)
        return Program(self, name, [*prefix, self.exe("tasuki-headless"), "host", self.path("host.end"), str(rights)], env)

    def start_viewer(self, prefix=(), env=None, name="viewer"):
        return Program(self, name, [*prefix, self.exe("tasuki-headless"), "viewer", self.path("viewer.end")], env)

    def join(self, host, viewer):
        """The check code goes from one end to the other, as by phone, until both are ACTIVE. The code."""
        code = host.wait("check_code")["code"]
        viewer.wait("state", state="KEYED")
        viewer.say(f"code {code}")
        viewer.wait("state", state="ACTIVE")
        host.wait("state", state="ACTIVE")
        return code

    # --- displays ---

    def start_display(self, size="1280x800", extra=(), prefix=(), env=None, name="xvfb", auth=None):
        """An Xvfb; the display's name, such as ":1807"."""
        argv = [*prefix, "Xvfb", "-screen", "0", f"{size}x24", *extra]
        return self._start_x_server(argv + (["-auth", auth] if auth else []), name, env)

    def start_nested_display(self, outer, size="1280x800", name="xephyr"):
        """An Xephyr: a window on display `outer`."""
        return self._start_x_server(["Xephyr", "-screen", size], name, dict(os.environ, DISPLAY=outer))

    def _start_x_server(self, argv, name, env):
        """On a number that a lock file keeps for it. A server that looks for a number itself asks only its own network namespace,
        and takes the socket's file away from one in another."""
        for number in random.sample(range(1000, 50000), 20):
            r, w = os.pipe()
            log = open(self.path(name + ".log"), "ab")
            proc = subprocess.Popen([*argv, f":{number}", "-displayfd", str(w), "-noreset", "-nolisten", "tcp"], stdout=log, stderr=log,
                                    pass_fds=[w], start_new_session=True, env=env)
            log.close()
            os.close(w)
            with os.fdopen(r) as f:
                display = f.readline().strip()
            if display:
                self.programs.append(_Plain(proc, name))
                return ":" + display
            proc.wait()
        with open(self.path(name + ".log"), errors="replace") as f:
            raise Failed(f"{name} did not start: {f.read()[-3000:]}")

    def start_on(self, display, argv, name, prefix=(), env=None):
        log = open(self.path(name + ".log"), "ab")
        proc = subprocess.Popen([*prefix, *argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                env=dict(env or os.environ, DISPLAY=display), start_new_session=True)
        log.close()
        p = _Plain(proc, name)
        self.programs.append(p)
        return p

    # --- networks ---

    def namespace(self, name):
        ns = f"tsk{os.getpid()}{name}"
        run(["ip", "netns", "add", ns])
        self._namespaces.append(ns)
        run(["ip", "-n", ns, "link", "set", "lo", "up"])
        return ns

    def connect(self, ns, hub, number):
        """A cable from ns (10.83.N.2) to the hub (10.83.N.1); everything else goes through the hub, which forwards nothing."""
        a, b = f"v{number}a", f"v{number}b"
        run(["ip", "-n", hub, "link", "add", b, "type", "veth", "peer", "name", a, "netns", ns])
        run(["ip", "-n", ns, "addr", "add", f"10.83.{number}.2/24", "dev", a])
        run(["ip", "-n", hub, "addr", "add", f"10.83.{number}.1/24", "dev", b])
        run(["ip", "-n", ns, "link", "set", a, "up"])
        run(["ip", "-n", hub, "link", "set", b, "up"])
        run(["ip", "-n", ns, "route", "add", "default", "via", f"10.83.{number}.1"])
        return a, b

    def network(self):
        """Three hosts: customer and operator, each with a cable to the servers' hub (10.83.0.1 to .4) and no way to each other."""
        hub, host, viewer = self.namespace("hub"), self.namespace("host"), self.namespace("view")
        self.connect(host, hub, 1)
        self.connect(viewer, hub, 2)
        for i in (1, 2, 3, 4):
            run(["ip", "-n", hub, "addr", "add", f"10.83.0.{i}/32", "dev", "lo"])
        return hub, host, viewer


class _Plain:
    """A program that only has to run."""

    def __init__(self, proc, name):
        self.proc = proc
        self.name = name

    @property
    def pid(self):
        return self.proc.pid

    def kill(self, sig=signal.SIGKILL):
        if self.proc.poll() is None:
            os.kill(self.proc.pid, sig)


def in_ns(ns, *more):
    return ["ip", "netns", "exec", ns, *more]


def as_user(uid):
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


def need_root():
    if os.geteuid() != 0:
        print("skipped: network namespaces need root")
        sys.exit(SKIP)


def chosen(tests):
    """Those of the test functions that are named on the command line, or all."""
    wanted = sys.argv[1:]
    unknown = set(wanted) - {t.__name__ for t in tests}
    if unknown:
        sys.exit(f"no test {', '.join(sorted(unknown))}; there are: {', '.join(t.__name__ for t in tests)}")
    return [t for t in tests if not wanted or t.__name__ in wanted]


def told(test, run_it, failures):
    """Runs one test and prints how it went; whether it passed. `failures`: gets a line if not."""
    start = time.monotonic()
    try:
        run_it(test)
        print(f"ok   {test.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
        return True
    except Exception as e:  # noqa: BLE001 each test is told, whatever went wrong
        traceback.print_exc()
        print(f"FAIL {test.__name__}: {e}", flush=True)
        failures.append(f"FAIL {test.__name__}: {(str(e) or type(e).__name__).splitlines()[0]}")
        return False


def finish(failures):
    """Ends the program. What failed comes once more, behind what the programs said: the end of the output is what people are shown."""
    print("\n".join(failures), end="\n" if failures else "", flush=True)
    sys.exit(1 if failures else 0)


def main(*tests):
    """Runs the chosen test functions; each gets a fresh Rig."""
    def with_a_rig(test):
        with Rig() as rig:
            test(rig)

    failures = []
    for test in chosen(tests):
        told(test, with_a_rig, failures)
    finish(failures)
