"""A whole support session on this machine, told in plain words: `./run demo [--out FOLDER]`.

A management server, a download server, two relays, a customer and an operator, each a user of its own; as root also each a host of
its own (network namespaces), with a cable to the servers and none to each other. No windows yet on our side: the two ends are driven by lines of text. The last
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
from service import Service  # noqa: E402

# three accounts that every Debian has and that own nothing: the servers', the customer's, the operator's
SERVERS = "nobody"
CUSTOMER, OPERATOR = (pwd.getpwnam(name).pw_uid for name in ("games", "news"))
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
        self.net, self.port = "127.83.0", 8443
        if not self.is_root:
            self.note("not root: everything runs as this user, on loopback addresses (as root each would be a host of its own)")
            return
        hub, customer, operator = self.rig.network()
        self.net, self.port = "10.83.0", 443
        self.in_hub = in_ns(hub)
        self.customer_user, self.operator_user = as_user(CUSTOMER), as_user(OPERATOR)
        self.in_customer, self.in_operator = in_ns(customer, *self.customer_user), in_ns(operator, *self.operator_user)
        reach = subprocess.run([*in_ns(customer), "ping", "-c1", "-W1", "10.83.2.2"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) if shutil.which("ping") else None
        self.note("customer 10.83.1.2, operator 10.83.2.2, servers 10.83.0.1 to 10.83.0.4, each in a network namespace of its own")
        self.check("ends_reach_each_other_directly", bool(reach and reach.returncode == 0))
        if self.checked["ends_reach_each_other_directly"]:
            raise Failed("the two ends are not apart")

    def servers(self):
        """Management server .1, relays .2 and .4, download server .3."""
        rig, port = self.rig, self.port
        public, local = f"{self.net}.1:{port}", f"{self.net}.1:9465"
        self.service = s = Service(rig, addresses={1: (public, f"{self.net}.1:8444", local)}, prefix=self.in_hub,
                                   user=SERVERS if self.is_root else None)
        self.note("tasukictl made the installation's keys and the tables of its database")
        s.add_company("reikk", "例株式会社")
        s.add_operator("reikk", "sato", "佐藤 花子")
        self.note("tasukictl added the company 例株式会社 (company code reikk) and its operator 佐藤 花子 (ID sato)")
        s.start_manager()
        self.relays = {}
        for relay, last in ((1, 2), (2, 4)):
            rig.add_relay(relay, f"{self.net}.{last}:{port}")
            self.relays[relay] = s.start_relay(relay)
        s.start_download(f"{self.net}.3:{port}")
        self.note("management server, two relays and a download server run; the relays registered over mutual TLS and got the keys that tickets "
                  "are checked with")
        return s.org(downloads=[{"url": f"https://download.tasuki.test:{port}", "address": f"{self.net}.3:{port}"}])

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

        self.tell("A whole installation: management server, relays, download server, a company and an operator.")
        org = self.servers()

        self.tell("The customer's screen: a terminal, an editor with a Japanese note, a photograph.")
        windows = self.customer_display()

        self.tell("The operator logs in with company code, ID and password, and issues a reception number.")
        rig.viewer_dir = self.home("operator", OPERATOR)
        self.viewer = self.service.start_operator(org, "reikk", "sato", prefix=self.in_operator, env=dict(self.env, HOME="/nonexistent"))
        self.host = self.service.start_customer(org, self.display, prefix=self.in_customer, env=self.customer_env)
        self.session, shown = self.service.pair(self.viewer, self.host, customer="山田", reason="プリンタ", ticket="2026-1122")
        number = shown["number"]
        self.note(f"reception number {number[:3]}-{number[3:6]}-{number[6:]}, read out on the phone")

        self.tell(f"The customer types it, sees which company that is ({shown['company']}), and waits. The operator sees who waits, and answers.")
        self.note(f"the customer's end shows who wants in, from the signed statement: {shown['operator']}, {shown['company']}; the customer agrees")
        code = self.host.wait("check_code")["code"]

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
        self.relays[in_use].kill()
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

        self.tell("The operator ends the session, and says how it went.")
        figures = self.viewer.ask("figures", "figures")
        self.viewer.say("end")
        self.host.wait("closed")
        self.viewer.wait("ended")
        self.viewer.say("result solved 給紙トレイの紙を入れ直した")
        until("the result on record", lambda: "solved" in self.service.ctl("session", "show", self.session))
        self.viewer.say("quit")
        self.check("exit_codes", [self.host.exit_code(), self.viewer.exit_code()])

        self.tell("The record, as the management server has it; and whether anybody altered it.")
        record = self.service.ctl("session", "show", self.session)
        for line in record.splitlines():
            self.note(line)
        verified = self.service.ctl("audit", "verify").strip().splitlines()[-1]
        self.note(verified)
        self.check("audit_unbroken", "unbroken" in verified)
        self.check("number_in_record", number in record)
        if number in record or code in record or SENTENCE.strip() in record:
            raise Failed("the record holds what it must not")
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
              "Windows for both come with the next versions; the servers, the wire and the encryption are what you saw here.\n"
              "./run serve starts the servers and leaves them to you.",)
    print(json.dumps({"demo": "servers", "ok": ok, **demo.checked}, ensure_ascii=False), flush=True)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
