"""A whole session of two real ends over real relays and a real display."""

import os
import subprocess
import time

from pictures import at_rest, equal_at_rest, of_display, of_viewer
from rig import ALL, CHAT, CONTROL, SEE, Failed, Program, free_port, main, run, until

HERE = os.path.dirname(os.path.abspath(__file__))


def draw(display, *args):
    subprocess.run(["/usr/bin/python3", os.path.join(HERE, "draw.py"), *map(str, args)], check=True, stdout=subprocess.DEVNULL,
                   env=dict(os.environ, DISPLAY=display))


def start(rig, rights=ALL, size="1280x800", relays=2):
    for i in range(1, relays + 1):
        rig.add_relay(i)
    rig.issue()
    for i in range(1, relays + 1):
        rig.start_relay(i)
    display = rig.start_display(size)
    return display, rig.start_host(display, rights), rig.start_viewer()


def the_picture_is_exact_at_rest_and_one_pixel_shows(rig):
    display, host, viewer = start(rig)
    done = rig.path("drawn")
    rig.start_on(display, ["xterm", "-geometry", "100x40+20+20", "-e", "sh", "-c",
                           f"ls -la /usr/bin | head -200; touch {done}; read x"], "xterm")
    rig.join(host, viewer)
    until("the terminal has drawn", lambda: os.path.exists(done))
    at_rest(display)
    viewer.say("view on")
    viewer.wait("screen", width=1280, height=800)
    took = equal_at_rest(rig, viewer, display)
    print(f"     equal at rest {took:.2f} s after the viewer asked")
    before = of_viewer(rig, viewer)
    draw(display, "rect", 1279, 799, 1, 1, "123456")
    equal_at_rest(rig, viewer, display)
    after = of_viewer(rig, viewer)
    assert before.differing(after) == 1, "one pixel was drawn, and so many differ: %d" % before.differing(after)
    wrong = bytearray(after.rgb)
    wrong[0] ^= 1
    after.rgb = bytes(wrong)
    assert after.differing(of_display(display)) == 1, "the comparison does not see one wrong bit"


def the_operator_types_into_the_customers_terminal(rig):
    display, host, viewer = start(rig)
    out = rig.path("typed.txt")
    rig.start_on(display, ["xterm", "-u8", "-e", "sh", "-c", f"cat > {out}"], "xterm", env=dict(os.environ, LC_ALL="C.UTF-8"))
    code = rig.join(host, viewer)
    assert len(code) == 11, code
    viewer.say("view on")
    viewer.wait("screen")
    equal_at_rest(rig, viewer, display)
    viewer.say("pointer 100 100 0")
    host.wait("input", kind=2, result="OK")
    viewer.say("text 襷をつなぐ: Hello, wörld 123")
    for _ in range(4):
        host.wait("input", kind=4, result="OK")
    viewer.say("key 28 1 65293")
    viewer.say("key 28 0 65293")
    host.wait("input", kind=1, result="OK")
    want = "襷をつなぐ: Hello, wörld 123\n"

    def typed():
        with open(out, encoding="utf-8", errors="replace") as f:
            return f.read() == want

    try:
        until("the text in the customer's file", typed, limit=20)
    except Failed:
        raise Failed(f"typed: {open(out, 'rb').read()!r}") from None


def chat_goes_both_ways_and_the_end_is_told(rig):
    display, host, viewer = start(rig)
    rig.join(host, viewer)
    host.say("chat こんにちは")
    assert viewer.wait("chat")["text"] == "こんにちは"
    viewer.say('chat <b>"quoted"</b> \\ ')
    assert host.wait("chat")["text"] == '<b>"quoted"</b> \\ '
    viewer.say("end")
    assert viewer.wait("closed")["reason"] == 1
    assert host.wait("closed")["reason"] == 1
    assert (host.exit_code(), viewer.exit_code()) == (0, 0)


def names_come_from_the_statement(rig):
    rig.add_relay(1)
    rig.issue("--company", "Ümläut & Söhne", "--operator", "オペレーター", "--customer", "K")
    rig.start_relay(1)
    display = rig.start_display("320x200")
    host, viewer = rig.start_host(display), rig.start_viewer()
    rig.join(host, viewer)
    peer = next(e for e in host.events if e["event"] == "peer")
    assert (peer["company"], peer["name"]) == ("Ümläut & Söhne", "オペレーター"), peer


def rights_are_enforced_at_the_customers_end(rig):
    display, host, viewer = start(rig, rights=CHAT)
    rig.join(host, viewer)
    viewer.say("view on")
    assert "screen" in host.wait("refused")["text"]
    viewer.say("text no")
    assert viewer.wait("error", command="text")["code"] == "RIGHT"
    host.say(f"grant {SEE | CONTROL | CHAT}")
    viewer.wait("grants", rights=SEE | CONTROL | CHAT)
    viewer.wait("screen")
    equal_at_rest(rig, viewer, display)
    viewer.say("key 30 1")
    host.wait("input", kind=1)
    host.say(f"grant {SEE}")
    host.wait("keys_released")
    viewer.wait("grants", rights=SEE)
    host.say("pause on")
    viewer.wait("grants", paused=True)
    frames = viewer.ask("figures", "figures")["frames"]
    draw(display, "rect", 0, 0, 300, 150, "ff0000")
    time.sleep(0.5)  # nothing may come: there is no event to wait for
    assert viewer.ask("figures", "figures")["frames"] == frames, "frames were sent while paused"
    host.say("pause off")
    equal_at_rest(rig, viewer, display)


def the_second_wrong_check_code_ends_it(rig):
    display, host, viewer = start(rig)
    code = host.wait("check_code")["code"]
    viewer.wait("state", state="KEYED")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    viewer.say(f"code {wrong}")
    assert viewer.wait("code_wrong")["tries_left"] == 1
    viewer.say("code 12")
    assert viewer.wait("error", command="code")["code"] == "PROTO"
    viewer.say(f"code {wrong}")
    host.wait("alarm")
    assert host.wait("closed")["reason"] == 6
    assert viewer.wait("closed")["reason"] == 6
    assert not any(e["event"] in ("screen", "frame") for e in viewer.events)


def a_viewer_that_keeps_to_no_rule_gets_nothing(rig):
    rig.add_relay(1)
    rig.issue()
    relay = rig.start_relay(1, http=(http := f"127.0.0.1:{free_port()}"))
    display = rig.start_display("640x480")
    out = rig.path("typed.txt")
    rig.start_on(display, ["xterm", "-e", "sh", "-c", f"cat > {out}"], "xterm")
    until("the terminal", lambda: os.path.exists(out))
    host = rig.start_host(display, rights=CHAT)
    exe = rig.exe("rogue-viewer", "tests/e2e")
    rogue = Program(rig, "rogue", [exe, rig.path("viewer.end")])
    code = host.wait("check_code")["code"]
    rogue.wait("state", state="KEYED")
    for what in ("KEYED", "ACTIVE"):  # before the check code, and after it without the rights
        if what == "ACTIVE":
            rogue.say(f"code {code}")
            rogue.wait("state", state="ACTIVE")
        assert rogue.ask("rob", "robbed")["state"] == what
        rogue.say(f"chat that was all in {what}")  # it comes behind everything else
        host.wait("chat", text=f"that was all in {what}")
        refused = {e["text"] for e in host.events if e["event"] == "refused"}
        assert any("screen was asked for" in t for t in refused) and any("input without the right" in t for t in refused), refused
    assert rogue.ask("figures", "figures")["screen_bytes"] == 0
    assert host.ask("figures", "figures")["screen_bytes"] == 0, "the host sealed screen records"
    assert not any(e["event"] == "loot" for e in rogue.events), rogue.events
    assert not any(e["event"] == "input" for e in host.events), "input was injected"
    assert os.path.getsize(out) == 0, "something was typed"
    metrics = run(["curl", "-s", f"http://{http}/metrics"])
    assert "tasuki_relay_records_total" in metrics
    assert relay.proc.poll() is None


def the_display_changes_its_size(rig):
    display, host, viewer = start(rig, size="800x600")
    rig.join(host, viewer)
    viewer.say("view on")
    viewer.wait("screen", width=800, height=600)
    equal_at_rest(rig, viewer, display)
    draw(display, "resize", 640, 480)
    viewer.wait("screen", width=640, height=480)
    equal_at_rest(rig, viewer, display)


def no_display_and_one_without_damage_are_said_in_words(rig):
    rig.add_relay(1)
    rig.issue()
    rig.start_relay(1)
    host = rig.start_host(":none", name="host_none")
    assert host.exit_code() == 75
    assert "display" in host.log().lower(), host.log()
    bare = rig.start_display("320x200", extra=["-extension", "DAMAGE"], name="bare")
    host = rig.start_host(bare, name="host_bare")
    assert host.exit_code() == 75
    assert "DAMAGE" in host.log(), host.log()


def the_display_dies_and_the_operator_is_told(rig):
    display, host, viewer = start(rig, size="320x200")
    rig.join(host, viewer)
    viewer.say("view on")
    equal_at_rest(rig, viewer, display)
    next(p for p in rig.programs if p.name == "xvfb").kill()
    assert viewer.wait("closed")["reason"] == 2
    assert host.exit_code() == 1


if __name__ == "__main__":
    main(
        the_picture_is_exact_at_rest_and_one_pixel_shows,
        the_operator_types_into_the_customers_terminal,
        chat_goes_both_ways_and_the_end_is_told,
        names_come_from_the_statement,
        rights_are_enforced_at_the_customers_end,
        the_second_wrong_check_code_ends_it,
        a_viewer_that_keeps_to_no_rule_gets_nothing,
        the_display_changes_its_size,
        no_display_and_one_without_damage_are_said_in_words,
        the_display_dies_and_the_operator_is_told,
    )
