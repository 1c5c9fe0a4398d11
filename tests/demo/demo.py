"""A whole support session on this machine, told in plain words: `./run demo [--headless] [--language ja|en] [--out FOLDER]`.

A management server, a download server, two relays, a customer and an operator; as root each a user of its own and, but for the servers,
a host of its own (network namespaces). The customer downloads the tool from the page and starts that very file; both tools are used
through their windows, with keys and clicks, as people do. Pictures of both screens go into FOLDER.

With a display both screens are windows on it, and stay at the end, to be used by hand until Ctrl-C. Without one, or with --headless, it
ends by itself. One line of JSON says what was checked; exit code 0 means that all of it holds."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time

import stage
from rig import Failed, Rig, until  # stage knows where it is
import pictures
from service import PASSWORD
from test_needles import found, memory_of
from tools_world import View, colours, differing, part

TYPED = "Please restart the printer, code word heron-4711. "
SENT = "襷をつなぐ合言葉は翡翠です。"
AFTER = "Still here."
SCROLL_BAR = 30  # px, at most
NOT_ROOT = "not looked at: only root may"
LINE_LOST = "The line is lost: the picture is frozen. Reconnecting…"
POINTER = 32  # px around the pointer, which only one of the two screens draws


class Demo:
    def __init__(self, rig, out, language, display):
        self.rig, self.out, self.language = rig, out, language
        self.steps = self.shots = 0
        self.checked = {}
        self.in_memory = {}  # server: what of the session was found there
        self.on = None  # the user's display
        self.words = stage.WORDS[language]
        if display:
            self.find_display(display)

    # --- telling ---

    def tell(self, text):
        self.steps += 1
        print(f"\n{self.steps}. {text}", flush=True)

    def note(self, text):
        print(f"   {text}", flush=True)

    def check(self, name, value, must_be=None):
        self.checked[name] = value
        self.note(f"checked: {name} = {json.dumps(value, ensure_ascii=False)}")
        if must_be is not None and value != must_be:
            raise Failed(f"{name} is {value!r}, and must be {must_be!r}")

    def shot(self, name, *screens):
        """Pictures of both screens, or of those that are named."""
        self.shots += 1
        for desktop in screens or (self.customer.desktop, self.office):
            path = os.path.join(self.out, f"{self.shots:02}-{name}-{desktop.name}.png")
            pictures.to_png(path, desktop.picture())
            self.note(f"picture: {path}")

    # --- the stage ---

    def find_display(self, display):
        try:
            self.on = stage.UsersDisplay(self.rig, display)
        except (Failed, OSError) as e:
            print(f"The display {display} cannot be used ({str(e).splitlines()[-1]}): it goes on as with --headless.", flush=True)

    def screens(self):
        """The customer's and the operator's, as windows on the user's display or in memory."""
        sizes, displays = (stage.CUSTOMER_SIZE, stage.OPERATOR_SIZE), (None, None)
        if self.on:
            wanted = self.on.sizes()
            try:
                displays = (self.on.screen(wanted[0], "Tasuki demo: the customer's screen", True),
                            self.on.screen(wanted[1], "Tasuki demo: the operator's screen", False))
                sizes = wanted
            except (Failed, OSError) as e:
                self.on = None
                self.note(f"No windows for the two screens ({e}): they are in memory (Xvfb), and it goes on as with --headless.")
        self.customer = stage.Customer(self.stage, sizes[0], displays[0])
        self.office = stage.Screen(self.rig, "x".join(map(str, sizes[1])), uid=stage.uid_of(stage.OPERATOR), name="operator", display=displays[1])
        self.office.start(["xsetroot", "-solid", "#48525c"], "xsetroot-operator")
        self.note("The customer's screen has an editor with a note, a terminal and a photograph; the operator's is empty.")
        if self.on:
            self.note("Both are windows on your display. The demo moves pointer and keys inside of them; please only look, for a minute.")

    # --- the session, as PRODUCT.md tells it ---

    def set_up(self):
        self.tell("Three machines: the customer's, the operator's, and one with the servers.")
        self.stage = stage.Installation(self.rig, self.language, self.note)
        self.stage.hosts()
        if self.stage.ends_are_apart is not None:
            self.check("ends_are_apart", self.stage.ends_are_apart, True)
        self.tell("A whole installation: management server, two relays, download server, a company and an operator.")
        self.stage.servers()
        self.stage.download()
        self.tell("Two screens.")
        self.screens()

    def issue(self):
        self.tell("The operator logs in with company code, ID and password, and issues a reception number.")
        self.op = stage.operator_tool(self.stage, self.office)
        self.op.wait_for("text", "Company code")
        self.shot("login", self.office)
        self.op.log_in(stage.COMPANY, stage.LOGIN)
        self.number = self.op.issue(customer=self.words["customer"], reason=self.words["reason"], ticket="2026-1122")
        self.check("number_digits", len(self.number), 9)
        self.note(f"Reception number {self.number[:3]}-{self.number[3:6]}-{self.number[6:]}, read out on the phone.")
        self.shot("number", self.office)

    def download(self):
        self.tell("The customer opens the download page and takes the tool from it, over HTTPS.")
        self.files_before = self.customer.files()
        self.path, digest = self.customer.fetch()
        self.note(f"{self.path}: {os.path.getsize(self.path)} bytes, SHA-256 {digest}")
        self.check("sha256_is_the_page_s", True)
        self.note("Made executable, and started as the customer's own user. No installation.")
        self.cl = self.customer.run_client(self.path)

    def arrive(self):
        self.tell("The customer reads the warning and the terms, types the number, sees the company, and chooses what to allow.")
        self.cl.sees("If a stranger called you, stop and hang up")
        self.shot("warning", self.customer.desktop)
        self.cl.press("Continue")
        self.cl.wait_for("push button", "Agree")
        self.shot("terms", self.customer.desktop)
        self.cl.press("Agree")
        self.cl.wait_for("text", "Reception number").type(self.number)
        self.shot("number-typed", self.customer.desktop)
        self.cl.press("Connect")
        self.cl.wait_for("heading", re.compile(re.escape(self.words["company"])))
        self.check("company_shown", self.words["company"])
        box = self.cl.wait_for("check box", re.compile("^" + re.escape(self.cl.say("Control"))))
        box.press().wait_states("checked")
        self.shot("choose", self.customer.desktop)
        self.cl.press("Start waiting")
        self.cl.sees("Waiting for the operator")

    def answer(self):
        self.tell("The operator sees who waits, and answers. The customer sees who wants to connect, and allows it.")
        self.op.wait_for("label", "Customer waiting")
        self.shot("waiting")
        self.op.answer()
        self.cl.wait_for("heading", "This operator wants to connect")
        self.cl.wait_for("label", re.compile(re.escape(self.words["operator"])))
        self.check("operator_shown", self.words["operator"])
        self.shot("who", self.customer.desktop)
        self.cl.allow_operator()

    def verify(self):
        self.code = self.cl.check_code()
        self.tell(f"The customer reads the check code over the phone, {self.code}, and the operator types it.")
        entry = self.op.wait_for("text", "Check code")
        self.shot("check-code")
        entry.type(self.code)
        self.op.press("Check")
        self.cl.wait_for("window", "Session bar")
        self.op.wait_for("label", "Click the picture to type at the customer's.")
        self.check("check_code_digits", sum(c.isdigit() for c in self.code), 9)

    def see(self):
        self.tell("The operator sees the customer's screen, pixel by pixel.")
        op, office = self.op, self.office
        self.view = View(op, *self.customer.size)
        office.until("the customer's screen in the operator's window", lambda: colours(part(office.picture(), *self.view.place())) > 50)
        self.shot("session")
        for button in ("Chat", "Fit", "Full screen"):  # the first two are on
            op.press(button, role="toggle button")
        whole = office.picture()
        office.until("the full screen", lambda: self.view.widget.look().bounds[2] > whole.width - SCROLL_BAR)
        began = time.monotonic()
        office.until("equal pictures", self.is_equal)
        self.check("differing_pixels", self.left, 0)
        self.note(f"Full screen at 1:1: all {self.customer.size[0] * self.customer.size[1]} pixels are the same, but for the pointer "
                  f"({time.monotonic() - began:.1f} s).")
        self.shot("full-screen", office)
        office.key("ctrl+alt+Return")
        office.until("the window is back", lambda: self.view.widget.look().bounds[3] < whole.height - 2 * SCROLL_BAR)
        for button in ("Fit", "Chat"):
            op.press(button, role="toggle button")

    def is_equal(self):
        """Of a moment in which the customer's screen did not change."""
        width, height = self.customer.size
        left, top, _, _ = self.view.place()
        before = part(self.customer.desktop.picture(), 0, 0, width, height)
        there = part(self.office.picture(), left, top, width, height)
        after = part(self.customer.desktop.picture(), 0, 0, width, height)
        x, y = self.pointer(self.customer.desktop)
        self.left = differing(before, there, [(x - POINTER, y - POINTER, 2 * POINTER, 2 * POINTER)])
        return before == after and self.left == 0

    @staticmethod
    def pointer(desktop):
        out = subprocess.run(["xdotool", "getmouselocation", "--shell"], stdout=subprocess.PIPE, text=True, check=True,
                             env=dict(os.environ, DISPLAY=desktop.display)).stdout
        return tuple(int(re.search(name + r"=(\d+)", out).group(1)) for name in "XY")

    def work(self):
        self.tell("The operator works in the customer's editor: real keys for English, \"Send text\" for Japanese.")
        op, office = self.op, self.office
        self.into_editor()
        office.key("ctrl+End")
        office.type(TYPED)
        op.press("Send text…", role="toggle button")
        op.wait_for("text", "Text to send").set_text(SENT)
        op.press("Send text")
        op.press("Chat", role="toggle button")
        self.into_editor()
        self.save_until(TYPED + SENT)
        self.check("typed_text_is_in_the_customer_s_file", True)
        self.shot("typed")

    def into_editor(self):
        """A click into the editor that the operator sees: from now on the keys go there."""
        text = self.customer.desktop.wait_for("text", window=re.compile("note"))
        self.view.click_on(text)
        self.op.sees("Keys go to the customer. Ctrl+Alt gives them back.")

    def save_until(self, text):
        """Ctrl+S, also from afar, until the customer's file ends with it."""
        wanted = (self.words["note"] + text).rstrip()

        def is_saved():
            self.office.key("ctrl+s")
            try:
                until("a save", lambda: self.customer.text().rstrip() == wanted, limit=2)
            except Failed:
                return False
            return True

        self.office.until(f"{text!r} at the end of the customer's file, which is {self.customer.text()!r}", is_saved)

    def relay_now(self):
        """As the operator's window names it."""
        wanted = re.compile(re.escape(self.op.say("Relay %u")).replace("%u", r"(\d+)"))
        said = self.op.desktop.wait_for("label", wanted).text()
        return int(wanted.search(said).group(1)) if wanted.search(said) else 0

    def break_line(self):
        used = self.relay_now()
        self.tell(f"Relay {used}, which carries the session, is killed (kill -9).")
        self.search_memory()  # of this one, too, while it lives
        self.stage.relays[used].kill()
        self.office.until("another relay", lambda: self.relay_now() not in (0, used))
        self.check("relay_before", used)
        self.check("relay_after", self.relay_now())
        self.note("The session went on by itself, through the other relay: no new number, no new check code.")
        self.into_editor()
        self.office.key("ctrl+End", "Return")
        self.office.type(AFTER)
        self.save_until(TYPED + SENT + "\n" + AFTER)
        self.check("typed_after_the_relay_died", True)
        self.shot("other-relay")

    def lose_line(self):
        used = self.relay_now()
        self.tell(f"Relay {used} is killed, too: now there is none. The picture freezes, with a notice.")
        self.stage.relays[used].kill()
        self.op.sees(LINE_LOST)
        self.shot("line-lost", self.office)
        again = next(number for number in self.stage.relays if number != used)
        self.note(f"Relay {again} is started again.")
        self.stage.relays[again] = self.stage.service.start_relay(again, name=f"relay{again}-again")
        self.office.wait_gone(None, self.op.say(LINE_LOST))
        self.office.until("the relay that came back", lambda: self.relay_now() == again)
        self.stage.relays[used] = self.stage.service.start_relay(used, name=f"relay{used}-again")  # for what comes after
        self.note("The session went on, with the same number and the same check code.")
        self.check("went_on_when_a_relay_came_back", True)

    def chat(self):
        self.tell("They chat, both ways.")
        op, cl, words = self.op, self.cl, self.words
        op.wait_for("text", "Message to the customer").set_text(words["asks"])
        op.press("Send")
        cl.wait_for("label", words["asks"])
        entry = cl.wait_for("text", "Message", window=cl.say("Chat"))
        if words["answers"].isascii():
            entry.type(words["answers"])
            self.customer.desktop.key("Return")
        else:
            entry.set_text(words["answers"])
            cl.press("Send", window=cl.say("Chat"))
        op.wait_for("label", words["answers"])
        self.check("chat_lines_each_way", 1)
        self.shot("chat")

    def device(self):
        self.tell("The operator asks for device information. The customer is asked, and allows it.")
        self.op.press("Device info", role="toggle button")
        allow = self.cl.wait_for("push button", "Allow", window=self.cl.say("The operator asks")).wait_states("sensitive")
        self.shot("device-asked")
        allow.click()
        self.op.wait_for("label", "Stored on the management server with this session.")
        self.check("device_information_stored", True)
        self.shot("device", self.office)

    def end(self):
        self.tell("The operator ends the session, and says how it went.")
        op, cl = self.op, self.cl
        self.memory_of_the_servers_holds_nothing()
        op.press("End")
        for tool in (cl, op):
            tool.wait_for("heading", "The session has ended")
        op.press("Solved", role="radio button")
        op.wait_for("text", "Note").set_text(self.words["result"])
        op.press("Save")
        session = self.stage.service.ctl("session", "list", stage.COMPANY, "--limit", "1").split("\n")
        self.session = re.search(r"\b[0-9a-hjkmnp-tv-z]{13}\b", "\n".join(session)).group()
        until("the result on record", lambda: self.words["result"] in self.record())
        self.shot("ended")
        op.press("Close", window=op.say.pattern("Session: %s"))
        self.tell("The customer closes the tool: it removes itself.")
        cl.press("Close")
        self.check("client_exit_code", cl.program.exit_code(), 0)
        until("the client's file is gone", cl.is_gone)
        until("the client's processes are gone", lambda: not self.customer.processes_of(self.path))
        self.check("client_file_is_gone", True)
        self.check("client_processes", self.customer.processes_of(self.path), [])
        self.check("files_left_at_the_customer_s", sorted(self.customer.files() - self.files_before), [])

    def record(self):
        return self.stage.service.ctl("session", "show", self.session)

    def prove(self):
        self.tell("The record, as the management server has it; and whether anybody altered it.")
        record = self.record()
        for line in record.splitlines():
            self.note(line)
        verified = self.stage.service.ctl("audit", "verify").strip().splitlines()[-1]
        self.note(verified)
        self.check("audit_unbroken", "unbroken" in verified, True)
        kinds = [line.split()[3] for line in record.split("events\n", 1)[1].splitlines()]
        wanted = ["issued", "claimed", "answered", "operator_accepted", "granted", "verified", "view_on", "suspended", "resumed", "device", "ended",
                  "result"]
        gap = [int(re.search(kind + r'  .*"said_at":(\d+)', record).group(1)) for kind in ("suspended", "resumed")]
        self.check("interruption_by_the_killed_relay_ms", gap[1] - gap[0])
        self.check("missing_in_the_record", [kind for kind in wanted if kind not in kinds], [])
        self.tell("What was typed, said and read out is not at the servers: not in a log, not in the database, not in memory.")
        files = self.files_of_the_servers()
        self.check("needle_in_the_customer_s_file", not {"typed", "sent"} - found(self.needles(), [open(self.customer.file, "rb").read()]), True)
        self.check("server_files_searched", len(files))
        held = {}
        for path in files:
            with open(path, "rb") as f:
                hits = found({**self.needles(), **self.secrets()}, [f.read()])
            if hits:
                held[os.path.relpath(path, self.rig.dir)] = sorted(hits)
        self.check("needles_in_server_files", held, {})
        self.check("needles_in_server_memory", self.in_memory, {} if self.stage.is_root else NOT_ROOT)

    # --- what no server may hold ---

    def needles(self):
        """What was typed, sent and said; as text and as it would stand in messages."""
        texts = {"typed": TYPED, "sent": SENT, "asked": self.words["asks"], "answered": self.words["answers"]}
        wide = {f"{name} as code points": b"".join(ord(c).to_bytes(4, order) for c in text[:12]) for name, text in texts.items()
                for order in ("big", "little")}
        return {**{name: text.strip().encode() for name, text in texts.items()}, **wide}

    def secrets(self):
        """What people read out to each other: a server may know it, and writes it nowhere."""
        number = self.number
        return {"number": number.encode(), "number in groups": f"{number[:3]}-{number[3:6]}-{number[6:]}".encode(), "check code": self.code.encode(),
                "check code without dashes": self.code.replace("-", "").encode(), "password": PASSWORD.encode()}

    def files_of_the_servers(self):
        """All that the run wrote, but for the two homes: logs, database, configurations, keys."""
        homes = (self.customer.desktop.home, self.office.home, self.rig.path("bin"), self.rig.path("downloads"))
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.rig.dir) if not folder.startswith(homes) for name in names]

    def search_memory(self):
        """Of every server that runs now; what was found adds up in in_memory."""
        if not self.stage.is_root:
            self.in_memory = NOT_ROOT
            return 0
        servers = self.stage.server_processes()
        for pid, name in servers.items():
            hits = found(self.needles(), memory_of(pid))
            if hits:
                self.in_memory.setdefault(name, sorted(hits))
        return len(servers)

    def memory_of_the_servers_holds_nothing(self):
        if self.stage.is_root:
            seen = found({"sent": self.needles()["sent"]}, memory_of(self.customer.editor.pid))
            self.check("needle_in_the_editor_s_memory", bool(seen), True)  # the search can find
            self.check("server_processes_searched", self.search_memory())
        else:
            self.search_memory()

    # --- all of it ---

    def play(self):
        for step in (self.set_up, self.issue, self.download, self.arrive, self.answer, self.verify, self.see, self.work, self.break_line,
                     self.lose_line, self.chat, self.device, self.end, self.prove):
            step()

    def stay(self):
        """Until Ctrl-C, or until a screen is closed: the operator at the desk, the customer with a fresh tool."""
        print(f"""
Now it is yours. On the operator's screen {self.words["operator"]} is logged in; on the customer's screen the tool waits.

  1. Operator's screen: press "{self.op.say("Issue reception number")}". The number appears.
  2. Customer's screen: go on past the warning, type that number, allow what you like.
  3. Operator's screen: press "{self.op.say("Answer")}". Customer's screen: "{self.op.say("Allow")}", and then the check code.
  4. Operator's screen: type the check code. Now you see the customer's screen, and work on it.
  5. End it on either side. The tool removes itself; then it is downloaded and started again.

If you log out: company code {stage.COMPANY}, ID {stage.LOGIN}, password {PASSWORD}
Pictures of what you saw are in {self.out}/. Ctrl-C here (or closing one of the two screens) ends everything and takes it away.""", flush=True)
        runs, client = 1, None
        while not self.on.is_closed():
            if not client or stage.has_ended(client.program):
                runs += 1
                if client:
                    print("The customer's tool has ended, and its file is gone. Downloaded and started once more.", flush=True)
                client = self.customer.run_client(self.customer.fetch()[0], f"client{runs}")
            if stage.has_ended(self.op.program):
                runs += 1
                print("The operator's tool was closed. Started once more.", flush=True)
                self.op = stage.operator_tool(self.stage, self.office, f"operator{runs}")
            time.sleep(0.3)
        print("A screen was closed: ending.", flush=True)


def language_of_the_user():
    said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "ja" if said.startswith("ja") else "en"


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="demo-out", help="folder for the pictures (default demo-out)")
    parser.add_argument("--headless", action="store_true", help="on screens in memory, and ends by itself, even if there is a display")
    parser.add_argument("--language", choices=("en", "ja"), default=language_of_the_user(), help="of both tools (default: yours)")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job would not hear the first
        signal.signal(number, signal.default_int_handler)
    began, ok, is_cut = time.monotonic(), False, False
    rig = Rig()
    demo = Demo(rig, args.out, args.language, None if args.headless else os.environ.get("DISPLAY"))
    try:
        try:
            demo.play()
            ok = True
        finally:
            seconds = round(time.monotonic() - began, 1)
            result = json.dumps({"demo": "windows", "ok": ok, "language": args.language, "seconds": seconds, **demo.checked}, ensure_ascii=False)
        if demo.on:
            print(f"\n{result}", flush=True)
            demo.stay()
    except KeyboardInterrupt:
        is_cut = True
        print("\nEnding.", flush=True)
    except Exception as e:  # noqa: BLE001 whatever went wrong is told, and nothing stays
        print(f"\nThe demo failed: {'' if isinstance(e, Failed) else type(e).__name__} {e}", file=sys.stderr)
        for name in sorted(os.listdir(rig.dir)):
            if name.endswith(".log"):
                with open(rig.path(name), errors="replace") as f:
                    print(f"--- {name}\n{f.read()[-800:]}", file=sys.stderr)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        rig.close()
    if demo.on and is_cut:
        print("All of it has ended; nothing is left but the pictures.", flush=True)
    elif not demo.on:
        if ok:
            print(f"\nDone. Look at the pictures in {args.out}/, numbered as it went. On a machine with a display, ./run demo leaves both screens\n"
                  "to you; ./run serve starts the servers only.")
        print(result, flush=True)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
