"""Customers who type a number and pick what to allow first: who hears what, who is too late, and whose place it is. The same at the
same moment is in test_manager_races.py."""

from api import Refused, crockford_to_int
from pg import Postgres
from rig import Program, main
from test_manager import listen, refused, say_up, sql, started


def nothing_but(stream, event, **fields):
    """The next event of the stream is this one: nothing else was told before it."""
    _, name, data = next(event for event in stream if not stream.is_repeat)
    assert name == event and all(data.get(k) == v for k, v in fields.items()), (name, data)
    return data


def quiet(op, stream):
    """The operator's stream told nothing up to now: what comes next is what is done here."""
    fresh = op.issue()
    nothing_but(stream, "session", id=fresh["id"])
    op.post(f"/v1/sessions/{fresh['id']}/cancel")
    nothing_but(stream, "session", id=fresh["id"], state="ended")


def the_operator_hears_of_who_is_ready(rig, database=None):
    s = started(rig, database=database)
    say_up(s)
    op = s.operator()
    session = op.issue()
    here = f"/v1/sessions/{session['id']}"
    stream = listen(op, "/v1/stream")
    stream.until("ready")
    before = op.get(here)
    cust = s.customer()
    place = cust.claim(session["number"], host_name="SECRET", os="SECRET", choosing=True)
    assert place["company"] == "株式会社アクメ", place
    mine = listen(cust, cust.mine("/stream"))
    nothing_but(mine, "claim", state="choosing", grant=None)
    assert op.get(here) == before and before["state"] == "issued" and before["claims"] == [] and "joined_at" not in before, before
    for what in ({"claim": cust.id, "pop_pk": "ab" * 32}, {"claim": cust.id}):
        path = here + ("/answer" if "pop_pk" in what else "/refuse")
        told, absent = (refused("absent", op.post, path, {**what, "claim": c}) for c in (cust.id, "06yzzzzzzzzzz"))
        assert told.problem == absent.problem and told.status == 404, (told, absent)
    assert cust.claim(session["number"], host_name="SECRET")["claim"] == place["claim"]  # the same key is still choosing
    assert cust.get(cust.mine())["state"] == "choosing"
    quiet(op, stream)
    record = s.ctl("session", "show", session["id"])
    assert "claimed" not in record and "SECRET" not in record, record
    refused("absent", cust.post, cust.mine("/events"), {"events": [{"key": "01" * 8, "kind": "alarm", "at_ms": 1}]})
    refused("absent", cust.post, cust.mine("/end"), {"reason": "customer"})
    early = op.now()
    assert cust.ready("受付-9", "Debian 12")["state"] == "pending"
    told = nothing_but(stream, "session", id=session["id"], state="waiting")
    assert [(c["host_name"], c["os"], c["state"]) for c in told["claims"]] == [("受付-9", "Debian 12", "pending")], told
    assert told["joined_at"] >= early - 1000 and told["claims"][0]["claimed_at"] >= early - 1000, (early, told)
    nothing_but(mine, "claim", state="pending")
    assert cust.ready("other", "other")["state"] == "pending"  # again: nothing is changed
    quiet(op, stream)
    assert op.get(here)["claims"] == told["claims"]
    key, _ = op.answer(session["id"], cust.id)
    late = cust.ready()
    assert late["state"] == "answered" and late["grant"]["session"] == session["id"], late
    op.post(here + "/end", {"reason": "operator"})
    e = refused("wrong_state", cust.ready)
    assert e.status == 409 and "ask your operator for a new one" in e.problem["detail"], e
    record = s.ctl("session", "show", session["id"])
    kinds = [line.split()[3] for line in record.split("events\n")[1].split("\n") if line]
    assert kinds == ["issued", "choosing", "claimed", "answered", "ended"] and "SECRET" not in record, record
    assert "unbroken" in s.ctl("audit", "verify")


def the_operator_hears_of_who_is_ready_on_postgresql(rig):
    the_operator_hears_of_who_is_ready(rig, Postgres(rig).url())


def a_tool_chooses_and_is_ready(rig):
    """With the tools' own client."""
    s = started(rig)
    op = s.operator()
    session = op.issue()
    tool = Program(rig, "tool", [rig.exe("claim-client", "tests/e2e"), s.org()])
    place = tool.ask("choose " + session["number"], "place")
    assert place["company"] == "株式会社アクメ", place
    assert tool.ask("get", "claim")["state"] == "choosing"
    assert op.get(f"/v1/sessions/{session['id']}")["claims"] == []
    assert tool.ask("ready PC 7", "claim")["state"] == "pending"
    assert tool.ask("ready PC 8", "claim")["state"] == "pending"
    waiting, = op.get(f"/v1/sessions/{session['id']}")["claims"]
    assert (waiting["id"], waiting["host_name"], waiting["os"]) == (place["claim"], "PC 7", "Debian 12"), waiting
    op.post(f"/v1/sessions/{session['id']}/refuse", {"claim": place["claim"]})
    assert tool.ask("ready PC 7", "refused")["code"] == "wrong_state"
    assert tool.ask("get", "claim")["state"] == "refused"


def who_is_gone_cannot_be_ready(rig):
    s = started(rig)
    say_up(s)
    op = s.operator()
    session = op.issue()
    here = f"/v1/sessions/{session['id']}"

    def chooser(**more):
        cust = s.customer(**more)
        cust.claim(session["number"], choosing=True)
        return cust

    def is_too_late(cust, *words):
        e = refused("wrong_state", cust.ready)
        assert e.status == 409 and all(w in e.problem["detail"] for w in words), (words, e.problem)

    first = chooser()
    for body in ({}, {"host_name": "x"}, {"host_name": "x", "os": None}, {"host_name": "x" * 201, "os": "y"},
                 {"host_name": "x", "os": "y", "claim": first.id}, {"host_name": "\x1b[1m", "os": "y"}):
        refused("bad_request", first.post, first.mine("/ready"), body)
    refused("not_logged_in", first.post, first.mine("/ready"), {"host_name": "", "os": ""}, signed=False)
    second = chooser(source="127.7.7.7")
    refused("not_logged_in", second.post, first.mine("/ready"), {"host_name": "", "os": ""})
    assert first.ready("", "")["state"] == "pending"  # a machine may have no name
    op.post(here + "/refuse", {"claim": first.id})
    is_too_late(first, "refused")
    second.post(second.mine("/withdraw"))
    is_too_late(second, "withdrawn", "again")
    crowd = [chooser(source=f"127.66.6.{i + 1}") for i in range(3)]
    is_too_late(crowd[0], "later", "again")
    assert crowd[1].ready()["state"] == "pending"
    at_once_waits = s.customer(source="127.8.8.8")
    at_once_waits.claim(session["number"], choosing=False)
    assert at_once_waits.ready("other")["state"] == "pending"
    assert "other" not in [c["host_name"] for c in op.get(here)["claims"]]
    op.answer(session["id"], at_once_waits.id)
    is_too_late(crowd[2], "used")
    session = op.issue()
    expires = sql(s, "SELECT expires_at FROM session WHERE id = ?", crockford_to_int(session["id"]))[0][0]
    cancelled = chooser()
    op.post(f"/v1/sessions/{session['id']}/cancel")
    is_too_late(cancelled, "cancelled")
    session = op.issue()
    slow = chooser()
    watch = listen(slow, slow.mine("/stream"))
    watch.until("claim", state="choosing")
    sql(s, "UPDATE session SET expires_at = ? WHERE id = ?", expires - 3600 * 1000, crockford_to_int(session["id"]))
    is_too_late(slow, "run out")  # whether it was swept by now or not
    watch.until("claim", state="over")
    assert op.get(f"/v1/sessions/{session['id']}")["end_reason"] == "expired"


def who_chooses_hears_what_becomes_of_the_number(rig, database=None):
    s = started(rig, database=database)
    say_up(s)
    op = s.operator()
    stream = listen(op, "/v1/stream")
    stream.until("ready")
    session = op.issue()
    nothing_but(stream, "session", id=session["id"])
    here = f"/v1/sessions/{session['id']}"
    cust, other = s.customer(), s.customer(source="127.7.7.7")
    cust.claim(session["number"], choosing=True)
    withdrawn = listen(cust, cust.mine("/stream"))
    withdrawn.until("claim", state="choosing")
    assert cust.post(cust.mine("/withdraw"))["state"] == "withdrawn"
    withdrawn.until("claim", state="withdrawn")
    assert cust.post(cust.mine("/withdraw"))["state"] == "withdrawn"  # twice is once
    quiet(op, stream)
    cust.token = cust.key = None
    cust.claim(session["number"], choosing=True)
    other.claim(session["number"])
    nothing_but(stream, "session", state="waiting")
    other.post(other.mine("/withdraw"))
    nothing_but(stream, "session", state="issued", claims=[])  # who chooses keeps it from nothing
    assert cust.ready()["state"] == "pending"
    nothing_but(stream, "session", state="waiting")
    third = s.customer(source="127.7.7.7")
    third.claim(session["number"], choosing=True)
    over = listen(third, third.mine("/stream"))
    over.until("claim", state="choosing")
    op.answer(session["id"], cust.id)
    over.until("claim", state="over")
    op.post(here + "/end", {"reason": "operator"})
    session = op.issue()
    last = s.customer()
    last.claim(session["number"], choosing=True)
    over = listen(last, last.mine("/stream"))
    over.until("claim", state="choosing")
    op.post(f"/v1/sessions/{session['id']}/cancel")
    over.until("claim", state="over")
    assert "unbroken" in s.ctl("audit", "verify")


def who_chooses_hears_what_becomes_of_the_number_on_postgresql(rig):
    who_chooses_hears_what_becomes_of_the_number(rig, Postgres(rig).url())


def who_only_chooses_keeps_nobody_out(rig):
    """A place is a place, whether its holder waits or chooses; and those whom the operator cannot refuse do not hold it for long."""
    s = started(rig)
    op = s.operator()
    session = op.issue()
    number, here = session["number"], f"/v1/sessions/{session['id']}"

    def typed(source, **more):
        cust = s.customer(source=source)
        cust.claim(number, **more)
        return cust

    def states(*people):
        return [p.get(p.mine())["state"] for p in people]

    near = [typed(f"127.66.6.{i + 1}", choosing=True) for i in range(4)]
    assert states(*near) == ["replaced"] * 2 + ["choosing"] * 2, states(*near)
    waits = typed("127.7.7.7")
    e = refused("crowded", typed, "127.8.8.8", choosing=True)
    assert e.status == 409, e
    refused("crowded", typed, "127.8.8.8")
    near.append(typed("127.66.6.9"))  # who waits at once takes the place of one who chooses, of his own network
    assert states(waits, *near[2:]) == ["pending", "replaced", "choosing", "pending"]
    watch = listen(near[3], near[3].mine("/stream"))
    watch.until("claim", state="choosing")
    sql(s, "UPDATE claim SET claimed_at = claimed_at - 119000 WHERE id = ?", crockford_to_int(near[3].id))
    refused("crowded", typed, "127.8.8.8", choosing=True)
    sql(s, "UPDATE claim SET claimed_at = claimed_at - 3600000 WHERE id IN (?, ?, ?)",
        *(crockford_to_int(p.id) for p in (waits, near[3], near[4])))
    far = typed("127.8.8.8", choosing=True)
    watch.until("claim", state="replaced")
    assert states(waits, near[4], far) == ["pending", "pending", "choosing"]  # who waits stays, however long
    e = refused("wrong_state", near[3].ready)
    refused("crowded", typed, "127.9.9.9")
    assert sorted(c["address"] for c in op.get(here)["claims"]) == ["127.66.6.9", "127.7.7.7"]


def who_chooses_may_take_the_place_of_one_who_waits(rig):
    s = started(rig)
    op = s.operator()
    session = op.issue()
    stream = listen(op, "/v1/stream")
    stream.until("ready")
    waits = [s.customer(source=f"127.66.6.{i}") for i in (1, 2)]
    for w in waits:
        w.claim(session["number"])
        nothing_but(stream, "session", state="waiting")
    choosers = []
    for left in (["127.66.6.2"], []):
        choosers.append(s.customer(source="127.66.6.3"))
        choosers[-1].claim(session["number"], choosing=True)
        told = nothing_but(stream, "session", state="waiting" if left else "issued")
        assert [c["address"] for c in told["claims"]] == left, told
    choosers[1].ready()
    nothing_but(stream, "session", state="waiting")
    assert [w.get(w.mine())["state"] for w in waits + choosers] == ["replaced", "replaced", "choosing", "pending"]
    assert "unbroken" in s.ctl("audit", "verify")


def choosing_without_end_is_stopped(rig):
    s = started(rig)
    op = s.operator()
    session = op.issue()
    stopped = 0
    pushy = s.customer(source="127.66.6.6")
    for _ in range(30):
        pushy.token = pushy.key = None
        try:
            pushy.claim(session["number"], choosing=True)
        except Refused as e:
            assert e.code == "slow_down", e
            stopped += 1
    assert stopped == 30 - 12, stopped  # as if he had waited each time
    stopped = 0
    for _ in range(15):
        leaver = s.customer(source="127.77.6.6")
        try:
            leaver.claim(session["number"], choosing=True)
            leaver.post(leaver.mine("/withdraw"))
        except Refused as e:
            assert e.code == "slow_down", e
            stopped += 1
    assert stopped == 15 - 10, stopped
    for i in range(64 - 12 - 10):
        cust = s.customer(source=f"127.{i + 90}.1.1")
        cust.claim(session["number"], choosing=True)
        cust.post(cust.mine("/withdraw"))
    refused("crowded", s.customer(source="127.80.1.1").claim, session["number"])  # nobody types it more than 64 times
    assert op.get(f"/v1/sessions/{session['id']}")["state"] == "issued"
    assert "unbroken" in s.ctl("audit", "verify")


if __name__ == "__main__":
    main(the_operator_hears_of_who_is_ready, a_tool_chooses_and_is_ready, who_is_gone_cannot_be_ready,
         who_chooses_hears_what_becomes_of_the_number, who_only_chooses_keeps_nobody_out,
         who_chooses_may_take_the_place_of_one_who_waits, choosing_without_end_is_stopped,
         the_operator_hears_of_who_is_ready_on_postgresql, who_chooses_hears_what_becomes_of_the_number_on_postgresql)
