"""tasukictl client make: from a tool that belongs to nobody to one that a customer downloads and starts."""

import hashlib
import json
import os
import re
import subprocess

from download import VERSIONS, Download
from rig import Failed, main, run

ORG = {
    "organisation": "株式会社タスキ",
    "managers": [{"url": "https://manager1.tasuki.test", "address": "127.83.0.1:443"}, {"url": "https://manager2.tasuki.test:8443"}],
    "downloads": [{"url": "https://get.tasuki.test"}],
    "ca": None,
    "sequence": 4,
}
SECTION = 8192


class Maker:
    def __init__(self, rig):
        self.rig = rig
        self.keys = rig.path("keys")
        self.tool = rig.exe("org_tool", "tests/e2e")
        self.out = rig.path("tasuki-client")
        self.org = rig.path("org.json")
        run([rig.exe("tasukictl", "src/admin"), "keyset", "init", self.keys])
        self.write(ORG)

    def write(self, org):
        with open(self.org, "w", encoding="utf-8") as f:
            f.write(org if isinstance(org, str) else json.dumps(org))

    def make(self, *more, code=0, says="", tool=None, out=None, key=None):
        tool = ["--in", tool or self.tool] if tool is not False else []
        argv = [self.rig.exe("tasukictl", "src/admin"), "client", "make", *tool, "--out", out or self.out, "--org", self.org,
                "--root-key", key or os.path.join(self.keys, "root.key"), *more]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        text = done.stderr if code else done.stdout
        if done.returncode != code or says not in text:
            raise Failed(f"exit {done.returncode}, wanted {code} and {says!r}:\n{done.stdout}{done.stderr}")
        assert os.listdir(self.rig.dir).count(".new") == 0
        return text

    def root(self):
        with open(os.path.join(self.keys, "root.pub")) as f:
            return f.read().strip()


def start(tool, code=0):
    done = subprocess.run([tool], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == code, done
    return done.stderr if code else json.loads(done.stdout)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def test_a_tool_knows_what_it_was_made_with(rig):
    m = Maker(rig)
    assert "belongs to no installation" in start(m.tool, 78)
    told = m.make(says="株式会社タスキ")
    got = start(m.out)
    assert got == {"organisation": ORG["organisation"], "managers": [s["url"] for s in ORG["managers"]], "root": m.root(),
                   "sequence": 4, "ca": None}, got
    made, empty = read(m.out), read(m.tool)
    assert os.stat(m.out).st_mode & 0o7777 == 0o755
    for text in (f"{len(made)} bytes", hashlib.sha256(made).hexdigest(), "https://manager1.tasuki.test (127.83.0.1:443)",
                 "https://manager2.tasuki.test:8443", "https://get.tasuki.test", m.root()):
        assert text in told, told
    assert read(os.path.join(m.keys, "root.key")).strip().decode() not in told
    # Nothing but the section has changed.
    at = section_of(empty)
    assert len(made) == len(empty) and made[:at] == empty[:at] and made[at + SECTION:] == empty[at + SECTION:]
    assert empty[at:at + SECTION] == bytes(SECTION)


def test_a_customer_downloads_and_starts_it(rig):
    m = Maker(rig)
    m.make()
    d = Download(rig, read(m.out))
    for version in VERSIONS:
        got = rig.path("downloaded")
        run(d.curl_argv(version, "/client", "-o", got))
        os.chmod(got, 0o755)
        assert start(got)["organisation"] == ORG["organisation"]
        os.unlink(got)


def test_a_changed_tool_says_so(rig):
    m = Maker(rig)
    m.make()
    made = bytearray(read(m.out))
    at = made.index(b"manager1")
    made[at] ^= 1
    bad = rig.path("bad")
    with open(bad, "wb") as f:
        f.write(made)
    os.chmod(bad, 0o755)
    assert "not signed" in start(bad, 78)


def test_the_root_may_be_left_out_or_must_be_the_key_s(rig):
    m = Maker(rig)
    m.write({**ORG, "root": m.root()})
    m.make()
    m.write({**ORG, "root": "11" * 32})
    m.make("--force", code=78, says="root is another than")
    other = rig.path("other")
    run([rig.exe("tasukictl", "src/admin"), "keyset", "init", other])
    m.write({**ORG, "root": m.root()})
    m.make("--force", code=78, says="root is another than", key=os.path.join(other, "root.key"))
    assert start(m.out)["root"] == m.root()


def test_a_section_alone(rig):
    m = Maker(rig)
    with open(rig.path("ca.crt"), "w") as f:
        f.write("")
    rig.make_ca()
    with open(rig.path("ca.pem")) as f:
        m.write({**ORG, "ca": f.read()})
    m.make("--section-only", tool=False, out=rig.path("operator.json"), says="the certificates in ca")
    section = read(rig.path("operator.json"))
    assert len(section) == SECTION and section.startswith(b"TSKORG1\0")
    assert os.stat(rig.path("operator.json")).st_mode & 0o7777 == 0o644
    m.make()
    assert section in read(m.out), "signatures are the same each time"
    m.make("--section-only", code=2, says="either --in FILE or --section-only")
    m.make(code=2, says="either --in FILE or --section-only", tool=False)


def test_nothing_is_overwritten_unasked(rig):
    m = Maker(rig)
    m.make()
    before = read(m.out)
    m.write({**ORG, "sequence": 5})
    m.make(code=1, says="--force replaces it")
    assert read(m.out) == before
    m.make("--force")
    assert start(m.out)["sequence"] == 5
    # Over itself.
    m.write({**ORG, "sequence": 6})
    m.make("--force", tool=m.out)
    assert start(m.out)["sequence"] == 6
    m.make("--force", out=rig.path("no/such/folder"), code=1, says="No such file")
    os.mkdir(rig.path("folder"))
    m.make("--force", out=rig.path("folder"), code=1, says="folder")
    assert not [n for n in os.listdir(rig.dir) if n.endswith(".new")]


def test_a_tool_of_another_organisation_is_not_taken_unasked(rig):
    m = Maker(rig)
    m.make()
    again = rig.path("again")
    m.write({**ORG, "sequence": 5})
    m.make(tool=m.out, out=again)  # one's own may be filled anew
    m.write({**ORG, "organisation": "Another Inc."})
    third = rig.path("third")
    m.make(tool=m.out, out=third, code=78, says="belongs to another organisation already (株式会社タスキ)")
    assert not os.path.exists(third)
    m.make("--force", tool=m.out, out=third)
    assert start(third)["organisation"] == "Another Inc."
    damaged = bytearray(read(m.out))
    damaged[section_of(read(m.tool))] ^= 1
    with open(rig.path("damaged"), "wb") as f:
        f.write(damaged)
    m.write(ORG)
    m.make(tool=rig.path("damaged"), out=rig.path("fourth"), code=78, says="its section is filled, but not well")
    m.make("--force", tool=rig.path("damaged"), out=rig.path("fourth"))
    assert start(rig.path("fourth"))["organisation"] == ORG["organisation"]


def test_what_is_wrong_is_named(rig):
    m = Maker(rig)
    for org, says in (
            ("", "empty"), ("{", "not JSON"), ("[]", "org.json"), ("7", "org.json"), ('{"organisation":"a","organisation":"b"}', "duplicate"),
            ({**ORG, "organisation": ""}, "organisation"), ({**ORG, "organisation": "x" * 97}, "organisation"),
            ({**ORG, "organisation": "a\u202eb"}, "organisation"), ({**ORG, "managers": []}, "managers"),
            ({**ORG, "managers": [{"url": "http://x"}]}, "managers: url"), ({**ORG, "managers": [{"url": "https://x/y"}]}, "managers: url"),
            ({**ORG, "managers": [{"url": "https://x", "address": "y"}]}, "managers: address"),
            ({**ORG, "managers": [{"url": "https://x", "port": 1}]}, "managers: an unknown member"), ({**ORG, "downloads": 7}, "downloads"),
            ({**ORG, "sequence": -1}, "sequence"), ({**ORG, "sequence": "1"}, "sequence"), ({**ORG, "colour": 1}, "unknown member"),
            ({k: v for k, v in ORG.items() if k != "managers"}, "managers"), ({**ORG, "root": "12"}, "root"), ({**ORG, "root": None}, "root"),
            ({**ORG, "ca": "no certificate"}, "ca must be certificates"), ({**ORG, "ca": "x" * 6145}, "ca is too long"),
            ("x" * 70000, "too large")):
        m.write(org)
        m.make(code=78, says=says)
    servers = [{"url": "https://" + ".".join(["x" * 60] * 4), "address": ""}] * 8
    m.write({**ORG, "managers": servers, "ca": "-----BEGIN CERTIFICATE-----\n" + "A" * 6100})
    m.make(code=78, says="too long for a section: at most 8116 bytes")
    m.write(ORG)
    assert not os.path.exists(m.out)

    elf = read(m.tool)
    for name, data, says in (("text", b"#!/bin/sh\n", "not a 64-bit little-endian ELF file"), ("empty", b"", "empty"),
                             ("cut", elf[:5000], "cut"), ("other", read("/bin/true"), "other")):
        with open(rig.path(name), "wb") as f:
            f.write(data)
        m.make(tool=rig.path(name), code=78, says=says)
    m.make(tool="/no/such", code=78, says="/no/such: No such file")
    m.make(tool=rig.dir, code=78, says="not a file")
    # A section of another size: the size stands 8 * 4 bytes behind the name's place in the section table.
    at = header_of(elf)
    wrong = bytearray(elf)
    wrong[at + 32:at + 40] = (4096).to_bytes(8, "little")
    with open(rig.path("short"), "wb") as f:
        f.write(wrong)
    m.make(tool=rig.path("short"), code=78, says="short")

    key = rig.path("key")
    for text, mode, says in (("11" * 31, 0o600, "64 hexadecimal"), ("", 0o600, "64 hexadecimal"), ("zz" * 32, 0o600, "64 hexadecimal"),
                             ("11" * 33, 0o600, "64 hexadecimal"), ("11" * 32, 0o644, "others may read it")):
        with open(key, "w") as f:
            f.write(text)
        os.chmod(key, mode)
        m.make(key=key, code=78, says=says)
    m.make(key="/no/such", code=78, says="/no/such")
    m.make("--colour", code=2)
    assert not os.path.exists(m.out)


def header_of(elf):
    """Where the header of the empty .tasuki_org lies in the section table (System V ABI, chapter 4)."""
    table = int.from_bytes(elf[40:48], "little")
    count = int.from_bytes(elf[60:62], "little")
    for i in range(count):
        at = table + 64 * i
        size = int.from_bytes(elf[at + 32:at + 40], "little")
        offset = int.from_bytes(elf[at + 24:at + 32], "little")
        if size == SECTION and elf[offset:offset + size] == bytes(SECTION):
            return at
    raise Failed("no section")


def section_of(elf):
    at = header_of(elf)
    return int.from_bytes(elf[at + 24:at + 32], "little")


def test_what_strips_and_links_keeps_the_section(rig):
    m = Maker(rig)
    stripped = rig.path("stripped")
    run(["strip", "-o", stripped, m.tool])
    m.make(tool=stripped)
    assert start(m.out)["organisation"] == ORG["organisation"]
    sections = run(["readelf", "-S", "-W", m.out])
    assert re.search(r"\.tasuki_org\s+PROGBITS\s+\S+\s+\S+\s+002000", sections), sections


if __name__ == "__main__":
    main(*[t for name, t in list(globals().items()) if name.startswith("test_")])
