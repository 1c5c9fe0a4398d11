"""Pictures of a display as somebody else sees them and whether the viewer's picture is the same, pixel by pixel."""

import os
import time

import draw
from rig import Failed, GIVE_UP_S, run


class Picture:
    def __init__(self, width, height, rgb):
        self.width, self.height, self.rgb = width, height, rgb

    def __eq__(self, other):
        return other is not None and (self.width, self.height, self.rgb) == (other.width, other.height, other.rgb)

    def differing(self, other):
        """How many pixels differ; -1: other size."""
        if (self.width, self.height) != (other.width, other.height):
            return -1
        if self.rgb == other.rgb:
            return 0
        return sum(self.rgb[i : i + 3] != other.rgb[i : i + 3] for i in range(0, len(self.rgb), 3))


def read_ppm(path):
    with open(path, "rb") as f:
        data = f.read()
    kind, size, most, rgb = data.split(b"\n", 3)
    assert kind == b"P6" and most == b"255", "not a PPM"
    width, height = map(int, size.split())
    return Picture(width, height, rgb)


def of_display(display, env=None):
    """The root window as another program than ours gets it."""
    d = draw.Display(display, (env or {}).get("XAUTHORITY"))
    width, height, rgb = d.image()
    d.sock.close()
    return Picture(width, height, rgb)


def of_viewer(rig, viewer, name="viewer.ppm"):
    path = os.path.join(rig.viewer_dir, name)
    got = viewer.ask(f"save {path}", "saved")
    if got["result"] not in ("OK", "ABSENT"):
        raise Failed(f"the viewer could not save its picture: {got}")
    return read_ppm(path) if got["result"] == "OK" else None


def to_png(path, picture):
    run(["convert", "-size", f"{picture.width}x{picture.height}", "-depth", "8", "rgb:-", f"png:{path}"], input=picture.rgb)


def at_rest(display, env=None, limit=GIVE_UP_S):
    """Waits until nothing has changed on the display for half a second."""
    start = last_change = time.monotonic()
    before = of_display(display, env)
    while time.monotonic() - last_change < 0.5:
        now = of_display(display, env)
        if now != before:
            before, last_change = now, time.monotonic()
        if time.monotonic() - start > limit:
            raise Failed(f"the display does not come to rest within {limit} s")
        time.sleep(0.05)


def equal_at_rest(rig, viewer, display, env=None, limit=GIVE_UP_S):
    """Waits until both pictures are the same in three samples in a row. Seconds that took."""
    start = time.monotonic()
    same = 0
    left = None
    while same < 3:
        seen = of_viewer(rig, viewer)
        real = of_display(display, env)
        same = same + 1 if seen is not None and seen == real else 0
        if time.monotonic() - start > limit:
            left = real.differing(seen) if seen else "all"
            raise Failed(f"the pictures still differ in {left} pixels after {limit} s\n{viewer.tail()}")
    return time.monotonic() - start
