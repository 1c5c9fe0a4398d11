"""The tools at a management server: log in, give out a number, take it, meet, and what happens when servers die or
lie. The server is fake_manager.py; tools, relay and display are real."""

import os
import time

import fake_manager as fm
from fake_manager import COMPANY, COMPANY_NAME, OPERATOR, OPERATOR_NAME, PASSWORD, FakeManager, id_number
from pictures import equal_at_rest
from rig import ALL, Program, main, until


def start(rig, doors=1, relays=1, **settings):
    m = FakeManager(rig, doors)
    for name, value in settings.items():
        setattr(m, name, value)
    for i in range(1, relays + 1):
        rig.add_relay(i)
    for i in range(1, relays + 1):
        rig.start_relay(i)
    return m, m.org()


def start_operator(rig, org, password=PASSWORD, name="operator", company=COMPANY):
    o = Program(rig, name, [rig.exe("tasuki-headless"), "operator", "--org", org, "--company", company, "--id", OPERATOR])
    o.say(password)
    return o


def start_customer(rig, org, display=None, rights=ALL, name="customer"):
    env = dict(os.environ)
    env.pop("DISPLAY", None)
    if display:
        env["DISPLAY"] = display
    return Program(rig, name, [rig.exe("tasuki-headless"), "customer", "--org", org, "--rights", str(rights)], env)


def log_in(rig, org):
    o = start_operator(rig, org)
    got = o.wait("logged_in")
    assert (got["company"], got["name"]) == (COMPANY_NAME, OPERATOR_NAME), got
    o.wait("ready")
    return o


def claim(o, c, command="issue"):
    """From a number to a customer who waits. (session, claim)"""
    issued = o.ask(command, "issued")
    number = issued["number"]
    got = c.ask(f"number {number[:3]}-{number[3:6]} {number[6:]}", "company")
    assert got["name"] == COMPANY_NAME, got
    waiting = o.wait("session", session=issued["session"], state="waiting")
    assert [v["id"] for v in waiting["claims"]] == [got["claim"]], waiting
    c.wait("claim", state="pending")
    return issued["session"], got["claim"]


def answer(o, c, session, claim_id, is_signed=True):
    o.say(f"answer {session} {claim_id}")
    who = c.wait("operator")
    assert (who["name"], who["company"], who["signed"]) == (OPERATOR_NAME, COMPANY_NAME, is_signed), who
    o.wait("answered")


def meet(rig, o, c):
    """Accepts, and carries the check code over."""
    c.say("accept")
    code = c.wait("check_code")["code"]
    o.wait("state", state="KEYED")
    o.say(f"code {code}")
    o.wait("state", state="ACTIVE")
    c.wait("state", state="ACTIVE")


def a_whole_session_by_way_of_the_server(rig):
    m, org = start(rig, relays=2)
    display = rig.start_display("640x480")
    o, c = log_in(rig, org), start_customer(rig, org, display)
    session, claim_id = claim(o, c, "issue customer=山田 太郎 reason=printer is on fire ticket=T-1")
    s = m.sessions[id_number(session)]
    assert (s["customer"], s["reason"], s["ticket_no"]) == ("山田 太郎", "printer is on fire", "T-1"), s
    answer(o, c, session, claim_id)
    meet(rig, o, c)
    o.say("view on")
    o.wait("screen", width=640, height=480)
    equal_at_rest(rig, o, display)
    o.say("text abc")
    c.wait("input", kind=4, result="OK")
    o.say("chat hello")
    assert c.wait("chat")["text"] == "hello"
    o.say("ask 2")
    c.wait("asked")
    c.say("grant 1")
    o.wait("grants", rights=1)
    c.say("pause on")
    o.wait("grants", paused=True)
    with open(rig.path("device.json"), "w") as f:
        f.write('{"os": "Debian 12", "disks": [{"free": 12}]}')
    o.ask(f"device {rig.path('device.json')}", "device_stored")
    assert s["device"]["disks"] == [{"free": 12}], s["device"]
    o.say("end")
    assert o.wait("ended")["stored"]
    assert c.wait("closed")["reason"] == 1
    assert c.exit_code() == 0
    kinds = m.events(id_number(session))
    for kind in ("consent", "operator_accepted", "joined", "granted", "verified", "view_on", "text_sent", "chat",
                 "control_asked", "revoked", "control_off", "paused"):
        assert kind in kinds, (kind, kinds)
    assert kinds.count("joined") == 2 and kinds.count("verified") == 1, kinds
    end = s["operator_end"]
    assert end["reason"] == "operator" and end["verified"] and end["bytes_in"] > 0 and end["relay"] in (1, 2), end
    end = s["customer_end"]  # who sends pictures knows the round trip
    assert 0 < end["rtt_p50_us"] <= end["rtt_p95_us"] and end["bytes_out"] > 0, end
    assert s["end_reason"] == "operator", s
    got = o.ask("result solved it was the cable", "result")
    assert (got["result"], got["note"]) == ("solved", "it was the cable"), got
    assert [x["session"] for x in o.ask("history", "history")["sessions"]] == [session]
    # what was measured came along
    rtt = next(iter(m.claims.values()))["rtt"]
    assert {r["relay"] for r in s["operator_rtt"]} == {1, 2}, s["operator_rtt"]
    assert rtt is None or all(r["us"] < 1500000 for r in rtt), rtt
    o.say("logout")
    o.wait("logged_out")
    assert o.exit_code() == 0
    assert not m.logins


def the_customer_ends_it_and_the_server_knows_why(rig):
    m, org = start(rig)
    display = rig.start_display("320x200")
    o, c = log_in(rig, org), start_customer(rig, org, display)
    session, claim_id = claim(o, c)
    answer(o, c, session, claim_id)
    meet(rig, o, c)
    c.say("end")
    assert c.wait("ended")["stored"]
    assert c.exit_code() == 0
    assert o.wait("closed")["reason"] == 2
    o.wait("ended")
    s = m.sessions[id_number(session)]
    assert s["end_reason"] == s["customer_end"]["reason"] == "customer", s
    o.say("quit")
    assert o.exit_code() == 0


def a_mistyped_number_costs_the_server_nothing_and_an_unknown_one_is_told(rig):
    m, org = start(rig)
    o, c = log_in(rig, org), start_customer(rig, org)
    c.wait("terms", version="2026-1")
    number = o.ask("issue", "issued")["number"]
    before = len([r for r in m.requests if r[2] == "/v1/claims"])
    for wrong in (number[:-1] + str((int(number[-1]) + 1) % 10), number[:8], "12a456789", ""):
        assert c.ask(f"number {wrong}", "error")["code"] == "number_mistyped"
    assert before == len([r for r in m.requests if r[2] == "/v1/claims"]) == 0
    digits = "".join(str((int(d) + 1) % 10) for d in number[:8])
    assert c.ask(f"number {digits}{fm.damm(digits)}", "error")["code"] == "number_unknown"
    assert c.ask(f"number {number}", "company")["name"] == COMPANY_NAME


def a_refused_customer_may_type_another_number(rig):
    m, org = start(rig)
    o, c = log_in(rig, org), start_customer(rig, org)
    session, claim_id = claim(o, c)
    o.ask(f"refuse {session} {claim_id}", "claim_refused", session=session, state="issued")
    c.wait("claim", state="refused")
    session, claim_id = claim(o, c)
    assert o.ask(f"cancel {session}", "cancelled")["state"] == "ended"
    c.wait("claim", state="over")
    session, claim_id = claim(o, c)
    c.say("end")
    assert c.exit_code() == 0
    assert m.claims[id_number(claim_id)]["state"] == "withdrawn"
    assert o.ask("cancel 0000000000000", "error")["code"] == "not_there"
    assert o.ask("cancel x", "error")["code"] == "usage"


def the_customer_declines_and_no_ticket_was_used(rig):
    m, org = start(rig)
    o, c = log_in(rig, org), start_customer(rig, org)
    session, claim_id = claim(o, c)
    answer(o, c, session, claim_id)
    c.say("decline")
    assert c.wait("ended")["stored"]
    assert c.exit_code() == 0
    assert not any(e["event"] == "state" for e in c.events), "the host connected"
    assert o.wait("closed")["reason"] == 3
    o.wait("ended")
    assert "operator_refused" in m.events(id_number(session))


def wrong_passwords_and_frozen_logins_are_told_in_words(rig):
    m, org = start(rig)
    o = start_operator(rig, org, password="wrong", name="wrong")
    got = o.wait("error", command="login")
    assert (got["code"], got["text"]) == ("login_refused", "Company code, ID or password is wrong"), got
    assert o.exit_code() == 1
    with open(rig.path("password"), "w") as f:
        f.write(PASSWORD + "\n")
    o = Program(rig, "file", [rig.exe("tasuki-headless"), "operator", "--org", org, "--company", COMPANY, "--id", OPERATOR,
                              "--password-file", rig.path("password")])
    o.wait("ready")
    with m.lock:
        m.logins.clear()
        m.lock.notify_all()
    assert o.wait("error", command="stream")["code"] == "frozen"
    assert o.exit_code() == 1


def a_wrong_clock_on_this_side_is_learnt(rig):
    """The tools never ask this machine's clock once a server has told the time, and learn it again when it jumps."""
    m, org = start(rig, clock_skew_ms=-400 * 24 * 3600 * 1000)
    o = log_in(rig, org)
    o.ask("issue", "issued")
    m.clock_skew_ms += 3600 * 1000
    o.ask("issue", "issued")
    o.ask("history", "history")


def work_is_done_when_the_server_asks_for_it(rig):
    m, org = start(rig, pow_bits=16)
    o, c = log_in(rig, org), start_customer(rig, org)
    claim(o, c)
    m.demands_pow_by_problem = True
    c = start_customer(rig, org, name="customer2")
    claim(o, c)


def tickets_are_renewed_in_time(rig):
    m, org = start(rig, session_ttl_s=6)
    display = rig.start_display("320x200")
    o, c = log_in(rig, org), start_customer(rig, org, display)
    session, claim_id = claim(o, c)
    answer(o, c, session, claim_id)
    meet(rig, o, c)
    for _ in range(2):
        o.wait("ticket_renewed", result="OK")
        c.wait("ticket_renewed", result="OK")
    assert m.renewed >= 4, m.renewed
    with m.lock:
        m.finish(m.sessions[id_number(session)], "administrator")
    reasons = o.wait("closed")["reason"], c.wait("closed")["reason"]
    assert 3 in reasons and reasons[0] in (2, 3) and reasons[1] in (1, 3), reasons  # the other one got its BYE
    assert c.exit_code() == 0


def an_old_ticket_is_exchanged_before_it_is_used(rig):
    m, org = start(rig)
    display = rig.start_display("320x200")
    o, c = log_in(rig, org), start_customer(rig, org, display)
    session, claim_id = claim(o, c)

    def aged(obj):
        if obj["grant"]:
            m.clock_skew_ms -= 30000  # as if the customer had thought about it for half a minute
            with m.lock:
                obj = m.claim_object(m.claims[id_number(claim_id)])
            m.clock_skew_ms += 30000
            obj["server_ms"] = m.now_ms()
        return obj

    m.twist["claim"] = aged
    answer(o, c, session, claim_id)
    meet(rig, o, c)
    assert m.renewed == 1, m.renewed


def one_of_two_servers_dies_and_nobody_waits(rig):
    m, org = start(rig, doors=2)
    display = rig.start_display("320x200")
    o, c = log_in(rig, org), start_customer(rig, org, display)
    session, claim_id = claim(o, c)
    first = next(r[0] for r in m.requests if r[2].startswith("/v1/stream"))
    started = time.monotonic()
    m.kill(first)
    o.wait("disconnected", limit=5)
    o.wait("ready", limit=5)
    took = time.monotonic() - started
    c.wait("connected", limit=5)
    o.ask("issue", "issued")  # requests go on, too
    asked = time.monotonic() - started
    print(f"     stream back after {took:.2f} s, request answered after {asked:.2f} s")
    assert took < 2 and asked < 2, (took, asked)
    afters = [r[2] for r in m.requests if r[2].startswith("/v1/stream?after=")]
    assert afters and "e%3A" in afters[-1], afters
    answer(o, c, session, claim_id)
    meet(rig, o, c)
    m.revive(first)
    m.kill(1 - first)
    started = time.monotonic()
    o.wait("ready", limit=5)
    assert time.monotonic() - started < 2
    o.ask("history", "history")
    # both gone: the session goes on, and what happened is told later
    m.kill(first)
    o.wait("disconnected")
    o.say("chat still here")
    c.wait("chat")
    o.say("view on")
    o.wait("screen")
    m.revive(0)
    o.wait("ready", limit=10)
    until("the events of the time without a server", lambda: {"chat", "view_on"} <= set(m.events(id_number(session))))
    assert m.events(id_number(session)).count("chat") == 1


def a_server_that_hangs_is_passed_over(rig):
    m, org = start(rig, doors=2)
    m.hang(0)
    started = time.monotonic()
    o, c = log_in(rig, org), start_customer(rig, org)
    took = time.monotonic() - started
    claim(o, c)
    print(f"     logged in after {took:.2f} s")
    assert 1 < took < 4, took
    m.revive(0)
    m.hang(1)  # its connections are cut; new ones hang
    started = time.monotonic()
    o.wait("disconnected", limit=5)
    o.wait("ready", limit=5)
    o.ask("issue", "issued")
    assert time.monotonic() - started < 2


def no_server_is_a_temporary_failure(rig):
    m, org = start(rig, doors=2, relays=1)
    m.close()
    o, c = start_operator(rig, org), start_customer(rig, org)
    assert o.wait("error", command="login")["code"] == "no_server"
    assert o.exit_code() == 75
    assert c.wait("error")["code"] == "no_server"
    assert c.exit_code() == 75


def a_server_with_a_strangers_certificate_is_not_trusted(rig):
    m, org = start(rig)
    wrong = m.org(managers=[{"url": "https://other.tasuki.test", "address": m.doors[0].address}])
    o = start_operator(rig, wrong)
    assert o.wait("error", command="login")["code"] == "not_trusted"
    assert o.exit_code() == 1
    assert not any(r[2] == "/v1/login" for r in m.requests)


def a_bad_organisation_file_is_told(rig):
    m, org = start(rig)
    with open(org, "rb") as f:
        good = f.read()
    for name, data in (("short", good[:100]), ("empty", bytes(8192)), ("changed", good.replace(b"manager1", b"managerX"))):
        with open(rig.path(name), "wb") as f:
            f.write(data)
        p = Program(rig, name, [rig.exe("tasuki-headless"), "customer", "--org", rig.path(name)])
        assert p.exit_code() == 78, name
        assert name in p.log() and len(p.log()) > 40, p.log()
    for args in (["operator"], ["customer"], ["customer", "--org", org, "more"], ["operator", "--org", org, "--id", "x"]):
        assert Program(rig, "usage", [rig.exe("tasuki-headless"), *args]).exit_code() == 2, args


def lies(m):
    """name: (which answer, what becomes of it, words that the tool must say)"""
    other = os.urandom(32)

    def of_grant(change):
        def twist(obj):
            if obj.get("grant"):
                change(obj["grant"], obj)
            return obj
        return twist

    def other_statement(company, name):
        def change(grant, obj):
            s = next(iter(m.sessions.values()))
            grant["statement"] = fm.ref.statement(
                m.statement_key, fm.KID_STATEMENT, fm.HOST, 0, 0x7F, 1, s["id"], fm.COMPANY_ID, m.now_ms() + 10**8,
                s["host_pk"], company, name).hex()
        return change

    def other_peer(grant, obj):
        s = next(iter(m.sessions.values()))
        grant["peer"]["statement"] = fm.ref.statement(
            m.statement_key, fm.KID_STATEMENT, fm.VIEWER, 1, 0x7F, 1, s["id"], fm.COMPANY_ID, m.now_ms() + 10**8,
            s["viewer_pk"], COMPANY_NAME, "Mallory").hex()

    def other_keyset(grant, obj):
        keyset = bytes.fromhex(grant["keyset"])[:-64]
        grant["keyset"] = (keyset + fm.ref.ed_sign(other, fm.ref.pad16("TSK1 keyset"), keyset)).hex()

    def flip(name):
        def change(grant, obj):
            grant[name] = grant[name][:-1] + ("0" if grant[name][-1] != "0" else "1")
        return change

    def set_to(name, value):
        def change(grant, obj):
            grant[name] = value
        return change

    def drop(name):
        return lambda grant, obj: grant.pop(name)

    return {
        "keyset": (of_grant(other_keyset), "root key"),
        "company": (of_grant(other_statement("Evil Ltd", "x")), "another company"),
        "peer": (of_grant(other_peer), "somebody else"),
        "operator": (of_grant(lambda g, obj: obj.update(operator="Mallory")), "do not name"),
        "ticket": (of_grant(flip("ticket")), "ticket is not signed"),
        "statement": (of_grant(flip("statement")), "statement is not signed"),
        "short": (of_grant(set_to("ticket", "00")), "ticket"),
        "type": (of_grant(set_to("slot", "0")), "slot"),
        "role": (of_grant(set_to("role", 2)), "other end"),
        "relays": (of_grant(lambda g, obj: g["relays"][0].update(id=77)), "relays"),
        "missing": (of_grant(drop("keyset")), "keyset"),
        "none": (lambda obj: {**obj, "grant": None}, "names none"),
    }


def lies_of_the_server_are_found_out_before_anything_is_used(rig):
    m, org = start(rig)
    o = log_in(rig, org)
    for name, (twist, words) in lies(m).items():
        m.sessions.clear()
        c = start_customer(rig, org, name=name)
        session, claim_id = claim(o, c)
        m.twist = {"claim": twist}
        o.say(f"answer {session} {claim_id}")
        got = c.wait("alarm")
        assert words in got["text"], (name, got)
        assert c.exit_code() == 1, name
        assert not any(e["event"] in ("operator", "state") for e in c.events), (name, c.events)
        m.twist = {}
        o.wait("ended")


def nonsense_of_the_server_is_an_error_and_no_more(rig):
    m, org = start(rig)
    o = log_in(rig, org)
    number = o.ask("issue", "issued")["number"]
    nonsense = ['{"id":', "[]", "null", '"x"', "", "{}", '{"id":"0000000000001","state":"issued","issued_at":"x"}',
                '{"sessions":[1]}', "[" * 5000, '{"a":1,"a":2}', b"\xff\xfe", '{"id":12,"state":"\\u0000"}', "x" * 100000]
    for text in nonsense:
        m.twist = {"sessions": lambda obj, text=text: text}
        assert o.ask("history", "error", command="history")["code"] == "bad_answer", text
        assert o.ask("issue", "error", command="issue")["code"] == "bad_answer", text
    m.twist = {"stream": lambda obj: '{"id":7}'}
    with m.lock:
        m.changed(next(iter(m.sessions.values())))
    assert o.wait("error", command="stream")["code"] == "bad_answer"
    m.twist = {"answer": lambda obj: {**obj, "grant": {**obj["grant"], "keyset": "00"}}}
    c = start_customer(rig, org)
    m.twist["stream"] = lambda obj: obj
    session, claim_id = claim(o, c)
    o.say(f"answer {session} {claim_id}")
    got = o.wait("error", command="answer")
    assert got["code"] == "bad_grant" and "keyset" in got["text"], got
    m.twist = {"claims": lambda obj: {**obj, "token": "o." + obj["token"][2:]}}
    c = start_customer(rig, org, name="customer2")
    assert c.ask(f"number {number}", "error")["code"] == "bad_answer"
    m.twist = {"login": lambda obj: {**obj, "token": "x"}}
    o = start_operator(rig, org, name="operator2")
    assert o.wait("error", command="login")["code"] == "bad_answer"
    assert o.exit_code() == 1


def without_the_peers_statement_the_engine_finds_the_lie(rig):
    m, org = start(rig, sends_peer_statement=False)
    display = rig.start_display("320x200")

    def mallory(obj):
        if obj.get("grant"):
            obj["operator"] = obj["grant"]["peer"]["name"] = "Mallory"
        return obj

    o, c = log_in(rig, org), start_customer(rig, org, display)
    session, claim_id = claim(o, c)
    m.twist = {"claim": mallory}
    o.say(f"answer {session} {claim_id}")
    who = c.wait("operator")
    assert (who["name"], who["signed"]) == ("Mallory", False), who
    c.say("accept")
    assert "somebody else" in c.wait("alarm")["text"]
    assert c.wait("closed")["reason"] == 9
    c.wait("ended")
    assert not any(e["event"] in ("view", "input") for e in c.events)
    m.twist = {}
    o.wait("ended")
    c = start_customer(rig, org, display, name="customer2")
    session, claim_id = claim(o, c)
    answer(o, c, session, claim_id, is_signed=False)
    meet(rig, o, c)


if __name__ == "__main__":
    main(
        a_whole_session_by_way_of_the_server,
        the_customer_ends_it_and_the_server_knows_why,
        a_mistyped_number_costs_the_server_nothing_and_an_unknown_one_is_told,
        a_refused_customer_may_type_another_number,
        the_customer_declines_and_no_ticket_was_used,
        wrong_passwords_and_frozen_logins_are_told_in_words,
        a_wrong_clock_on_this_side_is_learnt,
        work_is_done_when_the_server_asks_for_it,
        tickets_are_renewed_in_time,
        an_old_ticket_is_exchanged_before_it_is_used,
        one_of_two_servers_dies_and_nobody_waits,
        a_server_that_hangs_is_passed_over,
        no_server_is_a_temporary_failure,
        a_server_with_a_strangers_certificate_is_not_trusted,
        a_bad_organisation_file_is_told,
        lies_of_the_server_are_found_out_before_anything_is_used,
        nonsense_of_the_server_is_an_error_and_no_more,
        without_the_peers_statement_the_engine_finds_the_lie,
    )
