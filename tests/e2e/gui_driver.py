#!/usr/bin/python3
"""Sees and moves the windows of one display through AT-SPI, as a screen reader does: a line of JSON in, a line of JSON out.

Started by gui.py, as the user and on the message bus of that display. {"do": NAME, ...} is answered with {"ok": RESULT} or, when
that could not be done, {"error": WHY}. Widgets are known by number; a number whose widget is gone is an error like any other.

It speaks AT-SPI's D-Bus interfaces itself. libatspi keeps copies of names and states that are only brought up to date by events;
told to keep none (Atspi.Cache.NONE), version 2.46 waits for itself for ever when an event comes in the middle of a call.
"""
import json
import re
import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

TIMEOUT_MS = 10000  # of one answer of a program that hangs
DEPTH = 60
ROOT = "/org/a11y/atspi/accessible/root"
NOTHING = "/org/a11y/atspi/null"
ACCESSIBLE = "org.a11y.atspi.Accessible"
STATES = ("invalid active armed busy checked collapsed defunct editable enabled expandable expanded focusable focused has-tooltip "
          "horizontal iconified modal multi-line multiselectable opaque pressed resizable selectable selected sensitive showing "
          "single-line stale transient vertical visible manages-descendants indeterminate required truncated animated invalid-entry "
          "supports-autocompletion selectable-text is-default visited checkable has-popup read-only").split()
widgets = []  # (bus name, path)
bus = None


class Refused(Exception):
    """What the other side asked for is not possible now."""


# ---- D-Bus ----

def call_many(calls):
    """Answers to [(node, interface, method, arguments or None)], all asked at once; an error stands for itself."""
    answers, waiting = [None] * len(calls), len(calls)

    def done(connection, result, i):
        nonlocal waiting
        waiting -= 1
        try:
            answers[i] = connection.call_finish(result).unpack()
        except GLib.Error as e:
            answers[i] = e

    for i, (node, interface, method, arguments) in enumerate(calls):
        bus.call(node[0], node[1], interface, method, arguments, None, Gio.DBusCallFlags.NO_AUTO_START, TIMEOUT_MS, None, done, i)
    while waiting:
        GLib.MainContext.default().iteration(True)
    return answers


def call(node, interface, method, arguments=None):
    answer, = call_many([(node, interface, method, arguments)])
    if isinstance(answer, GLib.Error):
        raise answer
    return answer


def property_of(node, interface, name):
    return (node, "org.freedesktop.DBus.Properties", "Get", GLib.Variant("(ss)", (interface, name)))


def connect():
    global bus
    session = Gio.bus_get_sync(Gio.BusType.SESSION)
    address = session.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None, None, Gio.DBusCallFlags.NONE,
                                30000, None).unpack()[0]
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    bus = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
    # Starts the registry: programs come to it by themselves from now on.
    bus.call_sync("org.a11y.atspi.Registry", ROOT, ACCESSIBLE, "GetChildren", None, None, Gio.DBusCallFlags.NONE, 30000, None)


# ---- looking ----

def nodes_of(answer):
    return [tuple(n) for n in answer[0] if n[1] != NOTHING] if isinstance(answer, tuple) else []


def states_of(answer):
    if not isinstance(answer, tuple):
        return set()
    low, high = (list(answer[0]) + [0, 0])[:2]
    return {name for i, name in enumerate(STATES) if (low | high << 32) >> i & 1}


def applications():
    return nodes_of(call(("org.a11y.atspi.Registry", ROOT), ACCESSIBLE, "GetChildren"))


def windows():
    """[(application, window)]; a program that hangs or goes has none."""
    apps = applications()
    found = call_many([(app, ACCESSIBLE, "GetChildren", None) for app in apps])
    return [(app, window) for app, answer in zip(apps, found) for window in nodes_of(answer)]


def names(nodes):
    answers = call_many([property_of(node, ACCESSIBLE, "Name") for node in nodes])
    return [a[0] if isinstance(a, tuple) else "" for a in answers]


def ask_those_with(interface, nodes, method, arguments):
    """The first value of each answer, None where there is no such interface (asked for all the same, GTK prints a warning)."""
    told = call_many([(node, ACCESSIBLE, "GetInterfaces", None) for node in nodes])
    has = [i for i, answer in enumerate(told) if isinstance(answer, tuple) and interface in answer[0]]
    out = [None] * len(nodes)
    for i, answer in zip(has, call_many([(nodes[i], interface, method, arguments) for i in has])):
        out[i] = answer[0] if isinstance(answer, tuple) else None
    return out


def texts_of(nodes):
    return ask_those_with("org.a11y.atspi.Text", nodes, "GetText", GLib.Variant("(ii)", (0, -1)))


def bounds_of(nodes):
    return ask_those_with("org.a11y.atspi.Component", nodes, "GetExtents", GLib.Variant("(u)", (0,)))


def fits(wanted, said):
    if wanted is None:
        return True
    if isinstance(wanted, dict):
        return re.search(wanted["re"], said or "") is not None
    return wanted == said


class Seen:
    """A widget as it was when the tree was walked."""

    def __init__(self, node, depth, role, states, children):
        self.node, self.depth, self.role, self.states, self.children = node, depth, role, states, children
        self.below = []

    def all(self):
        yield self
        for child in self.below:
            yield from child.all()


def look_at(nodes, depth):
    """[(node, Seen or None)]"""
    calls = []
    for node in nodes:
        calls += [(node, ACCESSIBLE, method, None) for method in ("GetRoleName", "GetState", "GetChildren")]
    answers, out = call_many(calls), []
    for i, node in enumerate(nodes):
        role, states, children = answers[3 * i:3 * i + 3]
        lives = isinstance(role, tuple) and isinstance(states, tuple)
        out.append((node, Seen(node, depth, role[0], states_of(states), nodes_of(children)) if lives else None))
    return out


def walk(root, is_hidden_too=False):
    """The tree below a node, level by level; below what cannot be seen nothing can."""
    (_, top), = look_at([root], 0)
    level, met = [top] if top else [], {root}
    for depth in range(1, DEPTH):
        parents = {}
        for seen in level:
            for node in seen.children:
                if node not in met:
                    met.add(node)
                    parents[node] = seen
        if not parents:
            break
        level = []
        for node, seen in look_at(list(parents), depth):
            if seen and (is_hidden_too or "showing" in seen.states):
                parents[node].below.append(seen)
                level.append(seen)
    return top


def find_all(ask):
    if ask.get("within") is not None:
        roots = [widget(ask["within"])]
    else:
        tops = [window for _, window in windows()]
        roots = [window for window, name in zip(tops, names(tops)) if fits(ask.get("window"), name)]
    found = []
    for root in roots:
        tree = walk(root, ask.get("hidden", False))
        seen = [s for s in tree.all() if s.depth or ask.get("within") is None] if tree else []
        seen = [s for s in seen if ask.get("role") in (None, s.role) and set(ask.get("states") or ()) <= s.states
                and not set(ask.get("without") or ()) & s.states]
        if ask.get("name") is not None:
            said = names([s.node for s in seen])
            seen = [s for s, name in zip(seen, said) if fits(ask["name"], name)]
        nodes = [s.node for s in seen]
        if ask.get("text") is not None:
            nodes = [node for node, said in zip(nodes, texts_of(nodes)) if fits(ask["text"], said)]
        found += nodes
    return found


# ---- widgets by number ----

def number(node):
    if node not in widgets:
        widgets.append(node)
    return widgets.index(node)


def widget(i):
    return widgets[i]


def facts_of(nodes):
    """What gui.Widget knows. None for one that is gone."""
    calls = []
    for node in nodes:
        calls += [(node, ACCESSIBLE, "GetRoleName", None), (node, ACCESSIBLE, "GetState", None),
                  property_of(node, ACCESSIBLE, "Name"), property_of(node, ACCESSIBLE, "Description")]
    answers, out = call_many(calls), []
    boxes, texts = bounds_of(nodes), texts_of(nodes)
    for i, node in enumerate(nodes):
        role, states, name, description = answers[4 * i:4 * i + 4]
        is_gone = any(isinstance(a, GLib.Error) for a in (role, states, name)) or "defunct" in states_of(states)
        out.append(None if is_gone else {
            "id": number(node), "role": role[0], "name": name[0],
            "description": description[0] if isinstance(description, tuple) else "", "states": sorted(states_of(states)),
            "bounds": boxes[i], "text": texts[i]})
    return out


def facts(node):
    got, = facts_of([node])
    if got is None:
        raise Refused("it is gone")
    return got


# ---- what can be asked ----

def do_find(ask):
    found = [f for f in facts_of(find_all(ask)[:1]) if f]
    return found[0] if found else None


def do_find_all(ask):
    return [f for f in facts_of(find_all(ask)) if f]


def do_look(ask):
    return facts(widget(ask["id"]))


def do(ask, interface, method, arguments, refusal):
    done, = ask_those_with("org.a11y.atspi." + interface, [widget(ask["id"])], method, arguments)
    if not done:
        raise Refused(refusal)


def do_press(ask):
    if not {"showing", "sensitive"} <= set(facts(widget(ask["id"]))["states"]):
        raise Refused("nobody could press it now: it is hidden or insensitive")
    do(ask, "Action", "DoAction", GLib.Variant("(i)", (ask.get("action", 0),)), "it has no such action, or refused it")


def do_set_text(ask):
    do(ask, "EditableText", "SetTextContents", GLib.Variant("(s)", (ask["text"],)), "its text cannot be set")


def do_focus(ask):
    do(ask, "Component", "GrabFocus", None, "it takes no focus")


def do_select(ask):
    """A child of a list, tab or combo box."""
    do(ask, "Selection", "SelectChild", GLib.Variant("(i)", (ask["child"],)), "it cannot be selected")


def pid_of(name):
    try:
        return bus.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixProcessID",
                             GLib.Variant("(s)", (name,)), None, Gio.DBusCallFlags.NONE, TIMEOUT_MS, None).unpack()[0]
    except GLib.Error:
        return 0


def do_windows(ask):
    found = windows()
    programs = names([app for app, _ in found])
    return [dict(f, program=program, pid=pid_of(app[0]))
            for (app, _), program, f in zip(found, programs, facts_of([window for _, window in found])) if f]


def line(depth, f):
    what = f'{f["role"]} "{f["name"]}"'
    if f["description"]:
        what += f' description="{f["description"]}"'
    if f["text"] is not None and f["text"] != f["name"]:
        what += f' text="{f["text"]}"'
    x, y, width, height = f["bounds"] or (0, 0, 0, 0)
    told = {"sensitive", "focused", "active", "checked", "pressed", "editable", "modal", "selected", "showing"} & set(f["states"])
    return "  " * depth + what + f" {width}x{height}+{x}+{y} [" + " ".join(sorted(told)) + "]"


def do_tree(ask):
    found, lines = windows(), []
    for (app, window), program in zip(found, names([app for app, _ in found])):
        lines.append(f'program "{program}" pid {pid_of(app[0])}')
        tree = walk(window, ask.get("hidden", False))
        seen = list(tree.all()) if tree else []
        lines += [line(s.depth + 1, f) for s, f in zip(seen, facts_of([s.node for s in seen])) if f]
    return "\n".join(lines) or "(no windows)"


COMMANDS = {name[3:]: fn for name, fn in list(globals().items()) if name.startswith("do_")}


def answer(ask):
    try:
        return {"ok": COMMANDS[ask["do"]](ask)}
    except (Refused, GLib.Error) as e:
        return {"error": getattr(e, "message", None) or str(e)}


def main():
    connect()
    print(json.dumps({"ok": "ready"}), flush=True)
    for request in sys.stdin:
        print(json.dumps(answer(json.loads(request))), flush=True)


if __name__ == "__main__":
    main()
