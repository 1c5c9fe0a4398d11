"""All servers of an installation on loopback, with throw-away keys: `./run serve`. Until Ctrl-C; nothing stays.

manager 127.83.0.1, relays 127.83.0.2 and 127.83.0.4, download 127.83.0.3, each on port 443 (download also 80). Names *.tasuki.test are
used with an authority made for this run; neither /etc/hosts nor the system's trust is touched."""

import argparse
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from rig import Failed, Rig  # noqa: E402
from service import PASSWORD, Service  # noqa: E402
from tools import fill  # noqa: E402


def may_bind(port, host="127.83.0.1"):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
        except PermissionError:
            return False
        except OSError as e:
            sys.exit(f"./run serve: {host}:{port}: {e.strerror}; is it running already?")
    return True


def start(rig, https, http):
    """The whole installation with both tools filled for it; its Service, the section of the tools, the operator's tool."""
    s = Service(rig, addresses={1: (f"127.83.0.1:{https}", f"127.83.0.1:{8444}", "127.83.0.1:9465")})
    s.add_company("acme", "株式会社アクメ")
    s.add_operator("acme", "tanaka", "田中 花子")
    s.start_manager()
    for relay, last in ((1, 2), (2, 4)):
        rig.add_relay(relay, f"127.83.0.{last}:{https}")
        s.start_relay(relay)
    downloads = [{"url": f"https://download.tasuki.test:{https}", "address": f"127.83.0.3:{https}"}]
    client, operator = (fill(s, rig.exe(name, folder), rig.path(name), downloads) for name, folder in
                        (("tasuki-client", "src/customer"), ("tasuki-operator", "src/operator")))
    s.start_download(f"127.83.0.3:{https}", f"127.83.0.3:{http}", client)
    os.unlink(client)
    return s, s.org(downloads), operator


def main():
    argparse.ArgumentParser(prog="./run serve", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    https, http = 443, 80
    if not (may_bind(443) and may_bind(80)):
        https, http = 8443, 8080
        print("This user may not use ports below 1024: 8443 and 8080 are used instead of 443 and 80.")
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job would not hear the first
        signal.signal(number, signal.default_int_handler)
    with Rig() as rig:
        try:
            s, org, operator = start(rig, https, http)
        except (Failed, OSError) as e:
            sys.exit(f"./run serve: {e}")
        headless, ctl = rig.exe("tasuki-headless"), rig.exe("tasukictl", "src/admin")
        curl = f"curl --cacert {rig.path('ca.pem')} --connect-to download.tasuki.test:{https}:127.83.0.3:{https}"
        page = f"https://download.tasuki.test:{https}/"
        print(f"""
The servers run: manager 127.83.0.1:{https}, relays 127.83.0.2:{https} and 127.83.0.4:{https}, download 127.83.0.3:{https}.

With windows, on your display (LANGUAGE=ja LC_ALL=C.UTF-8 in front: in Japanese):

  the operator  {operator}
                Company code acme, ID tanaka, password {PASSWORD}. Then issue a reception number.
  the customer  A screen of its own, so that the picture is not in itself:
                Xephyr :9 -screen 1280x800 -title customer &
                DISPLAY=:9 openbox & DISPLAY=:9 xterm &
                {curl} -o tasuki-client {page}client
                chmod +x tasuki-client && DISPLAY=:9 ./tasuki-client
                Its file is gone when it ends; download it again.

Without windows:

  an operator   {headless} operator --org {org} --company acme --id tanaka
                1. first line: the password, {PASSWORD}
                2. issue                          gives the reception number
                4. answer SESSION CLAIM           both stand in the event "session" that says who waits
                6. code NNN-NNN-NNN               what the customer reads out; then: view on, save FILE.png, text Hello, chat Hi, end
  a customer    DISPLAY=:9 {headless} customer --org {org} --rights 127
                3. number NNN-NNN-NNN             the reception number
                5. accept                         after the event "operator"; the check code comes then

The servers:

  the records   {ctl} --config {s.config(1)} session list acme
                {ctl} --config {s.config(1)} audit verify
  the page      {curl} {page}
  the figures   curl http://127.83.0.1:9465/metrics
  logs          {rig.dir}/*.log

Ctrl-C ends all of it and takes everything away.""", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print("\nEnding.")
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    main()
