#!/usr/bin/python3
"""Several monitors: one is chosen, or all side by side; they come, go and change while a session runs."""

import os
import re
import struct

from draw import Display
from pictures import Picture, of_display, of_viewer
from rig import Failed, main, run, until
from test_session import draw

WIDTH, HEIGHT = 1000, 600
LEFT, RIGHT = (0, 0, 440, 600), (440, 50, 560, 500)  # RIGHT is the primary one; neither is made of whole tiles


def set_monitor(display, name, place, output="none"):
    x, y, w, h = place
    run(["xrandr", "-d", display, "--setmonitor", name, f"{w}/100x{h}/100+{x}+{y}", output])


def forget_monitor(display, name):
    run(["xrandr", "-d", display, "--delmonitor", name])


def move_monitor(display, name, place):
    """Nobody sees it gone in between, as when a person moves it in the settings; xrandr can only forget it and set it again."""
    d = Display(display)
    padded = name.encode() + bytes(-len(name) % 4)
    d.sock.sendall(struct.pack("<BxHHxx5sxxx", 98, 4, 5, b"RANDR") + struct.pack("<BBHHxx", 16, 1, 2 + len(padded) // 4, len(name)) + padded)
    randr = d._reply()[9]
    atom, = struct.unpack_from("<I", d._reply(), 8)
    d.sock.sendall(struct.pack("<BxH", 36, 1) + struct.pack("<BBHII", randr, 44, 3, d.root, atom)
                   + struct.pack("<BBHIIBBHhhHHII", randr, 43, 8, d.root, atom, 1, 0, 0, *place, 100, 100) + struct.pack("<BxH", 37, 1))
    d.sync()
    d.sock.close()


def start(rig, is_viewed=True):
    rig.add_relay(1)
    rig.issue()
    rig.start_relay(1)
    display = rig.start_display(f"{WIDTH}x{HEIGHT}")
    set_monitor(display, "LEFT", LEFT, "screen")
    set_monitor(display, "*RIGHT", RIGHT)
    painter = Display(display)
    for i in range(40):  # a different picture everywhere
        painter.rect(i * 25, i * 15 % 400, 20, 200, i * 0x060503)
    painter.sync()
    painter.sock.close()
    host, viewer = rig.start_host(display), rig.start_viewer()
    rig.join(host, viewer)
    if is_viewed:
        viewer.say("view on")
    return display, host, viewer


def crop(picture, place):
    x, y, w, h = place
    step = picture.width * 3
    rows = [picture.rgb[(y + i) * step + x * 3:(y + i) * step + (x + w) * 3] for i in range(h)]
    return Picture(w, h, b"".join(rows))


def shows(rig, viewer, display, place):
    """Until the viewer has exactly this part of the display."""
    def is_same():
        seen = of_viewer(rig, viewer)
        return seen and seen == crop(of_display(display), place)
    try:
        until(f"the viewer shows {place}", is_same)
    except Failed as e:
        raise Failed(f"{e}\n{viewer.tail()}") from None


def ids(told):
    """name: number."""
    return {m["name"]: m["id"] for m in told["list"]}


def places(viewer, wanted):
    """Until the monitors are these: a new size comes in several steps, and we may see each."""
    told = {}
    while {m["name"]: (m["x"], m["y"], m["width"], m["height"]) for m in told.get("list", [])} != wanted:
        told = viewer.wait("monitors")
    return told


def pointer_at(display):
    out = run(["xdotool", "getmouselocation"], env=dict(os.environ, DISPLAY=display))
    return tuple(int(v) for v in re.match(r"x:(\d+) y:(\d+)", out).groups())


def the_primary_one_is_shown_until_another_is_chosen(rig):
    display, host, viewer = start(rig)
    told = viewer.wait("monitors")
    assert [(m["name"], m["x"], m["y"], m["width"], m["height"], m["primary"]) for m in told["list"]] == [
        ("RIGHT", *RIGHT, True), ("LEFT", *LEFT, False)], told
    assert told["shown"] == ids(told)["RIGHT"], told
    viewer.wait("screen", width=RIGHT[2], height=RIGHT[3])
    shows(rig, viewer, display, RIGHT)
    for name, place in (("LEFT", LEFT), ("all", (0, 0, WIDTH, HEIGHT)), ("RIGHT", RIGHT), ("LEFT", LEFT), ("any", RIGHT)):
        viewer.say(f"monitor {ids(told).get(name, name)}")
        viewer.wait("monitors", shown=0 if name == "all" else ids(told)["RIGHT" if name == "any" else name])
        viewer.wait("screen", width=place[2], height=place[3])
        shows(rig, viewer, display, place)
    viewer.say("monitor 9")
    assert viewer.wait("error", command="monitor")["code"] == "ABSENT"


def nothing_is_told_before_the_operator_may_see(rig):
    rig.add_relay(1)
    rig.issue()
    rig.start_relay(1)
    display = rig.start_display(f"{WIDTH}x{HEIGHT}")
    host, viewer = rig.start_host(display, rights=4), rig.start_viewer()
    rig.join(host, viewer)
    host.say("chat behind everything else")
    viewer.wait("chat")
    assert not any(e["event"] == "monitors" for e in viewer.events), viewer.events
    host.say("grant 5")
    told = viewer.wait("monitors")
    assert told["shown"] == 0 and [m["name"] for m in told["list"]] == ["screen"], told


def a_click_arrives_where_it_was_aimed(rig):
    display, host, viewer = start(rig)
    told = viewer.wait("monitors")
    for name, (left, top, width, height) in (("RIGHT", RIGHT), ("LEFT", LEFT), ("all", (0, 0, WIDTH, HEIGHT))):
        viewer.say(f"monitor {ids(told).get(name, 'all')}")
        if name != "RIGHT":
            viewer.wait("screen", width=width, height=height)
        shows(rig, viewer, display, (left, top, width, height))
        for x, y in ((0, 0), (123, 234), (width - 1, height - 1)):
            viewer.say(f"pointer {x} {y} 0")
            host.wait("input", kind=2, result="OK")
            until(f"the pointer at {x}, {y} of {name}", lambda: pointer_at(display) == (left + x, top + y))
        viewer.say(f"pointer {width} 0 0")  # outside
        viewer.say("key 30 1 97")
        assert host.wait("input")["kind"] == 1, "a place outside of the monitor was taken"


def a_button_that_is_held_is_let_go_of_when_another_one_is_chosen(rig):
    display, host, viewer = start(rig)
    told = viewer.wait("monitors")
    shows(rig, viewer, display, RIGHT)
    viewer.say("pointer 10 10 1")
    host.wait("input", kind=2)
    viewer.say(f"monitor {ids(told)['LEFT']}")
    host.wait("keys_released")


def what_changes_on_another_monitor_is_not_sent(rig):
    display, host, viewer = start(rig)
    viewer.wait("monitors")
    shows(rig, viewer, display, RIGHT)
    viewer.say("frames on")
    for i in range(10):
        draw(display, "rect", 20 * i, 20, 100, 100, f"{i * 0x111111:06x}")
    draw(display, "rect", RIGHT[0] + 5, RIGHT[1] + 5, 7, 9, "fedcba")  # behind all that
    viewer.wait("frame")
    shows(rig, viewer, display, RIGHT)
    frames = [e for e in viewer.events if e["event"] == "frame"]
    assert len(frames) == 1, frames


def a_monitor_that_goes_leaves_all_that_remain(rig):
    display, host, viewer = start(rig)
    told = viewer.wait("monitors")
    set_monitor(display, "THIRD", (0, 300, 200, 200))
    told = viewer.wait("monitors")
    assert told["shown"] == ids(told)["RIGHT"] and len(told["list"]) == 3, told
    before = ids(told)
    viewer.say(f"monitor {before['THIRD']}")
    viewer.wait("screen", width=200, height=200)
    shows(rig, viewer, display, (0, 300, 200, 200))
    forget_monitor(display, "THIRD")
    told = viewer.wait("monitors", gone="THIRD")
    assert told["shown"] == 0 and ids(told) == {n: before[n] for n in ("LEFT", "RIGHT")}, told
    viewer.wait("screen", width=WIDTH, height=HEIGHT)
    shows(rig, viewer, display, (0, 0, WIDTH, HEIGHT))
    set_monitor(display, "FOURTH", (0, 0, 300, 300))  # it is as new as its number
    told = viewer.wait("monitors")
    assert told["shown"] == 0 and ids(told)["LEFT"] == before["LEFT"] and ids(told)["RIGHT"] == before["RIGHT"], told
    viewer.say(f"monitor {before['LEFT']}")
    viewer.wait("screen", width=LEFT[2], height=LEFT[3])
    shows(rig, viewer, display, LEFT)


def a_monitor_moves_and_shrinks_while_it_is_shown(rig):
    display, host, viewer = start(rig)
    told = viewer.wait("monitors")
    number = ids(told)["RIGHT"]
    shows(rig, viewer, display, RIGHT)
    for place in ((500, 100, 300, 300), (200, 100, 300, 300)):  # the second has the same size: the picture is another one
        move_monitor(display, "RIGHT", place)
        viewer.wait("monitors", shown=number)
        viewer.wait("screen", width=300, height=300)
        shows(rig, viewer, display, place)
        viewer.say("pointer 7 8 0")
        host.wait("input", kind=2, result="OK")
        until("the pointer", lambda: pointer_at(display) == (place[0] + 7, place[1] + 8))


def the_screen_changes_its_size_under_a_chosen_monitor(rig):
    display, host, viewer = start(rig)
    told = viewer.wait("monitors")
    viewer.say(f"monitor {ids(told)['LEFT']}")
    viewer.wait("screen", width=LEFT[2], height=LEFT[3])
    shows(rig, viewer, display, LEFT)
    draw(display, "resize", 640, 480)  # LEFT is cut at the bottom, RIGHT at both edges
    told = places(viewer, {"LEFT": (0, 0, 440, 480), "RIGHT": (440, 50, 200, 430)})
    assert told["shown"] == ids(told)["LEFT"], told
    viewer.wait("screen", width=440, height=480)
    shows(rig, viewer, display, (0, 0, 440, 480))
    draw(display, "resize", 400, 300)  # RIGHT is gone, and one monitor is no choice
    assert places(viewer, {"LEFT": (0, 0, 400, 300)})["shown"] == 0
    viewer.wait("screen", width=400, height=300)
    shows(rig, viewer, display, (0, 0, 400, 300))


def the_choice_outlives_a_pause_and_a_lost_line(rig):
    display, host, viewer = start(rig)
    told = viewer.wait("monitors")
    viewer.say(f"monitor {ids(told)['LEFT']}")
    viewer.wait("screen", width=LEFT[2], height=LEFT[3])
    shows(rig, viewer, display, LEFT)
    host.say("pause on")
    viewer.wait("grants", paused=True)
    host.say("pause off")
    viewer.wait("grants", paused=False)
    draw(display, "rect", 10, 10, 50, 50, "112233")
    shows(rig, viewer, display, LEFT)
    relay = next(p for p in rig.programs if p.name == "relay1")
    relay.kill()
    relay.proc.wait()
    viewer.wait("state", state="SUSPENDED")
    set_monitor(display, "THIRD", (0, 300, 200, 200))  # meanwhile
    rig.start_relay(1, name="relay1_again")
    viewer.wait("state", state="ACTIVE")
    told = viewer.wait("monitors")
    assert told["shown"] == ids(told)["LEFT"] and "THIRD" in ids(told), told
    draw(display, "rect", 100, 100, 50, 50, "332211")
    shows(rig, viewer, display, LEFT)


if __name__ == "__main__":
    main(the_primary_one_is_shown_until_another_is_chosen, nothing_is_told_before_the_operator_may_see,
         a_click_arrives_where_it_was_aimed, a_button_that_is_held_is_let_go_of_when_another_one_is_chosen,
         what_changes_on_another_monitor_is_not_sent, a_monitor_that_goes_leaves_all_that_remain,
         a_monitor_moves_and_shrinks_while_it_is_shown, the_screen_changes_its_size_under_a_chosen_monitor,
         the_choice_outlives_a_pause_and_a_lost_line)
