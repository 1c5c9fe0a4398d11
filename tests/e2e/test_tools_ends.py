#!/usr/bin/python3
"""How sessions end: from every button, window and key, by kill -9 and crashes; what a killed relay does, which is nothing. And what
is left of the customer's tool afterwards, which is nothing."""

import difflib
import os
import re
import signal

import rig as rigs
import tools_world
from rig import Failed, run, until
from test_tools_session import Entry, Xev, keys_held, pane
from tools_world import View, World, close_window

RECONNECTING = "The line is lost: the picture is frozen. Reconnecting…"
LINE_LOST = "The line is lost; it comes back by itself."


# ---- what stays behind ----


class Traces:
    """A customer's computer as it was before the tool came."""

    def __init__(self, world):
        self.world = world
        folder = os.path.join(world.home.home, "downloads")  # where he saved it
        os.makedirs(folder, exist_ok=True)
        os.chown(folder, world.home.uid, -1)
        self.files = self._files()
        self.keymap = self._keymap()

    def _files(self):
        """Everything below the home folder, with what is in it; but for the message bus's and the tests' own."""
        out = {}
        for folder, folders, names in os.walk(self.world.home.home):
            folders[:] = [f for f in folders if not (folder == self.world.home.home and f == "run")]
            for name in folders + names:
                path = os.path.join(folder, name)
                out[path] = os.lstat(path).st_mtime_ns if name in names else "a folder"
        return out

    def _keymap(self):
        dump = run(["xkbcomp", "-xkb", "-w0", self.world.home.display, "-"])
        return dump + run(["xmodmap", "-display", self.world.home.display, "-pke"])

    def processes(self, path):
        """Those that run the file, or a copy of it that is deleted by now."""
        found = []
        for pid in os.listdir("/proc"):
            try:
                if pid.isdigit() and os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)") == path:
                    found.append(int(pid))
            except OSError:
                continue
        return found

    def none_is_left(self, path):
        until("nothing of the client is left", lambda: not os.path.exists(path) and not self.processes(path), limit=rigs.GIVE_UP_S)
        files = self._files()
        assert files == self.files, {f for f in set(files.items()) ^ set(self.files.items())}
        try:
            until("the keyboard is as before", lambda: self._keymap() == self.keymap)
        except Failed:
            raise Failed("\n".join(difflib.unified_diff(self.keymap.splitlines(), self._keymap().splitlines(), lineterm="", n=0)))
        until("no key is held", lambda: not keys_held(self.world.home.display))


def with_text_and_a_held_key(world, cl, op):
    """In the middle of work: Japanese text was typed, which lends key codes, and a key is down."""
    entry = Entry(world)
    view = View(op)
    view.click_on(entry.widget)
    pane(op, "Send text…")
    op.wait_for("text", "Text to send").set_text("襷をつなぐ")
    op.press("Send text")
    entry.widget.wait_text("襷をつなぐ")
    view.click_on(entry.widget)
    op.desktop._xdo("keydown", "a")
    entry.widget.wait_text(re.compile("a"))
    assert keys_held(world.home.display)
    return entry


# ---- ends in order ----


def both_are_told(cl, op, by_operator):
    cl.wait_for("heading", "The session has ended")
    cl.wait_for("label", "The operator ended the session." if by_operator else "You ended the session.")
    op.wait_for("heading", "The session has ended")
    op.wait_for("label", "You ended the session." if by_operator else "The customer ended the session.")


def every_end_of_the_customer_s(world):
    ways = (
        ("the bar", lambda cl: cl.click("End", window=cl.say("Session bar"))),
        ("the main window's button", lambda cl: (cl.press("Rights"), cl.press("End", window=cl.say("Remote support")))),
        ("closing the main window", close_main_window),
    )
    for name, way in ways:
        cl, op = world.session()
        way(cl)
        both_are_told(cl, op, by_operator=False)
        world.ended("customer")
        cl.press("Close")
        assert cl.program.exit_code() == 0, cl.program.log()
        assert cl.is_gone(), name
        world.tidy()


def close_main_window(cl):
    """Asks first; whoever did not mean it goes on. The question does not take the bar away."""
    cl.press("Rights")
    cl.wait_for("frame", "Remote support", states=["active"])
    close_window(cl, "Remote support")
    cl.wait_for("push button", "Go on")
    cl.click("Pause", window=cl.say("Session bar"))
    cl.click("Resume", window=cl.say("Session bar"))
    cl.press("Go on")
    cl.desktop.wait_gone("push button", cl.say("Go on"))
    close_window(cl, "Remote support")
    cl.press("End", window=cl.say("End the session?"))


def every_end_of_the_operator_s(world):
    def close_session_window(op):
        close_window(op, op.say.pattern("Session: %s"))
        op.press("Go back")
        op.desktop.wait_gone("push button", op.say("Go back"))
        close_window(op, op.say.pattern("Session: %s"))
        op.press("End the session")

    for name, way in (("the toolbar", lambda op: op.press("End")), ("closing its window", close_session_window)):
        cl, op = world.session()
        way(op)
        both_are_told(cl, op, by_operator=True)
        world.ended("operator")
        world.tidy()
    for name, button in (("logging out", "End and log out"), ("quitting", "End and quit")):
        cl, op = world.session()
        if button == "End and log out":
            op.press("Log out")
        else:
            close_window(op, "Tasuki operator")
        op.press(button)
        cl.wait_for("heading", "The session has ended")
        cl.wait_for("label", "The operator ended the session.")
        if button == "End and log out":
            op.wait_for("text", "Company code")
            world.close_operator()
        else:
            assert op.program.exit_code() == 0, op.program.log()
        world.ended("operator")
        world.close_client()


def the_emergency_key_ends_it(world):
    """On a keyboard of the customer's own: a display in a display has one, and what is typed outside comes from it."""
    outer = world.rig.start_display("1280x800", name="outer-xvfb")
    inner = world.rig.start_nested_display(outer)
    home, world.home = world.home, tools_world.Desktop(world.rig, uid=world.uid("games"), name="nested", display=inner)
    try:
        cl, op = world.session("Control")
        xev = Xev(world)
        view = View(op)
        view.click(*xev.middle())
        op.wait_for("label", "Keys go to the customer. Ctrl+Alt gives them back.")
        op.desktop.key("ctrl+alt+x", "b")  # the operator's is only a key
        xev.wait("his keys", lambda ev: ("KeyPress", "x") in ev and ("KeyRelease", "b") in ev)
        assert cl.desktop.find("window", cl.say("Session bar"))
        run(["xdotool", "key", "ctrl+alt+x"], env=dict(os.environ, DISPLAY=outer))
        both_are_told(cl, op, by_operator=False)
        world.ended("customer")
        world.tidy()
    finally:
        world.home = home


# ---- ends out of order ----


def after_an_end_nothing_is_left_at_the_customer_s(world):
    traces = Traces(world)
    cl, op = world.session("Control")
    entry = with_text_and_a_held_key(world, cl, op)
    cl.click("End", window=cl.say("Session bar"))
    cl.wait_for("heading", "The session has ended")
    until("no key is held", lambda: not keys_held(world.home.display))
    cl.press("Close")
    assert cl.program.exit_code() == 0, cl.program.log()
    traces.none_is_left(cl.path)
    op.desktop._xdo("keyup", "a")
    entry.close()


def after_a_crash_or_kill_9_nothing_is_left_at_the_customer_s(world):
    for sig in (signal.SIGSEGV, signal.SIGKILL):
        traces = Traces(world)
        cl, op = world.session("Control")
        entry = with_text_and_a_held_key(world, cl, op)
        cl.program.kill(sig)
        cl.program.proc.wait()
        traces.none_is_left(cl.path)
        op.wait_for(None, RECONNECTING)
        op.desktop._xdo("keyup", "a")
        op.press("End")
        op.wait_for("heading", "The session has ended")
        world.ended("operator")
        entry.close()
        world.client_tool = None
        world.tidy()


def a_killed_operator_s_tool_is_noticed_and_the_record_ends(world):
    cl, op = world.session("Control")
    xev = Xev(world)
    View(op).click(*xev.middle())
    op.desktop._xdo("keydown", "a")
    xev.wait("a held key", lambda ev: ("KeyPress", "a") in ev)
    op.program.kill(signal.SIGKILL)
    op.program.proc.wait()
    world.home.until("no key is held", lambda: not keys_held(world.home.display))
    world.home.wait_for("label", cl.say(LINE_LOST), window=cl.say("Session bar"))
    op.desktop._xdo("keyup", "a")
    cl.press("End", window=cl.say("Session bar"))
    cl.wait_for("heading", "The session has ended")
    world.ended("customer")
    xev.close()
    op = world.operator()  # and he can go on with the next
    cl, op = world.session()
    op.press("End")
    world.ended("operator")


# ---- lines ----


def relay_in_use(op):
    text = op.wait_for("label", None, text=re.compile(op.say("Relay %u").replace("%u", r"\d"))).text()
    return int(re.search(op.say("Relay %u").replace("%u", r"(\d)"), text).group(1))


def a_killed_relay_is_survived(world):
    cl, op = world.session("Control")
    entry = Entry(world)
    view = View(op)
    view.click_on(entry.widget)
    for n in range(2):
        number = relay_in_use(op)
        relay = [p for p in world.rig.programs if p.name.startswith(f"relay{number}") and p.proc.poll() is None][-1]
        relay.kill()
        relay.proc.wait()
        op.desktop.wait_for("label", None, text=re.compile(op.say("Relay %u").replace("%u", str(3 - number))))
        op.desktop.type("x")
        entry.widget.wait_text("x" * (n + 1))
        world.service.start_relay(number, name=world.fresh_name(f"relay{number}-"))
    entry.close()
    op.press("End")
    assert world.events(world.ended("operator")).count("resumed") == 2


if __name__ == "__main__":
    tools_world.main(World, every_end_of_the_customer_s, every_end_of_the_operator_s, the_emergency_key_ends_it,
                     after_an_end_nothing_is_left_at_the_customer_s, after_a_crash_or_kill_9_nothing_is_left_at_the_customer_s,
                     a_killed_operator_s_tool_is_noticed_and_the_record_ends, a_killed_relay_is_survived)
