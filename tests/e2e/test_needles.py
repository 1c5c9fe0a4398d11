"""Nothing of a session can be found at the relay: not in its memory, not on the wire, not on its disk.

The ends are the real ones, linked with a crypto table that notes each plaintext before it is sealed and each key. The
same search finds them in the ends' memory, which shows that it can find."""

import os
import re
import signal

from pictures import equal_at_rest
from rig import ALL, Program, in_ns, main, need_root, until

TYPED = "襷をつなぐ secret-word-4711"
MESSAGES = 50


def memory_of(pid):
    """Every readable byte of a process, map by map."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, access = line.split()[:2]
            if "r" not in access or "[vvar]" in line or "[vsyscall]" in line or "[vvar_vclock]" in line:
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except (OSError, ValueError):
                continue  # a guard page


def found(needles, chunks):
    left = dict(needles)
    for chunk in chunks:
        for name in [n for n, value in left.items() if value in chunk]:
            del left[name]
    return set(needles) - set(left)


def needle_of(plain, public):
    """The most telling 24 bytes of a plaintext: many different values, so that chance does not find them. Not what the
    relay knows by rights: the public key in the ticket stands in the statement, too."""
    best, most = None, 0
    for at in range(0, max(1, len(plain) - 24), 4):
        piece = plain[at : at + 24]
        if len(set(piece)) > most and not any(piece[i : i + 8] in public for i in range(0, 17)):
            best, most = piece, len(set(piece))
    return best if most >= 8 else None


def read_needles(path, who, public):
    needles, sealed = {}, 0
    with open(path) as f:
        for line in f:
            kind, value = line.split()
            value = bytes.fromhex(value)
            if kind == "K":
                needles[f"{who} key {len(needles)}"] = value
                continue
            sealed += 1
            piece = needle_of(value, public)
            if piece and sum(n.startswith(f"{who} message") for n in needles) < MESSAGES:
                needles[f"{who} message {sealed} (channel {value[0]})"] = piece
    return needles


def nothing_of_the_session_is_at_the_relay(rig):
    need_root()
    hub, host_ns, viewer_ns = rig.network()
    rig.add_relay(1, "10.83.0.1:443")
    rig.issue()
    relay_dir = rig.path("relay-home")
    os.mkdir(relay_dir)
    os.chown(relay_dir, 61000, 61000)
    pcap = rig.path("wire.pcap")
    capture = Program(rig, "tcpdump", in_ns(hub, "tcpdump", "-i", "any", "-U", "-s", "0", "-Z", "root", "-w", pcap, "tcp", "port", "443"),
                      stdin=False)
    until("the capture to start", lambda: "listening on" in capture.log() or "data link" in capture.log())
    # port 443 belongs to root in the namespace; the relay gets the right to bind and nothing else
    relay = rig.start_relay(1, "", prefix=in_ns(
        hub, "setpriv", "--reuid=61000", "--regid=61000", "--clear-groups", "--inh-caps=+net_bind_service",
        "--ambient-caps=+net_bind_service", "--bounding-set=+net_bind_service", "env", f"--chdir={relay_dir}"), owner=61000)
    display = rig.start_display("800x600")
    typed = rig.path("typed.txt")
    rig.start_on(display, ["xterm", "-u8", "-e", "sh", "-c", f"cat > {typed}"], "xterm", env=dict(os.environ, LC_ALL="C.UTF-8"))
    needle_exe = rig.exe("needle-headless", "tests/e2e")
    files = {who: rig.path(f"{who}.needles") for who in ("host", "viewer")}
    host = Program(rig, "host", [*in_ns(host_ns), needle_exe, "host", rig.path("host.end"), str(ALL)],
                   env=dict(os.environ, DISPLAY=display, NEEDLES=files["host"]))
    viewer = Program(rig, "viewer", [*in_ns(viewer_ns), needle_exe, "viewer", rig.path("viewer.end")],
                     env=dict(os.environ, NEEDLES=files["viewer"]))
    rig.join(host, viewer)
    viewer.say("view on")
    equal_at_rest(rig, viewer, display)
    for i in range(30):
        host.say(f"chat message number {i} from the customer about invoice {i * 7919}")
        viewer.wait("chat")
        viewer.say(f"chat answer {i}: please open settings {i * 104729}")
        host.wait("chat")
    viewer.say("text " + TYPED)
    for code in (30, 48, 46, 32, 18, 33, 34, 35, 23, 36):  # a b c d e f g h i j
        viewer.say(f"key {code} 1")
        viewer.say(f"key {code} 0")
    for _ in range(20):
        host.wait("input", kind=1)
    equal_at_rest(rig, viewer, display)

    tickets = b"".join(bytes.fromhex(re.search(r'ticket = "([0-9a-f]+)"', open(rig.path(f"{end}.end")).read())[1])
                       for end in ("host", "viewer"))
    needles = {**read_needles(files["host"], "host", tickets), **read_needles(files["viewer"], "viewer", tickets)}
    needles["the typed text"] = TYPED.encode()
    needles["the typed text as code points"] = b"".join(ord(c).to_bytes(4, "big") for c in TYPED[:6])
    keys = [n for n in needles if " key " in n]
    assert len(keys) >= 4, keys
    assert sum(' message ' in n for n in needles) >= MESSAGES, len(needles)
    channels = {n[n.index("channel") + 8 : -1] for n in needles if "channel" in n}
    assert {"0", "1", "2", "7"} <= channels, channels
    print(f"     {len(needles)} needles, {len(keys)} of them keys, channels {sorted(channels)}")

    # the control: what each end noted is in its own memory
    for end, who in ((host, "host"), (viewer, "viewer")):
        own = {n: v for n, v in needles.items() if n.startswith(who)}
        missing = set(own) - found(own, memory_of(end.pid))
        assert not missing, f"the search does not even find in the {who}: {missing}"
    code_points = {"x": needles["the typed text as code points"]}
    assert found(code_points, memory_of(viewer.pid)), "the control does not find the typed text as code points"

    at_relay = found(needles, memory_of(relay.pid))
    assert not at_relay, f"in the relay's memory: {at_relay}"

    capture.kill(signal.SIGTERM)
    capture.exit_code()
    with open(pcap, "rb") as f:
        wire = f.read()
    assert len(wire) > 20000, "the capture is empty"
    on_wire = found(needles, [wire])
    assert not on_wire, f"on the wire: {on_wire}"

    assert os.listdir(relay_dir) == [], "the relay wrote files"
    for fd in os.listdir(f"/proc/{relay.pid}/fd"):
        target = os.readlink(f"/proc/{relay.pid}/fd/{fd}")
        assert not target.startswith("/") or target.startswith("/dev/") or target.endswith("relay1.log"), target
    with open(rig.path("relay1.log"), "rb") as f:
        assert not found(needles, [f.read()])
    # the keys of the ends leave no trace in the relay after the end either
    viewer.say("end")
    viewer.wait("closed")
    assert not found(needles, memory_of(relay.pid))


if __name__ == "__main__":
    main(nothing_of_the_session_is_at_the_relay)
