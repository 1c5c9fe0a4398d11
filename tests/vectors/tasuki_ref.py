"""Tasuki end to end (docs/protocol.md sections 3, 4 and 6) a second time, written from the page alone.

Pure functions: bytes in, bytes out. Shares no code with src/. Not constant-time; for tests only.
Where the page leaves a choice, the choice is marked CHOICE and listed in README.md.
"""

import hashlib
import hmac as _hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

import curve

HOST, VIEWER = 1, 2
SUITE_CHACHA, SUITE_AES = 1, 2
KNOWN_SUITES = SUITE_CHACHA | SUITE_AES
VERSION = 1
MAX_REC = 16376
MAX_PLAIN = 16352
OVERHEAD = 24
PF_CLASS, PF_START, PF_END, PF_DROPPABLE = 3, 4, 8, 16

AUTH, VERIFY, VERIFIED, SYNC, ACK, FRAME_ACK, BYE = 0x8001, 0x8002, 0x8003, 0x8004, 0x0005, 0x0006, 0x8007
ASK, GRANTS, VIEW, GROUP_KEY, INPUT, SCREEN, FRAME = 0x8009, 0x800A, 0x800B, 0x8008, 0x0020, 0x8010, 0x8011
CURSOR_POS, CURSOR_IMAGE, CHAT, MONITORS = 0x0012, 0x0013, 0x0030, 0x000C
# type -> channel, size of the body or (least, most)
MESSAGES = {
    AUTH: (0, 416, 416), VERIFY: (0, 2, 2), VERIFIED: (0, 2, 2), SYNC: (0, 72, 72), ACK: (0, 8, 8),
    FRAME_ACK: (0, 32, 32), BYE: (0, 40, 40), GROUP_KEY: (0, 64, 64), ASK: (0, 2, 2), GRANTS: (0, 4, 4),
    VIEW: (0, 4, 4), INPUT: (1, 56, 56), SCREEN: (2, 16, 16), FRAME: (2, 0, 4194304),
    CURSOR_POS: (3, 12, 12), CURSOR_IMAGE: (3, 12, 262144), CHAT: (7, 8, 4008), MONITORS: (0, 8, 712),
}
KIB = 1024
CHANNEL_MAX = {0: 16 * KIB, 1: 64, 2: 4096 * KIB, 3: 256 * KIB, 4: 1024 * KIB, 5: 64 * KIB, 6: 64 * KIB, 7: 4 * KIB,
               8: 4 * KIB, 9: 16 * KIB, 10: 16 * KIB}
# classes a channel may use
CHANNEL_CLASSES = {0: (0,), 1: (0,), 2: (2,), 3: (0, 1), 4: (1,), 5: (1,), 6: (3,), 7: (1,), 8: (1,), 9: (1,), 10: (1,)}


class ProtocolError(Exception):
    pass


def need(condition, text):
    if not condition:
        raise ProtocolError(text)


# ---- primitives ----


def pad16(text):
    b = text.encode("ascii")
    assert len(b) <= 16
    return b + bytes(16 - len(b))


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hmac256(key, *parts):
    return _hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def hkdf_expand(prk, info, length):
    out, block, n = b"", b"", 0
    while len(out) < length:
        n += 1
        block = hmac256(prk, block, info, bytes([n]))
        out += block
    return out[:length]


def expand(secret, label, length, context, suite):
    info = label.encode("ascii") + b"\x00" + struct.pack(">HH", suite, length) + context
    return hkdf_expand(secret, info, length)


def x25519(sk, pk):
    out = curve.x25519(sk, pk)
    need(out != bytes(32), "X25519 gave zero")
    return out


def x25519_public(sk):
    return curve.x25519(sk, curve.X25519_BASE)


def ed_public(seed):
    return curve.public(seed)


def ed_sign(seed, *parts):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(b"".join(parts))


def ed_verify(pk, sig, *parts):
    return curve.verify_strict(pk, b"".join(parts), sig)


def aead(suite, key):
    return {SUITE_CHACHA: ChaCha20Poly1305, SUITE_AES: AESGCM}[suite](key)


# ---- section 1: the statement ----


def statement(signer_seed, kid, role, slot, perms, kind, session_id, company_id, not_after_ms, pop_pk, company, name):
    body = struct.pack(">BBBBHBBQIIQ", 1, kid, role, slot, perms, kind, 0, session_id, company_id, 0, not_after_ms)
    body += pop_pk
    for text in (company, name):
        b = text.encode("utf-8")
        assert len(b) <= 96
        body += b + bytes(96 - len(b))
    assert len(body) == 256
    return body + ed_sign(signer_seed, pad16("TSK1 statement"), body)


BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def text_field(b):
    """CHOICE: control = U+0000-1F, 7F-9F; bidi = U+061C, 200E, 200F, 202A-202E, 2066-2069; nothing after the first 0."""
    text = b.rstrip(b"\x00")
    need(b"\x00" not in text, "zero byte inside a name")
    try:
        s = text.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError("name is not UTF-8")
    for c in map(ord, s):
        need(c >= 0x20 and not 0x7F <= c <= 0x9F and c not in BIDI, "character not allowed in a name")
    return s


def parse_statement(b):
    need(len(b) == 320, "statement size")
    ver, kid, role, slot, perms, kind, pad, sid, company_id, pad2, not_after = struct.unpack(">BBBBHBBQIIQ", b[:32])
    need(ver == 1 and pad == 0 and pad2 == 0 and kind in (1, 2), "statement fields")
    need((role == HOST and slot == 0) or (role == VIEWER and 1 <= slot <= 15), "statement role and slot")
    return {"kid": kid, "role": role, "slot": slot, "perms": perms, "kind": kind, "session_id": sid,
            "company_id": company_id, "not_after_ms": not_after, "pop_pk": b[32:64],
            "company": text_field(b[64:160]), "name": text_field(b[160:256])}


def check_statement(b, signer_pk, now_ms, session_id, role, slot, own_pop_pk):
    s = parse_statement(b)
    need(ed_verify(signer_pk, b[256:], pad16("TSK1 statement"), b[:256]), "statement signature")
    need(now_ms <= s["not_after_ms"], "statement too old")
    need(s["session_id"] == session_id, "statement of another session")
    need(s["role"] == role, "statement of the wrong role")
    need(s["slot"] == slot, "statement of the wrong slot")
    need(s["pop_pk"] != own_pop_pk, "statement with our own key")
    return s


# ---- section 3: handshake ----


def hs_head(kind, ver, suites, caps, role, slot, session_id, max_rec=MAX_REC):
    return struct.pack(">BBHIBBHIQ", kind, ver, suites, caps, role, slot, 0, max_rec, session_id)


def parse_head(b):
    need(len(b) >= 24, "handshake message too short")
    kind, ver, suites, caps, role, slot, pad, max_rec, session_id = struct.unpack(">BBHIBBHIQ", b[:24])
    need(pad == 0, "handshake padding")
    return {"type": kind, "ver": ver, "suites": suites, "caps": caps, "role": role, "slot": slot, "max_rec": max_rec,
            "session_id": session_id}


def commitment(h1_head, e_pk, r):
    return sha256(pad16("TSK1 commit"), h1_head, e_pk, r)


def make_h1(suites, caps, slot, session_id, e_sk, r, ver=VERSION):
    head = hs_head(1, ver, suites, caps, VIEWER, slot, session_id)
    return head + commitment(head, x25519_public(e_sk), r)


def choose_suite(offer, own):
    """The highest common bit of those that this version knows."""
    common = offer & own & KNOWN_SUITES
    need(common, "no common suite")
    return SUITE_AES if common & SUITE_AES else SUITE_CHACHA


def make_h2(h1, own_suites, caps, slot, session_id, e_sk, r):
    need(len(h1) == 56, "H1 size")
    h = parse_head(h1)
    need(h["type"] == 1 and h["role"] == VIEWER and h["slot"] == slot and h["session_id"] == session_id, "H1 head")
    need(h["ver"] >= 1, "H1 version")
    suite = choose_suite(h["suites"], own_suites)
    head = hs_head(2, min(h["ver"], VERSION), suite, caps & h["caps"] & 0xFFFF, HOST, slot, session_id)
    return head + x25519_public(e_sk) + r, suite


def make_h3(h1, h2, e_sk, r):
    a = parse_head(h1)
    need(len(h2) == 72, "H2 size")
    b = parse_head(h2)
    need(b["type"] == 2 and b["role"] == HOST and b["slot"] == a["slot"] and b["session_id"] == a["session_id"], "H2 head")
    need(1 <= b["ver"] <= min(a["ver"], VERSION), "H2 version")
    need(b["suites"] in (SUITE_CHACHA, SUITE_AES) and b["suites"] & a["suites"], "H2 suite")
    need(b["caps"] & ~(a["caps"] & 0xFFFF) == 0, "H2 caps")
    head = hs_head(3, b["ver"], b["suites"], b["caps"], VIEWER, a["slot"], a["session_id"])
    return head + x25519_public(e_sk) + r, b["suites"]


def check_h3(h1, h2, h3):
    a, b = parse_head(h1), parse_head(h2)
    need(len(h3) == 72, "H3 size")
    c = parse_head(h3)
    need(c["type"] == 3 and c["role"] == VIEWER and c["slot"] == a["slot"] and c["session_id"] == a["session_id"], "H3 head")
    need(c["ver"] == b["ver"] and c["suites"] == b["suites"] and c["caps"] == b["caps"], "H3 version, suite or caps")
    need(_hmac.compare_digest(commitment(h1[:24], h3[24:56], h3[56:72]), h1[24:56]), "H3 commitment")


def transcript(h1, h2, h3):
    return sha256(pad16("TSK1 transcript"), h1, h2, h3)


def first_prk(th, ss):
    return hmac256(th, ss)


class Keys:
    """Everything derived from one PRK; sas only from the first (gen 0)."""

    def __init__(self, suite, prk, th, gen):
        def ex(label, n):
            return expand(prk, label, n, th, suite)

        self.suite, self.prk, self.th, self.gen = suite, prk, th, gen
        self.secret0 = {HOST: ex("key host>op", 32), VIEWER: ex("key op>host", 32)}  # by the sender's role
        self.finished = {HOST: ex("finished host", 32), VIEWER: ex("finished op", 32)}
        self.resume = ex("resume", 32)
        self.tiles = ex("tiles", 16)
        self.sas = ex("sas", 8) if gen == 0 else None

    def sas6(self):
        return "%06d" % (int.from_bytes(self.sas, "big") % 10**6)

    def secret(self, sender, phase):
        s = self.secret0[sender]
        for _ in range(phase):
            s = next_secret(s, self.suite)
        return s


def next_secret(s, suite):
    return expand(s, "upd", 32, b"", suite)


def record_key(s, suite):
    return expand(s, "aead", 32, b"", suite), expand(s, "iv", 12, b"", suite)


def make_auth(pop_seed, role, th, finished_key, own_statement):
    h = sha256(own_statement)
    return (own_statement + ed_sign(pop_seed, pad16("TSK1 auth"), bytes([role]), th, h) + hmac256(finished_key, th, h))


def check_auth(auth, role, slot, th, finished_key, signer_pk, now_ms, session_id, own_pop_pk):
    """role and slot are those that the sender must have. Gives the parsed statement."""
    need(len(auth) == 416, "AUTH size")
    st, sig, mac = auth[:320], auth[320:384], auth[384:]
    s = check_statement(st, signer_pk, now_ms, session_id, role, slot, own_pop_pk)
    h = sha256(st)
    need(ed_verify(s["pop_pk"], sig, pad16("TSK1 auth"), bytes([role]), th, h), "AUTH signature")
    need(_hmac.compare_digest(mac, hmac256(finished_key, th, h)), "AUTH mac")
    return s


# ---- section 3: sealed records ----


def u48(n):
    return n.to_bytes(6, "big")


def kid_of(gen, phase):
    return (gen & 3) << 2 | phase & 3


def record_aad(session_id, src, dst, kid, cls, ctr, pf):
    return b"TSK1" + struct.pack(">QBBBB", session_id, src, dst, kid, cls) + u48(ctr) + bytes([pf])


def record_nonce(iv, cls, ctr):
    return bytes(a ^ b for a, b in zip(iv, bytes(5) + bytes([cls]) + u48(ctr)))


def seal(suite, key, iv, session_id, src, dst, kid, ctr, pf, plain):
    """The payload of a DATA record; cls = class bits of pf. `plain` is already padded."""
    cls = pf & PF_CLASS
    need(len(plain) <= MAX_PLAIN, "record too large")
    body = aead(suite, key).encrypt(record_nonce(iv, cls, ctr), plain,
                                    record_aad(session_id, src, dst, kid, cls, ctr, pf))
    return bytes([kid, cls]) + u48(ctr) + body


def open_sealed(suite, key, iv, session_id, src, dst, pf, payload):
    """None if forged."""
    kid, cls, ctr = payload[0], payload[1], int.from_bytes(payload[2:8], "big")
    try:
        return aead(suite, key).decrypt(record_nonce(iv, cls, ctr), payload[8:],
                                        record_aad(session_id, src, dst, kid, cls, ctr, pf))
    except InvalidTag:
        return None


# ---- section 4: fragments ----

FLAG_START, FLAG_FIN = 1, 2


def pad_class(plain, cls):
    return plain + bytes(-len(plain) % 64) if cls in (0, 1) else plain


def fragment(ch, flags, kind, data, total=None):
    extra = b"" if total is None else struct.pack(">I", total)
    return struct.pack(">BBHI", ch, flags, kind, len(extra) + len(data)) + extra + data


def message_fragments(ch, kind, body, room=None):
    """The fragments of one message, unpadded; room = most bytes after the 8-byte head."""
    room = room or MAX_PLAIN - 8
    if len(body) <= room:
        return [fragment(ch, FLAG_START | FLAG_FIN, kind, body)]
    out = [fragment(ch, FLAG_START, kind, body[:room - 4], len(body))]
    at = room - 4
    while at < len(body):
        part = body[at:at + room]
        at += len(part)
        out.append(fragment(ch, FLAG_FIN if at == len(body) else 0, kind, part))
    return out


def parse_fragment(plain, cls):
    """CHOICE: the padding of classes 0 and 1 must be zero and the whole a multiple of 64; classes 2, 3 have none."""
    need(len(plain) >= 8, "fragment too short")
    ch, flags, kind, n = struct.unpack(">BBHI", plain[:8])
    need(n <= len(plain) - 8, "fragment length")
    need(flags & ~3 == 0, "fragment flags")
    rest = plain[8 + n:]
    if cls in (0, 1):
        need(len(plain) % 64 == 0 and len(rest) < 64 and not any(rest), "padding")
    else:
        need(not rest, "bytes after the fragment")
    body, total = plain[8:8 + n], None
    if flags & FLAG_START and not flags & FLAG_FIN:
        need(n >= 4, "no total")
        total, body = struct.unpack(">I", body[:4])[0], body[4:]
    return ch, flags, kind, total, body


class Assembler:
    """Fragments to messages, one open message per channel."""

    def __init__(self):
        self.open = {}

    def feed(self, plain, cls):
        """Gives (ch, type, body) when a message is complete, else None."""
        ch, flags, kind, total, body = parse_fragment(plain, cls)
        need(ch in CHANNEL_MAX, "unknown channel")
        need(cls in CHANNEL_CLASSES[ch], "channel in the wrong class")
        if flags & FLAG_START:
            need(ch not in self.open, "message inside a message")
            if flags & FLAG_FIN:
                total = len(body)
            need(total <= CHANNEL_MAX[ch], "message too large")
            self.open[ch] = [kind, total, b""]
        need(ch in self.open, "fragment without a start")
        m = self.open[ch]
        need(m[0] == kind, "type changes inside a message")
        m[2] += body
        need(len(m[2]) <= m[1], "more than the total")
        if not flags & FLAG_FIN:
            return None
        need(len(m[2]) == m[1], "less than the total")
        del self.open[ch]
        return ch, kind, m[2]


# ---- section 6: resume ----


def rs_plain(kind, role, slot, gen, session_id, n, e_pk):
    """CHOICE: ver is 1, the version chosen in the first handshake."""
    return struct.pack(">BBBBIQ", kind, VERSION, role, slot, gen, session_id) + n + e_pk


def make_rs(kind, role, slot, gen, session_id, n, e_sk, resume_key, th, pop_seed, rs1=b""):
    """RS1: kind 4, VIEWER, rs1 empty. RS2: kind 5, HOST, rs1 = the RS1 that it answers."""
    b = rs_plain(kind, role, slot, gen, session_id, n, x25519_public(e_sk))
    b += hmac256(resume_key, pad16("TSK1 resume"), th, rs1, b)
    return b + ed_sign(pop_seed, pad16("TSK1 resume sig"), th, rs1, b)


def parse_rs(b):
    need(len(b) == 160, "RS size")
    kind, ver, role, slot, gen, session_id = struct.unpack(">BBBBIQ", b[:16])
    return {"type": kind, "ver": ver, "role": role, "slot": slot, "gen": gen, "session_id": session_id, "n": b[16:32],
            "e_pk": b[32:64]}


def check_rs(b, kind, role, slot, gen, session_id, resume_key, th, peer_pop_pk, rs1=b""):
    r = parse_rs(b)
    need(r["type"] == kind and r["ver"] == VERSION, "RS type")
    need(r["role"] == role, "RS role")
    need(r["slot"] == slot and r["session_id"] == session_id, "RS slot")
    need(r["gen"] == gen, "RS generation")
    need(_hmac.compare_digest(b[64:96], hmac256(resume_key, pad16("TSK1 resume"), th, rs1, b[:64])), "RS mac")
    need(ed_verify(peer_pop_pk, b[96:], pad16("TSK1 resume sig"), th, rs1, b[:96]), "RS signature")
    return r


def resumed_keys(old, rs1, rs2, own_e_sk, peer_e_pk):
    """The keys of generation old.gen + 1."""
    th = sha256(pad16("TSK1 resume th"), old.th, rs1, rs2)
    prk = hmac256(old.resume, x25519(own_e_sk, peer_e_pk), th)
    return Keys(old.suite, prk, th, old.gen + 1)
