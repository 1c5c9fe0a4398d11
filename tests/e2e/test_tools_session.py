#!/usr/bin/python3
"""A whole support session through the windows of both tools, and every right in it: given, asked for, taken back.

The operator's keys and clicks are real ones on his own display; what arrives is looked up at the customer's, in programs that know
nothing of us: a window with an entry, and xev, which prints what it gets."""

import ctypes
import re

import tools_world
from rig import Program, run, until
from service import PASSWORD
from tools_world import View, World, close_window, colours, differing, part

POINTER = 32  # px around the pointer, which only one of the displays draws


# ---- programs at the customer's ----


class Xev:
    """Prints what its window gets: ("KeyPress", "a"), ("ButtonPress", 1, x, y on the root) ..."""

    EVENT = re.compile(r"^(KeyPress|KeyRelease|ButtonPress|ButtonRelease) event.*?(?=^\w|\Z)", re.M | re.S)

    def __init__(self, world, name="xev", place="300x240+60+480"):
        self.world = world
        self.program = world.home.start(["xev", "-geometry", place, "-event", "keyboard", "-event", "button"], world.fresh_name(name))
        self.frame = until("xev's window", self._place)
        self.skipped = 0

    def _place(self):
        log = self.program.log()
        where = re.findall(r"Outer window is (0x[0-9a-f]+)", log)
        return where and where[0]

    def all(self):
        out = []
        for m in self.EVENT.finditer(self.program.log()):
            kind, text = m.group(1), m.group()
            if kind.startswith("Key"):
                out.append((kind, re.search(r"keysym 0x[0-9a-f]+, (\w+)", text).group(1)))
            else:
                x, y = re.search(r"root:\((-?\d+),(-?\d+)\)", text).groups()
                out.append((kind, int(re.search(r"button (\d+)", text).group(1)), int(x), int(y)))
        return out

    def events(self):
        """Since the last skip()."""
        return self.all()[self.skipped:]

    def skip(self):
        self.skipped = len(self.all())

    def wait(self, what, condition):
        self.world.home.until(f"xev: {what}", lambda: condition(self.events()))

    def pressed(self, *names):
        """Until these keys went down, one after the other, and all are up again."""
        def fits(events):
            downs = [e[1] for e in events if e[0] == "KeyPress"]
            ups = [e[1] for e in events if e[0] == "KeyRelease"]
            return downs == list(names) and sorted(ups) == sorted(downs)
        self.wait(f"{names} pressed and released", fits)

    def middle(self):
        """On the customer's display."""
        out = run(["xwininfo", "-display", self.world.home.display, "-id", self.frame])
        x, y, w, h = (int(re.search(p + r":\s+(-?\d+)", out).group(1)) for p in
                      ("Absolute upper-left X", "Absolute upper-left Y", "Width", "Height"))
        return x + w // 2, y + h // 2

    def close(self):
        self.program.kill()


class Entry:
    """A window with an entry that shows what is typed."""

    def __init__(self, world):
        self.world = world
        self.program = world.home.start([world.rig.exe("gui-window", folder="tests/e2e")], world.fresh_name("entry"))
        self.widget = world.home.wait_for("text", "Your name")

    def text(self):
        return self.widget.text()

    def close(self):
        self.program.kill()
        self.program.proc.wait()
        self.world.home.wait_gone("frame", "Look")


def keys_held(display):
    """Key codes that are down on a display."""
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    d = x11.XOpenDisplay(display.encode())
    keys = ctypes.create_string_buffer(32)
    x11.XQueryKeymap(ctypes.c_void_p(d), keys)
    x11.XCloseDisplay(ctypes.c_void_p(d))
    return [8 * i + b for i, byte in enumerate(keys.raw) for b in range(8) if byte >> b & 1]


# ---- the whole path ----


def the_whole_path_in_english(world):
    whole_path(world, "en", "Yamada Taro", "printer", "T-1")


def the_whole_path_in_japanese(world):
    whole_path(world, "ja", "山田 太郎", "プリンター", "T-2")


def whole_path(world, language, customer, reason, ticket):
    op = world.operator(language)
    cl = world.client(language)
    say = cl.say
    number = op.issue(customer=customer, reason=reason, ticket=ticket)
    cl.sees("If a stranger called you, stop and hang up")
    cl.press("Continue")
    cl.wait_for("text", "Terms").wait_text(re.compile("利用規約\nTerms of use"))
    cl.press("Agree")
    cl.number(number)
    world.home.wait_for("heading", re.compile("株式会社アクメ"))
    box = {right: world.home.wait_for("check box", re.compile("^" + re.escape(say(right)))) for right in
           ("See the screen", "Control", "Device information")}
    assert [box[r].is_checked() for r in box] == [True, False, False], "only seeing is ticked beforehand"
    cl.choose("Control")
    cl.sees("Waiting for the operator")
    op.wait_for("label", "Customer waiting")
    op.answer()
    op.sees("The customer is asked to confirm…")
    cl.wait_for("heading", "This operator wants to connect")
    world.home.wait_for("label", re.compile("田中 花子"))
    world.home.wait_for("label", re.compile("株式会社アクメ"))
    cl.allow_operator()
    op.code(cl.check_code())
    world.home.wait_for("window", say("Session bar"))
    world.home.wait_for("label", re.compile(re.escape("田中 花子")), window=say("Session bar"))
    op.wait_for("label", "Click the picture to type at the customer's.")
    the_screen_is_shown(world, op)
    chat_goes_both_ways(world, cl, op)
    op.press("End")
    cl.wait_for("heading", "The session has ended")
    op.wait_for("heading", "The session has ended")
    the_result_is_kept(world, op, customer, "用紙を入れた")
    session = world.ended("operator")
    assert (session["customer"], session["reason"], session["ticket_no"]) == (customer, reason, ticket), session
    kinds = world.events(session)
    for kind in ("issued", "claimed", "answered", "operator_accepted", "granted", "verified", "view_on", "ended", "result"):
        assert kinds.count(kind) == 1, (kind, kinds)
    cl.press("Close")
    assert cl.program.exit_code() == 0, cl.program.log()
    assert cl.is_gone()


def the_screen_is_shown(world, op):
    view = View(op)
    world.home.until("the customer's screen in the operator's window",
                     lambda: colours(part(op.desktop.picture(), *view.place())) > 50)


def chat_goes_both_ways(world, cl, op):
    op.wait_for("text", "Message to the customer").type("Can you see this?")
    op.desktop.key("Return")
    cl.wait_for("label", "Can you see this?")
    world.home.wait_for("text", cl.say("Message")).type("yes, thanks")
    world.home.key("Return")
    op.wait_for("label", "yes, thanks")
    op.wait_for("text", "Message to the customer").set_text("見えますか？")
    op.press("Send")
    cl.wait_for("label", "見えますか？")


def the_result_is_kept(world, op, customer, note):
    op.press("Open", role="radio button")
    op.wait_for("text", "Note").set_text(note)
    op.press("Save")
    op.wait_for("label", "Saved")
    op.press("Close", window=op.say.pattern("Session: %s"))
    op.desktop.wait_gone("frame", op.say.pattern("Session: %s"))
    op.press("History")
    frame = op.wait_for("frame", "Tasuki operator: history")
    for text in (customer, op.say("closed by the operator"), op.say("Open"), note):
        frame.wait_for("table cell", text)
    session = world.newest()
    assert (session["result"], session["note"]) == ("open", note), session
    close_window(op, "Tasuki operator: history")


# ---- keys, pointer, picture ----


def pane(op, wanted):
    """The pane beside the picture: "Chat", "Send text…", "Device info", or None."""
    for name in ("Chat", "Send text…", "Device info"):
        button = op.wait_for("toggle button", name)
        if button.is_checked() != (name == wanted):
            button.press()
            button.wait("pressed", lambda w: ("checked" in w.states) == (name == wanted))


def what_the_operator_does_arrives(world):
    cl, op = world.session("Control")
    typed_text(world, op)
    clicks(world, op)
    special_keys(world, op)
    full_screen(world, op)
    assert keys_held(world.home.display) == []


def typed_text(world, op):
    entry = Entry(world)
    view = View(op)
    view.click_on(entry.widget)
    op.sees("Keys go to the customer. Ctrl+Alt gives them back.")
    op.desktop.type("Hello, World! (#42) ~_<>")
    entry.widget.wait_text("Hello, World! (#42) ~_<>")
    op.desktop.key("ctrl+a", "Delete")
    entry.widget.wait_text("")
    pane(op, "Send text…")
    op.wait_for("text", "Text to send").set_text("襷をつなぐ 日本語ﾃｽﾄ €")
    op.press("Send text")
    entry.widget.wait_text("襷をつなぐ 日本語ﾃｽﾄ €")
    pane(op, None)
    view.click_on(world.home.wait_for("push button", "Greet"))
    world.home.wait_for("label", re.compile("^hello 襷をつなぐ"))
    entry.close()


def clicks(world, op):
    """They land where they should, scaled and pixel for pixel."""
    xev = Xev(world)
    view = View(op)
    x, y = xev.middle()
    for is_fit, slack in ((True, 1), (False, 0)):
        if not is_fit:
            op.press("Fit", role="toggle button")
            op.desktop.until("1:1", lambda: not view.is_fit())
        for dx, dy, button in ((0, 0, 1), (-31, -53, 1), (40, 60, 3), (7, -5, 2)):
            xev.skip()
            view.click(x + dx, y + dy, button)
            xev.wait("a press and a release", lambda ev: [e[0] for e in ev] == ["ButtonPress", "ButtonRelease"])
            for kind, which, at_x, at_y in xev.events():
                assert which == button and abs(at_x - x - dx) <= slack and abs(at_y - y - dy) <= slack, (is_fit, dx, dy, xev.events())
    # Dragged from one place to another; the wheel.
    xev.skip()
    op.desktop.drag(*view.at(x - 50, y - 50), *view.at(x + 50, y + 50))
    xev.wait("a drag", lambda ev: [e[0] for e in ev] == ["ButtonPress", "ButtonRelease"])
    (_, _, x1, y1), (_, _, x2, y2) = xev.events()
    assert (x1, y1, x2, y2) == (x - 50, y - 50, x + 50, y + 50), xev.events()
    for button in (4, 5):
        xev.skip()
        view.click(x, y, button)
        xev.wait("the wheel", lambda ev: [e[:2] for e in ev] == [("ButtonPress", button), ("ButtonRelease", button)])
    op.press("Fit", role="toggle button")
    xev.close()


def full_screen(world, op):
    """At 1:1 it is the customer's screen, pixel by pixel; and back."""
    xev = Xev(world)
    view = View(op)
    pane(op, None)
    op.press("Fit", role="toggle button")
    op.press("Full screen", role="toggle button")
    op.desktop.until("the view fills the display", lambda: view.widget.look().bounds[2] > 1380)
    view.click(*xev.middle())
    the_pictures_are_equal(world, op, view)
    xev.skip()
    op.desktop.key("F11", "a", "alt+Tab")  # all the customer's while keys go there
    xev.pressed("F11", "a", "Alt_L", "Tab")
    op.desktop.key("ctrl+alt+Return")
    op.desktop.until("the window is back", lambda: view.widget.look().bounds[3] < 850)
    the_pictures_are_equal(world, op, view, partly=True)
    op.press("Fit", role="toggle button")
    world.home.until("no key is held", lambda: not keys_held(world.home.display))
    xev.close()


def the_pictures_are_equal(world, op, view, partly=False):
    """The same pixels on both displays, but for the pointer; of a moment in which the customer's did not change."""
    seen = []

    def equal():
        left, top, width, height = view.place()
        before = part(world.home.picture(), 0, 0, width, height)
        there = part(op.desktop.picture(), left, top, width, height)
        after = part(world.home.picture(), 0, 0, width, height)
        pointer = pointer_of(world.home)
        box = (pointer[0] - POINTER, pointer[1] - POINTER, 2 * POINTER, 2 * POINTER)
        seen[:] = [differing(before, there, [box])]
        return before == after and seen[0] == 0
    world.home.until("equal pictures", equal)
    if not partly:
        assert view.place()[2:] == (1280, 800), view.place()


def pointer_of(desktop):
    out = run(["xdotool", "getmouselocation", "--shell"], env={"DISPLAY": desktop.display, "PATH": "/usr/bin"})
    return tuple(int(re.search(name + r"=(\d+)", out).group(1)) for name in "XY")


def special_keys(world, op):
    xev = Xev(world)
    View(op).click(*xev.middle())
    xev.wait("the click", lambda ev: len(ev) == 2)
    for name, keys in (("Ctrl+Alt+Del", ("Control_L", "Alt_L", "Delete")), ("Alt+F4", ("Alt_L", "F4")), ("Super", ("Super_L",)),
                       ("Print", ("Print",)), ("Ctrl+Shift+Esc", ("Control_L", "Shift_L", "Escape")), ("F11", ("F11",))):
        xev.skip()
        op.press("Special keys", role="toggle button")
        op.desktop.press(name, "menu item")
        xev.pressed(*keys)
    xev.close()


# ---- rights taken back while they are used ----


def mark(world, cl, op, text):
    """Says something behind all that was typed and clicked: once the customer reads it, that had its effect, or none."""
    pane(op, "Chat")
    op.wait_for("text", "Message to the customer").type(text)
    op.desktop.key("Return")
    cl.wait_for("label", text)


def box_of(world, cl, right):
    """The customer's box for a right in the main window, which the bar's Rights brings back."""
    return world.home.wait_for("check box", cl.say(right), window=cl.say("Remote support"))


def every_right_can_be_taken_back(world):
    cl, op = world.session("Control")
    control_is_taken_back(world, cl, op)
    seeing_is_taken_back(world, cl, op)
    a_pause_stops_the_picture(world, cl, op)
    device_information_is_asked_for_shown_stored_and_taken_back(world, cl, op)


def control_is_taken_back(world, cl, op):
    """While it is used."""
    xev = Xev(world)
    view = View(op)
    bar, asks = cl.say("Session bar"), cl.say("The operator asks")
    control_stops(world, cl, op, xev, view, "by the bar", lambda: cl.click("Take back control", window=bar))
    again = op.wait_for("push button", "Ask for control", states=["sensitive"])
    again.press()
    cl.press("Allow", window=asks)
    control_stops(world, cl, op, xev, view, "by the box",
                  lambda: (cl.press("Rights"), box_of(world, cl, "Control").wait_states("checked").press()))
    again.wait_states("sensitive").press()
    cl.press("Allow", window=asks)
    control_stops(world, cl, op, xev, view, "by Pause", lambda: cl.click("Pause", window=bar))
    op.wait_for("label", "Paused by the customer")
    cl.click("Resume", window=bar)
    op.wait_for("label", "Click the picture to type at the customer's.")
    view.click(*xev.middle())
    xev.wait("clicks come again", lambda ev: ("ButtonRelease", 1) in [e[:2] for e in ev])
    xev.close()


def control_stops(world, cl, op, xev, view, how, take):
    """In the middle of what the operator does: what he holds is let go of, and nothing comes after it."""
    op.wait_for("label", "Click the picture to type at the customer's.")
    view.click(*xev.middle())
    xev.skip()
    op.desktop._xdo("keydown", "Shift_L", "keydown", "a")
    xev.wait("two keys are held", lambda ev: [e[1] for e in ev if e[0] == "KeyPress"][:2] == ["Shift_L", "A"])
    assert keys_held(world.home.display)
    take()
    world.home.until(f"{how}: no key is held", lambda: not keys_held(world.home.display))
    op.desktop.wait_gone("label", op.say("Keys go to the customer. Ctrl+Alt gives them back."))
    op.desktop._xdo("keyup", "a", "keyup", "Shift_L")
    xev.skip()
    view.click(*xev.middle())
    op.desktop.type("xyz")
    mark(world, cl, op, f"after it was taken back {how}")
    assert xev.events() == [], (how, xev.events())


def seeing_is_taken_back(world, cl, op):
    view = View(op)
    the_screen_is_shown(world, op)
    cl.press("Rights")
    box = box_of(world, cl, "See the screen").wait_states("checked")
    box.press()
    op.wait_for(None, "The customer does not let you see the screen. View asks for it.")
    op.wait_for("toggle button", "View").wait("not pressed", lambda w: "checked" not in w.states)
    xev = Xev(world, place="600x400+300+200")  # it would be seen
    mark(world, cl, op, "can you see this window?")
    before = part(op.desktop.picture(), *view.place())
    xev.close()
    mark(world, cl, op, "it is gone again")
    assert differing(before, part(op.desktop.picture(), *view.place())) == 0
    op.press("View", role="toggle button")
    cl.press("Deny", window=cl.say("The operator asks"))
    world.home.wait_gone(None, None, window=cl.say("The operator asks"))
    op.press("View", role="toggle button")
    cl.press("Allow", window=cl.say("The operator asks"))
    op.desktop.wait_gone(None, op.say("The customer does not let you see the screen. View asks for it."))
    xev = Xev(world, place="600x400+300+200")
    left, top, width, height = view.place()
    op.desktop.until("the picture moves again", lambda: differing(before, part(op.desktop.picture(), left, top, width, height)) > 1000)
    xev.close()


def a_pause_stops_the_picture(world, cl, op):
    view = View(op)
    the_screen_is_shown(world, op)
    cl.click("Pause", window=cl.say("Session bar"))
    op.wait_for(None, "The customer has paused. Nothing is seen or sent until they go on.")
    mark(world, cl, op, "paused")
    before = part(op.desktop.picture(), *view.place())
    xev = Xev(world, place="600x400+300+200")
    mark(world, cl, op, "still paused")
    assert differing(before, part(op.desktop.picture(), *view.place())) == 0
    cl.click("Resume", window=cl.say("Session bar"))
    op.desktop.wait_gone(None, op.say("The customer has paused. Nothing is seen or sent until they go on."))
    left, top, width, height = view.place()
    op.desktop.until("the picture moves again", lambda: differing(before, part(op.desktop.picture(), left, top, width, height)) > 1000)
    xev.close()
    session = world.newest()
    assert {"paused", "unpaused"} <= set(world.events(session)), world.events(session)


def device_information_is_asked_for_shown_stored_and_taken_back(world, cl, op):
    pane(op, "Device info")
    cl.press("Deny", window=cl.say("The operator asks"))
    world.home.wait_gone(None, None, window=cl.say("The operator asks"))
    op.press("Ask the customer")
    cl.press("Allow", window=cl.say("The operator asks"))
    op.wait_for("label", "Stored on the management server with this session.")
    name = until("the machine's name", lambda: open("/proc/sys/kernel/hostname").read().strip())
    op.desktop.wait_for("label", name)
    kept = world.api().get(f"/v1/sessions/{world.newest()['id']}/device")["info"]
    assert kept["machine"] == name and kept["cpu_threads"] > 0 and kept["displays"], kept
    op.sees("Device information")
    cl.press("Rights")
    box_of(world, cl, "Device information").wait_states("checked").press()
    op.wait_for("label", re.compile(f"^{op.say('Allowed: %s').replace('%s', '')}(?!.*{op.say('Device information')})"))
    kinds = world.events(world.newest())
    for kind in ("denied", "granted", "revoked", "device"):
        assert kind in kinds, (kind, kinds)


# ---- what the operator cannot do, with control ----


def our_own_windows_are_out_of_the_operators_reach(world):
    cl, op = world.session("Control")
    a_question(world, cl, op)
    bar_and_chat(world, cl, op)


def a_question(world, cl, op):
    """Only the customer answers it."""
    entry = Entry(world)
    view = View(op)
    view.click_on(entry.widget)
    op.sees("Keys go to the customer. Ctrl+Alt gives them back.")
    op.desktop.type("a")
    entry.widget.wait_text("a")  # it works, but for our windows
    pane(op, "Device info")
    allow = cl.wait_for("push button", "Allow", window=cl.say("The operator asks")).wait_states("sensitive")
    view.click_on(allow)
    view.click_on(entry.widget)
    op.desktop.key("Return", "space", "Tab", "Return", "b", "Escape")
    mark(world, cl, op, "did that do anything?")
    assert entry.text() == "a"
    assert cl.desktop.find("push button", cl.say("Allow"), window=cl.say("The operator asks"))
    assert not op.desktop.find("label", op.say("Stored on the management server with this session."))
    allow.click()
    pane(op, "Device info")
    op.wait_for("label", "Stored on the management server with this session.")
    view.click_on(entry.widget)
    op.desktop.type("c")
    entry.widget.wait_text(re.compile("c"))
    entry.close()


def bar_and_chat(world, cl, op):
    xev = Xev(world)
    view = View(op)
    view.click(*xev.middle())
    xev.wait("a click", lambda ev: len(ev) == 2)
    for name in ("End", "Pause", "Take back control", "Chat", "Rights"):
        view.click_on(cl.wait_for("push button", name, window=cl.say("Session bar")))
    mark(world, cl, op, "may I press your buttons?")
    assert cl.desktop.find("push button", cl.say("Pause"), window=cl.say("Session bar")), "it was pressed"
    entry = cl.wait_for("text", "Message", window=cl.say("Chat"))
    view.click_on(entry)
    op.desktop.type("in your name")
    op.desktop.key("Return")
    mark(world, cl, op, "may I write for you?")
    assert entry.text() == "", entry.text()
    entry.click().wait_states("focused")  # by the customer: what is typed now would go there
    view.click(*xev.middle())
    entry.click().wait_states("focused")
    view.desktop.click_at(*view.at(*xev.middle()), button=9)  # no button of the customer's: only the operator's focus
    op.desktop.type("in your name")
    pane(op, "Send text…")
    op.wait_for("text", "Text to send").set_text("in your name")
    op.press("Send text")
    mark(world, cl, op, "nor like this?")
    assert entry.text() == "", entry.text()
    cl.click("Rights", window=cl.say("Session bar"))
    box = box_of(world, cl, "Device information")
    before = box.is_checked()
    view.click_on(box)
    mark(world, cl, op, "nor tick a box?")
    assert box.is_checked() == before
    assert not world.home.find("label", "in your name")
    xev.close()


# ---- an operator's tool that keeps to no rule ----


def an_operator_who_ignores_the_rules_gets_nothing(world):
    rogue = Program(world.rig, world.fresh_name("rogue"), [world.rig.exe("rogue-operator", folder="tests/e2e"), "operator", "--org",
                    world.service.org(), "--company", "acme", "--id", "tanaka"])
    rogue.say(PASSWORD)
    rogue.wait("logged_in")
    rogue.say("issue customer=rob")
    issued = rogue.wait("issued")
    cl = world.client()
    cl.agree()
    cl.number(issued["number"])
    world.home.wait_for("check box", cl.say("See the screen")).wait_states("checked").press()
    cl.press("Start waiting")
    waiting = rogue.wait("session", session=issued["session"], state="waiting")
    rogue.say(f"answer {issued['session']} {waiting['claims'][0]['id']}")
    cl.allow_operator()
    code = cl.check_code()
    entry = Entry(world)
    entry.widget.click().wait_states("focused")
    rogue.say("frames on")
    nothing_is_stolen(world, cl, rogue, entry, "before the check code")
    assert not world.home.find(None, None, window=cl.say("The operator asks"))
    rogue.say(f"code {code}")
    rogue.wait("state", state="ACTIVE")
    world.home.wait_for("window", cl.say("Session bar"))
    entry.widget.click().wait_states("focused")
    nothing_is_stolen(world, cl, rogue, entry, "with no right but chat")
    rogue.say("ask 65535")
    cl.press("Deny", window=cl.say("The operator asks"))
    world.home.wait_gone(None, None, window=cl.say("The operator asks"))
    nothing_is_stolen(world, cl, rogue, entry, "after a no")
    cl.press("Rights")
    box_of(world, cl, "Control").press().wait_states("checked")
    entry.widget.click().wait_states("focused")
    rogue.say("rob")
    entry.widget.wait_text(re.compile("STOLEN"))  # with the right it works: the tries before were real ones
    assert not [e for e in rogue.events if e["event"] in ("screen", "frame", "cursor_image", "device")], rogue.tail()
    cl.press("Take back control", window=cl.say("Session bar"))
    world.home.until("the key that he never let go", lambda: not keys_held(world.home.display))
    cl.press("End", window=cl.say("Session bar"))
    rogue.wait("closed")
    rogue.say("logout")
    rogue.exit_code()
    entry.close()


def nothing_is_stolen(world, cl, rogue, entry, when):
    before = entry.text()
    rogue.ask("rob", "robbed")
    rogue.say(f"chat robbed {when}")
    cl.wait_for("label", f"robbed {when}")
    assert entry.text() == before, (when, entry.text())
    assert keys_held(world.home.display) == [], when
    loot = [e for e in rogue.events if e["event"] in ("screen", "frame", "cursor_image", "device")]
    assert not loot, (when, loot)


if __name__ == "__main__":
    tools_world.main(World, the_whole_path_in_english, the_whole_path_in_japanese, what_the_operator_does_arrives,
                     every_right_can_be_taken_back, our_own_windows_are_out_of_the_operators_reach,
                     an_operator_who_ignores_the_rules_gets_nothing)
