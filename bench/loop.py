"""The control loop at 1, 8 and 80 Mbit/s through a real relay: one JSON line per case. The line is thin (tbf) at the
customer's end or at the operator's; frames are always changing noise worth 20 ms
of the line (10 ms at 80 Mbit/s); input flows the other way.

Goals (docs/protocol.md section 5): p95 age <= 130 / 70 / 60 ms, >= 95 % of the rate, input p95 <= 20 ms."""

import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "e2e"))

from rig import Program, Rig, in_ns, need_root, run  # noqa: E402

SECONDS = float(os.environ.get("LOOP_SECONDS", "12"))
GOALS = {1: 130, 8: 70, 80: 60}


def thin(ns, dev, mbit):
    burst = max(3200, int(mbit * 1e6 / 8 / 250))  # what one tick of the kernel's clock may let through
    run(["ip", "netns", "exec", ns, "tc", "qdisc", "add", "dev", dev, "root", "tbf", "rate", f"{mbit}mbit", "burst", str(burst),
         "latency", "400ms"])


def sent_bytes(ns, dev):
    out = json.loads(run(["ip", "-n", ns, "-s", "-j", "link", "show", "dev", dev]))
    return out[0]["stats64"]["tx"]["bytes"]


def case(mbit, where):
    with Rig() as rig:
        hub, host_ns, viewer_ns = rig.network()
        thin_ns, thin_dev = (host_ns, "v1a") if where == "customer" else (hub, "v2b")
        thin(thin_ns, thin_dev, mbit)
        rig.add_relay(1, "10.83.0.1:443")
        rig.issue()
        rig.start_relay(1, prefix=in_ns(hub))
        exe = rig.exe("bench_loop", "bench")
        frame = int(mbit * 1e6 / 8 * (0.020 if mbit < 50 else 0.010))  # noise is dear to code: more would measure the codec
        host = Program(rig, "host", in_ns(host_ns, exe, "host", rig.path("host.end"), str(frame)))
        viewer = Program(rig, "viewer", in_ns(viewer_ns, exe, "viewer", rig.path("viewer.end")))
        rig.join(host, viewer)
        viewer.say("view")
        viewer.say("input")
        time.sleep(4)  # the loop learns the path
        for p in (host, viewer):
            p.say("start")
        before, start = sent_bytes(thin_ns, thin_dev), time.monotonic()
        time.sleep(SECONDS)
        after, took = sent_bytes(thin_ns, thin_dev), time.monotonic() - start
        age = viewer.ask("stop", "result")
        inputs = host.ask("stop", "result")
        used = (after - before) * 8 / took / (mbit * 1e6)
        print(json.dumps({
            "bench": "loop", "mbit": mbit, "thin_at": where, "frames": age["n"],
            "age_p50_ms": round(age["p50_us"] / 1e3, 1), "age_p95_ms": round(age["p95_us"] / 1e3, 1), "goal_age_p95_ms": GOALS[mbit],
            "used_of_rate": round(used, 3), "input_p50_ms": round(inputs["p50_us"] / 1e3, 2),
            "input_p95_ms": round(inputs["p95_us"] / 1e3, 2), "believed_mbit": round(inputs["rate_Bps"] * 8 / 1e6, 2),
            "min_rtt_ms": round(inputs["min_rtt_us"] / 1e3, 2),
        }), flush=True)


if __name__ == "__main__":
    need_root()
    for mbit in map(int, sys.argv[1:] or ("1", "8", "80")):
        for where in ("customer", "operator"):
            case(mbit, where)
