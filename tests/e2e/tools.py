"""The two tools with windows, driven as people do: `Client` (the customer's) and `OperatorTool`. Used by the end-to-end tests, the demo
and the bench. Everything goes through gui.py: real keys, real clicks, or a screen reader's way; nothing in the tools accepts or types
for anybody. `say` holds the words of both languages, as the windows show them."""

import os
import re
import shutil

import pictures
from gui import Desktop
from rig import Failed, until
from service import PASSWORD

# English text of the windows: Japanese one, from po/ja.po
PO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "po", "ja.po")


def _catalogue():
    """msgid: msgstr of po/ja.po."""
    words, field, entry = {}, None, {}
    for line in open(PO, encoding="utf-8"):
        line = line.strip()
        if line.startswith(("msgid ", "msgstr ")):
            field, line = line.split(" ", 1)
            if field == "msgid":
                entry = {}
            entry[field] = ""
        if line.startswith('"') and field:
            entry[field] += line[1:-1].encode().decode("unicode_escape").encode("latin-1").decode("utf-8")
        if field == "msgstr" and "msgid" in entry:
            words[entry["msgid"]] = entry["msgstr"]
        if not line:
            field = None
    return words


class Words:
    """What the windows say in a language: words("Log in")."""

    def __init__(self, language):
        self.words = _catalogue() if language == "ja" else {}

    def __call__(self, english):
        return self.words.get(english) or english

    def pattern(self, english):
        """With printf's places as "anything"."""
        return re.compile(re.sub(r"%(?:\d+\$)?[-0-9.]*(?:z|l|ll)?[sdufx]", ".*", re.escape(self(english)).replace(r"\%", "%")))


def fill(service, program, out, downloads=()):
    """`program` as this installation hands it out: its section filled and signed by tasukictl."""
    service.org(downloads)  # writes org.json
    service.ctl("client", "make", "--in", program, "--force", "--org", service.rig.path("org.json"), "--root-key",
                os.path.join(service.keys, "root.key"), "--out", out)
    os.chmod(out, 0o755)
    return out


class Tool:
    def __init__(self, desktop, argv, name, language="en", env=None, prefix=()):
        self.desktop, self.name, self.language = desktop, name, language
        self.say = Words(language)
        self.program = desktop.start(argv, name, language, env, prefix)

    def press(self, english, role="push button", **more):
        return self.desktop.press(self.say(english), role, **more)

    def click(self, english, role="push button", **more):
        return self.desktop.click(self.say(english), role, **more)

    def wait_for(self, role, english, **more):
        return self.desktop.wait_for(role, self.say(english), **more)

    def sees(self, english, **more):
        """Until the words are in some window."""
        return self.desktop.wait_for(None, self.say.pattern(english), **more)


class Client(Tool):
    """The customer in front of tasuki-client. `path` is the downloaded file: it is gone when the tool has ended."""

    def __init__(self, desktop, path, name="client", language="en", env=None, prefix=()):
        self.path = path
        super().__init__(desktop, [path], name, language, env, prefix)

    @staticmethod
    def of(service, desktop, language="en", name="client", downloads=(), prefix=(), env=None):
        """A client of this installation in the customer's own folder."""
        folder = os.path.join(desktop.home, "downloads")
        os.makedirs(folder, exist_ok=True)
        os.chown(folder, desktop.uid, -1)
        path = fill(service, service.rig.exe("tasuki-client", "src/customer"), os.path.join(folder, name), downloads)
        os.chown(path, desktop.uid, -1)
        return Client(desktop, path, name, language, env, prefix)

    def agree(self):
        """Reads the warning for as long as it must be read, and the terms."""
        self.press("Continue")
        self.press("Agree")

    def number(self, number):
        """Types it with real keys."""
        self.wait_for("text", "Reception number").type(number)
        self.press("Connect")

    def choose(self, *rights):
        """What to allow, besides seeing the screen, which is ticked already: "Control", "Device information"."""
        self.wait_for("push button", "Start waiting")
        for right in rights:
            self.desktop.wait_for("check box", re.compile("^" + re.escape(self.say(right)))).press()
        self.press("Start waiting")

    def allow_operator(self):
        self.press("Allow")

    def check_code(self):
        """As it stands on the screen: 482-913-527."""
        widget = self.desktop.wait_for("label", re.compile(re.escape(self.say("Check code"))), text=re.compile(r"\d{3}-\d{3}-\d{3}"))
        return re.search(r"\d{3}-\d{3}-\d{3}", widget.text()).group()

    def is_gone(self):
        return not os.path.exists(self.path)


class OperatorTool(Tool):
    """The operator in front of tasuki-operator."""

    @staticmethod
    def of(service, desktop, language="en", name="operator", prefix=(), env=None):
        folder = os.path.join(desktop.home, "tools")
        os.makedirs(folder, exist_ok=True)
        path = fill(service, service.rig.exe("tasuki-operator", "src/operator"), os.path.join(folder, name))
        return OperatorTool(desktop, [path], name, language, env, prefix)

    def log_in(self, company="acme", login="tanaka", password=PASSWORD):
        """With real keys."""
        self.wait_for("text", "Company code").type(company)
        self.wait_for("text", "ID").type(login)
        self.wait_for("password text", "Password").type(password)
        self.desktop.key("Return")
        self.wait_for("push button", "Issue reception number")

    def issue(self, customer="", reason="", ticket=""):
        """The number as nine digits."""
        for label, text in (("Customer", customer), ("Reason", reason), ("Ticket no.", ticket)):
            if text:
                self.wait_for("text", label).set_text(text)
        before = {w.id for w in self.numbers()}
        self.press("Issue reception number")
        fresh = self.desktop.until("a new number", lambda: [w for w in self.numbers() if w.id not in before])
        return re.sub(r"\D", "", fresh[0].text())

    def numbers(self):
        return self.desktop.find_all("label", re.compile(re.escape(self.say("Reception number"))), text=re.compile(r"\d{3}-\d{3}-\d{3}"))

    def answer(self):
        self.press("Answer")

    def code(self, code):
        """Types the check code with real keys."""
        self.wait_for("text", "Check code").type(code)
        self.press("Check")

    def remote_shows(self, what, condition):
        """Until condition(picture of this desktop) is true."""
        until(f"{self.name}: {what}", lambda: condition(self.desktop.picture()))


def pair(client, operator, *rights, **issue):
    """From the number to the moment when both work. The number."""
    number = operator.issue(**issue)
    client.agree()
    client.number(number)
    client.choose(*rights)
    operator.answer()
    client.allow_operator()
    operator.code(client.check_code())
    operator.sees("See the screen")
    return number
