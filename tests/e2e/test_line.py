"""Killed relays and cut cables: the picture goes on by itself, with the same check code, and nothing is lost or doubled.

TRIES=20 is what `./run bench line` uses; the test makes fewer."""

import json
import os
import statistics
import time

from rig import Failed, in_ns, main, need_root, run, until

TRIES = int(os.environ.get("TRIES", "3"))
HERE = os.path.dirname(os.path.abspath(__file__))


class Line:
    """Two relays in a hub, a busy display, two ends in namespaces of their own."""

    def __init__(self, rig):
        need_root()
        self.rig = rig
        self.hub, self.host_ns, self.viewer_ns = rig.network()
        for i in (1, 2):
            rig.add_relay(i, f"10.83.0.{i}:443")
        rig.issue()
        self.relays = {}
        for i in (1, 2):
            self.start(i)
        self.display = rig.start_display("640x480")
        rig.start_on(self.display, ["/usr/bin/python3", os.path.join(HERE, "draw.py"), "busy", "50"], "busy")
        self.host = rig.start_host(self.display, prefix=in_ns(self.host_ns))
        self.viewer = rig.start_viewer(prefix=in_ns(self.viewer_ns))
        self.code = rig.join(self.host, self.viewer)
        self.viewer.say("frames on")
        self.viewer.say("view on")
        self.viewer.wait("frame")
        self.sent = {"host": 0, "viewer": 0}

    def start(self, i):
        self.relays[i] = self.rig.start_relay(i, prefix=in_ns(self.hub), name=f"relay{i}-{len(self.rig.programs)}")

    def relay_now(self):
        return self.viewer.ask("figures", "figures")["relay"]

    def say(self):
        """One numbered chat line each way."""
        for name, end in (("host", self.host), ("viewer", self.viewer)):
            self.sent[name] += 1
            end.say(f"chat {name} {self.sent[name]}")

    def frames_until(self, broke, limit=30):
        """Waits for a frame whose session resumed after `broke`; the longest time without a frame since then, seconds."""
        end = time.monotonic() + limit
        while True:
            times = [e["at_us"] / 1e6 for e in self.viewer.events if e["event"] == "frame" and e["result"] == "OK"]
            before = [t for t in times if t <= broke]
            after = [t for t in times if t > broke]
            gaps = [b - a for a, b in zip([max(before)] + after, after)]
            if after and max(after) > broke + 3.2:
                return max(gaps)
            if time.monotonic() > end:
                raise Failed(f"no picture for {limit} s\n{self.viewer.tail()}\n{self.host.tail()}")
            time.sleep(0.05)

    def check_chat(self):
        for name, end in (("host", self.viewer), ("viewer", self.host)):
            want = [f"{name} {i}" for i in range(1, self.sent[name] + 1)]

            def got():
                return [e["text"] for e in end.events if e["event"] == "chat"]

            until(f"all chat lines from the {name}", lambda: len(got()) >= len(want), limit=20)
            assert got() == want, f"lost, doubled or out of order: {got()[-5:]} instead of {want[-5:]}"

    def check_code_unchanged(self):
        codes = [e["code"] for e in self.host.events if e["event"] == "check_code"]
        assert codes == [self.code], codes


def cut(hub, address, sources):
    run(["ip", "netns", "exec", hub, "nft", "-f", "-"], input=(
        "table inet cut {\n chain in { type filter hook input priority 0;\n"
        + "".join(f"  ip saddr {s} ip daddr {address} drop\n" for s in sources)
        + " }\n chain out { type filter hook output priority 0;\n"
        + "".join(f"  ip daddr {s} ip saddr {address} drop\n" for s in sources)
        + " }\n}\n").encode())


def mend(hub):
    run(["ip", "netns", "exec", hub, "nft", "delete", "table", "inet", "cut"])


def report(what, gaps):
    gaps = sorted(gaps)
    p95 = gaps[min(len(gaps) - 1, int(len(gaps) * 0.95))]
    print("     " + json.dumps({"bench": "line", "case": what, "tries": len(gaps), "median_s": round(statistics.median(gaps), 3),
                                "p95_s": round(p95, 3), "worst_s": round(gaps[-1], 3)}), flush=True)


def a_killed_relay_is_survived(rig):
    line = Line(rig)
    gaps = []
    for _ in range(TRIES):
        i = line.relay_now()
        line.say()
        broke = time.monotonic()
        line.relays[i].kill()
        line.say()
        gaps.append(line.frames_until(broke))
        line.relays[i].proc.wait()
        line.start(i)
        line.check_chat()
    line.check_code_unchanged()
    report("relay killed with -9", gaps)


def a_cut_cable_is_survived(rig):
    line = Line(rig)
    for what, sources in (("customer's cable to the relay cut", ["10.83.1.2"]), ("operator's cable to the relay cut", ["10.83.2.2"]),
                          ("relay's own cable cut", ["10.83.1.2", "10.83.2.2"])):
        gaps = []
        for _ in range(TRIES):
            i = line.relay_now()
            line.say()
            broke = time.monotonic()
            cut(line.hub, f"10.83.0.{i}", sources)
            line.say()
            gaps.append(line.frames_until(broke))
            mend(line.hub)
            line.check_chat()
        report(what, gaps)
    line.check_code_unchanged()


def a_customer_whose_whole_line_is_gone_for_a_while_comes_back(rig):
    line = Line(rig)
    for _ in range(2):
        line.say()
    run(["ip", "-n", line.host_ns, "link", "set", "v1a", "down"])
    line.say()
    time.sleep(6)
    run(["ip", "-n", line.host_ns, "link", "set", "v1a", "up"])
    run(["ip", "-n", line.host_ns, "route", "replace", "default", "via", "10.83.1.1"])
    back = time.monotonic()
    line.frames_until(back, limit=60)
    line.check_chat()
    line.check_code_unchanged()


def a_relay_that_is_told_to_go_hands_its_sessions_over(rig):
    line = Line(rig)
    gaps = []
    for _ in range(TRIES):
        i = line.relay_now()
        line.say()
        broke = time.monotonic()
        line.relays[i].kill(15)
        line.say()
        gaps.append(line.frames_until(broke))
        assert line.relays[i].exit_code() == 0
        line.start(i)
        line.check_chat()
    line.check_code_unchanged()
    report("relay told to go (SIGTERM)", gaps)


if __name__ == "__main__":
    main(
        a_killed_relay_is_survived,
        a_cut_cable_is_survived,
        a_customer_whose_whole_line_is_gone_for_a_while_comes_back,
        a_relay_that_is_told_to_go_hands_its_sessions_over,
    )
