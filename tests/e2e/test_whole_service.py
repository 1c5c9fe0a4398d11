"""A whole support session through all servers, by login and reception number: once on SQLite, once on PostgreSQL with two
management servers of which one or the other is killed all the time."""

import os
import random
import time

from pg import Postgres
from pictures import equal_at_rest
from rig import ALL, Failed, main, until
from service import Service

KILLS = int(os.environ.get("KILLS", "20"))


def installation(rig, numbers=(1,), **kw):
    s = Service(rig, **kw)
    s.add_company("acme", "株式会社アクメ")
    s.add_operator()
    for n in numbers:
        s.config(n)
    for n in numbers:
        s.start_manager(n)
    for i in (1, 2):
        s.start_relay(i)
    return s, s.org()


def screen(rig):
    """A display with a terminal; where what is typed into it goes."""
    out = rig.path("typed.txt")
    display = rig.start_display("800x600")
    rig.start_on(display, ["xterm", "-u8", "-geometry", "80x30+10+10", "-e", "sh", "-c", f"cat > {out}"], "xterm",
                 env=dict(os.environ, LC_ALL="C.UTF-8"))
    return display, out


def record_of(service, session):
    """The record's facts and the kinds of its events, in order."""
    text = service.ctl("session", "show", session)
    facts, events, at = {}, [], False
    for line in text.splitlines():
        if line == "events":
            at = True
        elif at:
            events.append(line.split()[3])
        elif line.startswith("  "):
            facts[line[2:20].strip()] = line[21:].strip()
    return text, facts, events


def type_and_see(op, customer, out, text):
    op.say("pointer 100 100 0")
    customer.wait("input", kind=2)
    op.say("text " + text)
    op.say("key 28 1 65293")
    op.say("key 28 0 65293")

    def typed():
        with open(out, encoding="utf-8") as f:
            return text + "\n" in f.read()

    until("the text at the customer's", typed)


def started_by_login_and_number_it_is_on_record_and_verified(rig):
    s, org = installation(rig)
    display, out = screen(rig)
    op = s.start_operator(org)
    customer = s.start_customer(org, display)
    session, seen = s.pair(op, customer, customer="山田太郎", reason="プリンタ")
    assert seen["company"] == "株式会社アクメ" and seen["operator"] == "田中 花子", seen
    code = rig.join(customer, op)
    op.say("view on")
    op.wait("screen")
    rig.viewer_dir = rig.dir
    equal_at_rest(rig, op, display)
    type_and_see(op, customer, out, "襷をつなぐ 123")
    op.say("end")
    customer.wait("closed")
    op.wait("ended", session=session)
    op.say("result solved 用紙を入れた")
    until("the result on record", lambda: record_of(s, session)[1].get("result") == "solved")
    text, facts, events = record_of(s, session)
    print(text)
    assert facts["state"] == "ended" and facts["ended by"] == "operator" and facts["check code"] == "confirmed", facts
    assert facts["customer"] == "山田太郎" and facts["operator's name"] == "田中 花子" and facts["relay"] in ("1", "2"), facts
    for kind in ("issued", "claimed", "answered", "operator_accepted", "granted", "verified", "view_on", "ended", "result"):
        assert events.count(kind) == 1, (kind, events)
    for secret in (seen["number"], code, code.replace("-", ""), "襷をつなぐ"):
        assert secret not in text, "the record holds what it must not"
        assert all(secret not in p.log() for p in rig.programs if hasattr(p, "log")), "a log holds what it must not"
    verified = s.ctl("audit", "verify")
    assert "unbroken" in verified, verified
    print("     " + verified.strip().splitlines()[-1])


def on_postgresql_with_one_of_two_managers_killed_again_and_again(rig):
    pg = Postgres(rig)
    s, org = installation(rig, numbers=(1, 2), database=pg.url())
    display, out = screen(rig)
    op = s.start_operator(org)
    customer = s.start_customer(org, display)
    rng = random.Random(5)
    gaps, sessions = [], []

    def kill_one(n):
        """Kills the manager that the operator's tool uses; how long until the tool is connected again."""
        victim = s.managers.pop(in_use(op, s))
        number = int(victim.name.removeprefix("manager").split("-")[0])
        start = time.monotonic()
        victim.kill()
        victim.proc.wait()
        op.wait("disconnected")
        gaps.append(op.wait("ready")["seen_at"] - start)
        s.start_manager(number, name=f"manager{number}-{n}")

    kills = 0
    while kills < KILLS:
        session, _ = s.pair(op, customer, customer=f"c{kills}")
        rig.join(customer, op)
        sessions.append(session)
        op.say("view on")
        op.wait("screen")
        for _ in range(min(4, KILLS - kills)):
            time.sleep(rng.random() * 0.05)  # the point to kill at is what is random here
            kill_one(kills)
            kills += 1
            type_and_see(op, customer, out, f"still here {kills}")
        op.say("end")
        op.wait("ended", session=session)
        op.say("result solved")
        customer.exit_code()
        customer = s.start_customer(org, display, name=f"customer{kills}")
    for session in sessions:
        until("the result on record", lambda: record_of(s, session)[1].get("result") == "solved")
        text, facts, events = record_of(s, session)
        for kind in ("issued", "claimed", "answered", "operator_accepted", "granted", "verified", "view_on", "ended", "result"):
            assert events.count(kind) == 1, (kind, events, text)
        assert "suspended" not in events, "a session noticed that a management server died"
    gaps.sort()
    print(f"     {kills} kills in {len(sessions)} sessions; the tool was connected again after {gaps[len(gaps) // 2]:.3f} s (median), "
          f"{gaps[-1]:.3f} s (longest)")
    assert gaps[-1] < 2, gaps
    verified = s.ctl("audit", "verify", number=1)
    assert "unbroken" in verified, verified


def in_use(op, service):
    """The management server whose event stream the operator's tool reads now."""
    url = [e for e in op.events if e["event"] == "connected"][-1]["server"]
    for number, (public, _, _) in service.addresses.items():
        if url.endswith(":" + public.rsplit(":", 1)[1]):
            return number
    raise Failed(f"{url} is none of the management servers")


if __name__ == "__main__":
    main(started_by_login_and_number_it_is_on_record_and_verified, on_postgresql_with_one_of_two_managers_killed_again_and_again)
