"""The database layer against real servers: all of tests/unit/test_store*.c on PostgreSQL too, and what befalls databases: kill -9
in the middle of transactions, answers that never arrive, full disks, a former leader. store_client.c does the work."""

import os
import signal
import socket
import subprocess
import sys
import threading

from pg import Postgres
from rig import Failed, Program, free_port, main, run, until

FULL, CLOSED = -5, -11


def client(rig, url, *args, name="client", env=None):
    p = Program(rig, name, [rig.exe("store-client", "tests/e2e"), url, *map(str, args)], env=env)
    p.wait("open")
    return p


def read_to_the_end(program):
    try:
        program.wait("what never comes")
    except Failed:
        pass


def stored(program):
    return [e["id"] for e in program.events if e["event"] == "stored"]


def check_notes(ids_acknowledged, ids_there):
    """Nothing lost, nothing doubled, nothing that nobody wrote."""
    assert len(set(ids_acknowledged)) == len(ids_acknowledged)
    assert sorted(ids_acknowledged) == sorted(ids_there), set(ids_acknowledged) ^ set(ids_there)


def notes(pg):
    return pg.sql("SELECT id FROM note").split()


def every_unit_test_holds_on_postgresql(rig):
    pg = Postgres(rig)
    for program in ("test_store", "test_store_schema"):
        done = subprocess.run([rig.exe(program, "tests/unit")], env=dict(os.environ, TASUKI_PG_URL=pg.url()),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
        assert done.stdout.count("[==========] Running") == 2, done.stdout


def a_killed_server_loses_and_doubles_nothing(rig):
    pg = Postgres(rig)
    writer = client(rig, pg.url(), "write", 400, 4)
    for end in (pg.kill9, lambda: pg.stop(signal.SIGQUIT), pg.stop, pg.kill9):
        for _ in range(150):
            writer.wait("stored")
        end()
        pg.start()
    writer.wait("end")
    acknowledged = stored(writer)
    assert len(acknowledged) == 1600
    check_notes(acknowledged, notes(pg))
    assert any(e["tries"] > 1 for e in writer.events if e["event"] == "stored")


class Proxy:
    """Between client and server. Cuts the first connection when a COMMIT has reached the server and its answer is there."""

    def __init__(self, port):
        self.port = free_port()
        self.cuts = 0
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._server_port))
            is_committing = threading.Event()
            threading.Thread(target=self._up, args=(near, far, is_committing), daemon=True).start()
            threading.Thread(target=self._down, args=(near, far, is_committing), daemon=True).start()

    @staticmethod
    def _up(near, far, is_committing):
        while data := near.recv(65536):
            if b"COMMIT\0" in data:
                is_committing.set()
            far.sendall(data)
        far.close()

    def _down(self, near, far, is_committing):
        while data := far.recv(65536):
            if is_committing.is_set() and self.cuts == 0:
                self.cuts += 1
                near.shutdown(socket.SHUT_RDWR)
                return
            near.sendall(data)


def a_commit_whose_answer_is_lost_is_found_again(rig):
    pg = Postgres(rig)
    proxy = Proxy(pg.port)
    writer = client(rig, pg.url().replace(f":{pg.port}/", f":{proxy.port}/"), "write", 3, 1)
    writer.wait("end")
    assert proxy.cuts == 1
    told = [e for e in writer.events if e["event"] == "stored"]
    assert [(e["tries"], e["was_there"]) for e in told] == [(2, True), (1, False), (1, False)], told
    check_notes(stored(writer), notes(pg))


def an_open_transaction_survives_the_restart(rig):
    pg = Postgres(rig)
    for end in (pg.stop, pg.kill9):
        holder = client(rig, pg.url(), "hold")
        holder.wait("holding", tries=1)
        end()
        pg.start()
        holder.say("go on")
        held = holder.wait("held")
        assert held["error"] == 0 and held["tries"] == 2, held
    assert len(notes(pg)) == 2


def without_a_server_it_gives_up_after_ten_seconds(rig):
    pg = Postgres(rig)
    holder = client(rig, pg.url(), "hold")
    holder.wait("holding", tries=1)
    pg.stop()
    holder.say("go on")
    held = holder.wait("held")
    assert held["error"] == CLOSED and 9500 < held["ms"] < 20000, held


def a_server_that_does_not_answer_is_left(rig):
    pg = Postgres(rig)
    holder = client(rig, pg.url(), "hold")
    holder.wait("holding", tries=1)
    backend = int(pg.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'tasuki'"))
    os.kill(backend, signal.SIGSTOP)
    holder.say("go on")
    held = holder.wait("held")
    os.kill(backend, signal.SIGCONT)
    assert held["error"] == CLOSED and held["ms"] < 30000, held


NOTE_TABLE = ("CREATE TABLE note (id BIGINT PRIMARY KEY, writer BIGINT NOT NULL, body TEXT NOT NULL) {};"
              "ALTER TABLE note OWNER TO tasuki")


def a_former_leader_is_left_for_the_new_one(rig):
    """Two servers that know nothing of each other; which one takes writes is changed by a setting."""
    a, b = Postgres(rig, "a", password="same"), Postgres(rig, "b", password="same")
    b.sql(NOTE_TABLE.format(""))

    def make_leader(leader, other):
        for server, is_read_only in ((other, "on"), (leader, "off")):
            server.sql(f"ALTER SYSTEM SET default_transaction_read_only = {is_read_only}")
            server.sql("SELECT pg_reload_conf()")
            until("the setting is in force", lambda: server.sql("SHOW default_transaction_read_only") == is_read_only)

    make_leader(a, b)
    both = a.url().replace(f":{a.port}/", f":{a.port},127.0.0.1:{b.port}/")
    writer = client(rig, both, "write", 600, 2)
    for leader, other in ((b, a), (a, b)):
        for _ in range(200):
            writer.wait("stored")
        make_leader(leader, other)
    writer.wait("end")
    assert len(notes(a)) > 200 and len(notes(b)) > 100, (len(notes(a)), len(notes(b)))
    check_notes(stored(writer), notes(a) + notes(b))


def notices_arrive_and_are_missed_by_nobody(rig):
    pg = Postgres(rig)
    waiter = client(rig, pg.url(), "wait", 60000, name="waiter")
    waiter.wait("woken")  # from now on it listens
    client(rig, pg.url(), "notify", name="notifier").wait("end")
    waiter.wait("woken")
    pg.kill9()
    pg.start()
    waiter.wait("woken")  # anew: read the state
    client(rig, pg.url(), "notify", name="again").wait("end")
    waiter.wait("woken")
    waiter.say("enough")
    waiter.wait("end")


def a_killed_program_leaves_a_whole_sqlite_file(rig):
    url = "sqlite:" + rig.path("killed.db")
    acknowledged = []
    for i in range(3):
        writer = client(rig, url, "write", 100000, 2, name=f"writer{i}")
        for _ in range(100):
            writer.wait("stored")
        writer.kill(signal.SIGKILL)
        read_to_the_end(writer)
        acknowledged += stored(writer)
    client(rig, url, "backup", rig.path("copy.db"), name="checker").wait("done")
    there = run(["sqlite3", rig.path("copy.db"), "SELECT id FROM note"]).split()
    assert set(acknowledged) <= set(there), set(acknowledged) - set(there)
    assert len(there) <= len(acknowledged) + 6  # what was stored and not told any more


def small_disk(rig, megabytes):
    """A file system of its own, half of which is taken: its folder, and the file that takes it. Ends with the namespace."""
    folder = rig.path("disk")
    os.mkdir(folder)
    run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", folder])
    ballast = os.path.join(folder, "ballast")
    with open(ballast, "wb") as f:
        f.write(bytes(megabytes << 19))
    return folder, ballast


def fills_and_goes_on(rig, url, ballast, count):
    filler = client(rig, url, "fill", 20000)
    full = filler.wait("full")
    assert full["error"] == FULL and full["stored"] > 5, full
    assert filler.ask("again", "again")["error"] == FULL
    os.unlink(ballast)
    again = filler.ask("again", "again")
    assert again["error"] == 0 and again["stored"] == full["stored"] + 1, again
    assert count() == again["stored"]


def a_full_disk_is_told_and_gets_over_with_sqlite(rig):
    folder, ballast = small_disk(rig, 2)
    path = os.path.join(folder, "full.db")
    fills_and_goes_on(rig, "sqlite:" + path, ballast, lambda: int(run(["sqlite3", path, "SELECT count(*) FROM note"])))
    assert run(["sqlite3", path, "PRAGMA integrity_check"]).strip() == "ok"


def a_full_disk_is_told_and_gets_over_with_postgresql(rig):
    pg = Postgres(rig)
    folder, ballast = small_disk(rig, 8)
    space = os.path.join(folder, "space")
    os.mkdir(space)
    os.chown(space, *(getattr(os.stat(pg.data), f) for f in ("st_uid", "st_gid")))
    pg.sql(f"CREATE TABLESPACE small LOCATION '{space}'")
    pg.sql(NOTE_TABLE.format("TABLESPACE small"))
    pg.sql("ALTER TABLE note ALTER body SET STORAGE EXTERNAL")  # not compressed
    fills_and_goes_on(rig, pg.url(), ballast, lambda: len(notes(pg)))


def a_backup_restores_and_keeps_the_password_to_itself(rig):
    pg = Postgres(rig)
    client(rig, pg.url(), "write", 20, 1, name="writer").wait("end")
    os.mkdir(rig.path("path"))
    wrapper = rig.path("path/pg_dump")
    with open(wrapper, "w") as f:
        f.write(f'#!/bin/sh\nprintf "%s\\n" "$@" >{rig.path("said")}\nexec {pg.bin}/pg_dump "$@"\n')
    os.chmod(wrapper, 0o755)
    env = dict(os.environ, PATH=rig.path("path") + ":" + os.environ["PATH"])
    client(rig, pg.url(), "backup", rig.path("dump"), env=env).wait("done")
    with open(rig.path("said")) as f:
        said = f.read()
    assert "--dbname=" in said and pg.password not in said, said
    pg.sql("CREATE DATABASE copy OWNER tasuki", database="postgres")
    run([f"{pg.bin}/pg_restore", "--no-password", "--exit-on-error", f"--dbname={pg.url('copy')}", rig.path("dump")])
    check_notes(stored(rig.programs[1]), pg.sql("SELECT id FROM note", database="copy").split())
    client(rig, pg.url(), "backup", rig.path("plain"), name="debian").wait("done")  # Debian's wrapper finds a pg_dump too
    pg.stop()
    done = subprocess.run([rig.exe("store-client", "tests/e2e"), pg.url(), "backup", rig.path("none")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and pg.password not in done.stdout + done.stderr and not os.path.exists(rig.path("none"))


def in_own_mounts():
    """Mounts of the tests vanish with their processes, whatever ends them."""
    if os.geteuid() == 0 and "TASUKI_OWN_MOUNTS" not in os.environ:
        os.environ["TASUKI_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


ALL = [
    every_unit_test_holds_on_postgresql,
    a_killed_server_loses_and_doubles_nothing,
    a_commit_whose_answer_is_lost_is_found_again,
    an_open_transaction_survives_the_restart,
    without_a_server_it_gives_up_after_ten_seconds,
    a_server_that_does_not_answer_is_left,
    a_former_leader_is_left_for_the_new_one,
    notices_arrive_and_are_missed_by_nobody,
    a_killed_program_leaves_a_whole_sqlite_file,
    a_backup_restores_and_keeps_the_password_to_itself,
]
NEED_MOUNT = [a_full_disk_is_told_and_gets_over_with_sqlite, a_full_disk_is_told_and_gets_over_with_postgresql]

if __name__ == "__main__":
    in_own_mounts()
    main(*ALL, *(NEED_MOUNT if os.geteuid() == 0 else []))
