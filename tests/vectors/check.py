#!/usr/bin/python3
"""Makes all vector files again in a temporary folder and compares; also checks their format. Exit 1 if anything differs.

    /usr/bin/python3 check.py [--peer]        --peer: the self-test of peer.py as well (12 s)
"""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = ("make_rfc.py", "make_hostile.py", "make_handshake.py")
NAME = re.compile(r"[a-z][a-z0-9_]*")


def lint(path):
    """The format as the C parser expects it; gives a list of complaints."""
    bad, keys, first = [], set(), True
    with open(path, encoding="utf-8", newline="") as f:
        text = f.read()
    if not text.endswith("\n") or text.endswith("\n\n") or "\r" in text or "\n\n\n" in text:
        bad.append("line ends")
    for n, line in enumerate(text[:-1].split("\n"), 1):
        if line.startswith("#"):
            continue
        if not line:
            keys, first = set(), True
            continue
        key, sep, value = line.partition(" = ")
        ok = sep and NAME.fullmatch(key) and key not in keys and (key == "name") == first
        if key == "name":
            ok = ok and re.fullmatch(r"[a-z][a-z0-9_]*", value)
        elif key.endswith("_int"):
            ok = ok and re.fullmatch(r"[0-9]+", value)
        elif not key.endswith("_text"):
            ok = ok and re.fullmatch(r"([0-9a-f]{2})*", value)
        if not ok:
            bad.append("line %d: %s" % (n, line[:60]))
        keys.add(key)
        first = False
    return bad


def main():
    failed = 0
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    with tempfile.TemporaryDirectory() as tmp:
        for script in SCRIPTS:
            failed |= subprocess.run(["/usr/bin/python3", os.path.join(HERE, script), tmp], env=env,
                                     stderr=subprocess.DEVNULL).returncode != 0
        made = {n for n in os.listdir(tmp) if n.endswith(".txt")}
        kept = {n for n in os.listdir(HERE) if n.endswith(".txt")}
        for name in sorted(made | kept):
            if name not in kept or name not in made:
                print("%s: %s" % (name, "missing here" if name in made else "made by no script"))
                failed = 1
                continue
            with open(os.path.join(tmp, name), "rb") as a, open(os.path.join(HERE, name), "rb") as b:
                if a.read() != b.read():
                    print(name + ": differs")
                    failed = 1
            for complaint in lint(os.path.join(HERE, name)):
                print("%s: %s" % (name, complaint))
                failed = 1
    if "--peer" in sys.argv:
        failed |= subprocess.run(["/usr/bin/python3", os.path.join(HERE, "peer.py"), "--selftest"], env=env).returncode != 0
    print("check.py: %d files, %s" % (len(kept), "different" if failed else "all the same"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
