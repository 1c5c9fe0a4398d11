"""A PostgreSQL of a test's own: a cluster below the rig's folder, on a free loopback port, that can be stopped, killed
and started again. fsync stays on."""

import glob
import os
import secrets
import shutil
import signal
import subprocess
import sys

from rig import SKIP, Failed, free_port, run, until

USER = "postgres"  # Debian's; initdb refuses to work as root


def bin_dir():
    """Where initdb and postgres are: Debian keeps them out of PATH. Without them the test is skipped."""
    asked = shutil.which("pg_config") and subprocess.run(["pg_config", "--bindir"], stdout=subprocess.PIPE, text=True).stdout
    for folder in [(asked or "").strip(), *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]:
        if folder and os.path.exists(os.path.join(folder, "initdb")):
            return folder
    print("skipped: no PostgreSQL server here (package postgresql)")
    sys.exit(SKIP)


def as_server():
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups"] if os.geteuid() == 0 else []


class _Server:
    """For rig.programs. SIGTERM would wait for the clients to leave."""

    def __init__(self, proc, name):
        self.proc, self.name = proc, name

    def kill(self, sig=signal.SIGKILL):
        if self.proc.poll() is None:
            os.kill(self.proc.pid, signal.SIGQUIT if sig == signal.SIGTERM else sig)


class Postgres:
    """Database `tasuki`, owned by the role `tasuki`, which logs in over TCP by a password of this cluster. Runs when made.

    settings: "name=value" for postgresql.conf. Superuser (sql()) through the socket in the data folder only."""

    def __init__(self, rig, name="pg", settings=(), password=None):
        self.rig, self.name = rig, name
        self.bin = bin_dir()
        self.port = free_port()
        self.password = password or secrets.token_hex(12)
        self.top = rig.path(name)
        self.data = os.path.join(self.top, "data")
        self.server = None
        os.mkdir(self.top, 0o700)
        if os.geteuid() == 0:
            shutil.chown(self.top, USER, USER)
        run([*as_server(), self._exe("initdb"), "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-k",
             "--auth-local=trust", "--auth-host=scram-sha-256"], cwd="/")
        with open(os.path.join(self.data, "postgresql.conf"), "a") as f:
            f.write("\n".join(["listen_addresses = '127.0.0.1'", f"port = {self.port}",
                               f"unix_socket_directories = '{self.top}'", "max_connections = 60",
                               *(s.replace("=", " = ", 1) for s in settings)]) + "\n")
        self.start()
        self.sql(f"CREATE ROLE tasuki LOGIN PASSWORD '{self.password}'", database="postgres")
        self.sql("CREATE DATABASE tasuki OWNER tasuki", database="postgres")

    def _exe(self, name):
        return os.path.join(self.bin, name)

    def url(self, database="tasuki"):
        return f"postgresql://tasuki:{self.password}@127.0.0.1:{self.port}/{database}"

    def log(self):
        with open(self.rig.path(self.name + ".log"), errors="replace") as f:
            return f.read()

    # --- life ---

    def start(self):
        """Returns when it takes connections."""
        log = open(self.rig.path(self.name + ".log"), "ab")
        proc = subprocess.Popen([*as_server(), self._exe("postgres"), "-D", self.data], stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log, cwd="/", start_new_session=True)
        log.close()
        self.server = _Server(proc, self.name)
        self.rig.programs.append(self.server)
        until(f"{self.name} is ready", self._is_ready)

    def _is_ready(self):
        if self.server.proc.poll() is not None:
            raise Failed(f"{self.name} did not start\n{self.log()[-3000:]}")
        try:
            with open(os.path.join(self.data, "postmaster.pid")) as f:
                lines = f.read().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and int(lines[0]) == self.server.proc.pid and lines[7].strip() == "ready"

    def stop(self, sig=signal.SIGINT):
        """SIGINT: in order, clients are thrown out. SIGQUIT: immediately, recovery at the next start."""
        self.server.kill(sig)
        self.server.proc.wait(60)

    def kill9(self):
        """All its processes at once, as when the power fails; the next start() recovers."""
        ours = [self.server.proc.pid, *self.children()]
        for pid in ours:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.server.proc.wait(60)
        until("its children are gone", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in ours[1:]))

    def children(self):
        """Process ids: one for each connection, and the server's own helpers."""
        with open(f"/proc/{self.server.proc.pid}/task/{self.server.proc.pid}/children") as f:
            return [int(pid) for pid in f.read().split()]

    # --- questions ---

    def sql(self, text, database="tasuki"):
        """As superuser, each in a transaction of its own; what psql prints, unaligned."""
        return run([self._exe("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.top, "-p", str(self.port),
                    "-U", "postgres", "-d", database, "-c", text], cwd="/").strip()

    def connections(self):
        """Of our programs."""
        return int(self.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'tasuki'"))
