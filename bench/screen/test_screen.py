#!/usr/bin/python3
"""What `./run bench screen` measures with is itself measured: the line's delay, rate and queue; that what is drawn is seen, and keys are
answered; the arithmetic."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import screen  # noqa: E402
from rig import Program, in_ns, main, run  # noqa: E402

KBIT, DELAY_MS, QUEUE_MS = 1000, 20, 100
PACKET, PACKETS = 1250 - 28, 40  # with its headers a packet takes 10 ms of the line

RECEIVE = """
import json, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.84.0.2", 5000))
print(json.dumps({"event": "ready"}), flush=True)
s.settimeout(20)
came = []
while True:
    data = s.recv(2000)
    if data == b"end":
        break
    came.append(time.monotonic())
    s.settimeout(5)
    sent = float(data[:20])
    print(json.dumps({"event": "came", "after_ms": (came[-1] - sent) * 1000}), flush=True)
print(json.dumps({"event": "done"}), flush=True)
"""
SEND = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range({PACKETS}):
    s.sendto(("%020.6f" % time.monotonic()).encode().ljust({PACKET}, b"x"), ("10.84.0.2", 5000))
time.sleep(0.5)
s.sendto(b"end", ("10.84.0.2", 5000))
"""


def a_line_has_its_delay_rate_and_queue(rig):
    if os.geteuid() != 0:
        print("passed over: network namespaces need root")
        return
    ends = [rig.namespace(name) for name in ("la", "lb")]
    line = Program(rig, "line", [rig.exe("screen_line", "bench/screen"), ends[0], "line0", ends[1], "line0", str(KBIT), str(DELAY_MS),
                                 str(QUEUE_MS)])
    line.wait("up")
    for i, ns in enumerate(ends):
        run(["ip", "-n", ns, "addr", "add", f"10.84.0.{i + 1}/24", "dev", "line0"])
        run(["ip", "-n", ns, "link", "set", "line0", "up"])
    receiver = Program(rig, "receiver", in_ns(ends[1], sys.executable, "-c", RECEIVE))
    receiver.wait("ready")
    subprocess.run(in_ns(ends[0], sys.executable, "-c", SEND), check=True)
    receiver.wait("done")
    came = [e["after_ms"] for e in receiver.events if e["event"] == "came"]
    # The first needs its 10 ms and the delay; each next one 10 ms more, until the queue is full.
    assert DELAY_MS + 9 < came[0] < DELAY_MS + 60, came
    assert QUEUE_MS / 10 - 2 <= len(came) <= QUEUE_MS / 10 + 6, came
    assert max(came) < DELAY_MS + QUEUE_MS + 60, came
    line.proc.stdin.close()
    lost = line.wait("down")["lost"]
    assert lost[0] >= PACKETS - len(came), (lost, came)


def what_is_drawn_is_seen(rig):
    world = screen.NoSession(rig)
    load = Program(rig, "load", [rig.exe("screen_load", "bench/screen"), world.a])
    watch = Program(rig, "watch", [rig.exe("screen_watch", "bench/screen"), world.b, world.a])
    for workload in ("typing", "key", "scroll", "video"):
        got = screen.measure(world, load, watch, workload, 1)
        assert got["drawn_per_s"] > 0 and got["frames_lost"] == 0 and got["lat_p50_ms"] is not None, (workload, got)
        assert got["exact_1s"] == 1 and got["psnr_1s"] == 99 and got["exact_after_s"] is not None, (workload, got)
        assert got["keys_lost"] == 0 and (got["keys"] > 0) == (workload in screen.WITH_KEYS), (workload, got)


def figures_are_right(rig):
    del rig
    drawn = [[16382, 1000], [16383, 2000], [0, 3000], [1, 4000]]
    seen = [[16381, 500], [16383, 2600], [1, 9000]]
    assert screen.latencies(drawn, seen) == ([1600, 600, 6000, 5000], 0)
    assert screen.latencies(drawn + [[2, 9500]], seen)[1] == 1
    told = screen.figures(drawn, {"frames": seen, "keys_us": [5000, 7000, 90000], "keys_lost": 1}, 2)
    assert told["drawn_per_s"] == 2 and told["upd_per_s"] == 1 and told["key_p50_ms"] == 7.0, json.dumps(told)


if __name__ == "__main__":
    main(a_line_has_its_delay_rate_and_queue, what_is_drawn_is_seen, figures_are_right)
