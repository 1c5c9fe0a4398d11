"""Tasuki under a glass-to-glass harness (see peer-tasuki): `server` starts management server and two relays, `sharer` the customer's tool
on display A, `viewer` the operator's on display B. Each drives its tool's windows as the person in front of it would; what the two say to
each other on the phone (the number, the check code) goes through files in GLASS_DIR."""

import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

from gui import Desktop  # noqa: E402
from rig import Failed, Rig, until  # noqa: E402
from service import Service  # noqa: E402
from tools import Client, OperatorTool, fill  # noqa: E402

FOLDER = os.environ.get("GLASS_DIR", "")


def put(name, text):
    with open(os.path.join(FOLDER, name + ".new"), "w") as f:
        f.write(text)
    os.rename(os.path.join(FOLDER, name + ".new"), os.path.join(FOLDER, name))


def take(name):
    path = os.path.join(FOLDER, name)
    until(f"{name} of the other side", lambda: os.path.exists(path))
    with open(path) as f:
        return f.read()


def server(rig):
    ip = os.environ["GLASS_S_IP"]
    service = Service(rig, addresses={1: (f"{ip}:443", f"{ip}:8444", "127.0.0.1:9465")})
    service.add_company()
    service.add_operator()
    service.start_manager()
    for relay in (1, 2):
        rig.add_relay(relay, f"{ip}:{443 + relay}")
        service.start_relay(relay)
    for program, where in (("tasuki-client", "src/customer"), ("tasuki-operator", "src/operator")):
        fill(service, rig.exe(program, where), os.path.join(FOLDER, program))
    put("ready", "1")


def done_with(desktop):
    """The tool goes on alone: nothing of ours shall count as its work."""
    desktop.end_driver()


def sharer(rig):
    take("ready")
    desktop = Desktop(rig, name="customer", display=os.environ["GLASS_A"])
    client = Client(desktop, os.path.join(FOLDER, "tasuki-client"))
    client.agree()
    client.wait_for("text", "Reception number").set_text(take("number"))
    client.press("Connect")
    client.choose("Control")
    client.allow_operator()
    put("code", client.check_code())
    client.wait_for("push button", "Take back control")
    to_the_side(desktop)
    put("working", "1")
    done_with(desktop)


def to_the_side(desktop):
    """The bar lies where the harness draws its marks: a person would drag it away as well."""
    bar = desktop.wait_for("window", re.compile("bar", re.I))
    x, y, width, height = bar.bounds
    desktop.drag(x + width // 3, y + 3, 4000, y + 3)


def viewer(rig):
    take("ready")
    desktop = Desktop(rig, name="operator", display=os.environ["GLASS_B"], has_window_manager=False)
    operator = OperatorTool(desktop, [os.path.join(FOLDER, "tasuki-operator")], "operator")
    operator.log_in()
    put("number", operator.issue())
    operator.answer()
    operator.code(take("code"))
    take("working")
    operator.press("Full screen", role="toggle button")
    desktop.wait_for("drawing area").centre()  # it has come to rest
    desktop.click_at(930, 22)  # the customer's bar, where it does nothing: from here on the keyboard is the customer's
    done_with(desktop)


def main():
    verbs = {"server": server, "sharer": sharer, "viewer": viewer}
    if sys.argv[1:] == ["info"]:
        print("server=1\nserver_wait=0\nsharer_wait=0\nwm=1\nwarm=6\nwait=60")
        return
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        sys.exit("peer-tasuki info | server | sharer | viewer")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Rig() as rig:
        try:
            verbs[sys.argv[1]](rig)
        except Failed as e:
            sys.exit(str(e))
        signal.pause()


if __name__ == "__main__":
    main()
