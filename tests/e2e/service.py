"""All servers of an installation, as an administrator sets them up: keys, database, managers, relays."""

import json
import os
import shutil
import subprocess

from api import Api, Customer, Operator, Server
from rig import Failed, Program, free_port, run, until

PASSWORD = "kUmo-7tori9"


class Service:
    """Addresses are free ports of loopback, so that several may run at once, unless `addresses` says otherwise: of management
    server NUMBER (public, relays', local). user: whom the servers become. prefix: before each server's command."""

    def __init__(self, rig, database=None, user=None, extra="", addresses=None, prefix=()):
        self.rig = rig
        self.database = database or f"sqlite:{rig.path('store')}/tasuki.db"
        self.extra = extra
        self.user = user
        self.prefix = list(prefix)
        self.keys = rig.path("keys")
        self.managers = {}  # number: Program
        self.known_relays = set()
        self.addresses = dict(addresses or {})
        os.makedirs(rig.path("store"), exist_ok=True)
        if user:
            shutil.chown(rig.path("store"), user)
        with open(rig.path("terms.txt"), "w", encoding="utf-8") as f:
            f.write("利用規約\nTerms of use\n")
        rig.make_cert("manager.tasuki.test")
        run([rig.exe("tasukictl", "src/admin"), "keyset", "init", self.keys])
        self.config(1)
        self.ctl("db", "migrate")

    def config(self, number):
        """The configuration of management server `number`."""
        if number not in self.addresses:
            self.addresses[number] = tuple(f"127.83.{number}.1:{free_port(f'127.83.{number}.1')}" for _ in range(2)) + (
                f"127.0.0.1:{free_port()}",)
        public, relays, local = self.addresses[number]
        path = self.rig.path(f"manager{number}.conf")
        crt, key = self.rig.make_cert("manager.tasuki.test")
        lines = {
            "listen": [public], "certificate": crt, "private_key": key, "relay_listen": relays,
            "relay_ca": self.rig.path("ca.pem"), "http": local, "database": self.database, "keys": self.keys,
            "organisation": "タスキ・テスト", "terms_version": "2026-11", "terms_ja": self.rig.path("terms.txt"),
            "terms_en": self.rig.path("terms.txt"), "clock": "warn",
        }
        if self.user:
            lines["user"] = self.user
        with open(path, "w", encoding="utf-8") as f:
            for name, value in lines.items():
                text = "{" + ", ".join(f'"{v}"' for v in value) + "}" if isinstance(value, list) else f'"{value}"'
                f.write(f"{name} = {text}\n")
            f.write(self.extra)
        return path

    def ctl(self, *args, fails=False, number=1, stdin=None):
        """tasukictl with a manager's configuration; what it printed (on failure, when wanted: what it complained)."""
        argv = [self.rig.exe("tasukictl", "src/admin"), "--config", self.config(number), *map(str, args)]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, input=stdin)
        if fails != (done.returncode != 0):
            raise Failed(f"tasukictl {' '.join(map(str, args))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stderr if fails else done.stdout

    def start_manager(self, number=1, name=None, env=None, prefix=()):
        argv = [*self.prefix, *prefix, self.rig.exe("tasuki-manager"), "--config", self.config(number)]
        p = self.managers[number] = self._start(name or f"manager{number}", argv, "ready", env)
        return p

    def _start(self, name, argv, event, env=None):
        """A server that has said `event` since it was started: the log of one that had its name before stays in the file."""
        log = self.rig.path(name + ".log")
        before = os.path.getsize(log) if os.path.exists(log) else 0
        p = Program(self.rig, name, argv, env=env, stdin=False)

        def has_said():
            if p.proc.poll() is not None:
                raise Failed(f"{name} ended before {event}\n{p.log()}")
            return f'"event":"{event}"' in p.log().encode()[before:].decode(errors="replace")

        until(f"{name}: {event}", has_said)
        return p

    def add_company(self, code="acme", name="株式会社アクメ", *more):
        self.ctl("company", "add", code, name, *more)

    def add_operator(self, code="acme", login="tanaka", name="田中 花子", password=PASSWORD):
        path = self.rig.path("password")
        with open(path, "w") as f:
            f.write(password + "\n")
        self.ctl("operator", "add", code, login, name, "--password-file", path)
        os.unlink(path)

    def server(self, number=1, relays=False, cert=None):
        address = self.addresses[number][1 if relays else 0]
        return Server(address, "manager.tasuki.test", self.rig.path("ca.pem"), cert)

    def operator(self, code="acme", login="tanaka", password=PASSWORD, number=1, source=None):
        """A logged-in operator."""
        op = Operator(self.server(number), source=source)
        op.login(code, login, password)
        return op

    def customer(self, number=1, source=None):
        return Customer(self.server(number), source=source)

    def api(self, number=1, source=None):
        return Api(self.server(number), source=source)

    # --- relays ---

    def start_relay(self, relay_id, region="jp", name=None):
        """A relay that registers with all managers there are."""
        rig = self.rig
        if relay_id not in rig.relays:
            rig.add_relay(relay_id)
        if relay_id not in self.known_relays:
            self.known_relays.add(relay_id)
            self.ctl("relay", "add", relay_id, f"relay{relay_id}.tasuki.test", rig.relays[relay_id][0], region)
        address, dns = rig.relays[relay_id]
        link_crt, link_key = rig.make_cert(dns, usage="clientAuth")
        with open(os.path.join(self.keys, "root.pub")) as f:
            root = f.read().strip()
        conf = rig.path(f"relay{relay_id}.conf")
        crt, key = rig.make_cert(dns)
        with open(conf, "w") as f:
            f.write(f'relay_id = {relay_id}\nlisten = {{"{address}"}}\ncertificate = "{crt}"\nprivate_key = "{key}"\n'
                    f'clock = "warn"\nname = "{dns}"\nregion = "{region}"\npublic_address = "{address}"\nroot = "{root}"\n'
                    f'manager_ca = "{rig.path("ca.pem")}"\nlink_certificate = "{link_crt}"\nlink_key = "{link_key}"\n')
            for number, (_, relays, _) in sorted(self.addresses.items()):
                f.write(f'manager "https://manager.tasuki.test:{relays.rsplit(":", 1)[1]}" {{ address = "{relays}" }}\n')
            if self.user:
                f.write(f'user = "{self.user}"\n')
        return self._start(name or f"relay{relay_id}", [*self.prefix, rig.exe("tasuki-relay"), "--config", conf], "keyset_taken")

    # --- tools and downloads ---

    def org(self, downloads=(), name="org.section"):
        """What a tool of this installation is born with, as a file."""
        managers = [{"url": f"https://manager.tasuki.test:{a.rsplit(':', 1)[1]}", "address": a} for _, (a, _, _) in sorted(self.addresses.items())]
        with open(self.rig.path("ca.pem")) as f:
            org = {"organisation": "タスキ・テスト", "managers": managers, "downloads": list(downloads), "ca": f.read(), "sequence": 1}
        with open(self.rig.path("org.json"), "w") as f:
            json.dump(org, f)
        out = self.rig.path(name)
        self.ctl("client", "make", "--section-only", "--force", "--org", self.rig.path("org.json"), "--root-key",
                 os.path.join(self.keys, "root.key"), "--out", out)
        os.chmod(out, 0o644)
        return out

    def start_download(self, address, redirect=None, client=None, name="download"):
        """A download server; client: the file it hands out."""
        rig = self.rig
        crt, key = rig.make_cert("download.tasuki.test")
        folder = rig.path("downloads")
        os.makedirs(folder, exist_ok=True)
        if client:
            shutil.copy2(client, os.path.join(folder, "tasuki-client"))
        conf = rig.path("download.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f'listen = {{"{address}"}}\ncertificate = "{crt}"\nprivate_key = "{key}"\nfolder = "{folder}"\n'
                    f'client = "tasuki-client"\norganisation = "タスキ・テスト"\nclock = "warn"\n')
            if redirect:
                f.write(f'redirect_listen = {{"{redirect}"}}\n')
            if self.user:
                f.write(f'user = "{self.user}"\n')
        return self._start(name, [*self.prefix, rig.exe("tasuki-download"), "--config", conf], "ready")

    def start_operator(self, org, code="acme", login="tanaka", password=PASSWORD, prefix=(), env=None, name="operator"):
        """The operator's tool without windows, logged in."""
        op = Program(self.rig, name, [*prefix, self.rig.exe("tasuki-headless"), "operator", "--org", org, "--company", code, "--id",
                                      login], env=env)
        op.say(password)
        op.wait("logged_in")
        return op

    def start_customer(self, org, display, rights=127, prefix=(), env=None, name="customer"):
        return Program(self.rig, name, [*prefix, self.rig.exe("tasuki-headless"), "customer", "--org", org, "--rights", str(rights)],
                       env=dict(env or os.environ, DISPLAY=display))

    def pair(self, op, client, **fields):
        """From the number to the customer's last yes; the session's id and what the customer was shown."""
        op.say("issue " + " ".join(f"{k}={v}" for k, v in fields.items()))
        issued = op.wait("issued")
        client.say("number " + issued["number"])
        company = client.wait("company")
        waiting = op.wait("session", session=issued["session"], state="waiting")
        op.say(f"answer {issued['session']} {waiting['claims'][0]['id']}")
        who = client.wait("operator")
        client.say("accept")
        return issued["session"], {"number": issued["number"], "company": company["name"], "operator": who["name"]}

    # --- looking ---

    def metrics(self, number=1):
        import urllib.request

        with urllib.request.urlopen(f"http://{self.addresses[number][2]}/metrics", timeout=10) as r:
            lines = r.read().decode().splitlines()
        return {k.removeprefix("tasuki_manager_"): int(v) for k, v in (line.split() for line in lines if line[0] != "#")}

    def log_lines(self, number=1):
        return [json.loads(line) for line in self.managers[number].log().splitlines()]

