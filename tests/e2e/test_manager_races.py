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


def as_the_operator_sees_it(op, cust, session):
    """(claim's state, session's state, addresses that the operator sees)."""
    seen = op.get(f"/v1/sessions/{session['id']}")
    return cust.get(cust.mine())["state"], seen["state"], len(seen["claims"])


def who_is_ready_waits_or_is_gone_and_never_both(rig):
    """Against whatever may happen at the same moment: the customer, the operator and the chain tell of one and the same."""
    pg, s = installation(rig)
    op, other = s.operator(), s.operator()

    def chooser(session, **more):
        cust = s.customer(**more)
        cust.claim(session["number"], choosing=True)
        cust.get(cust.mine())  # it has a connection
        return cust

    seen = set()
    for i in range(30):
        session = op.issue()
        cust = chooser(session)
        ready, cancelled = all_at_once(cust.ready, lambda: other.post(f"/v1/sessions/{session['id']}/cancel"))
        assert not isinstance(cancelled, Refused), cancelled
        assert isinstance(ready, Refused) and ready.code == "wrong_state" or ready["state"] in ("pending", "over"), ready
        assert as_the_operator_sees_it(op, cust, session)[:2] == ("over", "ended")
        seen.add(("cancel", isinstance(ready, Refused)))
    for i in range(30):
        session = op.issue()
        cust = chooser(session)
        again = s.customer()
        again.key, again.token, again.id = cust.key, cust.token, cust.id
        again.get(again.mine())
        ready, withdrawn = all_at_once(cust.ready, lambda: again.post(again.mine("/withdraw")))
        assert withdrawn["state"] == "withdrawn", withdrawn
        assert as_the_operator_sees_it(op, cust, session) == ("withdrawn", "issued", 0)
        seen.add(("withdraw", isinstance(ready, Refused)))
        op.post(f"/v1/sessions/{session['id']}/cancel")
    for i in range(30):
        session = op.issue()
        cust, waits = chooser(session), s.customer(source="127.7.7.7")
        waits.claim(session["number"])
        other.get("/v1/me")
        ready, answered = all_at_once(cust.ready, lambda: other.answer(session["id"], waits.id))
        assert not isinstance(answered, Refused), answered
        assert as_the_operator_sees_it(op, cust, session) == ("over", "active", 1)
        seen.add(("answer", isinstance(ready, Refused)))
        op.post(f"/v1/sessions/{session['id']}/end", {"reason": "operator"})
    for i in range(20):  # three of one network, two places: somebody chooses while another is replaced or leaves
        session = op.issue()
        first, second = chooser(session), chooser(session)
        third, fourth = s.customer(), s.customer()
        for c in (third, fourth):
            c.key = Key()
        bodies = [third.claim_body(session["number"], choosing=True), fourth.claim_body(session["number"])]
        got = all_at_once(first.ready, second.ready, lambda: third.post("/v1/claims", bodies[0], signed=False),
                          lambda: fourth.post("/v1/claims", bodies[1], signed=False), lambda: second.post(second.mine("/withdraw")))
        assert not any(isinstance(g, Refused) and g.code != "wrong_state" for g in got), got
        states = [c.get(c.mine())["state"] for c in (first, second)]
        for c, g in ((third, got[2]), (fourth, got[3])):
            c.token, c.id = g["token"], g["claim"]
            states.append(c.get(c.mine())["state"])
        open_ones = [x for x in states if x in ("choosing", "pending")]
        waiting = op.get(f"/v1/sessions/{session['id']}")
        assert len(open_ones) <= 2 and len(waiting["claims"]) == states.count("pending"), (states, waiting)
        assert waiting["state"] == ("waiting" if "pending" in states else "issued"), (states, waiting)
        op.post(f"/v1/sessions/{session['id']}/cancel")
    print(f"     seen: {sorted(seen)}")
    assert "unbroken" in s.ctl("audit", "verify")


def being_ready_many_times_is_being_ready_once(rig):
    pg, s = installation(rig)
    op = s.operator()
    for _ in range(10):
        session = op.issue()
        cust = s.customer()
        cust.claim(session["number"], choosing=True)
        got = all_at_once(*(lambda i=i: cust.ready(f"PC-{i}") for i in range(6)))
        assert not any(isinstance(g, Refused) for g in got) and {g["state"] for g in got} == {"pending"}, got
        assert len(op.get(f"/v1/sessions/{session['id']}")["claims"]) == 1
        op.post(f"/v1/sessions/{session['id']}/cancel")
    assert pg.sql("SELECT count(*) FROM event WHERE kind = 'claimed'") == "10"
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
         a_number_is_answered_or_cancelled_and_never_both, who_is_ready_waits_or_is_gone_and_never_both,
         being_ready_many_times_is_being_ready_once, one_network_never_holds_more_than_two_places,
         an_operator_never_has_more_numbers_than_the_company_allows)
