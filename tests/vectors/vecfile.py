"""Writes the test vector files: blocks of `key = value`, a blank line between blocks, `#` comments."""

import os
import sys


class VecFile:
    def __init__(self, name, header):
        self.name = name
        self.lines = ["# " + line if line else "#" for line in header.strip("\n").split("\n")]
        self.names = set()

    def block(self, name, **fields):
        """Adds a block. bytes are written as hex, ints need a key in _int, str a key in _text."""
        assert name not in self.names, name
        self.names.add(name)
        self.lines.append("")
        self.lines.append("name = " + name)
        for key, value in fields.items():
            if value is None:
                continue
            if isinstance(value, (bytes, bytearray)):
                assert not key.endswith(("_text", "_int")), key
                text = bytes(value).hex()
            elif isinstance(value, int):
                assert key.endswith("_int"), key
                text = str(value)
            else:
                assert key.endswith("_text"), key
                text = value
            assert "\n" not in text
            self.lines.append("%s = %s" % (key, text))

    def write(self, folder):
        path = os.path.join(folder, self.name)
        with open(path, "w", encoding="utf-8", newline="\n") as f:
            f.write("\n".join(self.lines) + "\n")
        print("%s: %d blocks" % (self.name, len(self.names)), file=sys.stderr)


def out_folder(argv):
    """The folder to write into: the first argument, else the one of the scripts."""
    return argv[1] if len(argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def read_blocks(path):
    """Reads a vector file back: a list of dicts, values converted by the suffix of the key."""
    blocks, block = [], {}
    with open(path, encoding="utf-8") as f:
        for line in list(f) + ["\n"]:
            line = line.rstrip("\n")
            if line.startswith("#"):
                continue
            if not line.strip():
                if block:
                    blocks.append(block)
                block = {}
                continue
            key, value = line.split("=", 1)
            key, value = key.strip(), value.strip()
            assert key not in block, (path, key)
            if key == "name" or key.endswith("_text"):
                block[key] = value
            elif key.endswith("_int"):
                block[key] = int(value)
            else:
                block[key] = bytes.fromhex(value)
    return blocks
