"""Clocks that are wrong: the ends take the management server's time, the relay has to have the right one.

faketime shifts the wall clock only; CLOCK_MONOTONIC, by which everything is timed, stays."""

import glob
import subprocess
import sys
import time

from rig import SKIP, Failed, main

LIBRARY = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
YEARS = 5 * 365 * 86400


def off_by(seconds):
    """Prefix of a command that runs with its clock that far off. Not the program faketime: it would stay between us and it."""
    return ["env", f"LD_PRELOAD={LIBRARY[0]}", "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
            f"FAKETIME={seconds:+d}"]


def start(rig, relay=0, host=0, viewer=0):
    rig.add_relay(1)
    rig.make_cert(rig.relays[1][1])  # before the end files: it must be good as of their time
    rig.issue()
    relay_program = rig.start_relay(1, prefix=off_by(relay) if relay else ())
    display = rig.start_display("320x200")
    return (relay_program, rig.start_host(display, prefix=off_by(host) if host else ()),
            rig.start_viewer(prefix=off_by(viewer) if viewer else ()))


def works(rig, **off):
    relay, host, viewer = start(rig, **off)
    rig.join(host, viewer)
    viewer.say("view on")
    viewer.wait("screen", width=320, height=200)
    viewer.say("chat hello")
    assert host.wait("chat")["text"] == "hello"
    viewer.say("end")
    assert (host.wait("closed")["reason"], viewer.wait("closed")["reason"]) == (1, 1)


def refused(rig, **off):
    relay, host, viewer = start(rig, **off)
    for end in (host, viewer):
        closed = end.wait("closed")
        assert closed["reason"] == 10, closed
    if '"code":3' not in relay.log():
        raise Failed(f"refused for something else\n{relay.log()}")


def the_faked_clock_is_seen_and_the_monotonic_one_is_not_touched(rig):
    said = subprocess.run([*off_by(YEARS), "/usr/bin/python3", "-c", "import time; print(time.time(), time.monotonic())"],
                          stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    assert abs(float(said[0]) - time.time() - YEARS) < 60 and abs(float(said[1]) - time.monotonic()) < 60, said


def a_customer_five_years_ahead_is_helped(rig):
    works(rig, host=YEARS)


def a_customer_five_years_behind_is_helped(rig):
    works(rig, host=-YEARS)


def an_operator_five_years_ahead_can_help(rig):
    works(rig, viewer=YEARS)


def an_operator_five_years_behind_can_help(rig):
    works(rig, viewer=-YEARS)


def both_ends_wrong_in_different_ways_work(rig):
    works(rig, host=YEARS, viewer=-YEARS)


def a_relay_20_s_off_admits(rig):
    works(rig, relay=-20)


def a_relay_40_s_behind_refuses(rig):
    refused(rig, relay=-40)


def a_relay_40_s_behind_its_tickets_end_refuses(rig):
    refused(rig, relay=100)  # 60 s of life and 30 s of slack are over


def a_relay_five_years_ahead_refuses(rig):
    refused(rig, relay=YEARS)


def a_relay_five_years_behind_refuses(rig):
    refused(rig, relay=-YEARS)


if __name__ == "__main__":
    if not LIBRARY:
        print("skipped: faketime is not installed")
        sys.exit(SKIP)
    main(
        the_faked_clock_is_seen_and_the_monotonic_one_is_not_touched,
        a_customer_five_years_ahead_is_helped,
        a_customer_five_years_behind_is_helped,
        an_operator_five_years_ahead_can_help,
        an_operator_five_years_behind_can_help,
        both_ends_wrong_in_different_ways_work,
        a_relay_20_s_off_admits,
        a_relay_40_s_behind_refuses,
        a_relay_40_s_behind_its_tickets_end_refuses,
        a_relay_five_years_ahead_refuses,
        a_relay_five_years_behind_refuses,
    )
