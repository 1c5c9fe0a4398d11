"""What a review found: several at the same moment, on PostgreSQL, where nothing else keeps them apart; somebody who does what he may
without end; keys of another installation."""

import threading

from api import Key, Refused
from pg import Postgres
from rig import Failed, main, run
from service import Service


def installation(rig):
    pg = Postgres(rig)
    s = Service(rig, database=pg.url(), extra="misses_per_hour = 100000\npow_above_per_minute = 1000000\n")
    s.add_company("acme", "アクメ", "--max-numbers", 3)
    s.add_operator()
    s.start_manager()
    s.start_relay(1)
    return pg, s


def all_at_once(*jobs):
    """What each of them gave: a value, or Refused."""
    out = [None] * len(jobs)
    ready = threading.Barrier(len(jobs))

    def run(i):
        ready.wait()
        try:
            out[i] = jobs[i]()
        except Refused as e:
            out[i] = e

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(jobs))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


def a_number_is_answered_or_cancelled_and_never_both(rig):
    pg, s = installation(rig)
    one, two = s.operator(), s.operator()
    both = 0
    for _ in range(25):
        session = one.issue()
        cust = s.customer()
        claim = cust.claim(session["number"])["claim"]
        one.get("/v1/me"), two.get("/v1/me")  # both have a connection
        answered, cancelled = all_at_once(lambda: one.answer(session["id"], claim),
                                          lambda: two.post(f"/v1/sessions/{session['id']}/cancel"))
        ok = [not isinstance(x, Refused) for x in (answered, cancelled)]
        both += all(ok)
        assert any(ok), (answered, cancelled)
        if ok[0]:
            assert one.get(f"/v1/sessions/{session['id']}")["state"] == "active"
            one.post(f"/v1/sessions/{session['id']}/end", {"reason": "operator"})
    assert both == 0, f"{both} sessions were answered and cancelled"
    assert "unbroken" in s.ctl("audit", "verify")


def one_network_never_holds_more_than_two_places(rig):
    pg, s = installation(rig)
    op = s.operator()
    for _ in range(4):
        session = op.issue()
        many = [s.customer(source=f"127.9.9.{i}") for i in range(1, 9)]
        for c in many:
            c.key = Key()
        bodies = [c.claim_body(session["number"]) for c in many]
        all_at_once(*(lambda c=c, b=b: c.post("/v1/claims", b, signed=False) for c, b in zip(many, bodies)))
        waiting = op.get(f"/v1/sessions/{session['id']}")["claims"]
        assert len(waiting) <= 2, f"{len(waiting)} of one network wait"
        other = s.customer(source="127.20.0.1")
        other.claim(session["number"])
        op.post(f"/v1/sessions/{session['id']}/cancel")
    assert "unbroken" in s.ctl("audit", "verify")


def an_operator_never_has_more_numbers_than_the_company_allows(rig):
    pg, s = installation(rig)
    ops = [s.operator() for _ in range(4)]
    got = all_at_once(*(op.issue for op in ops for _ in range(2)))
    issued = [g for g in got if not isinstance(g, Refused)]
    assert len(issued) == 3, f"{len(issued)} numbers are live"
    assert {g.code for g in got if isinstance(g, Refused)} == {"too_many_numbers"}


def whoever_claims_and_withdraws_without_end_is_stopped(rig):
    s = Service(rig)
    s.add_company()
    s.add_operator()
    s.start_manager()
    s.start_relay(1)
    op = s.operator()
    session = op.issue()
    stopped = None
    for _ in range(40):
        stranger = s.customer(source="127.30.0.1")
        try:
            stranger.claim(session["number"])
            stranger.post(stranger.mine("/withdraw"))
        except Refused as e:
            stopped = e
            break
    assert stopped and stopped.code == "slow_down", stopped
    customer = s.customer(source="127.31.0.1")
    claim = customer.claim(session["number"])["claim"]
    op.answer(session["id"], claim)
    stored = customer.post(customer.mine("/events"), {"events": [{"key": "01" * 8, "kind": "consent", "at_ms": op.now()}]})
    assert stored == {"stored": 1}, stored
    assert "unbroken" in s.ctl("audit", "verify")


def what_the_end_says_is_on_the_chain(rig):
    s = Service(rig)
    s.add_company()
    s.add_operator()
    s.start_manager()
    s.start_relay(1)
    op, customer = s.operator(), s.customer()
    session = op.issue()
    op.answer(session["id"], customer.claim(session["number"])["claim"])
    op.post(f"/v1/sessions/{session['id']}/end", {"reason": "operator", "verified": True, "recorded": True})
    customer.post(customer.mine("/end"), {"reason": "customer", "relay": 1, "bytes_out": 7})
    shown = s.ctl("session", "show", session["id"])
    assert "check code         confirmed" in shown and "bytes out          7" in shown and "figures" in shown, shown
    assert "unbroken" in s.ctl("audit", "verify")


def a_database_of_other_keys_is_refused(rig):
    s = Service(rig)
    s.add_company()
    s.start_manager()
    other = rig.path("other-keys")
    run([rig.exe("tasukictl", "src/admin"), "keyset", "init", other])
    s.keys = other
    try:
        s.start_manager(2)
    except Failed as e:
        assert "other_keys" in str(e), e
    else:
        raise AssertionError("it runs with keys of another installation")
    s.ctl("audit", "verify", fails=True)  # by the root of the other keys nothing is right
    s.keys = rig.path("keys")
    assert "unbroken" in s.ctl("audit", "verify")


if __name__ == "__main__":
    main(whoever_claims_and_withdraws_without_end_is_stopped, what_the_end_says_is_on_the_chain, a_database_of_other_keys_is_refused,
         a_number_is_answered_or_cancelled_and_never_both, one_network_never_holds_more_than_two_places,
         an_operator_never_has_more_numbers_than_the_company_allows)
