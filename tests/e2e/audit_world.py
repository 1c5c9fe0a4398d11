"""A world of records, written once by real programs, copies of its database, and `tasukictl audit verify`: for test_audit.py."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess

from api import Refused, crockford_to_int
from rig import Failed, run, until
from service import Service


class World:
    """What was written, by real programs: the database, the log with its anchors, and the ids of what lies in it."""

    def __init__(self, rig, database=None):
        self.rig = rig
        self.service = Service(rig, database)
        self.ids = {}
        self.claims = {}
        self.logs = []
        self.write()

    def write(self):
        s = self.service
        s.add_company("acme", "株式会社アクメ")
        s.add_company("beta", "Beta GmbH", "--lock-after", "3")
        s.add_operator("acme", "tanaka", "田中 花子")
        s.add_operator("acme", "suzuki", "鈴木")
        s.add_operator("beta", "sato", "Sato")
        s.ctl("company", "set", "beta", "--max-numbers", "9")
        self.start()
        tanaka = s.operator("acme", "tanaka")
        self.full_session(tanaka)
        self.post(tanaka, self.issue(tanaka, "cancelled"), "cancel")
        self.stop()
        s.ctl("operator", "disable", "acme", "suzuki")
        s.ctl("company", "freeze", "acme")
        s.ctl("company", "unfreeze", "acme")
        s.ctl("company", "set", "acme", "--lock-after", "7", "--regions", "jp")
        self.start()
        tanaka = s.operator("acme", "tanaka")
        sato = s.operator("beta", "sato")
        for _ in range(3):
            try:
                s.operator("beta", "sato", "wrong")
            except Refused:
                pass
        self.withdrawn_session(tanaka)
        self.crowded_session(tanaka)
        self.chosen_session(tanaka)
        self.choosing_session(tanaka)
        self.late_figures(tanaka)
        self.waiting_session(tanaka)
        self.issue(tanaka, "issued", customer="O'Neill \"x\" \\ ünï", reason="再起動", ticket_no="T-9")
        self.short_session(sato, "beta")
        self.deleted_device(sato)
        tanaka.post("/v1/logout")
        self.stop()

    def start(self):
        s = self.service
        self.logs.append(f"manager{len(self.logs)}")
        s.start_manager(name=self.logs[-1])
        if not self.rig.relays:
            s.start_relay(1)
        else:  # it comes back to a server that was started again
            until("the relay registered again", lambda: s.api().get("/v1/relays")["relays"])

    def stop(self):
        """In order: heads are signed, and their anchors are in the log."""
        p = self.service.managers[1]
        p.kill(signal.SIGTERM)
        if p.exit_code() != 0:
            raise Failed(p.tail())

    # --- what people do ---

    def issue(self, op, name, **more):
        session = op.issue(**more)
        self.ids[name] = session["id"]
        return session

    def post(self, op, session, what, body=None):
        return op.post(f"/v1/sessions/{session['id']}/{what}", body)

    def events(self, op, session, *kinds):
        for kind in kinds:
            self.post(op, session, "events", {"events": [
                {"key": os.urandom(8).hex(), "kind": kind, "detail": {"text": "見る"}, "at_ms": op.now()}]})

    def customer(self, session, source=None, **more):
        c = self.service.customer(source=source)
        c.claim(session["number"], **more)
        return c

    def answered(self, op, name, **more):
        session = self.issue(op, name, **more)
        c = self.customer(session)
        self.claims[name] = c.id
        op.answer(session["id"], c.id)
        return session, c

    def full_session(self, op):
        session = self.issue(op, "full", customer="山田", reason="プリンタ", ticket_no="T-1")
        stranger = self.customer(session, source="127.9.9.9", host_name="EVIL")
        c = self.customer(session, terms_at_ms=None)
        self.claims["full"], self.claims["refused"] = c.id, stranger.id
        self.post(op, session, "refuse", {"claim": stranger.id})
        op.answer(session["id"], c.id)
        self.events(op, session, "verified", "view_on", "hold", "unhold", "suspended", "hold", "resumed", "record", "chat")
        c.post(c.mine("/events"), {"events": [{"key": "aa" * 8, "kind": "granted", "detail": {"rights": 3}, "at_ms": op.now()}]})
        op.call("PUT", f"/v1/sessions/{session['id']}/device", {"info": {"cpu": "x", "memory": 1, "名": ["\n", "é"]}})
        op.call("PUT", f"/v1/sessions/{session['id']}/device", {"info": {"cpu": "y", "memory": 2}})
        self.post(op, session, "result", {"result": "open"})
        self.post(op, session, "end", {"reason": "operator", "text": "done", "relay": 1, "bytes_in": 5, "bytes_out": 7,
                                       "rtt_p50_us": 900, "rtt_p95_us": 1900})
        self.events(op, session, "hold", "view_off")  # too late to change anything
        self.post(op, session, "result", {"result": "solved", "note": "紙詰まり\n取り除いた\t\"済\""})

    def withdrawn_session(self, op):
        session = self.issue(op, "withdrawn")
        c = self.customer(session)
        c.post(c.mine("/withdraw"))
        self.post(op, session, "end", {"reason": "operator"})

    def crowded_session(self, op):
        """Three of one network: the oldest gives way; the answer closes the one that is left."""
        session = self.issue(op, "crowded")
        self.claims["replaced"] = self.customer(session).id
        self.claims["over"] = self.customer(session).id
        c = self.customer(session)
        op.answer(session["id"], c.id)
        self.events(op, session, "suspended")
        c.post(c.mine("/end"), {"reason": "customer", "text": "もういい"})

    def late_figures(self, op):
        """The customer tells the end without figures; the operator's tool has them."""
        session, c = self.answered(op, "figures")
        c.post(c.mine("/end"), {"reason": "customer"})
        self.post(op, session, "end", {"reason": "operator", "relay": 1, "bytes_in": 55, "bytes_out": 77,
                                       "rtt_p50_us": 901, "rtt_p95_us": 1902})

    def waiting_session(self, op):
        self.claims["waiting"] = self.customer(self.issue(op, "waiting")).id

    def chosen_session(self, op):
        """Of four who choose first one gives way, one goes away, one is answered, and one is then too late."""
        session = self.issue(op, "chosen")
        self.claims["chose_replaced"] = self.customer(session, choosing=True).id
        self.claims["chose_over"] = self.customer(session, source="127.8.8.8", choosing=True).id
        left = self.customer(session, choosing=True)
        c = self.customer(session, choosing=True)
        left.post(left.mine("/withdraw"))
        c.ready()
        self.claims["chose_withdrawn"], self.claims["chosen"] = left.id, c.id
        op.answer(session["id"], c.id)
        self.post(op, session, "end", {"reason": "operator"})

    def choosing_session(self, op):
        self.claims["choosing"] = self.customer(self.issue(op, "choosing"), choosing=True).id

    def short_session(self, op, name):
        session, _ = self.answered(op, name, customer="Müller")
        self.post(op, session, "end", {"reason": "lost"})

    def deleted_device(self, op):
        session, _ = self.answered(op, "undeviced")
        op.call("PUT", f"/v1/sessions/{session['id']}/device", {"info": {"cpu": "z"}})
        op.call("DELETE", f"/v1/sessions/{session['id']}/device")

    # --- looking ---

    def anchors(self):
        """The log of each start, one behind the other as a log server has them."""
        with open(self.rig.path("anchors"), "wb") as out:
            for name in self.logs:
                with open(self.rig.path(name + ".log"), "rb") as f:
                    shutil.copyfileobj(f, out)
        return out.name

    def number(self, name):
        """A session's id as the table has it."""
        return crockford_to_int(self.ids[name])

    def claim(self, name):
        return crockford_to_int(self.claims[name])


# ---- copies of its database ----


class Sqlite:
    def __init__(self, world, name):
        self.path = world.rig.path(f"{name}.db")
        for end in ("", "-wal", "-shm"):
            source = world.rig.path("store/tasuki.db" + end)
            if os.path.exists(source):
                shutil.copy(source, self.path + end)
        self.url = "sqlite:" + self.path
        self.db = sqlite3.connect(self.path, isolation_level=None)

    def run(self, sql):
        return self.db.execute(sql).rowcount

    def rows(self, sql):
        return self.db.execute(sql).fetchall()

    def blob(self, data):
        return f"X'{data.hex()}'"

    def done(self):
        self.db.close()

    def drop(self):
        for end in ("", "-wal", "-shm"):
            if os.path.exists(self.path + end):
                os.unlink(self.path + end)


class Pg:
    """A database made after the template of the world's."""

    def __init__(self, world, name):
        self.pg, self.name = world.pg, name
        self.pg.sql(f"CREATE DATABASE {name} TEMPLATE tasuki OWNER tasuki", database="postgres")
        self.url = self.pg.url(name)

    def run(self, sql):
        got = self.pg.sql(f"SET session_replication_role = replica; WITH done AS ({sql} RETURNING 1) SELECT count(*) FROM done",
                          database=self.name)
        return int(got.splitlines()[-1])

    def rows(self, sql):
        def plain(value):
            return bytes.fromhex(value[2:]) if isinstance(value, str) and value.startswith("\\x") else value

        got = self.pg.sql(f"SELECT row_to_json(t) FROM ({sql}) t", database=self.name)
        return [tuple(plain(v) for v in json.loads(line).values()) for line in got.splitlines()]

    def blob(self, data):
        return f"'\\x{data.hex()}'"

    def done(self):
        pass

    def drop(self):
        self.pg.sql(f"DROP DATABASE {self.name}", database="postgres")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def changed(db, sql, most=1):
    """A statement that must meet something."""
    n = db.run(sql)
    assert 1 <= n <= most, (n, sql)


def int_to_crockford(value, digits):
    return "".join("0123456789abcdefghjkmnpqrstvwxyz"[value >> 5 * i & 31] for i in reversed(range(digits)))


# ---- verifying ----


def verify(world, url=None, *args):
    """(exit code, lines of standard output, standard error)"""
    with open(world.service.config(1), encoding="utf-8") as f:
        conf = f.read()
    path = world.rig.path("verify.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(re.sub(r'(?m)^database = .*$', f'database = "{url}"' if url else f'database = "{world.service.database}"', conf))
    done = subprocess.run([world.rig.exe("tasukictl", "src/admin"), "--config", path, "audit", "verify", *map(str, args)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr


def must_be_unbroken(world, *args):
    code, lines, err = verify(world, None, *args)
    assert code == 0 and lines and lines[-1].endswith("verified: unbroken"), (code, lines, err)
    return lines
