#!/usr/bin/python3
"""The operator chooses one of the customer's monitors, with the mouse and with the keyboard."""

import tools_world
from test_monitors import forget_monitor, set_monitor
from test_tools_session import Xev
from tools_world import View, World


def pick(op, english):
    op.press("Monitor", role="toggle button")
    op.press(english, role="radio menu item")


def the_operator_chooses_a_monitor(world):
    cl, op = world.session("Control")
    size = f"{world.home.picture().width} × {world.home.picture().height}"
    assert size == "1280 × 800", size
    assert not op.desktop.find("toggle button", op.say("Monitor")), "there is one monitor, and nothing to choose"
    display = world.home.display
    set_monitor(display, "LEFT", (0, 0, 700, 800), "screen")
    set_monitor(display, "*RIGHT", (700, 100, 580, 600))
    op.wait_for("toggle button", "Monitor")
    xev = Xev(world, place="300x240+760+300")
    x, y = xev.middle()
    for name, left, top, width, height in (("RIGHT, 580 × 600, primary", 700, 100, 580, 600), ("All monitors", 0, 0, 1280, 800),
                                           ("RIGHT, 580 × 600, primary", 700, 100, 580, 600)):
        pick(op, name)
        op.sees(f"{width} × {height}")
        view = View(op, width, height)
        xev.skip()
        view.click(x - left, y - top)
        xev.wait("a press and a release", lambda ev: [e[0] for e in ev] == ["ButtonPress", "ButtonRelease"])
        assert all(abs(e[2] - x) <= 1 and abs(e[3] - y) <= 1 for e in xev.events()), (name, xev.events(), x, y)
    xev.close()
    # Ctrl+Alt gives the keyboard back; then by its shortcut
    op.desktop.key("ctrl+alt")
    op.sees("Click the picture to type at the customer's.")
    op.desktop.key("alt+m")
    op.wait_for("radio menu item", "All monitors", states=["showing"])
    op.desktop.key("End")
    op.wait_for("radio menu item", "All monitors", states=["selected"])
    op.desktop.key("Return")
    op.sees("1280 × 800")
    pick(op, "LEFT, 700 × 800")
    op.sees("700 × 800")
    # it goes while it is shown
    forget_monitor(display, "LEFT")
    op.sees("The customer's monitor %s is gone; all that remains is shown.")
    op.sees("1280 × 800")
    forget_monitor(display, "RIGHT")
    op.desktop.wait_gone("toggle button", op.say("Monitor"))


if __name__ == "__main__":
    tools_world.main(World, the_operator_chooses_a_monitor)
