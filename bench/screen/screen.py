"""From the customer's screen to the operator's: what is drawn on display A is looked for on display B, with both tools, their windows,
the servers and all encryption in between. One JSON line for each line and workload.

net      direct: no session, drawing and looking on one display: what the bench itself costs
         lan: cables without limits; 5M25: 5 Mbit/s and 25 ms each way at the customer's end, a router's queue of 200 ms
drawn_per_s, upd_per_s   frames drawn on A; different frames seen on B, while there is activity
lat_p50_ms, lat_p95_ms   from just before a frame is drawn on A until it, or a newer one, is seen on B: frames left out count
key_p50_ms   from a key pressed on B until the mark that the program on A changes at it is seen on B
kb_per_s     what the customer's network interface sent (headers included), from the first frame until 1 s after the last, a second of activity
cpu_*        cores, over the same time, a second of activity: all threads and children of the customer's tool, the operator's, the relay
psnr_1s, exact_1s   B against A 1 s after the last frame: dB (99: equal), share of equal px; exact_after_s: when all were equal (null: not within 12 s)

(The customer's bar has a clock: once a second a few of its px differ for as long as a change takes. Of `photo`, which draws one frame
a second, exact_after_s cannot be less than 1.)
"""

import argparse
import glob
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "e2e"))

from gui import Desktop  # noqa: E402
from rig import Failed, Program, Rig, in_ns, need_root, run  # noqa: E402
from service import Service  # noqa: E402
from tools import Client, OperatorTool, pair  # noqa: E402

WORKLOADS = ("typing", "scroll", "window", "photo", "video", "fullvideo", "idle", "key", "key_scroll")
WITH_KEYS = ("key", "key_scroll")
LINES = {"lan": None, "5M25": (5000, 25, 200)}  # kbit/s, ms one way, ms of queue
SIZE = "1920x1080"
SETTLE_MS = 12000
FRAMES = 1 << 14  # strip.h
ADDRESS = "10.83.0.1"


def say(**fields):
    print(json.dumps(fields), flush=True)


# ---- what it costs ----


def tree(pid):
    """The process and all its descendants."""
    found = {pid}
    parents = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        parents[int(path.split("/")[2])] = int(fields[1])
    grown = True
    while grown:
        more = {p for p, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found


def cpu_s(pid):
    """Seconds that all its threads have run, to the nanosecond where the kernel counts them so."""
    total = 0.0
    for member in tree(pid):
        for task in glob.glob(f"/proc/{member}/task/*"):
            try:
                with open(task + "/schedstat") as f:
                    total += int(f.read().split()[0]) / 1e9
            except (OSError, IndexError):
                pass
    return total


def sent_bytes(ns, device):
    out = json.loads(run(["ip", "-n", ns, "-s", "-j", "link", "show", "dev", device]))
    return out[0]["stats64"]["tx"]["bytes"]


# ---- the world between the displays ----


class Session:
    """Customer and operator in a session, each in a network of its own; the operator's window fills his display."""

    def __init__(self, rig, net):
        self.rig = rig
        self.hub, self.host, self.view = (rig.namespace(n) for n in ("hub", "host", "view"))
        run(["ip", "-n", self.hub, "addr", "add", f"{ADDRESS}/32", "dev", "lo"])
        rig.connect(self.view, self.hub, 2)
        self.device = self._thin(*LINES[net]) if LINES[net] else rig.connect(self.host, self.hub, 1)[0]
        service = self._start_servers()
        a, b = (Desktop(rig, SIZE, name=name) for name in ("customer", "operator"))
        self.client = Client.of(service, a, prefix=in_ns(self.host))
        self.operator = OperatorTool.of(service, b, prefix=in_ns(self.view))
        self.operator.log_in()
        pair(self.client, self.operator, "Control")
        self.operator.press("Full screen", role="toggle button")
        b.wait_for("drawing area").centre()  # it has come to rest
        self.a, self.b = a.display, b.display
        for desktop in (a, b):
            desktop.end_driver()  # nothing of ours shall count as the tools' work

    def _thin(self, kbit, delay_ms, queue_ms):
        line = Program(self.rig, "line", [self.rig.exe("screen_line", "bench/screen"), self.host, "line0", self.hub, "line0", str(kbit),
                                          str(delay_ms), str(queue_ms)])
        line.wait("up")
        for ns, last in ((self.host, 2), (self.hub, 1)):
            run(["ip", "-n", ns, "addr", "add", f"10.83.1.{last}/24", "dev", "line0"])
            run(["ip", "-n", ns, "link", "set", "line0", "up"])
        run(["ip", "-n", self.host, "route", "add", "default", "via", "10.83.1.1"])
        return "line0"

    def _start_servers(self):
        service = Service(self.rig, addresses={1: (f"{ADDRESS}:443", f"{ADDRESS}:8444", "127.0.0.1:9465")}, prefix=in_ns(self.hub))
        service.add_company()
        service.add_operator()
        service.start_manager()
        self.rig.add_relay(1, f"{ADDRESS}:444")
        self.relay = service.start_relay(1)
        return service

    def costs(self):
        pids = {"host": self.client.program.pid, "viewer": self.operator.program.pid, "relay": self.relay.pid}
        return {"bytes": sent_bytes(self.host, self.device), **{role: cpu_s(pid) for role, pid in pids.items()}}


class NoSession:
    def __init__(self, rig):
        self.a = self.b = rig.start_display(SIZE)

    def costs(self):
        return {}


# ---- one measurement ----


def percentile(values, percent):
    values = sorted(values)
    return values[(len(values) - 1) * percent // 100] if values else None


def ms(us):
    return None if us is None else round(us / 1000, 1)


def latencies(drawn, seen):
    """Of each drawn frame until it or a newer one was seen, µs; how many never were."""
    found, at = [], 0
    for number, when in drawn:
        while at < len(seen) and (seen[at][1] < when or (seen[at][0] - number) % FRAMES > FRAMES // 2):
            at += 1
        if at < len(seen):
            found.append(seen[at][1] - when)
    return found, len(drawn) - len(found)


def per_second(before, after, seconds):
    used = {k: (after[k] - before[k]) / seconds for k in after}
    cores = {f"cpu_{role}": round(used[role], 4) if role in used else None for role in ("host", "viewer", "relay")}
    return {"kb_per_s": round(used["bytes"] / 1000, 1) if "bytes" in used else None, **cores}


def figures(drawn, seen, seconds):
    found, lost = latencies(drawn, seen["frames"])
    start, end = drawn[0][1], drawn[0][1] + seconds * 1e6
    updates = {number for number, when in seen["frames"] if start <= when <= end}
    return {"drawn_per_s": round(len(drawn) / seconds, 1), "upd_per_s": round(len(updates) / seconds, 1),
            "lat_p50_ms": ms(percentile(found, 50)), "lat_p95_ms": ms(percentile(found, 95)),
            "key_p50_ms": ms(percentile(seen["keys_us"], 50)), "keys": len(seen["keys_us"]), "keys_lost": seen["keys_lost"], "frames_lost": lost}


def measure(world, load, watch, workload, seconds):
    shown = load.ask(f"show {workload}", "shown")
    now_us = time.monotonic_ns() // 1000
    watch.ask(f"settle {now_us} {SETTLE_MS}", "settled")  # what went before is no part of it
    watch.ask(f"watch {shown['x']} {shown['y']} {int(workload in WITH_KEYS)}", "watching")
    before = world.costs()
    drawn = load.ask(f"go {seconds * 1000}", "rest", limit=seconds + 30)["frames"]
    if not drawn:
        raise Failed(f"{workload}: nothing was drawn")
    watch.say(f"settle {drawn[-1][1]} {SETTLE_MS}")
    time.sleep(max(0, drawn[-1][1] / 1e6 + 1 - time.monotonic()))
    after = world.costs()
    settled = watch.wait("settled")
    seen = watch.ask("tell", "seen")
    return {**figures(drawn, seen, seconds), **per_second(before, after, seconds),
            **{k: settled[k] for k in ("psnr_1s", "exact_1s", "exact_after_s")}}


def measure_all(net, workloads, seconds, shots):
    with Rig() as rig:
        world = NoSession(rig) if net == "direct" else Session(rig, net)
        load = Program(rig, "load", [rig.exe("screen_load", "bench/screen"), world.a])
        watch = Program(rig, "watch", [rig.exe("screen_watch", "bench/screen"), world.b, world.a])
        load.ask(f"show {workloads[0]}", "shown")
        watch.ask("point 1700 1000", "pointed")  # from here on the keyboard is the customer's
        for workload in workloads:
            say(bench="screen", net=net, workload=workload, **measure(world, load, watch, workload, seconds))
            if shots:
                run(["import", "-display", world.b, "-window", "root", os.path.join(shots, f"{net}-{workload}.png")])


def main():
    parser = argparse.ArgumentParser(prog="./run bench screen", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="?", default=",".join(WORKLOADS), help="by default all: %(default)s")
    parser.add_argument("--quick", action="store_true", help="3 s each and not 8 s")
    parser.add_argument("--net", default="direct,lan,5M25", help="by default all: %(default)s")
    parser.add_argument("--shots", help="a folder for pictures of B after each workload")
    args = parser.parse_args()
    workloads, nets = args.workloads.split(","), args.net.split(",")
    unknown = (set(workloads) - set(WORKLOADS)) | (set(nets) - {"direct", *LINES})
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if nets != ["direct"]:
        need_root()
    failed = False
    for net in nets:
        try:
            measure_all(net, workloads, 3 if args.quick or net == "direct" else 8, args.shots)
        except Failed as e:
            failed = True
            print(e, file=sys.stderr)
            say(bench="screen", net=net, error=str(e).splitlines()[0])
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
