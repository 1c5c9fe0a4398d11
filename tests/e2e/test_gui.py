#!/usr/bin/python3
"""gui.py with a window that has one of everything of src/ui/look.h: both are what the tests of the tools stand on."""

import os
import re

import gui
import rig as rigs
from rig import Failed

NUMBER = "123456786"  # 12345678 and its check digit


def start(rig, uid=None, language="en", size="1000x900"):
    desktop = gui.Desktop(rig, size, uid=uid)
    program = desktop.start([rig.exe("gui-window", folder="tests/e2e")], "window", language=language)
    desktop.wait_for("frame", "Look", states=["active"])
    return desktop, program


def said(desktop, text):
    desktop.wait_for("label", text, limit=20)


def nothing_was_complained_about(program):
    if program.log().strip():
        raise Failed(f"the window says:\n{program.log()}")


def an_entry_is_typed_into_and_a_button_pressed_by_its_action_and_by_a_click(rig):
    desktop, program = start(rig)
    desktop.wait_for("text", "Your name").type("Hanako Sato").wait_text("Hanako Sato")
    desktop.press("Greet")
    said(desktop, "hello Hanako Sato 1")
    desktop.click("Greet")
    said(desktop, "hello Hanako Sato 2")
    desktop.wait_for("text", "Your name").set_text("佐藤花子").wait_text("佐藤花子")
    desktop.press("Greet")
    said(desktop, "hello 佐藤花子 3")
    check = desktop.wait_for("check box", "See the screen")
    assert not check.is_checked()
    check.click().wait_states("checked")
    said(desktop, "on")
    nothing_was_complained_about(program)


def enter_and_the_tab_key_work_as_everywhere(rig):
    desktop, program = start(rig)
    desktop.wait_for("text", "Your name").type("a")
    desktop.key("Tab")
    desktop.wait_for("password text", "Password", states=["focused"])
    desktop.type("secret")
    secret = desktop.wait_for("password text", "Password")
    secret.wait("six characters, none of them to be read", lambda w: len(w.said) == 6 and "s" not in w.said)
    desktop.press("Clear")
    secret.wait_text("")
    nothing_was_complained_about(program)


def nine_digits_are_grouped_while_they_are_typed(rig):
    desktop, program = start(rig)
    entry = desktop.wait_for("text", "Reception number")
    entry.type("123").wait_text("123")
    desktop.type("4")
    entry.wait_text("123-4")
    desktop.key("BackSpace")
    entry.wait_text("123")
    desktop.type("45678")
    entry.wait_text("123-456-78")
    said(desktop, "partial 12345678")
    desktop.type("6")
    entry.wait_text("123-456-786")
    said(desktop, "complete " + NUMBER)
    desktop.wait_for("label", "Number: 123-456-786")
    desktop.type("99")  # no room: nothing happens
    desktop.key("Left", "Left", "Left", "BackSpace", "BackSpace")  # over the hyphen: 6, then 5
    entry.wait_text("123-478-6")
    desktop.type("56")
    entry.wait_text("123-456-786")
    desktop.key("Home", "Delete", "Delete")
    entry.wait_text("345-678-6")
    desktop.key("Right", "Delete")  # 4, which stands behind the caret
    entry.wait_text("356-786")
    desktop.key("Right", "Right", "Delete")  # the hyphen: 7, behind it
    entry.wait_text("356-86")
    nothing_was_complained_about(program)


def a_slip_of_the_finger_is_told_at_once(rig):
    desktop, program = start(rig)
    entry = desktop.wait_for("text", "Reception number")
    entry.type("123456789")
    said(desktop, "mistyped 123456789")
    words = "One of the digits is wrong. Please check the number."
    desktop.wait_for("label", words)
    assert entry.look().description == words, entry.description
    desktop.key("BackSpace")
    desktop.wait_gone("label", words)
    assert entry.look().description == "", entry.description
    desktop.wait_for("text", "Check code").type("123456789")  # has no check digit
    said(desktop, "complete 123456789")
    nothing_was_complained_about(program)


def a_number_may_come_in_any_way_of_writing(rig):
    desktop, program = start(rig)
    entry = desktop.wait_for("text", "Reception number")
    for written in ("123 456 786", "１２３－４５６－７８６", "No. 123.456.786", "123–456–786 ", "123456786123456786", "受付番号は123-456-786です"):
        desktop.press("Clear")
        entry.wait_text("")
        entry.set_text(written).wait_text("123-456-786")
        said(desktop, "complete " + NUMBER)
    nothing_was_complained_about(program)


def what_went_wrong_is_told_in_the_language_of_the_user(rig):
    for language, title, text, close in (("en", "Could not log in", "Company code, ID or password is wrong", "Close"),
                                         ("ja", "ログインできません", "企業コード、ID、またはパスワードが違います", "閉じる")):
        with rigs.Rig() as mine:
            desktop, program = start(mine, language=language)
            assert desktop.find("alert") is None
            desktop.press("Fail")
            bar = desktop.wait_for("alert", title)
            assert bar.description == text, bar.description
            bar.wait_for("label", text)
            bar.wait_for("push button", close).click()
            desktop.wait_gone("alert")
            nothing_was_complained_about(program)


def another_user_s_window_is_driven_just_as_well(rig):
    rigs.need_root()
    desktop, program = start(rig, uid=65534)
    assert os.stat(f"/proc/{program.pid}").st_uid == 65534
    desktop.wait_for("text", "Your name").type("nobody")
    desktop.click("Greet")
    said(desktop, "hello nobody 1")
    nothing_was_complained_about(program)


def two_desktops_do_not_see_each_other(rig):
    one, other = gui.Desktop(rig, name="one"), gui.Desktop(rig, name="other")
    one.start([rig.exe("gui-window", folder="tests/e2e")], "window-one")
    one.wait_for("frame", "Look")
    assert other.windows() == [], other.tree()
    other.start([rig.exe("gui-window", folder="tests/e2e")], "window-other")
    other.wait_for("frame", "Look", states=["active"])
    other.wait_for("text", "Your name").type("other")
    assert one.wait_for("text", "Your name").text() == ""
    assert [w["program"] for w in one.windows()] == ["gui-window"]


def a_window_that_is_closed_ends_its_program(rig):
    desktop, program = start(rig)
    window, = desktop.windows()
    assert window["pid"] == program.pid, (window, program.pid)
    known = desktop.wait_for("push button", "Greet")
    desktop.key("alt+Tab")  # openbox has no keys of its own here: nothing happens
    x, y, width, _ = window["bounds"]
    desktop.click_at(x + width - 12, y + 10)  # the cross
    assert program.exit_code() == 0
    desktop.wait_gone("frame")
    try:
        known.look()
        raise Failed("a widget outlived its window")
    except Failed as e:
        assert "look" in str(e) and "(no windows)" in str(e), e


def a_failure_shows_the_windows(rig):
    desktop, _ = start(rig)
    try:
        desktop.wait_for("push button", "No such button", limit=0.2)
        raise Failed("found")
    except Failed as e:
        assert 'push button "Greet"' in str(e) and 'frame "Look"' in str(e), e
    picture = desktop.screenshot(rig.path("shot.png"))
    with open(picture, "rb") as f:
        assert f.read(8) == b"\x89PNG\r\n\x1a\n"
    assert desktop.wait_for("label", re.compile("^noth")).text() == "nothing yet"


if __name__ == "__main__":
    rigs.main(an_entry_is_typed_into_and_a_button_pressed_by_its_action_and_by_a_click, enter_and_the_tab_key_work_as_everywhere,
              nine_digits_are_grouped_while_they_are_typed, a_slip_of_the_finger_is_told_at_once,
              a_number_may_come_in_any_way_of_writing, what_went_wrong_is_told_in_the_language_of_the_user,
              another_user_s_window_is_driven_just_as_well, two_desktops_do_not_see_each_other,
              a_window_that_is_closed_ends_its_program, a_failure_shows_the_windows)
