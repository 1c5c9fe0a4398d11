"""A whole support session on this machine, told in plain words: `./run demo [--out FOLDER]`.

Two relays, a customer and an operator, each a user of its own; as root also each a host of its own (network namespaces), with
a cable to the relays and none to each other. No windows yet on our side: the two ends are driven by lines of text. The last
line is JSON with what was checked; exit code 0 means that all of it holds."""

import argparse
import json
import os
import pwd
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import pictures  # noqa: E402
from rig import Failed, Rig, as_user, in_ns, run, until  # noqa: E402

# three accounts that every Debian has and that own nothing: the relay's, the customer's, the operator's
RELAY, CUSTOMER, OPERATOR = (pwd.getpwnam(name).pw_uid for name in ("nobody", "games", "news"))
SENTENCE = "承知しました。Please restart the printer. "
PHOTO_DIR = "/usr/share/backgrounds/mate/nature"
NOTE = """お問い合わせ番号 2026-1122

プリンターから紙が出てきません。
エラーコード: E-042 (給紙トレイ)
電源を入れ直しても直りませんでした。

オペレーターのメモ:
"""


class Demo:
    def __init__(self, rig, out):
        self.rig = rig
        self.out = out
        self.steps = 0
        self.checked = {}
        self.is_root = os.geteuid() == 0
        self.in_hub = self.in_customer = self.in_operator = []
        self.customer_user = self.operator_user = []
        self.env = dict(os.environ, LC_ALL="C.UTF-8", GTK_THEME="Adwaita", NO_AT_BRIDGE="1")

    def tell(self, text):
        self.steps += 1
        print(f"\n{self.steps}. {text}", flush=True)

    def note(self, text):
        print(f"   {text}", flush=True)

    def check(self, name, value):
        self.checked[name] = value
        self.note(f"checked: {name} = {value}")

    def save(self, name, picture):
        path = os.path.join(self.out, name)
        pictures.to_png(path, picture)
        self.note(f"picture: {path}")

    # --- the stage ---

    def hosts(self):
        if not self.is_root:
            self.note("not root: everything runs as this user, on loopback addresses (as root each would be a host of its own)")
            for i, last in ((1, 2), (2, 4)):
                self.rig.add_relay(i, f"127.83.0.{last}:8443")
            return
        hub, customer, operator = self.rig.network()
        self.in_hub = in_ns(hub)
        self.customer_user, self.operator_user = as_user(CUSTOMER), as_user(OPERATOR)
        self.in_customer, self.in_operator = in_ns(customer, *self.customer_user), in_ns(operator, *self.operator_user)
        for i in (1, 2):
            self.rig.add_relay(i, f"10.83.0.{i}:443")
        reach = subprocess.run([*in_ns(customer), "ping", "-c1", "-W1", "10.83.2.2"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) if shutil.which("ping") else None
        self.note("customer 10.83.1.2, operator 10.83.2.2, relays 10.83.0.1 and 10.83.0.2, each in a network namespace of its own")
        self.check("ends_reach_each_other_directly", bool(reach and reach.returncode == 0))
        if self.checked["ends_reach_each_other_directly"]:
            raise Failed("the two ends are not apart")

    def relay(self, i):
        prefix = [*self.in_hub]
        if self.is_root:
            prefix += ["setpriv", f"--reuid={RELAY}", f"--regid={RELAY}", "--clear-groups",
                       "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"]
        return self.rig.start_relay(i, prefix=prefix, owner=RELAY if self.is_root else None)

    def home(self, name, uid):
        home = self.rig.path(name)
        os.makedirs(os.path.join(home, ".config", "gtk-3.0"))
        with open(os.path.join(home, ".config", "gtk-3.0", "settings.ini"), "w") as f:
            f.write("[Settings]\ngtk-cursor-blink=false\ngtk-enable-animations=false\n")
        with open(os.path.join(home, "note.txt"), "w", encoding="utf-8") as f:
            f.write(NOTE)
        if self.is_root:
            run(["chown", "-R", f"{uid}:{uid}", home])
            os.chmod(home, 0o700)
        return home

    def customer_display(self):
        self.customer_home = self.home("customer", CUSTOMER)
        auth = os.path.join(self.customer_home, "xauth")
        cookie = os.urandom(16).hex()
        env = dict(self.env, HOME=self.customer_home, XDG_RUNTIME_DIR=self.customer_home, XAUTHORITY=auth,
                   XDG_CONFIG_HOME=os.path.join(self.customer_home, ".config"))
        # the number is not known before the server runs, and a cookie for ":0" serves all of them by family "wild"
        with open(auth, "wb") as f:
            f.write(b"\xff\xff" + b"\0\0" + b"\0\0" + len(b"MIT-MAGIC-COOKIE-1").to_bytes(2, "big") + b"MIT-MAGIC-COOKIE-1"
                    + (16).to_bytes(2, "big") + bytes.fromhex(cookie))
        os.chmod(auth, 0o600)
        if self.is_root:
            os.chown(auth, CUSTOMER, CUSTOMER)
        self.customer_env = env
        self.display = self.rig.start_display("1280x800", prefix=self.customer_user, env=env, auth=auth)
        user = self.customer_user
        photos = sorted(os.listdir(PHOTO_DIR)) if os.path.isdir(PHOTO_DIR) else []
        photo = next((p for p in photos if p.endswith(".jpg")), None)
        self.rig.start_on(self.display, ["xsetroot", "-solid", "#3a5f7d"], "xsetroot", user, env)
        if photo:
            self.rig.start_on(self.display, ["feh", "--geometry", "520x340+740+20", "--scale-down", os.path.join(PHOTO_DIR, photo)],
                              "feh", user, env)
        self.rig.start_on(self.display, ["xterm", "-T", "terminal", "-fa", "DejaVu Sans Mono", "-fs", "9", "-geometry", "88x24+20+430", "-e", "sh", "-c",
                                         "uname -a; echo; ls --color=always -la /usr/share | head -18; exec cat"], "xterm", user, env)
        self.rig.start_on(self.display, ["dbus-run-session", "--", "mousepad", "--disable-server",
                                         os.path.join(self.customer_home, "note.txt")], "mousepad", user, env)
        windows = {}
        for name, place in (("note.txt", (20, 20, 700, 390)), ("terminal", (20, 430, None, None)), *((("feh", (740, 20, None, None)),) if photo else ())):
            windows[name] = self.place(name, place)
        return windows

    def xdo(self, *args):
        return run([*self.customer_user, "xdotool", *map(str, args)], env=dict(self.customer_env, DISPLAY=self.display)).strip()

    def place(self, name, place):
        def find():
            try:
                return self.xdo("search", "--onlyvisible", "--name", name).split("\n")[0] or None
            except Failed:
                return None

        window = until(f"the customer's {name} window", find)
        x, y, w, h = place
        self.xdo("windowmove", window, x, y)
        if w:
            self.xdo("windowsize", "--sync", window, w, h)
        return window

    # --- the session ---

    def see(self, name):
        took = pictures.equal_at_rest(self.rig, self.viewer, self.display, self.customer_env)
        real = pictures.of_display(self.display, self.customer_env)
        seen = pictures.of_viewer(self.rig, self.viewer)
        self.save(f"{name}-customer.png", real)
        self.save(f"{name}-operator.png", seen)
        self.check(f"{name}_differing_pixels", real.differing(seen))
        self.note(f"equal over all {real.width * real.height} pixels, three samples in a row, after {took:.2f} s")
        return seen

    def play(self):
        rig = self.rig
        self.tell("Three machines: the customer's, the operator's, and one with two relays.")
        self.hosts()

        self.tell("A throw-away authority, keys, and one session's tickets. Later the management server does this.")
        rig.issue("--company", "例株式会社", "--operator", "佐藤 花子", "--customer", "お客様",
                  owners=(CUSTOMER, OPERATOR) if self.is_root else (None, None))
        relays = {i: self.relay(i) for i in (1, 2)}
        self.note("two relays run; each lets in whoever shows a ticket and proves to hold its key, and can read nothing")

        self.tell("The customer's screen: a terminal, an editor with a Japanese note, a photograph.")
        windows = self.customer_display()

        self.tell("The customer starts the host, the operator the viewer. Both dial out to the relay, and shake hands through it.")
        rig.viewer_dir = self.home("operator", OPERATOR)
        self.host = rig.start_host(self.display, prefix=self.in_customer, env=self.customer_env)
        self.viewer = rig.start_viewer(prefix=self.in_operator, env=dict(self.env, HOME="/nonexistent"))
        code = self.host.wait("check_code")["code"]
        peer = next(e for e in self.host.events if e["event"] == "peer")
        self.note(f"the customer's end shows who wants in, from the signed statement: {peer['name']}, {peer['company']}")

        self.tell(f"The customer reads the check code over the phone, {code}, and the operator types it.")
        self.viewer.wait("state", state="KEYED")
        self.viewer.say("view on")
        self.host.wait("refused")
        self.note("before that the operator's end asked for the screen: refused, not one byte of it was sent")
        self.viewer.say(f"code {code}")
        self.viewer.wait("state", state="ACTIVE")
        self.check("check_code_digits", sum(c.isdigit() for c in code))

        self.tell("The operator sees the screen, pixel by pixel.")
        self.viewer.say("view on")
        self.viewer.wait("screen")
        self.see("1-seen")

        self.tell(f"The operator types into the customer's editor: {SENTENCE}")
        self.viewer.say("pointer 300 300 0")
        self.host.wait("input", kind=2)
        self.xdo("windowfocus", "--sync", windows["note.txt"])
        for key in ("key 29 1 65507", "key 107 1 65367", "key 107 0 65367", "key 29 0 65507"):  # Ctrl+End
            self.viewer.say(key)
        self.viewer.say("text " + SENTENCE)
        for _ in range((len(SENTENCE) + 5) // 6):
            self.host.wait("input", kind=4, result="OK")
        for key in ("key 29 1 65507", "key 31 1 115", "key 31 0 115", "key 29 0 65507"):  # Ctrl+S
            self.viewer.say(key)
        note = os.path.join(self.customer_home, "note.txt")

        def saved():
            with open(note, encoding="utf-8") as f:
                return f.read().rstrip("\n") == (NOTE + SENTENCE).rstrip("\n")

        until("the sentence in the customer's file", saved, limit=30)
        self.check("typed_text_in_customers_file", True)
        self.see("2-typed")

        in_use = self.viewer.ask("figures", "figures")["relay"]
        self.tell(f"Relay {in_use}, which carries the session, is killed (kill -9) in the middle of a change.")
        self.viewer.say("frames on")
        self.host.say("chat これは中継が止まっても届きます")
        broke = time.monotonic()
        relays[in_use].kill()
        self.viewer.say("text まだつながっています。")
        self.viewer.wait("state", state="SUSPENDED")
        self.viewer.wait("state", state="ACTIVE")
        self.viewer.say("text まだつながっています。")
        self.viewer.wait("frame")
        gap = time.monotonic() - broke
        until("the chat line", lambda: any(e["event"] == "chat" for e in self.viewer.events))
        chats = [e["text"] for e in self.viewer.events if e["event"] == "chat"]
        now = self.viewer.ask("figures", "figures")["relay"]
        codes = [e["code"] for e in self.host.events if e["event"] == "check_code"]
        self.check("relay_before", in_use)
        self.check("relay_after", now)
        self.check("interruption_s", round(gap, 3))
        self.check("new_check_code", len(codes) > 1)
        self.check("chat_lines_sent", 1)
        self.check("chat_lines_received", len(chats))
        if now == in_use or len(codes) > 1 or len(chats) != 1:
            raise Failed("the session did not go on through the other relay")
        self.see("3-after-relay-died")

        self.tell("The operator ends the session. Both ends stop by themselves.")
        figures = self.viewer.ask("figures", "figures")
        self.viewer.say("end")
        self.host.wait("closed")
        self.check("exit_codes", [self.host.exit_code(), self.viewer.exit_code()])
        self.check("screen_bytes", figures["screen_bytes"])
        self.check("frames", figures["frames"])
        if self.checked["exit_codes"] != [0, 0]:
            raise Failed("an end did not stop in order")


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="demo-out", help="folder for the pictures (default demo-out)")
    parser.add_argument("--headless", action="store_true", help="ends by itself; as yet it always does")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    rig = Rig()
    demo = Demo(rig, args.out)
    ok = False
    try:
        demo.play()
        ok = True
    except (Failed, OSError, subprocess.SubprocessError) as e:
        print(f"\nThe demo failed: {e}", file=sys.stderr)
        for name in sorted(os.listdir(rig.dir)):
            if name.endswith(".log"):
                with open(rig.path(name), errors="replace") as f:
                    print(f"--- {name}\n{f.read()[-800:]}", file=sys.stderr)
    finally:
        rig.close()
    if ok:
        print(f"\nDone. Look at the pictures in {args.out}/: what the customer had and what the operator saw, side by side.\n"
              "Windows for both come with the next versions; the wire, the relays and the encryption are what you saw here.")
    print(json.dumps({"demo": "spine", "ok": ok, **demo.checked}, ensure_ascii=False), flush=True)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
