"""Drives programs with windows from outside, as a person and a screen reader do: finds widgets by role and name through AT-SPI,
presses them by their action, or moves the pointer and types real keys.

    desktop = gui.Desktop(rig, "1280x800", uid=65534)
    tool = desktop.start([rig.exe("tasuki-client")], "client", language="ja")
    desktop.wait_for("push button", "同意する").press()
    desktop.wait_for("text", "受付番号").type("123456782")
    desktop.wait_for("label", re.compile("接続します"))

Each desktop has its own display, window manager, message bus and accessibility bus, and belongs to one user. Every wait is for a
condition; one that does not come true in time fails and shows all windows as text. Widgets are found only while they are visible.
`role` is AT-SPI's name ("push button", "toggle button", "check box", "radio button", "text", "password text", "label", "heading",
"frame", "dialog", "alert"); `name` a string, or re.compile(); `window` the name of one window (a string or pattern).
"""

import json
import os
import re
import shutil
import subprocess
import threading
import time

import pictures
import rig as rigs
from rig import GIVE_UP_S, Failed, run

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"  # Debian's: python3-gi is for this one
KEPT = ("PATH", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "TASUKI_BUILD")


def pattern(wanted):
    return {"re": wanted.pattern} if isinstance(wanted, re.Pattern) else wanted


class Widget:
    """One thing in a window. What is known of it is as old as the last look()."""

    def __init__(self, desktop, facts):
        self.desktop = desktop
        self._take(facts)

    def _take(self, facts):
        self.id, self.role, self.name, self.description = facts["id"], facts["role"], facts["name"], facts["description"]
        self.states, self.bounds, self.said = set(facts["states"]), facts["bounds"], facts["text"]
        return self

    def __repr__(self):
        return f'{self.role} "{self.name}" [{" ".join(sorted(self.states))}]'

    def look(self):
        return self._take(self.desktop.ask("look", id=self.id))

    def text(self):
        """What it says now: its text, or its name where it has none."""
        self.look()
        return self.name if self.said is None else self.said

    def has(self, *states):
        return set(states) <= self.look().states

    def is_sensitive(self):
        return self.has("sensitive")

    def is_checked(self):
        return self.has("checked")

    def wait(self, what, condition, limit=GIVE_UP_S):
        """Until condition(self), freshly looked at, is true."""
        self.desktop.until(f"{self!r}: {what}", lambda: condition(self.look()), limit)
        return self

    def wait_states(self, *states, limit=GIVE_UP_S):
        return self.wait(" ".join(states), lambda w: set(states) <= w.states, limit)

    def wait_text(self, wanted, limit=GIVE_UP_S):
        """A string: it says just that; a pattern: it is found in what it says."""
        said = lambda w: w.name if w.said is None else w.said
        fits = (lambda t: wanted.search(t)) if isinstance(wanted, re.Pattern) else (lambda t: t == wanted)
        return self.wait(f"text {wanted!r}", lambda w: fits(said(w)), limit)

    def find(self, role=None, name=None, **more):
        return self.desktop.find(role, name, within=self.id, **more)

    def wait_for(self, role=None, name=None, **more):
        return self.desktop.wait_for(role, name, within=self.id, **more)

    # --- without pointer and keys ---

    def press(self):
        """By its action, once it is sensitive: what a screen reader's user does."""
        self.wait_states("showing", "sensitive")
        self.desktop.ask("press", id=self.id)
        return self

    def set_text(self, text):
        self.desktop.ask("set_text", id=self.id, text=text)
        return self

    def focus(self):
        self.desktop.ask("focus", id=self.id)
        return self

    def select(self, child):
        self.desktop.ask("select", id=self.id, child=child)
        return self

    # --- with pointer and keys ---

    def centre(self):
        """Once it has come to rest."""
        last = []

        def is_at_rest(w):
            last.append(w.bounds)
            return len(last) > 1 and last[-1] == last[-2] and w.bounds and w.bounds[2] > 0 and w.bounds[0] >= 0

        self.wait("a place on the screen", is_at_rest)
        x, y, width, height = self.bounds
        return x + width // 2, y + height // 2

    def click(self, button=1):
        self.wait_states("showing", "sensitive")
        self.desktop.click_at(*self.centre(), button=button)
        return self

    def type(self, text, replacing=True):
        """Clicks into it and types; replacing: what it held before is gone."""
        self.click().wait_states("focused")
        if replacing:
            self.desktop.key("ctrl+a", "BackSpace")
        self.desktop.type(text)
        return self


class Desktop:
    """A display of its own with everything that windows need. uid: whose processes these are (root only); None: ours."""

    def __init__(self, rig, size="1280x800", uid=None, name="desktop", display=None, has_window_manager=True):
        self.rig, self.name = rig, name
        self.prefix = rigs.as_user(uid) if uid else []
        self.uid = uid if uid else os.getuid()
        self.home = self._make_home()
        self.display = display or rig.start_display(size, name=name + "-xvfb")
        self.bus = self._start_bus()
        self._lock = threading.Lock()
        self._driver = self._start_driver()
        if has_window_manager:
            self.start(["openbox", "--config-file", self.home + "/gui_openbox.xml"], name + "-openbox")
            rigs.until("openbox manages the display", self._is_managed)

    # --- how it comes to life ---

    def _make_home(self):
        home = self.rig.path(self.name + "-home")
        for folder in (home, home + "/run"):
            os.mkdir(folder, 0o700)
            os.chown(folder, self.uid, -1)
        for name in ("gui_driver.py", "gui_openbox.xml", "gui.lsan"):  # the checkout may be for its owner only
            shutil.copyfile(os.path.join(HERE, name), os.path.join(home, name))
        return home

    def env(self, language="en", **more):
        """Little of ours: what a test sees must not depend on who runs it."""
        env = {k: os.environ[k] for k in KEPT if k in os.environ}
        env.update(HOME=self.home, XDG_RUNTIME_DIR=self.home + "/run", LC_ALL="C.UTF-8", LANGUAGE=language, DISPLAY=self.display,
                   GSETTINGS_BACKEND="memory", GDK_BACKEND="x11", NO_AT_BRIDGE="0",
                   LSAN_OPTIONS=f"suppressions={self.home}/gui.lsan:print_suppressions=0")
        if getattr(self, "bus", None):
            env["DBUS_SESSION_BUS_ADDRESS"] = self.bus
        env.update({k: v for k, v in more.items() if v is not None})
        return env

    def _start_bus(self):
        log = open(self.rig.path(self.name + "-dbus.log"), "ab")
        proc = subprocess.Popen([*self.prefix, "dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1",
                                 f"--address=unix:path={self.home}/run/bus"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                env=self.env(), cwd=self.home, start_new_session=True)
        log.close()
        self.rig.programs.append(rigs._Plain(proc, self.name + "-dbus"))
        address = proc.stdout.readline().decode().strip()
        if not address:
            raise Failed(f"dbus-daemon did not start: {open(log.name).read()}")
        return address

    def _start_driver(self):
        self._driver_log = self.rig.path(self.name + "-driver.log")
        log = open(self._driver_log, "ab")
        proc = subprocess.Popen([*self.prefix, PYTHON, "-B", self.home + "/gui_driver.py"], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=log, env=self.env(), cwd=self.home, start_new_session=True)
        log.close()
        self.rig.programs.append(rigs._Plain(proc, self.name + "-driver"))
        self._read_answer(proc)
        return proc

    def end_driver(self):
        """No more looking: what is measured from here on shall not be our doing."""
        self._driver.stdin.close()
        self._driver.wait()

    def _is_managed(self):
        out = subprocess.run(["xprop", "-display", self.display, "-root", "_NET_SUPPORTING_WM_CHECK"], capture_output=True, text=True)
        return "window id" in out.stdout

    def start(self, argv, name, language="en", env=None, prefix=(), user=True):
        """A program on this desktop, as its user; kill(), pid, proc and log() of what comes back do as they say."""
        log = self.rig.path(name + ".log")
        with open(log, "ab") as out:
            proc = subprocess.Popen([*prefix, *(self.prefix if user else ()), *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                    env=self.env(language, **(env or {})), cwd=self.home, start_new_session=True)
        program = Started(proc, name, log)
        self.rig.programs.append(program)
        return program

    # --- talking to the driver ---

    def _read_answer(self, proc):
        line = proc.stdout.readline()
        if not line:
            raise Failed(f"the driver of {self.name} ended: {open(self._driver_log, errors='replace').read()}")
        return json.loads(line)

    def _ask(self, what, **more):
        with self._lock:
            self._driver.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")
            self._driver.stdin.flush()
            return self._read_answer(self._driver)

    def ask(self, what, **more):
        got = self._ask(what, **more)
        if "error" in got:
            raise Failed(f"{what} {more}: {got['error']}\n{self.tree()}")
        return got["ok"]

    def until(self, what, condition, limit=GIVE_UP_S):
        """Until condition() is true; what went away meanwhile counts as not yet. What it gave."""
        end, pause, last = time.monotonic() + limit, 0.005, ""
        while True:
            try:
                got = condition()
                if got:
                    return got
            except Failed as e:
                last = str(e).splitlines()[0]
            if time.monotonic() > end:
                raise Failed(f"{self.name}: {what}: not within {limit} s. {last}\n{self.tree()}\n{self._logs()}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)

    def _logs(self):
        return "\n".join(f"--- {p.name}\n{p.log()[-2000:]}" for p in self.rig.programs if isinstance(p, Started) and p.log().strip())

    # --- looking ---

    @staticmethod
    def _query(role, name, window, within, text, states, without, hidden):
        return {"role": role, "name": pattern(name), "window": pattern(window), "within": within, "text": pattern(text),
                "states": list(states), "without": list(without), "hidden": hidden}

    def find(self, role=None, name=None, window=None, within=None, text=None, states=(), without=(), hidden=False):
        """The first that fits now, or None."""
        facts = self.ask("find", **self._query(role, name, window, within, text, states, without, hidden))
        return facts and Widget(self, facts)

    def find_all(self, role=None, name=None, window=None, within=None, text=None, states=(), without=(), hidden=False):
        return [Widget(self, f) for f in self.ask("find_all", **self._query(role, name, window, within, text, states, without, hidden))]

    def wait_for(self, role=None, name=None, limit=GIVE_UP_S, **more):
        what = f"{role or 'anything'} {name!r} {more or ''}"
        return self.until(what, lambda: self.find(role, name, **more), limit)

    def wait_gone(self, role=None, name=None, limit=GIVE_UP_S, **more):
        self.until(f"{role} {name!r} is gone", lambda: not self.find(role, name, **more), limit)

    def press(self, name, role="push button", **more):
        return self.wait_for(role, name, **more).press()

    def click(self, name, role="push button", **more):
        return self.wait_for(role, name, **more).click()

    def windows(self):
        """[{name, role, states, bounds, program, pid}]."""
        return self.ask("windows")

    def tree(self, hidden=False):
        """All windows as text, a widget a line."""
        try:
            return self._ask("tree", hidden=hidden).get("ok") or "(no windows)"
        except (Failed, OSError) as e:
            return f"(no tree: {e})"

    # --- pointer and keys, as the X server sends them to everybody (XTEST) ---

    def _xdo(self, *words):
        run(["xdotool", *words], env=dict(os.environ, DISPLAY=self.display))

    def move(self, x, y):
        self._xdo("mousemove", str(x), str(y))

    def click_at(self, x, y, button=1):
        self._xdo("mousemove", str(x), str(y), "click", str(button))

    def drag(self, x, y, to_x, to_y, button=1):
        self._xdo("mousemove", str(x), str(y), "mousedown", str(button), "mousemove", str(to_x), str(to_y), "mouseup", str(button))

    def key(self, *keys):
        """ "Return", "ctrl+alt+x": pressed and released, one after the other."""
        self._xdo("key", "--delay", "4", *keys)

    def type(self, text):
        """Into whatever has the focus."""
        self._xdo("type", "--delay", "4", "--", text)

    # --- pictures ---

    def picture(self):
        return pictures.of_display(self.display)

    def screenshot(self, path):
        """The whole display as PNG."""
        pictures.to_png(path, self.picture())
        return path


class Started(rigs._Plain):
    """A program with windows."""

    def __init__(self, proc, name, log):
        super().__init__(proc, name)
        self._log = log

    def log(self):
        with open(self._log, errors="replace") as f:
            return f.read()

    def exit_code(self, limit=GIVE_UP_S):
        """Waits until it has ended of its own accord."""
        try:
            return self.proc.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} goes on and on: {self.log()[-2000:]}") from None
