"""What the management server keeps when it is killed, when its disk is full, and when one of two dies."""

import http.client
import os
import random
import sqlite3
import threading
import time

from api import Customer, Key, Operator, Refused
from rig import Failed, main, need_root, run, until
from service import PASSWORD, Service

KILLS = int(os.environ.get("KILLS", "50"))
PG_KILLS = int(os.environ.get("PG_KILLS", "20"))
NET_ERRORS = (OSError, http.client.HTTPException)


class Load:
    """Operators and customers who go through sessions, and remember what the server acknowledged."""

    def __init__(self, service, numbers=(1,), people=4):
        self.service, self.numbers = service, numbers
        self.acknowledged = []  # (session, request, how far it came)
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.errors = []
        self.threads = [threading.Thread(target=self._run, args=(i,)) for i in range(people)]
        for t in self.threads:
            t.start()

    def _servers(self, first):
        order = list(self.numbers)
        order = order[first % len(order):] + order[:first % len(order)]
        return [self.service.server(n) for n in order]

    def _persist(self, api, fn):
        """Until it is answered: the same question again, at the next server."""
        while not self.stop.is_set():
            try:
                return fn()
            except Refused as e:
                if e.status < 500 and e.code != "slow_down":
                    raise
            except NET_ERRORS:
                pass
            api.drop()
            api.servers.append(api.servers.pop(0))
            time.sleep(0.02)
        return None

    def _note(self, session, request, stage):
        with self.lock:
            self.acknowledged.append((session, request, stage))

    def _session(self, op, i):
        request = os.urandom(16)
        s = self._persist(op, lambda: op.issue(request, customer=f"c{i}"))
        if not s:
            return
        self._note(s["id"], request, "issued")
        c = Customer(*self._servers(i))
        got = self._persist(c, lambda: c.claim(s["number"]))
        if not got:
            return
        self._note(s["id"], request, "claimed")
        key = Key()
        a = self._persist(op, lambda: op.answer(s["id"], got["claim"], key))
        if not a:
            return
        self._note(s["id"], request, "answered")
        e = self._persist(op, lambda: op.post(f"/v1/sessions/{s['id']}/end", {"reason": "operator"}))
        if e:
            self._note(s["id"], request, "ended")

    def _run(self, i):
        op = Operator(*self._servers(i))
        try:
            self._persist(op, lambda: op.login("acme", f"op{i}", PASSWORD))
            while not self.stop.is_set():
                self._session(op, i)
        except Exception as e:  # noqa: BLE001 told at the end
            self.errors.append(f"person {i}: {e!r}")

    def finish(self):
        self.stop.set()
        for t in self.threads:
            t.join()
        if self.errors:
            raise Failed("; ".join(self.errors))


ORDER = ["issued", "claimed", "answered", "ended"]


def nothing_is_lost_or_doubled(load, rows):
    """rows: (id, request, state, events by kind) of every session in the database."""
    by_id = {r[0]: r for r in rows}
    assert len(by_id) == len(rows)
    requests = [r[1] for r in rows]
    assert len(set(requests)) == len(requests), "one request made two sessions"
    furthest = {}
    for session, request, stage in load.acknowledged:
        assert session in by_id, f"session {session} was acknowledged and is not there"
        assert by_id[session][1] == request.hex(), "a session of another request"
        furthest[session] = max(furthest.get(session, 0), ORDER.index(stage))
    for session, stage in furthest.items():
        events = by_id[session][3]
        for kind in ORDER[:stage + 1]:
            assert events.count(kind) == 1, f"{session}: {kind} stands {events.count(kind)} times in the log: {events}"
    return furthest


def text_id(ident):
    return "".join("0123456789abcdefghjkmnpqrstvwxyz"[ident >> (60 - 5 * i) & 31] for i in range(13))


def with_events(sessions, events):
    """(id, request, state, kinds of its events in order) of each session."""
    kinds = {}
    for session, kind in events:
        kinds.setdefault(session, []).append(kind)
    return [(text_id(ident), request, state, kinds.get(ident, [])) for ident, request, state in sessions]


def sqlite_rows(path):
    db = sqlite3.connect(path)
    events = db.execute("SELECT session_id, kind FROM event ORDER BY company_id, seq").fetchall()
    sessions = [(i, r.hex(), s) for i, r, s in db.execute("SELECT id, request, state FROM session")]
    db.close()
    return with_events(sessions, events)


def pg_rows(pg):
    def ask(sql):
        return [line.split("|") for line in pg.sql(sql).splitlines()]

    events = [(int(i), k) for i, k in ask("SELECT session_id, kind FROM event ORDER BY company_id, seq")]
    return with_events([(int(i), r, s) for i, r, s in ask("SELECT id, encode(request, 'hex'), state FROM session")], events)


def prepare(service, people=4):
    service.add_company("acme", "アクメ", "--max-numbers", 1000)
    for i in range(people):
        service.add_operator("acme", f"op{i}", f"Operator {i}")


def killed_at_random_points_under_load(rig):
    s = Service(rig)
    prepare(s)
    manager = s.start_manager()
    s.start_relay(1)
    load = Load(s)
    rng = random.Random(7)
    try:
        for n in range(KILLS):
            seen = len(load.acknowledged)
            until("work goes on", lambda: len(load.acknowledged) > seen + 2 or load.errors)
            time.sleep(rng.random() * 0.05)  # the point to kill at is what is random here
            manager.kill()
            manager.proc.wait()
            manager = s.start_manager(name=f"manager1-{n}")
    finally:
        load.finish()
    far = nothing_is_lost_or_doubled(load, sqlite_rows(s.database.removeprefix("sqlite:")))
    print(f"     {KILLS} kills, {len(far)} sessions, {len(load.acknowledged)} acknowledged changes")
    s.ctl("db", "check")
    print("     " + s.ctl("audit", "verify").strip().splitlines()[-1])


def a_full_disk_is_told_and_passes_by_itself(rig):
    need_root()
    disk = rig.path("small")
    os.makedirs(disk)
    run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk])
    try:
        s = Service(rig, database=f"sqlite:{disk}/tasuki.db")
        prepare(s, 1)
        s.start_manager()
        op = s.operator(login="op0")
        first = op.issue()
        with open(os.path.join(disk, "filler"), "wb") as f:
            try:
                while True:
                    f.write(os.urandom(64 * 1024))
                    f.flush()
            except OSError:
                pass
        seen = {first["id"]}
        refused = None
        for _ in range(300):
            try:
                seen.add(op.issue()["id"])
            except Refused as e:
                refused = e
                break
        assert refused and refused.status == 507 and refused.code == "storage_full", refused
        assert {r[0] for r in sqlite_rows(f"{disk}/tasuki.db")} == seen, "a number was handed out that is not stored"
        assert any(line["event"] == "request_failed" and line["err"] == "FULL" for line in s.log_lines()), "the log is silent"
        os.unlink(os.path.join(disk, "filler"))
        again = until("it comes back by itself", lambda: attempt(op.issue), limit=20)
        assert again["state"] == "issued"
        assert {r[0] for r in sqlite_rows(f"{disk}/tasuki.db")} == seen | {again["id"]}
        s.ctl("db", "check")
    finally:
        rig.close_programs()
        run(["umount", "-l", disk])


def attempt(fn):
    try:
        return fn()
    except (Refused, *NET_ERRORS):
        return None


def two_managers_on_postgresql_one_killed_again_and_again(rig):
    need_root()
    from pg import Postgres

    pg = Postgres(rig)
    s = Service(rig, database=pg.url())
    prepare(s)
    s.config(2)
    managers = {1: s.start_manager(1), 2: s.start_manager(2)}
    s.start_relay(1)
    load = Load(s, numbers=(1, 2))
    rng = random.Random(11)
    gaps = []
    try:
        watcher = Watcher(s)
        for n in range(PG_KILLS):
            victim = rng.choice((1, 2))
            seen = len(load.acknowledged)
            until("work goes on", lambda: len(load.acknowledged) > seen + 2 or load.errors)
            time.sleep(rng.random() * 0.05)
            managers[victim].kill()
            managers[victim].proc.wait()
            gaps.append(watcher.gap())
            managers[victim] = s.start_manager(victim, name=f"manager{victim}-{n}")
        watcher.close()
    finally:
        load.finish()
    far = nothing_is_lost_or_doubled(load, pg_rows(pg))
    gaps.sort()
    print(f"     {PG_KILLS} kills, {len(far)} sessions, {len(load.acknowledged)} acknowledged changes; without an answer for "
          f"{gaps[len(gaps) // 2]:.3f} s (median), {gaps[-1]:.3f} s (longest)")
    assert gaps[-1] < 2, gaps
    print("     " + s.ctl("audit", "verify").strip().splitlines()[-1])


class Watcher:
    """A tool that asks all the time, and changes over when its server is gone."""

    def __init__(self, service):
        self.op = Operator(service.server(1), service.server(2))
        until("a login that is not one too many at once", self._is_in)

    def _is_in(self):
        try:
            return self.op.login("acme", "op0", PASSWORD) or True
        except Refused as e:
            if e.status != 429:
                raise
            return False

    def gap(self):
        start = time.monotonic()
        while True:
            try:
                self.op.call("GET", "/v1/me")
                return time.monotonic() - start
            except (Refused, *NET_ERRORS):
                self.op.drop()
                self.op.servers.append(self.op.servers.pop(0))

    def close(self):
        self.op.drop()


if __name__ == "__main__":
    main(killed_at_random_points_under_load, a_full_disk_is_told_and_passes_by_itself,
         two_managers_on_postgresql_one_killed_again_and_again)
