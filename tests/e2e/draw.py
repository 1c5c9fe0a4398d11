"""Draws on a display, and looks at it, through the X protocol and without any library: `draw.py rect X Y W H RRGGBB`, or `draw.py busy MS`, which
changes a rectangle every MS milliseconds until it is ended, `draw.py resize W H` (RANDR), `draw.py photo`, a picture of many
colours over the whole screen."""

import os
import random
import socket
import struct
import sys
import time


class Display:
    """Just enough of X11 to fill rectangles of the root window and to read it back."""

    def __init__(self, name, authority=None):
        number = name.split(":")[1].split(".")[0]
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(f"/tmp/.X11-unix/X{number}")
        proto, cookie = self._cookie(authority or os.environ.get("XAUTHORITY"))
        self.sock.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(proto), len(cookie)) + self._pad(proto) + self._pad(cookie))
        ok, _, _, _, words = struct.unpack("<BBHHH", self._read(8))
        setup = self._read(words * 4)
        assert ok == 1, setup
        self.id_base, = struct.unpack_from("<I", setup, 4)
        vendor, formats = struct.unpack_from("<H", setup, 16)[0], setup[21]
        screen = 32 + (vendor + 3) // 4 * 4 + formats * 8
        self.root, = struct.unpack_from("<I", setup, screen)
        self.width, self.height = struct.unpack_from("<HH", setup, screen + 20)
        self.gc = self.id_base + 1
        # IncludeInferiors: over the windows of others, too
        self.sock.sendall(struct.pack("<BxHIIII", 55, 5, self.gc, self.root, 1 << 15, 1))

    @staticmethod
    def _pad(b):
        return b + b"\0" * (-len(b) % 4)

    @staticmethod
    def _cookie(path):
        if not path or not os.path.exists(path):
            return b"", b""
        with open(path, "rb") as f:
            data = f.read()
        fields, at = [], 2
        for _ in range(4):
            n, = struct.unpack_from(">H", data, at)
            fields.append(data[at + 2 : at + 2 + n])
            at += 2 + n
        return fields[2], fields[3]

    def _read(self, n):
        out = b""
        while len(out) < n:
            more = self.sock.recv(n - len(out))
            assert more, "the display closed the connection"
            out += more
        return out

    def _reply(self):
        """The next answer's first 32 bytes; events (a changed keyboard is told to everybody) are passed over."""
        while True:
            head = self._read(32)
            if head[0] <= 1:
                return head

    def rect(self, x, y, w, h, colour):
        self.sock.sendall(struct.pack("<BxHIII", 56, 4, self.gc, 1 << 2, colour))
        self.sock.sendall(struct.pack("<BxHIIhhHH", 70, 5, self.root, self.gc, x, y, w, h))

    def resize(self, width, height):
        """Switches the first CRTC off, then sets the size: xrandr itself cannot change an Xvfb."""
        name = b"RANDR"
        self.sock.sendall(struct.pack("<BxHHxx", 98, 2 + 2, len(name)) + self._pad(name))
        randr = self._reply()[9]
        self.sock.sendall(struct.pack("<BBHI", randr, 8, 2, self.root))  # GetScreenResources
        head = self._reply()
        words, = struct.unpack_from("<I", head, 4)
        config_time, = struct.unpack_from("<I", head, 12)
        crtc, = struct.unpack_from("<I", self._read(words * 4), 0)
        self.sock.sendall(struct.pack("<BBHIIIhhIHxx", randr, 21, 7, crtc, 0, config_time, 0, 0, 0, 1))  # SetCrtcConfig
        self._reply()
        self.sock.sendall(struct.pack("<BBHIHHII", randr, 7, 5, self.root, width, height, width // 4, height // 4))

    def photo(self):
        """Smooth colours with noise, as a photograph has, in rows of PutImage."""
        rng = random.Random(2)
        for y in range(self.height):
            row = bytearray(4 * self.width)
            for x in range(self.width):
                n = rng.randrange(6)
                row[4 * x : 4 * x + 3] = bytes(((x * 200 // self.width + n) & 255, (y * 200 // self.height + n) & 255,
                                                ((x + y) * 120 // self.width + n) & 255))
            self.sock.sendall(struct.pack("<BBHIIHHhhBBxx", 72, 2, 6 + self.width, self.root, self.gc, self.width, 1, 0, y, 0, 24)
                              + row)

    def image(self):
        """The whole root window as RGB bytes (GetImage, ZPixmap, 32 bits a pixel, least significant byte first)."""
        rgb = bytearray(3 * self.width * self.height)
        at = 0
        for y in range(0, self.height, 64):
            rows = min(64, self.height - y)
            self.sock.sendall(struct.pack("<BBHIhhHHI", 73, 2, 5, self.root, 0, y, self.width, rows, 0xFFFFFF))
            head = self._reply()
            assert head[0] == 1, f"GetImage failed: {head!r}"
            px = self._read(struct.unpack_from("<I", head, 4)[0] * 4)
            n = self.width * rows
            assert len(px) == 4 * n, "not 32 bits a pixel"
            rgb[3 * at : 3 * (at + n) : 3] = px[2::4]
            rgb[3 * at + 1 : 3 * (at + n) : 3] = px[1::4]
            rgb[3 * at + 2 : 3 * (at + n) : 3] = px[0::4]
            at += n
        return self.width, self.height, bytes(rgb)

    def sync(self):
        self.sock.sendall(struct.pack("<BxH", 43, 1))  # GetInputFocus
        self._reply()


def main():
    d = Display(os.environ["DISPLAY"])
    if sys.argv[1] == "rect":
        x, y, w, h = map(int, sys.argv[2:6])
        d.rect(x, y, w, h, int(sys.argv[6], 16))
        d.sync()
        return
    if sys.argv[1] == "resize":
        d.resize(*map(int, sys.argv[2:4]))
        d.sync()
        return
    if sys.argv[1] == "photo":
        d.photo()
        d.sync()
        return
    pause = int(sys.argv[2]) / 1000
    rng = random.Random(1)
    while True:
        d.rect(rng.randrange(d.width - 60), rng.randrange(d.height - 60), 60, 60, rng.randrange(1 << 24))
        d.sync()
        time.sleep(pause)


if __name__ == "__main__":
    main()
