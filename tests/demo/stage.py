"""What the demo plays on: an installation of all servers, the customer's screen and the operator's, and the page where the client lies."""

import hashlib
import os
import pwd
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import tools  # noqa: E402
from gui import Desktop  # noqa: E402
from rig import Failed, _Plain, in_ns, run, until  # noqa: E402
from service import Service  # noqa: E402

# accounts that every Debian has and that own nothing: the servers', the customer's, the operator's
SERVERS, CUSTOMER, OPERATOR = "nobody", "games", "news"
COMPANY, LOGIN = "reikk", "sato"
DOWNLOAD = "download.tasuki.test"
PHOTO_DIR = "/usr/share/backgrounds/mate/nature"
CUSTOMER_SIZE, OPERATOR_SIZE = (1280, 800), (1400, 900)
SMALLEST = (820, 700)  # what the windows of the tools need
DESK_WIDTH = 1080  # the operator's first window

# what people say and write, by language
WORDS = {
    "en": {
        "company": "Example Support Ltd.", "operator": "Hanako Sato", "customer": "Taro Yamada", "reason": "Printer does not print",
        "asks": "Is the paper tray empty?", "answers": "Yes, it is. Thank you.", "result": "Paper was put into the tray",
        "note": "Inquiry 2026-1122\n\nThe printer does not print.\nError code: E-042 (paper tray)\n"
                "Switching it off and on did not help.\n\nThe operator's remark:\n",
    },
    "ja": {
        "company": "例株式会社", "operator": "佐藤 花子", "customer": "山田 太郎", "reason": "プリンターから紙が出ない",
        "asks": "給紙トレイは空ですか。", "answers": "はい、空でした。ありがとうございます。", "result": "給紙トレイに紙を入れた",
        "note": "お問い合わせ番号 2026-1122\n\nプリンターから紙が出てきません。\nエラーコード: E-042 (給紙トレイ)\n"
                "電源を入れ直しても直りませんでした。\n\nオペレーターのメモ:\n",
    },
}


def uid_of(name):
    """None where we cannot become others."""
    return pwd.getpwnam(name).pw_uid if os.geteuid() == 0 else None


class Screen(Desktop):
    """A desktop without the cursor's blinking, so that two pictures of it can be the same."""

    def __init__(self, *args, blink=False, **kw):
        super().__init__(*args, **kw)
        if not blink:
            folder = os.path.join(self.home, ".config", "gtk-3.0")
            self.own_folder(".config", "gtk-3.0")
            with open(os.path.join(folder, "settings.ini"), "w") as f:
                f.write("[Settings]\ngtk-cursor-blink=false\ngtk-enable-animations=false\n")

    def own_folder(self, *parts):
        """A folder in the home, owned by whose desktop this is."""
        path = self.home
        for part in parts:
            path = os.path.join(path, part)
            os.makedirs(path, exist_ok=True)
            os.chown(path, self.uid, -1)
        return path

    def place(self, title, x, y, width=None, height=None):
        """Waits for a window and puts it there."""
        def find():
            done = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", title], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True, env=dict(os.environ, DISPLAY=self.display))
            return done.stdout.split()[:1]

        window = until(f"the window {title}", find)[0]
        if width:
            self._xdo("windowsize", window, str(width), str(height))
        self._xdo("windowmove", window, str(x), str(y))


# ---- the user's own display ----


class UsersDisplay:
    """Where both screens are windows, side by side, to be looked at and used by hand."""

    def __init__(self, rig, name):
        self.rig, self.name = rig, name
        facts = run(["xwininfo", "-root", "-display", name])
        self.width, self.height = (int(re.search(rf"{what}:\s+(\d+)", facts).group(1)) for what in ("Width", "Height"))
        self.windows = []

    def sizes(self):
        """Of the customer's screen and of the operator's, which is the larger one, as both fit beside each other; of small displays
        they overlap."""
        height = self.height - 80
        customer = min(CUSTOMER_SIZE[0], max(SMALLEST[0], self.width * 45 // 100)), min(CUSTOMER_SIZE[1], max(SMALLEST[1], height - 100))
        operator = (min(OPERATOR_SIZE[0], max(self.width - customer[0], customer[0] + 40, DESK_WIDTH)),
                    min(OPERATOR_SIZE[1], max(height, customer[1] + 40)))
        return customer, operator

    def screen(self, size, title, at_right):
        """An X server in a window; its name."""
        read, write = os.pipe()
        os.set_inheritable(write, True)
        with open(self.rig.path(f"xephyr{len(self.windows)}.log"), "ab") as log:
            proc = subprocess.Popen(["Xephyr", "-displayfd", str(write), "-screen", f"{size[0]}x{size[1]}", "-title", title, "-no-host-grab",
                                     "-noreset", "-nolisten", "tcp"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[write],
                                    env=dict(os.environ, DISPLAY=self.name), start_new_session=True)
        os.close(write)
        self.rig.programs.append(_Plain(proc, title))
        with os.fdopen(read) as f:
            number = f.readline().strip()
        if not number:
            raise Failed(f"Xephyr did not start on {self.name}: {open(log.name).read()}")
        self.windows.append(proc)
        self._move(title, self.width - size[0] if at_right else 0)
        return ":" + number

    def _move(self, title, x):
        """Only a wish: the user's own window manager may know better."""
        env = dict(os.environ, DISPLAY=self.name)
        done = subprocess.run(["xdotool", "search", "--name", title], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for window in done.stdout.split():
            subprocess.run(["xdotool", "windowmove", window, str(max(0, x)), "0"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def is_closed(self):
        return any(proc.poll() is not None for proc in self.windows)


# ---- the installation ----


class Installation:
    """Management server .1, relays .2 and .4, download server .3, and who is allowed where."""

    def __init__(self, rig, language, note):
        self.rig, self.language, self.words, self.note = rig, language, WORDS[language], note
        self.is_root = os.geteuid() == 0
        self.in_hub = self.in_customer = self.in_operator = []
        self.net, self.port = "127.83.0", 8443
        self.ends_are_apart = None  # not known without namespaces

    def hosts(self):
        if not self.is_root:
            self.note("Not root: everything runs as you, on loopback. As root each would be a user and a host of its own.")
            return
        hub, customer, operator = self.rig.network()
        self.net, self.port = "10.83.0", 443
        self.in_hub, self.in_customer, self.in_operator = in_ns(hub), in_ns(customer), in_ns(operator)
        reach = subprocess.run([*self.in_customer, "timeout", "1", "bash", "-c", "exec 3<>/dev/tcp/10.83.2.2/9"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        # "refused" would come from the other end itself
        self.ends_are_apart = reach.returncode != 0 and "refused" not in reach.stderr
        self.note("Customer 10.83.1.2, operator 10.83.2.2, servers 10.83.0.1 to 10.83.0.4, each in a network namespace of its own.")
        if not self.ends_are_apart:
            raise Failed(f"the customer's host and the operator's are not apart: {reach.stderr}")

    def servers(self):
        net, port = self.net, self.port
        self.service = s = Service(self.rig, addresses={1: (f"{net}.1:{port}", f"{net}.1:8444", f"{net}.1:9465")}, prefix=self.in_hub,
                                   user=SERVERS if self.is_root else None)
        self.note("tasukictl made the installation's keys and the tables of its database.")
        s.add_company(COMPANY, self.words["company"])
        s.add_operator(COMPANY, LOGIN, self.words["operator"])
        self.note(f"tasukictl added the company {self.words['company']} (company code {COMPANY}) and its operator {self.words['operator']} "
                  f"(ID {LOGIN}).")
        s.start_manager()
        self.relays = {}
        for relay, last in ((1, 2), (2, 4)):
            self.rig.add_relay(relay, f"{net}.{last}:{port}")
            self.relays[relay] = s.start_relay(relay)
        self.note("The management server and two relays run; the relays registered over mutual TLS.")

    def download(self):
        """The client tool, filled for this installation, in the download server's folder."""
        url = {"url": f"https://{DOWNLOAD}:{self.port}", "address": f"{self.net}.3:{self.port}"}
        filled = tools.fill(self.service, self.rig.exe("tasuki-client", "src/customer"), self.rig.path("filled-client"), [url])
        self.service.start_download(f"{self.net}.3:{self.port}", client=filled)
        os.unlink(filled)
        self.note("tasukictl wrote the organisation's section into the client tool and signed it; the download server hands it out.")

    def server_processes(self):
        """{pid: name} of everything that runs of the servers, children included."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                exe = os.readlink(f"/proc/{pid}/exe")
            except OSError:
                continue
            if os.path.dirname(exe) == self.rig.path("bin") and re.fullmatch("tasuki-(manager|relay|download)", os.path.basename(exe)):
                found[int(pid)] = os.path.basename(exe)
        return found


# ---- the customer's side ----


class Customer:
    """The customer's machine: a screen with an editor, a terminal and a photograph, and a folder for downloads."""

    def __init__(self, stage, size, display=None):
        self.stage, self.size = stage, size
        self.desktop = d = Screen(stage.rig, f"{size[0]}x{size[1]}", uid=uid_of(CUSTOMER), name="customer", display=display)
        self.downloads = d.own_folder("Downloads")
        self.file = os.path.join(d.home, "note.txt")
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(stage.words["note"])
        os.chown(self.file, d.uid, -1)
        self._furnish()

    def _furnish(self):
        d, (width, height) = self.desktop, self.size
        left = width * 55 // 100
        d.start(["xsetroot", "-solid", "#3a5f7d"], "xsetroot")
        photo = next((p for p in sorted(os.listdir(PHOTO_DIR)) if p.endswith(".jpg")), None) if os.path.isdir(PHOTO_DIR) else None
        if photo:
            d.start(["feh", "--title", "photograph", "--geometry", f"{width - left - 60}x{height * 42 // 100}", "--scale-down", "--image-bg", "white",
                     os.path.join(PHOTO_DIR, photo)], "feh")
            d.place("photograph", left + 40, 60)
        d.start(["xterm", "-T", "terminal", "-fa", "DejaVu Sans Mono", "-fs", "9", "-geometry", "76x18", "-e", "sh", "-c",
                 "ls --color=always -la /usr/share | head -16; exec cat"], "xterm")
        d.place("terminal", 20, height * 58 // 100)
        self.editor = d.start(["mousepad", "--disable-server", self.file], "mousepad", self.stage.language)
        d.place("note.txt", 20, 60, left - 20, height * 46 // 100)

    def _curl(self, *args):
        """As the customer, from the customer's host."""
        s, d = self.stage, self.desktop
        return run([*s.in_customer, *d.prefix, "curl", "-sS", "--fail", "--cacert", s.rig.path("ca.pem"), "--connect-to",
                    f"{DOWNLOAD}:{s.port}:{s.net}.3:{s.port}", "-H", f"Accept-Language: {s.language}", *args], env=d.env(), cwd=d.home)

    def fetch(self):
        """What a browser does with the download page: follows its link. Path and SHA-256, which is the one that the page names."""
        base = f"https://{DOWNLOAD}:{self.stage.port}"
        page = self._curl(base + "/")
        link = re.search(r'class="button" href="([^"]+)" download="([A-Za-z0-9._-]+)"', page)
        named = re.search(r"\b[0-9a-f]{64}\b", page)
        if not link or not named:
            raise Failed(f"the page has no link, or no SHA-256:\n{page}")
        path = os.path.join(self.downloads, link.group(2))
        self._curl("-o", path, base + link.group(1))
        with open(path, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        if digest != named.group():
            raise Failed(f"the page says {named.group()}, the file has {digest}")
        run([*self.desktop.prefix, "chmod", "+x", path])
        return path, digest

    def run_client(self, path, name="client"):
        """The very file that was downloaded."""
        return tools.Client(self.desktop, path, name, self.stage.language, prefix=self.stage.in_customer)

    def text(self):
        with open(self.file, encoding="utf-8") as f:
            return f.read()

    def files(self):
        """All files of the customer's, except those of the programs that were there before."""
        found = set()
        for folder, _, names in os.walk(self.desktop.home):
            found |= {os.path.relpath(os.path.join(folder, name), self.desktop.home) for name in names}
        return {f for f in found if not re.search(r"[Mm]ousepad|dconf|recently-used|note\.txt|^run/", f)}

    def processes_of(self, path):
        """Who runs from that file, removed or not."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                exe = os.readlink(f"/proc/{pid}/exe")
            except OSError:
                continue
            if exe.removesuffix(" (deleted)") == path:
                found.append(int(pid))
        return found


# ---- the operator's side ----


def operator_tool(stage, desktop, name="operator"):
    """Filled for this installation like the customer's; started on the operator's host."""
    return tools.OperatorTool.of(stage.service, desktop, stage.language, name, prefix=stage.in_operator)


def has_ended(program):
    return program.proc.poll() is not None

