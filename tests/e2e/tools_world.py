"""What the tests of the two tools stand on: an installation, a customer's desktop and an operator's, made once for a file of tests.

    def a_test(world):
        client, operator = world.session("Control")
        ...

    world.main(World, a_test, ...)

Each test gets a fresh client (the customer's file is gone after use) and the operator's tool as the test before left it: at the desk.
A test that fails, or leaves something behind, costs the next one a new world. SHOTS=FOLDER: pictures of both desktops at a failure."""

import os
import pwd
import re
import signal
import sqlite3

from api import crockford_to_int
from gui import Desktop
from rig import Failed, Rig, chosen, finish, told, until
from service import Service
from tools import Client, OperatorTool, pair

# What a tool must not print, unless GTK does so by itself when a screen reader asks for what has just gone, or presses a menu button.
COMPLAINT = re.compile(r"CRITICAL|WARNING \*\*|runtime error|Sanitizer|ERROR|\"level\":\"error\"")
GTK_S_OWN = re.compile(r"gtk_container_forall: assertion|no trigger event for menu popup")


class World:
    size, operator_size = "1280x800", "1400x900"

    def __init__(self, rig):
        self.rig = rig
        self.is_root = os.geteuid() == 0
        self.service = self.make_service()
        self.home = self.make_home()
        self.office = Desktop(rig, self.operator_size, uid=self.uid("news"), name="office")
        self.client_tool = self.operator_tool = self._api = None
        self.n = 0

    # --- how it is made; files of tests make some of it otherwise ---

    def uid(self, name):
        """Somebody who owns nothing on this machine, where we may be others; a message bus wants a user with a name."""
        return pwd.getpwnam(name).pw_uid if self.is_root else None

    def make_service(self):
        s = Service(self.rig)
        s.add_company()
        s.add_operator()
        s.start_manager()
        s.start_relay(1)
        s.start_relay(2)
        return s

    def make_home(self):
        return Desktop(self.rig, self.size, uid=self.uid("games"), name="home")

    # --- the tools ---

    def fresh_name(self, what):
        self.n += 1
        return f"{what}{self.n}"

    def client(self, language="en", **more):
        """A fresh one; the one before has to be gone."""
        self.close_client()
        self.client_tool = Client.of(self.service, self.home, language, self.fresh_name("client"), **more)
        return self.client_tool

    def operator(self, language="en", **more):
        """Logged in and at the desk: the one that runs, or a fresh one."""
        op = self.operator_tool
        if op and (op.language != language or more or op.program.proc.poll() is not None):
            self.close_operator()
        if not self.operator_tool:
            self.operator_tool = OperatorTool.of(self.service, self.office, language, self.fresh_name("operator"), **more)
            self.operator_tool.log_in()
        return self.operator_tool

    def session(self, *rights, language="en", client=None, operator=None, **issue):
        """Both at work. client, operator: prefix and env of each."""
        op = self.operator(language, **(operator or {}))
        cl = self.client(language, **(client or {}))
        cl.number_typed = pair(cl, op, *rights, **issue)
        self.home.wait_for("window", cl.say("Session bar"))
        return cl, op

    def close_client(self):
        """In order, and gone with its file."""
        client, self.client_tool = self.client_tool, None
        if not client:
            return
        client.program.kill(signal.SIGTERM)
        client.program.exit_code()
        until("the client's file is gone", client.is_gone)
        complained_about(client)

    def close_operator(self):
        operator, self.operator_tool = self.operator_tool, None
        if operator:
            operator.program.kill(signal.SIGKILL)
            operator.program.proc.wait()
            complained_about(operator)

    def tidy(self):
        """What a test leaves: no client, and the operator at the desk."""
        self.close_client()
        op = self.operator_tool
        if op and op.program.proc.poll() is None:
            if op.desktop.find("frame", op.say.pattern("Session: %s")):
                op.press("Close", window=op.say.pattern("Session: %s"))
                op.desktop.wait_gone("frame", op.say.pattern("Session: %s"))
        elif op:
            self.operator_tool = None

    # --- what the servers know ---

    def api(self):
        """The operator's own view of the server, logged in beside the tool."""
        if not self._api:
            self._api = self.service.operator()
        return self._api

    def newest(self):
        """The session that was issued last, as the server has it."""
        found = self.api().get("/v1/sessions?limit=1")["sessions"]
        return self.api().get("/v1/sessions/" + found[0]["id"])

    def ended(self, reason):
        """Until the newest session is on record as ended for `reason`."""
        session = until(f"the record says {reason}", lambda: self._ended_as(reason))
        return session

    def _ended_as(self, reason):
        session = self.newest()
        if session["state"] != "ended":
            return None
        if session["end_reason"] != reason:
            raise Failed(f"ended as {session['end_reason']}, not as {reason}: {session}")
        return session

    def events(self, session):
        """Kinds of the record's events, in order."""
        lines = self.service.ctl("session", "show", session["id"]).splitlines()
        return [line.split()[3] for line in lines[lines.index("events") + 1:]]

    def sql(self, text, *args):
        """A statement on the SQLite file, beside the server."""
        with sqlite3.connect(self.service.database.removeprefix("sqlite:"), timeout=30) as db:
            return db.execute(text, args).fetchall()

    def expire(self, session):
        """The number's ten minutes are over."""
        number = crockford_to_int(session["id"])
        self.sql("UPDATE reception SET expires_at = 1 WHERE session_id = ?", number)
        self.sql("UPDATE session SET expires_at = 1 WHERE id = ?", number)


def complained_about(tool):
    """Nothing, we hope."""
    lines = [l for l in tool.program.log().splitlines() if COMPLAINT.search(l) and not GTK_S_OWN.search(l)]
    if lines:
        raise Failed(f"{tool.name} says:\n" + "\n".join(lines))


def close_window(tool, title):
    """By the cross in its frame."""
    x, y, width, _ = tool.wait_for("frame", title).look().bounds
    tool.desktop.click_at(x + width - 12, y + 10)


# ---- the picture in the operator's window ----


class View:
    """The part of the operator's window that shows the customer's screen, and which pixel is where."""

    def __init__(self, operator, width=1280, height=800):
        self.desktop, self.width, self.height = operator.desktop, width, height
        self.widget = operator.desktop.wait_for("drawing area", operator.say("Customer's screen"))
        self.operator = operator

    def is_fit(self):
        return self.desktop.find("toggle button", self.operator.say("Fit"), hidden=True).is_checked()

    def place(self):
        """x, y, width, height of the picture on the operator's display."""
        self.widget.centre()
        left, top, width, height = self.widget.bounds
        w, h = min(width, self.width), min(height, self.height)
        if self.is_fit():
            w, h = width, (width * self.height + self.width // 2) // self.width
            if h > height:
                w, h = (height * self.width + self.height // 2) // self.height, height
        return left + (width - w) // 2, top + (height - h) // 2, w, h

    def at(self, x, y):
        """Where the customer's pixel is on the operator's display (not scrolled)."""
        left, top, width, height = self.place()
        if not self.is_fit():
            return left + x, top + y
        return left + (2 * x + 1) * width // (2 * self.width), top + (2 * y + 1) * height // (2 * self.height)

    def click(self, x, y, button=1):
        """The operator clicks what he sees there."""
        self.desktop.click_at(*self.at(x, y), button=button)

    def click_on(self, widget, button=1):
        """One of the customer's."""
        self.click(*widget.centre(), button=button)


# ---- what both displays show ----


def part(picture, x, y, width, height):
    """A rectangle's rows."""
    step = picture.width * 3
    return [picture.rgb[(y + i) * step + x * 3:(y + i) * step + (x + width) * 3] for i in range(height)]


def differing(a, b, but=()):
    """How many pixels of two lists of rows differ, outside of the rectangles `but` (x, y, width, height)."""
    n = 0
    for y, (one, other) in enumerate(zip(a, b)):
        if one == other:
            continue
        for x in range(len(one) // 3):
            if one[x * 3:x * 3 + 3] != other[x * 3:x * 3 + 3]:
                n += not any(l <= x < l + w and t <= y < t + h for l, t, w, h in but)
    return n


def colours(rows):
    """How many different pixels there are: more than one means that something is shown."""
    return len({row[i:i + 3] for row in rows for i in range(0, len(row), 3)})


# ---- running ----


def _shots(world, test):
    folder = os.environ.get("SHOTS")
    if not folder or not world:
        return
    os.makedirs(folder, exist_ok=True)
    for desktop in (world.home, world.office):
        try:
            print("     " + desktop.screenshot(os.path.join(folder, f"{test.__name__}-{desktop.name}.png")), flush=True)
        except Exception as e:  # noqa: BLE001 the display may be what failed
            print(f"     no picture: {e}", flush=True)


def main(make, *tests):
    """Runs the chosen test functions, in one world as long as that stays whole."""
    rig, world = None, None

    def in_the_world(test):
        nonlocal rig, world
        if not world:
            rig = Rig()
            world = make(rig)
        test(world)
        world.tidy()

    failures = []
    for test in chosen(tests):
        if not told(test, in_the_world, failures):
            _shots(world, test)
            if rig:
                rig.close()
            rig, world = None, None
    if rig:
        rig.close()
    finish(failures)
