#!/usr/bin/python3
"""Everybody may say no, numbers and codes may be wrong, servers may be away: what people read then, in both tools, and what goes on."""

import os
import time

import rig as rigs
import tools_world
from service import PASSWORD
from tools import fill, pair
from tools_world import World

OTHER_PASSWORD = "3suzuMe-uta"


def at_number(world, language="en"):
    """A client that waits for a number."""
    cl = world.client(language)
    cl.agree()
    cl.wait_for("text", "Reception number")
    return cl


def back_at_number(world, cl, *words):
    """The page for numbers again, with these words on it; then another one may be typed."""
    for text in words:
        cl.wait_for(None, text)
    cl.wait_for("push button", "Connect")


# ---- the customer, and numbers ----


def declining_the_terms_ends_the_tool_and_removes_it(world):
    for language in ("en", "ja"):
        cl = world.client(language)
        cl.press("Continue")
        cl.press("Decline")
        cl.wait_for("heading", "Ended")
        cl.wait_for("label", "No session took place. Nothing of your screen was seen.")
        cl.wait_for("label", "This tool is removed. Nothing of it stays on this computer.")
        cl.press("Close")
        assert cl.program.exit_code() == 0
        assert cl.is_gone()


def a_mistyped_number_is_told_at_once_and_not_sent(world):
    number = world.operator().issue()
    cl = at_number(world)
    before = world.service.metrics()["misses_total"], world.newest()["state"]
    wrong = number[:8] + str((int(number[8]) + 1) % 10)
    cl.wait_for("text", "Reception number").type(wrong)
    cl.wait_for("label", "One of the digits is wrong. Please check the number.")
    assert not cl.wait_for("push button", "Connect").is_sensitive()
    world.home.key("Return")
    cl.wait_for("label", "One of the digits is wrong. Please check the number.")
    assert (world.service.metrics()["misses_total"], world.newest()["state"]) == before
    world.home.key("BackSpace")
    world.home.wait_gone("label", cl.say("One of the digits is wrong. Please check the number."))
    cl.number(number)
    cl.wait_for("push button", "Start waiting")
    cl.press("Back")
    back_at_number(world, cl)
    world.operator().press("Cancel")


def a_number_that_is_wrong_cancelled_or_has_run_out_is_refused_in_one_way(world):
    """And the same client takes a good one afterwards."""
    op = world.operator()
    cl = at_number(world)
    refused = ("This number cannot be used",
               "The reception number is wrong, has run out or was used already. Please ask your operator for the number once more.")
    cl.number("000000000")  # its check digit is right; numbers are drawn at random
    back_at_number(world, cl, *refused)
    number = op.issue()
    op.press("Cancel")
    world.ended("cancelled")
    cl.number(number)
    back_at_number(world, cl, *refused)
    number = op.issue()
    world.expire(world.newest())
    cl.number(number)
    back_at_number(world, cl, *refused)
    world.ended("expired")
    number = op.issue()
    cl.number(number)
    cl.wait_for("push button", "Start waiting")
    cl.press("Back")
    op.press("Cancel")
    world.ended("cancelled")


def a_number_that_runs_out_says_so_and_can_be_issued_again(world):
    """Its time is over on the operator's own clock."""
    world.close_operator()
    session = world.api().issue(customer="takes his time")
    number = tools_world.crockford_to_int(session["id"])
    world.sql("UPDATE session SET expires_at = ? WHERE id = ?", int(time.time() * 1000) + 4000, number)
    op = world.operator()
    op.wait_for("label", "Expired")
    assert not op.desktop.find("push button", op.say("Copy"))
    world.ended("expired")
    op.press("Reissue")
    again = op.desktop.until("a new number", op.numbers)[0].text()
    assert again.replace("-", "") != session["number"], again
    op.wait_for("label", "takes his time")
    op.press("Cancel")
    world.ended("cancelled")


def who_waits_may_go_back_be_refused_cancelled_or_run_out(world):
    op = world.operator()
    cl = at_number(world)
    # The customer goes back, before and after the operator knows of him; the number stays good.
    number = op.issue(customer="goes back")
    cl.number(number)
    cl.wait_for("push button", "Start waiting")
    cl.press("Back")
    back_at_number(world, cl)
    cl.number(number)
    cl.choose()
    cl.sees("Waiting for the operator")
    op.wait_for("push button", "Answer")
    cl.press("Cancel")
    back_at_number(world, cl)
    op.desktop.wait_gone("push button", op.say("Answer"))
    # The operator refuses him.
    cl.number(number)
    cl.choose()
    op.wait_for("push button", "Refuse").press()
    back_at_number(world, cl, "The operator did not answer",
                   "The operator turned this request down. Ask on the phone, and type the number again or a new one.")
    # The operator cancels the number while he waits.
    cl.number(number)
    cl.choose()
    op.wait_for("push button", "Answer")
    op.press("Cancel")
    back_at_number(world, cl, "The number has run out", "Ask the operator for a new number.")
    world.ended("cancelled")
    # It runs out while he waits.
    cl.number(op.issue())
    cl.choose()
    op.wait_for("push button", "Answer")
    world.expire(world.newest())
    back_at_number(world, cl, "The number has run out", "Ask the operator for a new number.")
    world.ended("expired")


def the_customer_refuses_this_operator(world):
    for language in ("en", "ja"):
        op = world.operator(language)
        cl = at_number(world, language)
        cl.number(op.issue())
        cl.choose("Control")
        op.answer()
        cl.wait_for("heading", "This operator wants to connect")
        cl.press("Refuse")
        cl.wait_for("heading", "Ended")
        cl.wait_for("label", "No session took place. Nothing of your screen was seen.")
        op.wait_for("heading", "The session has ended")
        op.wait_for("label", "The customer ended the session.")
        session = world.ended("customer")
        assert "operator_refused" in world.events(session) and "verified" not in world.events(session), world.events(session)
        world.tidy()


# ---- check codes ----


def other_code(code, at):
    """With one wrong digit: the operator's tool knows the first six by itself, of the last three only the customer's."""
    return code[:at] + str((int(code[at]) + 1) % 10) + code[at + 1:]


def at_code(world, language="en"):
    op = world.operator(language)
    cl = at_number(world, language)
    cl.number(op.issue())
    cl.choose()
    op.answer()
    cl.allow_operator()
    return cl, op, cl.check_code()


def one_wrong_check_code_can_be_corrected(world):
    cl, op, code = at_code(world)
    op.code(other_code(code, 10))
    op.wait_for("label", "This code is wrong. Ask the customer to read it out again: one more wrong code ends the session.")
    cl.sees("The operator typed a wrong code. Tries left: %u")
    assert cl.check_code() == code
    assert op.wait_for("text", "Check code").text() == ""
    op.code(code)
    world.home.wait_for("window", cl.say("Session bar"))
    op.sees("Allowed: %s")
    cl.press("End", window=cl.say("Session bar"))
    assert world.events(world.ended("customer")).count("code_wrong") == 1


def a_second_wrong_check_code_ends_it_with_an_alarm(world):
    for language, at in (("en", 10), ("ja", 0)):
        cl, op, code = at_code(world, language)
        op.code(other_code(code, at))
        op.wait_for("label", "This code is wrong. Ask the customer to read it out again: one more wrong code ends the session.")
        op.code(other_code(code, at))
        for tool in (cl, op):
            tool.wait_for("heading", "Ended: the check code was wrong")
        cl.wait_for("label", "The check code was wrong twice, so the session was ended for your safety. If you did not read it out to "
                             "your operator yourself, hang up and call the support desk at a number that you know.")
        op.sees("Alarm: %s")
        cl.sees("Warning: %s. If in doubt, end the session and hang up.")
        session = world.ended("error")
        kinds = world.events(session)
        assert "alarm" in kinds and "view_on" not in kinds and "verified" not in kinds, kinds
        world.tidy()


# ---- tools that refuse to start ----


def run_client(world, path, env=None):
    """Starts it; the program. Its windows, if any, are on the customer's desktop."""
    return world.home.start([path], world.fresh_name("bad"), env=env)


def handed_out(world, name):
    folder = os.path.join(world.home.home, "downloads")
    os.makedirs(folder, exist_ok=True)
    os.chown(folder, world.home.uid, -1)
    path = fill(world.service, world.rig.exe("tasuki-client", "src/customer"), os.path.join(folder, name))
    os.chown(path, world.home.uid, -1)
    return path


def a_tool_of_nobody_or_changed_on_its_way_does_not_start(world):
    good = handed_out(world, "good")
    with open(good, "rb") as f:
        data = bytearray(f.read())
    at = data.index(b"manager.tasuki.test")
    data[at] ^= 1
    changed = good + "-changed"
    with open(changed, "wb") as f:
        f.write(data)
    empty = good + "-empty"
    with open(world.rig.exe("tasuki-client", "src/customer"), "rb") as f, open(empty, "wb") as out:
        out.write(f.read())
    for path in (changed, empty):
        os.chmod(path, 0o755)
        os.chown(path, world.home.uid, -1)
        program = run_client(world, path)
        world.home.wait_for("heading", "This tool belongs to no organisation")
        world.home.press("Close")
        assert program.exit_code() == 78, program.log()
        assert "belongs to no organisation" in program.log() and os.path.exists(path), program.log()
        os.unlink(path)
    os.unlink(good)


def without_an_x11_display_it_says_so_and_stays(world):
    path = handed_out(world, "shared")
    for env, words in (({"DISPLAY": ""}, ("No screen was found", "This tool needs an X11 desktop.")),
                       ({"DISPLAY": "", "WAYLAND_DISPLAY": "wayland-0"}, ("This desktop cannot be shared", "This is a Wayland session;")),
                       ({"DISPLAY": ":987"}, ("No screen was found",))):
        program = run_client(world, path, env)
        assert program.exit_code() == 78, program.log()
        assert all(text in program.log() for text in words) and os.path.exists(path), program.log()
    os.unlink(path)


# ---- servers that are away, not trusted, or do not want us ----


def a_server_that_is_away_is_told_and_tried_again(world):
    world.close_operator()
    world.service.managers[1].kill()
    world.service.managers[1].exit_code()
    cl = world.client()
    cl.press("Continue")
    cl.wait_for("push button", "Try again")
    cl.wait_for("heading", "No connection to the server")
    world.service.start_manager(1, name=world.fresh_name("manager"))
    cl.press("Try again")
    cl.press("Agree")
    cl.wait_for("text", "Reception number")


def a_certificate_of_somebody_else_is_not_trusted(world):
    """The tools were born with another authority than the server's certificate comes from."""
    with rigs.Rig() as stranger:
        stranger.make_ca()
        ours = world.rig.path("ca.pem")
        with open(ours) as f:
            real = f.read()
        with open(stranger.path("ca.pem")) as f:
            other = f.read()
        try:
            with open(ours, "w") as f:
                f.write(other)
            cl = world.client()
            world.close_operator()
            op = tools_world.OperatorTool.of(world.service, world.office, "en", world.fresh_name("operator"))
        finally:
            with open(ours, "w") as f:
                f.write(real)
    world.operator_tool = op
    cl.press("Continue")
    cl.wait_for("heading", "The server is not to be trusted")
    op.wait_for("text", "Company code").type("acme")
    op.wait_for("text", "ID").type("tanaka")
    op.wait_for("password text", "Password").type(PASSWORD)
    op.desktop.key("Return")
    op.wait_for("alert", "The server is not to be trusted")
    world.close_operator()


def a_wrong_login_never_says_what_is_wrong(world):
    for language in ("en", "ja"):
        world.close_operator()
        op = world.operator_tool = tools_world.OperatorTool.of(world.service, world.office, language, world.fresh_name("operator"))
        for company, login, password in (("acme", "tanaka", "not-This-1"), ("acme", "nobody", PASSWORD), ("nowhere", "tanaka", PASSWORD)):
            op.wait_for("text", "Company code", states=["sensitive"]).type(company)
            op.wait_for("text", "ID").type(login)
            op.wait_for("password text", "Password").type(password)
            op.desktop.key("Return")
            bar = op.wait_for("alert", "Could not log in")
            assert bar.description == op.say("Company code, ID or password is wrong"), bar.description
            bar.wait_for("push button", op.say("Close")).press()
            op.desktop.wait_gone("alert", op.say("Could not log in"))
        op.log_in()


def a_disabled_operator_and_a_frozen_company_are_out_at_once(world):
    """While a session runs, too: it ends at both."""
    s = world.service
    s.add_company("later", "株式会社レイター")
    s.add_operator("later", "sato", "佐藤 一郎", OTHER_PASSWORD)
    for change, back, words in ((("operator", "disable", "later", "sato"), ("operator", "enable", "later", "sato"), "You are logged out"),
                                (("company", "freeze", "later"), ("company", "unfreeze", "later"), "You are logged out")):
        world.close_operator()
        op = world.operator_tool = tools_world.OperatorTool.of(s, world.office, "en", world.fresh_name("operator"))
        op.log_in("later", "sato", OTHER_PASSWORD)
        cl = world.client()
        pair(cl, op)
        world.home.wait_for("window", cl.say("Session bar"))
        s.ctl(*change)
        cl.wait_for("heading", "The session has ended")
        cl.wait_for("label", "The support desk ended the session.")
        op.wait_for("alert", words)
        s.ctl(*back)
        world.close_operator()


def a_tool_that_is_too_old_is_told_so(world):
    s = world.service
    world.close_operator()
    s.managers[1].kill()
    s.managers[1].exit_code()
    s.extra = 'min_tool_version = "99.1"\n'
    try:
        s.start_manager(1, name=world.fresh_name("manager"))
        for language in ("en", "ja"):
            cl = world.client(language, downloads=[{"url": "https://download.tasuki.test"}])
            cl.press("Continue")
            cl.wait_for("heading", "This tool is too old")
            cl.sees("The support desk asks for version %s or newer; this is %s. Close this tool, download it once more, and start the "
                    "new one.")
            world.home.wait_for("label", "https://download.tasuki.test")
            assert not world.home.find("text", cl.say("Reception number"))
            op = tools_world.OperatorTool.of(s, world.office, language, world.fresh_name("operator"))
            world.operator_tool = op
            op.wait_for("heading", "This tool is too old")
            op.sees("The management server asks for version %s or newer; this is %s. Ask your administrator for the new one.")
            assert not op.desktop.find("password text", op.say("Password"))
            world.close_operator()
            world.close_client()
    finally:
        s.extra = ""
        s.managers[1].kill()
        s.managers[1].exit_code()
        s.start_manager(1, name=world.fresh_name("manager"))


def a_management_server_that_dies_in_a_session_does_not_end_it(world):
    cl, op = world.session()
    s = world.service
    s.managers[1].kill()
    s.managers[1].exit_code()
    op.wait_for("label", "Connecting to the management server…")
    op.wait_for("text", "Message to the customer").type("still there?")
    op.desktop.key("Return")
    cl.wait_for("label", "still there?")
    cl.press("Rights")
    world.home.wait_for("check box", cl.say("Control"), window=cl.say("Remote support")).press()
    op.wait_for("label", "Click the picture to type at the customer's.")
    s.start_manager(1, name=world.fresh_name("manager"))
    op.wait_for("label", "Connected to the management server")
    cl.press("End", window=cl.say("Session bar"))
    op.wait_for("heading", "The session has ended")
    kinds = world.events(world.ended("customer"))
    assert "control_on" in kinds and "suspended" not in kinds, kinds


if __name__ == "__main__":
    tools_world.main(World, declining_the_terms_ends_the_tool_and_removes_it, a_mistyped_number_is_told_at_once_and_not_sent,
                     a_number_that_is_wrong_cancelled_or_has_run_out_is_refused_in_one_way,
                     a_number_that_runs_out_says_so_and_can_be_issued_again, who_waits_may_go_back_be_refused_cancelled_or_run_out,
                     the_customer_refuses_this_operator,
                     one_wrong_check_code_can_be_corrected, a_second_wrong_check_code_ends_it_with_an_alarm,
                     a_tool_of_nobody_or_changed_on_its_way_does_not_start, without_an_x11_display_it_says_so_and_stays,
                     a_server_that_is_away_is_told_and_tried_again, a_certificate_of_somebody_else_is_not_trusted,
                     a_wrong_login_never_says_what_is_wrong, a_disabled_operator_and_a_frozen_company_are_out_at_once,
                     a_tool_that_is_too_old_is_told_so, a_management_server_that_dies_in_a_session_does_not_end_it)
