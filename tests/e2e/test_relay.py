"""Starts relays and lets test_relay.c loose on them. "slow" as first argument: the tests that need half a minute, all at once."""

import os
import subprocess
import sys

import rig as rig_module
from rig import Failed, main

TESTER = os.environ.get("TASUKI_TEST_RELAY") or os.path.join(os.environ.get("TASUKI_BUILD") or "build", "tests", "e2e",
                                                             "test_relay")


def start(rig, extra="threads = 2"):
    rig.add_relay(1)
    rig.issue()
    return rig.start_relay(1, extra)


def arguments(rig, relay, *more):
    return [TESTER, rig.dir, rig.relays[1][0], "1", str(relay.pid), *more]


def check(rig, relay):
    """It is still there, and goes when it is told to, without a complaint of the sanitizers."""
    if relay.proc.poll() is not None:
        raise Failed(f"the relay died\n{relay.log()[-4000:]}")
    relay.kill(15)
    code = relay.exit_code()
    if code != 0 or "Sanitizer" in relay.log() or "runtime error" in relay.log():
        raise Failed(f"the relay ended with {code}\n{relay.log()[-8000:]}")


def run_group(rig, group, extra):
    relay = start(rig, extra)
    code = subprocess.run(arguments(rig, relay, group, os.environ.get("TEST", "*"))).returncode
    check(rig, relay)
    assert code == 0, f"{code} tests failed"


def honest_and_hostile_ends(rig):
    run_group(rig, "fast", "threads = 2")


def few_strangers(rig):
    run_group(rig, "narrow", "threads = 1\nmax_unauthenticated_per_source = 4")


def slow_ones_side_by_side(rig):
    relay = start(rig, 'log_level = "debug"')
    names = subprocess.run([TESTER + "_slow"], stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    running = {name: subprocess.Popen([TESTER + "_slow", *arguments(rig, relay, "slow", name)[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
               for name in names}
    failed = []
    for name, proc in running.items():
        said = proc.communicate()[0].decode(errors="replace")
        print(said)
        if proc.returncode != 0:
            failed.append(name)
    if failed:
        print(relay.log()[-6000:])
    check(rig, relay)
    assert not failed, failed


if __name__ == "__main__":
    rig_module.GIVE_UP_S = 60
    if sys.argv[1:2] == ["slow"]:
        sys.argv[1:] = []
        main(slow_ones_side_by_side)
    sys.argv[1:] = []
    main(honest_and_hostile_ends, few_strangers)
