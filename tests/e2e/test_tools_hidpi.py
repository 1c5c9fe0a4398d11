#!/usr/bin/python3
"""The operator at a dense monitor: at 1:1 the customer's screen is as large as what is on his own desktop, each of its pixels a square of
his, and his clicks land where he sees them."""

import os
import subprocess

import tools_world
from gui import Desktop
from test_tools_session import Xev
from tools_world import World, part

POINTER = 40  # px around the pointer, which only one of the displays draws


class DenseWorld(World):
    size, operator_size = "800x640", "2000x1600"


def squares(rows, side):
    """Each pixel as side x side ones."""
    out = []
    for row in rows:
        wide = b"".join(row[i:i + 3] * side for i in range(0, len(row), 3))
        out += [wide] * side
    return out


def clicks_by_gtk_s_px(desktop, scale):
    """What AT-SPI says of places is in GTK's px."""
    desktop.click_at = lambda x, y, button=1: Desktop.click_at(desktop, scale * x, scale * y, button)


def shows_squares_of(world, op, side):
    """The customer's screen in the middle of the operator's, which it does not fill."""
    width, height = map(int, world.size.split("x"))
    all_width, all_height = map(int, world.operator_size.split("x"))
    left, top = (all_width - side * width) // 2, (all_height - side * height) // 2
    xev = Xev(world, place="300x240+60+300")
    x, y = xev.middle()

    def equal():
        before = world.home.picture()
        there = part(op.desktop.picture(), left, top, side * width, side * height)
        wanted = squares(part(before, 0, 0, width, height), side)
        box = (side * x - POINTER, side * y - POINTER, 2 * POINTER, 2 * POINTER)
        return before == world.home.picture() and tools_world.differing(wanted, there, [box]) == 0

    def click(dx, dy):
        xev.skip()
        Desktop.click_at(op.desktop, left + side * (x + dx) + side // 2, top + side * (y + dy) + side // 2)
        xev.wait("a click", lambda ev: [e[0] for e in ev] == ["ButtonPress", "ButtonRelease"])
        return xev.events()[0][2:] == (x + dx, y + dy)

    # The bars slide away from a full screen: until they have, the picture is not yet where it will be.
    world.home.until("a click in its place", lambda: click(0, 0))
    for dx, dy in ((-31, 40), (57, -22)):
        assert click(dx, dy), (xev.events(), x, y, dx, dy)
    Desktop.click_at(op.desktop, left + side * x, top + side * y)
    world.home.until("equal pictures", equal)
    if os.environ.get("SHOTS"):
        op.desktop.screenshot(os.path.join(os.environ["SHOTS"], f"hidpi-{world.n}.png"))
    xev.close()


def full_screen_at_1_1(world, env):
    _, op = world.session("Control", operator={"env": env})
    op.press("Fit", role="toggle button")
    op.press("Full screen", role="toggle button")
    return op


def gtk_s_scale_is_the_customers_too(world):
    clicks_by_gtk_s_px(world.office, 2)
    try:
        shows_squares_of(world, full_screen_at_1_1(world, {"GDK_SCALE": "2"}), 2)
    finally:
        clicks_by_gtk_s_px(world.office, 1)


def so_is_a_density_that_is_only_the_fonts(world):
    subprocess.run(["xrdb", "-display", world.office.display, "-merge"], input=b"Xft.dpi: 192\n", check=True)
    try:
        shows_squares_of(world, full_screen_at_1_1(world, {}), 2)
    finally:
        subprocess.run(["xrdb", "-display", world.office.display, "-remove"], check=True)


if __name__ == "__main__":
    tools_world.main(DenseWorld, gtk_s_scale_is_the_customers_too, so_is_a_density_that_is_only_the_fonts)
