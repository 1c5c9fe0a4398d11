#!/usr/bin/python3
"""What the tests themselves stand on."""

import rig as rigs
from rig import in_ns, run


def size_seen(ns, display):
    return run(in_ns(ns, "xdotool", "getdisplaygeometry"), env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "DISPLAY": display}).split()


def displays_of_two_networks_are_told_apart_from_a_third(rig):
    """X programs reach a server in another network namespace by its socket's file, and those are the machine's, not a network's."""
    rigs.need_root()
    one, other, third = (rig.namespace(name) for name in ("one", "other", "third"))
    first = rig.start_display("320x200", prefix=in_ns(one), name="first")
    second = rig.start_display("640x400", prefix=in_ns(other), name="second")
    assert size_seen(third, first) == ["320", "200"], (first, second)
    assert size_seen(third, second) == ["640", "400"], (first, second)


if __name__ == "__main__":
    rigs.main(displays_of_two_networks_are_told_apart_from_a_third)
