"""Debian's Chromium without a screen, driven by its own protocol over two pipes (no network port, no library)."""

import base64
import json
import os
import queue
import subprocess
import sys
import threading

from rig import GIVE_UP_S, Failed, _Plain

# The browser reads descriptor 3 and writes 4, whatever numbers they have here.
AS_3_AND_4 = """
import fcntl, os, sys
r, w = (fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, 10) for fd in sys.argv[1:3])
os.dup2(r, 3)
os.dup2(w, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """names: host names that lead to addresses, {"get.tasuki.test": "127.0.0.1"}. Trusts every certificate: TLS is for
    other tests."""

    def __init__(self, rig, names=None, name="browser"):
        self._events = queue.Queue()
        self._replies = {}
        self._next = 0
        self._lock = threading.Condition()
        self._sessions = {}  # session id: Page
        self._log = rig.path(name + ".log")
        self.downloads = rig.path(name + "-downloads")
        os.makedirs(self.downloads, exist_ok=True)
        rules = ",".join(f"MAP {host} {address}" for host, address in (names or {}).items())
        from_us, self._to = os.pipe()
        self._from, to_us = os.pipe()
        argv = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
                "--ignore-certificate-errors", "--disable-background-networking", "--disable-dev-shm-usage",
                "--hide-scrollbars", f"--user-data-dir={rig.path(name)}", f"--host-resolver-rules={rules}", "about:blank"]
        with open(self._log, "ab") as log:
            proc = subprocess.Popen(
                [sys.executable, "-c", AS_3_AND_4, str(from_us), str(to_us), *argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[from_us, to_us], start_new_session=True)
        os.close(from_us)
        os.close(to_us)
        rig.programs.append(_Plain(proc, name))
        threading.Thread(target=self._read, daemon=True).start()
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads, eventsEnabled=True)

    def _read(self):
        waiting = b""
        while True:
            try:
                got = os.read(self._from, 1 << 20)
            except OSError:
                got = b""
            if not got:
                with self._lock:
                    self._replies = None
                    self._lock.notify_all()
                    os.close(self._from)
                    os.close(self._to)
                return
            *messages, waiting = (waiting + got).split(b"\0")
            for message in map(json.loads, messages):
                with self._lock:
                    if "id" in message:
                        self._replies[message["id"]] = message
                    elif message.get("sessionId") in self._sessions:
                        self._sessions[message["sessionId"]].take(message)
                    else:
                        self._events.put(message)
                    self._lock.notify_all()

    def call(self, method, session=None, **params):
        with self._lock:
            if self._replies is None:
                raise Failed(f"the browser has ended\n{self.log()}")
            self._next += 1
            number = self._next
            message = {"id": number, "method": method, "params": params}
            if session:
                message["sessionId"] = session
            os.write(self._to, json.dumps(message).encode() + b"\0")
            if not self._lock.wait_for(lambda: self._replies is None or number in self._replies, GIVE_UP_S):
                raise Failed(f"{method}: no answer\n{self.log()}")
            if self._replies is None:
                raise Failed(f"the browser has ended\n{self.log()}")
            reply = self._replies.pop(number)
        if "error" in reply:
            raise Failed(f"{method}: {reply['error']}")
        return reply["result"]

    def log(self):
        with open(self._log, errors="replace") as f:
            return f.read()[-3000:]

    def wait(self, method, fits=lambda params: True):
        """The next event of the browser itself that fits."""
        while True:
            try:
                message = self._events.get(timeout=GIVE_UP_S)
            except queue.Empty:
                raise Failed(f"no {method}\n{self.log()}") from None
            if message["method"] == method and fits(message["params"]):
                return message["params"]

    def page(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        with self._lock:
            self._sessions[session] = page
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            page.call(f"{domain}.enable")
        return page


class Page:
    def __init__(self, browser, session):
        self._browser = browser
        self._session = session
        self._events = []

    def take(self, message):
        self._events.append(message)

    def call(self, method, **params):
        return self._browser.call(method, self._session, **params)

    def look(self, width, height, dark=False, language="ja", scale=1):
        """As on such a screen, with such a browser."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        agent = self._browser.call("Browser.getVersion")["userAgent"]
        self.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    def loads(self, what, act):
        """Waits until the page that `act` leads to is there with all that it needs."""
        b = self._browser
        loaded = lambda: sum(m["method"] == "Page.loadEventFired" for m in self._events)
        with b._lock:
            before = loaded()
        act()
        with b._lock:
            if not b._lock.wait_for(lambda: b._replies is None or loaded() > before, GIVE_UP_S) or b._replies is None:
                raise Failed(f"{what} was not loaded\n{b.log()}")

    def go(self, url):
        def act():
            error = self.call("Page.navigate", url=url).get("errorText")
            if error:
                raise Failed(f"{url}: {error}")

        self.loads(url, act)

    def js(self, expression):
        """The value of an expression in the page; the page's own policy has no say in this."""
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            raise Failed(f"{expression}: {got['exceptionDetails']}")
        return got["result"].get("value")

    def click(self, selector):
        """With the pointer, in the middle of what the selector finds."""
        x, y = self.js(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
                       " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path, whole=False):
        png = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(png))

    def complaints(self):
        """What the browser found wrong with the page: violations of its policy, errors, warnings."""
        found = []
        with self._browser._lock:
            for message in self._events:
                params = message["params"]
                if message["method"] == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                    found.append(params["entry"]["text"])
                if message["method"] == "Audits.issueAdded":
                    found.append(json.dumps(params["issue"]))
                if message["method"] == "Runtime.exceptionThrown":
                    found.append(json.dumps(params["exceptionDetails"]))
        return found

    def requests(self):
        with self._browser._lock:
            return [m["params"]["request"]["url"] for m in self._events if m["method"] == "Network.requestWillBeSent"]
