#!/usr/bin/python3
"""What the tests of a suite need, as targets of ninja, one a line: suite-targets.py BUILD SUITE."""

import json
import os
import subprocess
import sys


def introspect(build, what):
    return json.loads(subprocess.run(["meson", "introspect", build, what], check=True, stdout=subprocess.PIPE).stdout)


def main(build, suite):
    files = {target["id"]: target["filename"] for target in introspect(build, "--targets")}
    tests = [t for t in introspect(build, "--tests") if suite in (name.split(":")[-1] for name in t["suite"])]
    if not tests:
        sys.exit(f"suite-targets: no test is of the suite {suite}")
    wanted = {path for test in tests for target in test["depends"] for path in files[target]}
    print("\n".join(sorted(os.path.relpath(path, os.path.realpath(build)) for path in wanted)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
