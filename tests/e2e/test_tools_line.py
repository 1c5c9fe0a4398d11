#!/usr/bin/python3
"""A customer's cable is cut and mended, in the middle of a session with both tools' windows.

All servers and the operator are in a network of this process's own, so that nothing else on this machine notices; the customer has a
cable to it, which can be cut."""

import os
import re
import sys

import rig as rigs
import tools_world
from rig import in_ns, run
from service import Service
from test_tools_ends import LINE_LOST, RECONNECTING
from test_tools_session import Xev, keys_held, mark
from tools_world import View, World

SERVER, CUSTOMER = "10.83.1.1", "10.83.1.2"


class Wires(World):
    def __init__(self, rig):
        self.customer_ns = rig.namespace("home")
        run(["ip", "link", "set", "lo", "up"])
        run(["ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.customer_ns])
        for where, address in (((), SERVER), (("-n", self.customer_ns), CUSTOMER)):
            run(["ip", *where, "addr", "add", address + "/24", "dev", "cable"])
            run(["ip", *where, "link", "set", "cable", "up"])
        super().__init__(rig)

    def make_service(self):
        s = Service(self.rig, addresses={1: (f"{SERVER}:8443", "127.83.1.1:8444", "127.0.0.1:9465")})
        s.add_company()
        s.add_operator()
        s.start_manager()
        for i in (1, 2):
            self.rig.add_relay(i, f"{SERVER}:{8450 + i}")
            s.start_relay(i)
        return s


def cut():
    """Nothing goes through the cable any more, and nobody is told."""
    run(["nft", "-f", "-"], input=(f"table inet cut {{\n chain in {{ type filter hook input priority 0;\n  ip saddr {CUSTOMER} drop\n }}\n"
                                   f" chain out {{ type filter hook output priority 0;\n  ip daddr {CUSTOMER} drop\n }}\n}}\n").encode())


def mend():
    run(["nft", "delete", "table", "inet", "cut"])


def a_cut_cable_is_told_and_comes_back_by_itself(world):
    cl, op = world.session("Control", client={"prefix": in_ns(world.customer_ns)})
    xev = Xev(world)
    view = View(op)
    for n in range(2):
        xev.skip()
        view.click(*xev.middle())
        op.desktop._xdo("keydown", "a")
        xev.wait("a held key", lambda ev: ("KeyPress", "a") in ev)
        cut()
        world.home.wait_for("label", cl.say(LINE_LOST), window=cl.say("Session bar"))
        op.wait_for(None, RECONNECTING)
        world.home.until("the key is let go", lambda: not keys_held(world.home.display))
        op.desktop._xdo("keyup", "a")
        mend()
        world.home.wait_gone("label", cl.say(LINE_LOST), window=cl.say("Session bar"))
        op.desktop.wait_gone(None, op.say(RECONNECTING))
        mark(world, cl, op, f"there you are again {n}")
    xev.skip()
    view.click(*xev.middle())
    op.desktop.type("b")
    xev.wait("keys again", lambda ev: ("KeyPress", "b") in ev)
    xev.close()
    op.press("End")
    kinds = world.events(world.ended("operator"))
    assert kinds.count("suspended") == kinds.count("resumed"), kinds  # a short cut is over before it counts as one


def a_customer_who_does_not_come_back_is_given_up_by_the_operator(world):
    cl, op = world.session("Control", client={"prefix": in_ns(world.customer_ns)})
    cut()
    try:
        op.wait_for(None, RECONNECTING)
        op.press("End")
        op.wait_for("heading", "The session has ended")
        world.ended("operator")
    finally:
        mend()
    told = ("The operator ended the session.", "The support desk ended the session.")  # by the relay that kept it, or by the server
    cl.desktop.wait_for("label", re.compile("|".join(re.escape(cl.say(text)) for text in told)))


def in_a_network_of_our_own():
    """This program once more, there."""
    rigs.need_root()
    if os.environ.get("TASUKI_OWN_NETWORK") != "1":
        os.execvpe("unshare", ["unshare", "--net", sys.executable, *sys.argv], dict(os.environ, TASUKI_OWN_NETWORK="1"))


if __name__ == "__main__":
    in_a_network_of_our_own()
    tools_world.main(Wires, a_cut_cable_is_told_and_comes_back_by_itself, a_customer_who_does_not_come_back_is_given_up_by_the_operator)
