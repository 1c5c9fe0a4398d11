"""A running tasuki-download, for tests: its configuration, and curl to ask it."""

import hashlib
import os
import signal
import subprocess

from http_site import Reply
from rig import Failed, Program, free_port, until

NAME = "get.tasuki.test"
VERSIONS = ("--http1.1", "--http2")
ORGANISATION = 'タスキ <&"\'> サポート'


class Download:
    def __init__(self, rig, client=None, host="127.84.0.1", start=True, **options):
        self.rig = rig
        self.host = host
        self.port, self.plain_port = free_port(host), free_port(host)
        self.local = f"127.0.0.1:{free_port()}"
        self.folder = rig.path("files")
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)
        self.file = os.path.join(self.folder, "tasuki-client")
        if client is not None:
            self.put(client)
        self.crt, self.key = rig.make_cert(NAME)
        self.options = {
            "listen": [f"{host}:{self.port}"], "redirect_listen": [f"{host}:{self.plain_port}"], "certificate": self.crt,
            "private_key": self.key, "http": self.local, "folder": self.folder, "organisation": ORGANISATION, "clock": "warn",
            **options,
        }
        self.conf = rig.path("download.conf")
        self.write_conf()
        self.program = None
        if start:
            self.start()

    def put(self, data, name="tasuki-client"):
        """As docs/operations.md says: beside it, then into its place."""
        temp = os.path.join(self.folder, ".new")
        with open(temp, "wb") as f:
            f.write(data)
        os.chmod(temp, 0o644)
        os.rename(temp, os.path.join(self.folder, name))

    def write_conf(self):
        with open(self.conf, "w", encoding="utf-8") as f:
            for name, value in self.options.items():
                if isinstance(value, list):
                    text = "{" + ", ".join(f'"{v}"' for v in value) + "}"
                elif isinstance(value, int):
                    text = str(value)
                else:
                    text = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
                f.write(f"{name} = {text}\n")

    @property
    def argv(self):
        return [self.rig.exe("tasuki-download"), "--config", self.conf]

    def start(self, prefix=(), env=None):
        seen = self.program.log().count('"event":"ready"') if self.program else 0
        self.program = Program(self.rig, "download", [*prefix, *self.argv], env=env, stdin=False)

        def ready():
            if self.program.proc.poll() is not None:
                raise Failed(f"tasuki-download did not start\n{self.program.log()}")
            return self.program.log().count('"event":"ready"') > seen

        until("tasuki-download ready", ready)

    def hang_up(self, answer):
        """SIGHUP, until it says `answer`, such as "reloaded"."""
        seen = self.program.log().count(f'"event":"{answer}"')
        self.program.kill(signal.SIGHUP)
        until(answer, lambda: self.program.log().count(f'"event":"{answer}"') > seen)

    def stop(self):
        self.program.kill(signal.SIGTERM)
        assert self.program.exit_code() == 0, self.program.log()

    def url(self, path):
        return f"https://{NAME}:{self.port}{path}"

    def curl_argv(self, version, path, *args):
        return ["curl", "-s", "-S", version, "--path-as-is", "--cacert", self.rig.path("ca.pem"), "--connect-to",
                f"{NAME}:{self.port}:{self.host}:{self.port}", self.url(path), *args]

    def curl(self, version, path, *args):
        return self._ask(self.curl_argv(version, path, "-i", *args))

    def plain(self, path, *args):
        return self._ask(["curl", "-s", "-S", "-i", "--path-as-is", f"http://{self.host}:{self.plain_port}{path}", *args])

    def _ask(self, argv):
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode != 0:
            raise Failed(f"{' '.join(argv)}: {done.returncode} {done.stderr.decode()}\n{self.program.tail()}")
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        return Reply(head, body)

    def metrics(self):
        import urllib.request

        with urllib.request.urlopen(f"http://{self.local}/metrics", timeout=10) as r:
            lines = r.read().decode().splitlines()
        return {k.removeprefix("tasuki_download_"): int(v) for k, v in (line.split() for line in lines if line[0] != "#")}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def etag(data):
    return f'"{sha256(data)[:32]}"'
