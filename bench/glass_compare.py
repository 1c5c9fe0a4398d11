"""Ratios of what glass measured: {"bench":"glass","workload":..,"ours":..,"peer":..} for each workload that both did."""

import json
import sys

FIGURES = ("lat_p50", "lat_p95", "key_p50", "upd_per_s")


def cores(run, role):
    return run.get("cpu", {}).get(role)


def wire_kB(run):
    """Per second of activity, from the sharer."""
    return round(run["wire_up"] / 1000, 1) if "wire_up" in run else None


def line(run):
    said = {k: run[k] for k in FIGURES if run.get(k) is not None}
    said.update(wire_kB_per_s=wire_kB(run), sharer_cores=cores(run, "sharer"), viewer_cores=cores(run, "viewer"), exact_1s=run.get("exact_1s"))
    return said


def main():
    runs = {}
    with open(sys.argv[1]) as f:
        for text in f:
            run = json.loads(text)
            of = runs.setdefault(run["workload"], {})
            name = run["peer"].split(":")[0]
            if "error" not in run or name not in of:
                of[name] = run
    for workload, of in runs.items():
        ours, peer = of.get("tasuki", {}), next((r for name, r in of.items() if name != "tasuki"), {})
        errors = {name: r["error"] for name, r in of.items() if "error" in r}
        if errors or not ours or not peer:
            print(json.dumps({"bench": "glass", "workload": workload, "error": errors or "only one of the two ran"}))
            continue
        a, b = line(ours), line(peer)
        ratios = {k: round(a[k] / b[k], 3) for k in a if isinstance(a[k], (int, float)) and isinstance(b.get(k), (int, float)) and b[k]}
        print(json.dumps({"bench": "glass", "net": ours["net"], "workload": workload, "ours": a, "peer_name": peer["peer"], "peer": b, "ours_to_peer": ratios}))


if __name__ == "__main__":
    main()
