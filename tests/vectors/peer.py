#!/usr/bin/python3
"""A live end (host or viewer) over stdin/stdout, built on tasuki_ref.py, to test the C implementation against.

One command per line; every command is answered with zero or more lines and then a line `.`

commands
  role host|viewer          session_id HEX     slot N (of the viewer)     pop_seed HEX    statement HEX (own)
  statement_pk HEX          key of the management server that signs statements
  optional: suites N   caps HEX   e_sk HEX   r HEX   three NNN (host's digits)   now_ms N
  start                     viewer: send H1 (again: a new attempt)
  hs HEX                    payload of an HS record received
  data PF HEX               payload of a DATA record received, pf in decimal
  say TEXT                  chat, class 1
  verify NNN                viewer: seal VERIFY, whatever the six digits are
  code NNNNNNNNN            viewer: compare the six, seal VERIFY only when they match (two tries)
  msg TYPE HEX              seal any message, TYPE hex without prefix (channel and class from the table)
  resume [same]             viewer: send RS1 (names next if there is one; again without an answer: the other one);
                            same: the last RS1 once more
  update                    go on to the next key phase when sending
  quit
answers
  hs HEX | data PF HEX      to be sent to the other end, in this order
  sas DIGITS                nine at the host, the six that it can know at the viewer
  state NAME                H1 H2 H3 = that message was sent; AUTH own AUTH sent; KEYED VERIFIED SUSPENDED CLOSED
  msg TYPE HEXBODY          an L3 message received (TYPE four hex digits)
  refused TYPE              a message that the state does not allow, dropped      skipped TYPE   unknown, not critical
  dropped N TEXT            a bad resume message, N of these so far     late   a record of another generation, dropped
  error TEXT                fatal; state CLOSED follows
"""

import os
import struct
import sys
import time

import tasuki_ref as t
from tasuki_ref import HOST, VIEWER, ProtocolError, need

UNCOUNTED = {t.AUTH, t.SYNC, t.ACK, t.FRAME_ACK, t.BYE}
REPLAYED = (0, 7)
FROM_HOST = {t.VERIFIED, t.GRANTS, t.GROUP_KEY, t.SCREEN, t.FRAME, t.CURSOR_POS, t.CURSOR_IMAGE, t.MONITORS}
FROM_VIEWER = {t.VERIFY, t.ASK, t.VIEW, t.INPUT, t.FRAME_ACK}


class Generation:
    """The keys of one handshake or resume with the counters of both directions."""

    def __init__(self, keys, role):
        self.keys, self.role, self.peer = keys, role, VIEWER if role == HOST else HOST
        self.secrets = {HOST: [keys.secret(HOST, 0)], VIEWER: [keys.secret(VIEWER, 0)]}
        self.send_phase, self.send_ctr = 0, [0] * 4
        self.recv_phase, self.recv_ctr = [0] * 4, [0] * 4
        self.opened_phase = -1
        self.moved_at = 0.0
        self.assembler = t.Assembler()

    def record_key(self, sender, phase):
        chain = self.secrets[sender]
        while len(chain) <= phase:
            chain.append(t.next_secret(chain[-1], self.keys.suite))
        return t.record_key(chain[phase], self.keys.suite)

    def seal(self, sid, src, dst, pf, plain):
        cls = pf & 3
        key, iv = self.record_key(self.role, self.send_phase)
        out = t.seal(self.keys.suite, key, iv, sid, src, dst, t.kid_of(self.keys.gen, self.send_phase), self.send_ctr[cls], pf, plain)
        self.send_ctr[cls] += 1
        return out

    def update(self):
        need(self.opened_phase >= self.send_phase, "nothing was opened under this phase yet")
        self.send_phase += 1
        self.send_ctr = [0] * 4

    def open(self, sid, src, dst, pf, payload):
        """The plaintext, or None if it does not open under this generation. Changes nothing when None."""
        kid, cls, ctr = payload[0], payload[1], int.from_bytes(payload[2:8], "big")
        phase, want = self.recv_phase[cls], self.recv_ctr[cls]
        # n is what the first class of all moved on from; a class that lags opens n (for 30 s) and n + 1
        top = max(self.recv_phase)
        for p, c in ((phase, want), (top, 0), (top + 1, 0)):
            if p & 3 != kid & 3 or c != ctr or (p == phase and c != want):
                continue
            if p < top - 1 or (p < top and time.monotonic() - self.moved_at > 30):
                continue
            key, iv = self.record_key(self.peer, p)
            plain = t.open_sealed(self.keys.suite, key, iv, sid, src, dst, pf, payload)
            if plain is None:
                continue
            if p > top:
                self.moved_at = time.monotonic()
            if p > phase:
                self.recv_phase[cls], self.recv_ctr[cls] = p, 0
            self.recv_ctr[cls] += 1
            self.opened_phase = max(self.opened_phase, p)
            if p > self.send_phase:
                self.send_phase, self.send_ctr = p, [0] * 4
            return plain
        return None


class Peer:
    def __init__(self):
        self.cfg = {"suites": t.KNOWN_SUITES, "caps": 0}
        self.role = None
        self.state = "WAIT_PEER"
        self.out = []
        self.h1 = self.h2 = None
        self.h1_sent = self.h2_sent = 0
        self.tries = 2
        self.cur = self.nxt = None
        self.sent = {ch: [] for ch in range(16)}
        self.acked = [0] * 16
        self.rx = [0] * 16
        self.peer_statement = None
        self.need_sync = False
        self.bad_rs = 0
        self.rs1 = self.rs_e = self.rs_base = None
        self.rs_turn = 0
        self.answered = {}
        self.back_to = self.first_keys = None
        self.is_keyed = False

    # ---- lines ----

    def handle(self, line):
        self.out = []
        word, _, rest = line.strip().partition(" ")
        try:
            self.command(word, rest)
        except ProtocolError as e:
            self.out.append("error " + str(e))
            self.close()
        except (ValueError, KeyError, IndexError, struct.error, AssertionError) as e:
            self.out.append("error internal %s %s" % (type(e).__name__, e))
            self.close()
        return self.out

    def close(self):
        self.cur = self.nxt = None
        self.go("CLOSED")

    def go(self, state):
        self.state = state
        self.out.append("state " + state)

    def command(self, word, rest):
        if word == "role":
            self.role = {"host": HOST, "viewer": VIEWER}[rest]
        elif word in ("pop_seed", "statement", "statement_pk", "e_sk", "r"):
            self.cfg[word] = bytes.fromhex(rest)
        elif word in ("session_id", "caps"):
            self.cfg[word] = int(rest, 16)
        elif word in ("slot", "suites", "now_ms"):
            self.cfg[word] = int(rest)
        elif word == "three":
            self.cfg["three"] = int(rest)
        else:
            need(self.state != "CLOSED", "closed")
            self.configure()
            {"start": self.start, "hs": self.on_hs, "data": self.on_data, "say": self.say, "verify": self.verify,
             "code": self.code, "msg": self.send_any, "resume": self.resume, "update": self.update}[word](rest)

    def configure(self):
        c = self.cfg
        self.sid, self.slot = c["session_id"], c["slot"]
        self.peer = VIEWER if self.role == HOST else HOST
        self.own_slot, self.peer_slot = (0, self.slot) if self.role == HOST else (self.slot, 0)
        if "pop_pk" not in c:
            c["pop_pk"] = t.ed_public(c["pop_seed"])
        if "three" not in c:
            c["three"] = int.from_bytes(os.urandom(8), "big") % 1000

    def fresh(self, key, n):
        """A configured value is used once, so that no second attempt repeats it."""
        return self.cfg.pop(key, None) or os.urandom(n)

    # ---- handshake ----

    def start(self, _):
        need(self.role == VIEWER and self.cur is None, "start")
        need(self.h1_sent < 3, "a fourth H1")
        self.h1_sent += 1
        self.e_sk, self.r = self.fresh("e_sk", 32), self.fresh("r", 16)
        grease = int.from_bytes(os.urandom(4), "big")
        suites = self.cfg["suites"] | (grease & 0xFF00)
        caps = self.cfg["caps"] | (grease & 0xFFFF0000)
        self.h1 = t.make_h1(suites, caps, self.slot, self.sid, self.e_sk, self.r)
        self.out.append("hs " + self.h1.hex())
        self.go("H1")

    def on_hs(self, rest):
        b = bytes.fromhex(rest)
        need(b, "empty HS")
        if b[0] in (4, 5):
            self.on_rs(b)
        elif self.role == HOST and b[0] == 1:
            need(self.state in ("WAIT_PEER", "H2", "AUTH"), "H1 in state " + self.state)
            need(self.h2_sent < 3, "a fourth H2")
            self.cur = self.peer_statement = None
            self.e_sk = self.fresh("e_sk", 32)
            self.h2, self.suite = t.make_h2(b, self.cfg["suites"], self.cfg["caps"], self.slot, self.sid, self.e_sk,
                                            self.fresh("r", 16))
            self.h1, self.h2_sent = b, self.h2_sent + 1
            self.out.append("hs " + self.h2.hex())
            self.go("H2")
        elif self.role == VIEWER and b[0] == 2:
            need(self.state == "H1", "H2 in state " + self.state)
            h3, self.suite = t.make_h3(self.h1, b, self.e_sk, self.r)
            need(self.suite & self.cfg["suites"], "H2 suite not offered")
            self.out.append("hs " + h3.hex())
            self.go("H3")
            self.derive(b, h3, b[24:56])
        elif self.role == HOST and b[0] == 3:
            need(self.state == "H2", "H3 in state " + self.state)
            t.check_h3(self.h1, self.h2, b)
            self.derive(self.h2, b, b[24:56])
        else:
            raise ProtocolError("HS message of type %d" % b[0])

    def derive(self, h2, h3, peer_e_pk):
        th = t.transcript(self.h1, h2, h3)
        keys = t.Keys(self.suite, t.first_prk(th, t.x25519(self.e_sk, peer_e_pk)), th, 0)
        self.e_sk = None
        self.first_keys = keys
        self.cur = Generation(keys, self.role)
        self.send(t.AUTH, t.make_auth(self.cfg["pop_seed"], self.role, th, keys.finished[self.role], self.cfg["statement"]))
        self.go("AUTH")

    def on_auth(self, body):
        k = self.cur.keys
        now = self.cfg.get("now_ms", int(time.time() * 1000))
        self.peer_statement = t.check_auth(body, self.peer, self.peer_slot, k.th, k.finished[self.peer],
                                           self.cfg["statement_pk"], now, self.sid, self.cfg["pop_pk"])
        if self.role == VIEWER:
            self.send(t.ACK, bytes(8))
            self.keyed()

    def keyed(self):
        """The viewer with the host's AUTH, the host with the first record after the viewer's AUTH."""
        self.is_keyed = True
        self.go("KEYED")
        self.out.append("sas " + (self.six() + "%03d" % self.cfg["three"] if self.role == HOST else self.six()))

    def state_below(self):
        """The state that rights depend on: SUSPENDED neither gives nor takes any (records of the old keys still arrive)."""
        return self.back_to if self.state == "SUSPENDED" else self.state

    def verified(self):
        if self.state == "SUSPENDED":
            self.back_to = "VERIFIED"
        else:
            self.go("VERIFIED")

    # ---- sending ----

    def sending(self):
        """CHOICE: a viewer sends under the next generation as soon as it has RS2, a host once a record opened under it."""
        return self.nxt if self.role == VIEWER and self.nxt else self.cur

    def send(self, kind, body, count=True):
        g = self.sending()
        need(g, "no keys")
        ch = t.MESSAGES[kind][0]
        pf = 1 if kind == t.CURSOR_IMAGE else t.CHANNEL_CLASSES[ch][0]
        if count and kind not in UNCOUNTED:
            self.sent[ch].append((kind, body))
            if self.state == "SUSPENDED" and ch in REPLAYED:
                return  # CHOICE: waits for the other end's SYNC, which says where to go on
        room = 16320 - 8 if pf in (0, 1) else None  # the largest multiple of 64 that is <= 16352
        for frag in t.message_fragments(ch, kind, body, room):
            sealed = g.seal(self.sid, self.own_slot, self.peer_slot, pf, t.pad_class(frag, pf))
            self.out.append("data %d %s" % (pf, sealed.hex()))

    def say(self, text):
        need(self.peer_statement, "chat before AUTH")
        self.send(t.CHAT, bytes(8) + text.encode())

    def verify(self, digits):
        need(self.role == VIEWER and self.state == "KEYED", "verify")
        self.send(t.VERIFY, int(digits).to_bytes(2, "big"))

    def code(self, digits):
        need(self.role == VIEWER and self.state == "KEYED" and len(digits) == 9, "code")
        if digits[:6] == self.six():
            self.verify(digits[6:])
        else:
            self.wrong(None)

    def six(self):
        return self.first_keys.sas6()

    def wrong(self, left):
        self.tries = self.tries - 1 if left is None else min(self.tries - 1, left)
        need(self.tries > 0, "alarm: wrong check code twice")

    def send_any(self, rest):
        kind, _, body = rest.partition(" ")
        self.send(int(kind, 16), bytes.fromhex(body))

    def update(self, _):
        self.sending().update()

    # ---- receiving ----

    def on_data(self, rest):
        pf, _, payload = rest.partition(" ")
        pf, payload = int(pf), bytes.fromhex(payload)
        need(self.cur, "DATA without keys")
        need(t.OVERHEAD <= len(payload) <= t.MAX_REC, "DATA size")
        need(pf < 16, "DROPPABLE or unused bits of pf")
        need(payload[0] < 16, "kid")
        need(payload[1] == pf & 3, "cls is not the class of pf")
        # CHOICE: a viewer that sent its SYNC under the next keys takes nothing more under the old ones, else the host
        # would send again what arrived after the SYNC was written
        ready = [g for g in (None if self.role == VIEWER and self.nxt else self.cur, self.nxt) if g]
        g = next((g for g in ready if g.keys.gen & 3 == payload[0] >> 2), None)
        if g is None:
            self.out.append("late")
            return
        plain = g.open(self.sid, self.peer_slot, self.own_slot, pf, payload)
        if plain is None and (g is self.nxt or self.state == "SUSPENDED"):
            # CHOICE: of another next generation than ours, after a lost RS2; or on a new socket behind the gap that the
            # lost one left, from an end that does not know of the resume yet
            self.out.append("late")
            return
        need(plain is not None, "record does not open")
        if g is self.nxt:
            self.cur, self.nxt = self.nxt, None
            self.rs_turn = 0
            self.need_sync = True
            if self.role == HOST:
                self.send_sync()
        done = g.assembler.feed(plain, pf & 3)
        if done:
            self.on_message(*done)

    def on_message(self, ch, kind, body):
        if kind not in t.MESSAGES:
            need(not kind & 0x8000, "unknown critical message %04x" % kind)
            self.rx[ch] += 1
            self.out.append("skipped %04x" % kind)
            return
        want, least, most = t.MESSAGES[kind]
        need(ch == want and least <= len(body) <= most, "message %04x on channel %d with %d bytes" % (kind, ch, len(body)))
        need((kind == t.AUTH) == (self.peer_statement is None), "AUTH must be the first and only the first")
        if self.role == HOST and self.state == "AUTH" and self.peer_statement:
            self.keyed()
        need((kind == t.SYNC) == self.need_sync, "SYNC must be the first after a resume and only then")
        need(kind not in (FROM_HOST if self.role == HOST else FROM_VIEWER), "message %04x from the wrong end" % kind)
        if kind not in UNCOUNTED:
            self.rx[ch] += 1
        if self.role == HOST and self.state_below() != "VERIFIED" and kind not in (t.AUTH, t.VERIFY, t.CHAT, t.ACK, t.BYE, t.SYNC):
            # CHOICE: ACK and BYE pass before VERIFIED, the rest is dropped in silence
            self.out.append("refused %04x" % kind)
            return
        self.out.append("msg %04x %s" % (kind, body.hex()))
        if kind == t.AUTH:
            self.on_auth(body)
        elif kind == t.VERIFY:
            need(self.state_below() == "KEYED", "VERIFY in state " + self.state)
            n = int.from_bytes(body, "big")
            need(n < 1000, "VERIFY with more than three digits")
            right = n == self.cfg["three"]
            if right:
                self.verified()
            else:
                self.tries -= 1
            self.send(t.VERIFIED, bytes([right, self.tries]))
            need(self.tries > 0, "alarm: wrong check code twice")
        elif kind == t.VERIFIED:
            need(self.state_below() == "KEYED" and body[0] < 2, "VERIFIED in state " + self.state)
            if body[0]:
                self.verified()
            else:
                self.wrong(body[1])
        elif kind == t.ACK:
            c, n = body[0], int.from_bytes(body[4:], "big")
            need(not any(body[1:4]) and c < 16 and self.acked[c] <= n <= len(self.sent[c]), "ACK out of range")
            self.acked[c] = n
        elif kind == t.SYNC:
            self.on_sync(body)
        elif kind == t.BYE:
            self.go("CLOSED")

    # ---- resume ----

    def send_sync(self):
        self.send(t.SYNC, b"".join(n.to_bytes(4, "big") for n in self.rx) + bytes(8))

    def on_sync(self, body):
        self.need_sync = False
        if self.state == "SUSPENDED":
            if self.is_keyed:
                self.go(self.back_to)
            else:
                self.keyed()
        for ch in REPLAYED:
            n = int.from_bytes(body[4 * ch:4 * ch + 4], "big")
            need(self.acked[ch] <= n <= len(self.sent[ch]), "SYNC out of range")
            for kind, b in self.sent[ch][n:]:
                self.send(kind, b, count=False)

    def suspend(self):
        if self.state != "SUSPENDED":
            self.back_to = self.state
            self.go("SUSPENDED")

    def resume(self, same):
        need(self.role == VIEWER and self.peer_statement, "resume before KEYED")
        self.suspend()
        if same == "same":
            need(self.rs1, "no RS1 to send again")
            self.out.append("hs " + self.rs1.hex())
            return
        self.rs_base = self.nxt if self.nxt and self.rs_turn % 2 == 0 else self.cur
        self.rs_turn += 1
        self.rs_e = self.fresh("e_sk", 32)
        k = self.rs_base.keys
        self.rs1 = t.make_rs(4, VIEWER, self.slot, k.gen, self.sid, os.urandom(16), self.rs_e, k.resume, k.th,
                             self.cfg["pop_seed"])
        self.out.append("hs " + self.rs1.hex())

    def on_rs(self, b):
        if self.role == HOST and b in self.answered:
            self.out.append("hs " + self.answered[b].hex())
            return
        try:
            need(self.peer_statement, "RS before AUTH")
            pop = self.peer_statement["pop_pk"]
            gen = t.parse_rs(b)["gen"]
            if self.role == HOST:
                base = self.nxt if self.nxt and gen == self.nxt.keys.gen else self.cur
                want = (4, VIEWER, self.slot, base.keys.gen, self.sid, base.keys.resume, base.keys.th, pop)
            else:
                need(self.rs1, "RS2 without RS1")
                base = self.rs_base
                want = (5, HOST, self.slot, base.keys.gen, self.sid, base.keys.resume, base.keys.th, pop, self.rs1)
            r = t.check_rs(b, *want)
            t.x25519(bytes(32), r["e_pk"])
        except ProtocolError as e:
            if str(e) not in ("RS generation", "RS2 without RS1"):  # CHOICE: honest ends cause these, so they do not count
                self.bad_rs += 1
            self.out.append("dropped %d %s" % (self.bad_rs, e))
            need(self.bad_rs < 8, "eight bad resume messages")
            return
        k = base.keys
        if base is self.nxt:  # CHOICE: a good RS message under the next generation proves that the other end has it
            self.cur = self.nxt
        if self.role == HOST:
            self.suspend()
            e = self.fresh("e_sk", 32)
            rs2 = t.make_rs(5, HOST, self.slot, k.gen, self.sid, os.urandom(16), e, k.resume, k.th, self.cfg["pop_seed"], b)
            self.nxt = Generation(t.resumed_keys(k, b, rs2, e, r["e_pk"]), HOST)
            self.answered = {b: rs2}
            self.out.append("hs " + rs2.hex())
        else:
            self.nxt = Generation(t.resumed_keys(k, self.rs1, b, self.rs_e, r["e_pk"]), VIEWER)
            self.rs1 = self.rs_e = self.rs_base = None
            self.rs_turn = 0
            self.send_sync()


# ---- self-test: host against viewer in one process ----


class Pair:
    def __init__(self, suites_host=3, suites_viewer=3, slot=3, sid=0xFEDCBA9876543210, three=7, forger=False):
        signer, h_pop, v_pop = (t.sha256(x) for x in (b"signer", b"host", b"viewer"))
        now = 1_800_000_000_000
        self.ends = {}
        for role, name, pop, suites in ((HOST, "host", h_pop, suites_host), (VIEWER, "viewer", v_pop, suites_viewer)):
            p = self.ends[role] = Peer()
            st = t.statement(t.sha256(b"forger") if forger and role == VIEWER else signer, 1, role,
                             slot if role == VIEWER else 0, 0x7F, 1, sid, 1, now + 1, t.ed_public(pop), "Firma", name)
            for line in ("role " + name, "session_id %016x" % sid, "slot %d" % slot, "pop_seed " + pop.hex(),
                         "statement " + st.hex(), "statement_pk " + t.ed_public(signer).hex(), "now_ms %d" % now,
                         "suites %d" % suites, "three %d" % three):
                assert p.handle(line) == [], line
        self.host, self.viewer = self.ends[HOST], self.ends[VIEWER]
        self.log = {HOST: [], VIEWER: []}
        self.mangle = lambda role, line: line

    def tell(self, role, line):
        """Gives a line to an end and carries what it answers to and fro until nothing is left."""
        todo = [(role, line)]
        while todo:
            who, line = todo.pop(0)
            other = VIEWER if who == HOST else HOST
            for answer in self.ends[who].handle(line):
                self.log[who].append(answer)
                if answer.startswith(("hs ", "data ")):
                    carried = self.mangle(who, answer)
                    if carried:
                        todo.append((other, carried))
        return self

    def states(self):
        return self.host.state, self.viewer.state

    def seen(self, role, text):
        return any(text in line for line in self.log[role])


def flipped(line, byte, mask=1):
    word, _, rest = line.rpartition(" ")
    b = bytearray(bytes.fromhex(rest))
    b[byte] ^= mask
    return "%s %s" % (word, b.hex())


def quick_test():
    p = Pair().tell(VIEWER, "start")
    assert p.states() == ("KEYED", "KEYED")
    p.tell(VIEWER, "code " + p.viewer.six() + "007")
    assert p.states() == ("VERIFIED", "VERIFIED")


def selftest():
    for sh, sv, suite in ((3, 3, 2), (1, 3, 1), (3, 1, 1), (2, 3, 2)):
        p = Pair(sh, sv).tell(VIEWER, "start")
        assert p.states() == ("KEYED", "KEYED") and p.host.suite == p.viewer.suite == suite
        nine = next(x for x in p.log[HOST] if x.startswith("sas"))[4:]
        assert nine == p.viewer.six() + "007"
        p.tell(VIEWER, "say before").tell(HOST, "say gr\u00fc\u00df dich")
        assert p.seen(HOST, "msg 0030 " + bytes(8).hex() + b"before".hex())
        assert p.seen(VIEWER, "gr\u00fc\u00df dich".encode().hex())
        p.tell(VIEWER, "msg 800b 01000000")
        assert p.seen(HOST, "refused 800b") and p.host.state == "KEYED"
        p.tell(VIEWER, "verify 008")
        assert p.states() == ("KEYED", "KEYED") and p.seen(VIEWER, "msg 8003 0001")
        p.tell(VIEWER, "code " + nine)
        assert p.states() == ("VERIFIED", "VERIFIED")
        p.tell(HOST, "msg 8011 " + "ab" * 40000)
        assert p.seen(VIEWER, "msg 8011 " + "ab" * 40000)
        for n in range(6):
            p.tell(HOST, "update").tell(HOST, "say phase").tell(VIEWER, "say phase").tell(HOST, "say again")
            assert p.host.cur.send_phase == p.viewer.cur.send_phase == n + 1
        for gen in range(1, 4):
            p.mangle = lambda role, line: None  # the cable is cut
            p.tell(HOST, "say lost in %d" % gen).tell(VIEWER, "say lost too %d" % gen)
            p.mangle = lambda role, line: line
            p.tell(VIEWER, "resume")
            assert p.states() == ("VERIFIED", "VERIFIED"), p.log
            assert p.host.cur.keys.gen == p.viewer.cur.keys.gen == gen
            assert p.host.cur.keys.prk == p.viewer.cur.keys.prk
            assert p.seen(VIEWER, ("lost in %d" % gen).encode().hex())
            assert p.seen(HOST, ("lost too %d" % gen).encode().hex())
        assert p.viewer.rx[7] == len(p.host.sent[7]) and p.host.rx[7] == len(p.viewer.sent[7])

    # any loss heals: drops at random in both directions while both ends talk and the viewer resumes again and again
    worst = drops = 0
    for seed in range(60):
        p = Pair().tell(VIEWER, "start")
        if seed % 3 == 0:
            p = Pair()
            p.mangle = lambda role, line: None if role == VIEWER and line.startswith("data 0 0000000000000001") else line
            p.tell(VIEWER, "start")  # the ACK of AUTH is lost: the host is not KEYED
            assert p.states() == ("AUTH", "KEYED")
        # a line carries so many more of each end's records and is cut until the next resume
        left = {HOST: 99, VIEWER: 99}

        def carry(role, line):
            left[role] -= 1
            return line if left[role] >= 0 else None

        p.mangle = carry if seed % 3 else lambda role, line: None
        for n, d in enumerate(t.sha256(b"losses %d" % seed)[:12]):
            if n % 2 == 0:
                p.mangle = carry
                left.update({HOST: d & 3, VIEWER: d >> 2 & 3})
                p.tell(VIEWER, "resume same" if p.viewer.rs1 and d & 64 else "resume")
            else:
                p.tell(VIEWER, "say viewer %d" % n).tell(HOST, "say host %d" % n)
        p.mangle = lambda role, line: line
        tries = 0
        while tries == 0 or p.viewer.state == "SUSPENDED":
            p.tell(VIEWER, "resume")
            tries += 1
            assert tries < 5, (seed, p.states(), [x[:60] for x in p.log[HOST]], [x[:60] for x in p.log[VIEWER]])
        assert p.states() == ("KEYED", "KEYED"), (seed, p.states(), [x[:60] for x in p.log[HOST]], [x[:60] for x in p.log[VIEWER]])
        assert p.host.cur.keys.prk == p.viewer.cur.keys.prk and p.host.nxt is None and p.viewer.nxt is None
        for role, other in ((HOST, VIEWER), (VIEWER, HOST)):
            said = [b.hex() for _, b in p.ends[other].sent[7]]
            heard = [x[9:] for x in p.log[role] if x.startswith("msg 0030")]
            assert said == heard, (seed, role, said, heard)
        worst, drops = max(worst, tries), max(drops, p.host.bad_rs)
    print("peer.py: after any loss %d resumes at most; counted as bad: %d at most" % (worst, drops))

    # the same RS1 gets the same RS2; an RS1 that was late on another relay replaces the host's next, and naming the other
    # generation in turn heals that
    p = Pair().tell(VIEWER, "start")
    p.mangle = lambda role, line: None
    p.tell(VIEWER, "resume")
    late = p.viewer.rs1
    p.mangle = lambda role, line: None if line.startswith("data") else line
    p.tell(VIEWER, "resume")
    first = p.host.handle("hs " + late.hex())
    assert first[-1:] == p.host.handle("hs " + late.hex()) and p.viewer.nxt
    p.mangle = lambda role, line: line
    p.tell(VIEWER, "resume")
    assert p.viewer.state == "SUSPENDED" and p.seen(HOST, "dropped 1 RS mac")
    p.tell(VIEWER, "resume")
    assert p.states() == ("KEYED", "KEYED")

    # a rekey of a living session: what was on its way under the old keys is dropped and sent again, each line once
    p = Pair().tell(VIEWER, "start")
    box = []
    p.mangle = lambda role, line: box.append((role, line)) if line.startswith("data 1") else line
    p.tell(HOST, "say on its way").tell(VIEWER, "say on its way too").tell(VIEWER, "resume")
    assert [line[:9] for _, line in box] == ["data 1 00", "data 1 00", "data 1 04", "data 1 04"]
    p.mangle = lambda role, line: line
    for role, line in box:
        p.tell(VIEWER if role == HOST else HOST, line)
    for role in (HOST, VIEWER):
        assert p.log[role].count("late") == 1 and sum(x.startswith("msg 0030") for x in p.log[role]) == 1
    assert p.states() == ("KEYED", "KEYED")

    # wrong codes, at either end
    p = Pair().tell(VIEWER, "start").tell(VIEWER, "verify 1").tell(VIEWER, "verify 2")
    assert p.states() == ("CLOSED", "CLOSED")
    p = Pair().tell(VIEWER, "start")
    wrong = "code %06d007" % ((int(p.viewer.six()) + 1) % 10**6)
    p.tell(VIEWER, wrong)
    assert p.states() == ("KEYED", "KEYED") and not p.seen(HOST, "msg 8002")
    p.tell(VIEWER, wrong)
    assert p.viewer.state == "CLOSED"

    # a viewer that opens its commitment with something else: refused by the host, before any key is used
    for field in ("e_sk", "r"):
        p = Pair()

        def regret(role, line):
            if role == VIEWER and p.viewer.state == "H1":
                setattr(p.viewer, field, bytes(32 if field == "e_sk" else 16))
            return line

        p.mangle = regret
        p.tell(VIEWER, "start")
        assert p.host.state == "CLOSED" and p.seen(HOST, "H3 commitment")

    # no common suite, forged statement, attempts
    assert Pair(1, 2).tell(VIEWER, "start").host.state == "CLOSED"
    assert Pair(forger=True).tell(VIEWER, "start").host.state == "CLOSED"
    p = Pair()
    p.mangle = lambda role, line: None if role == HOST else line
    for n in range(3):
        p.tell(VIEWER, "start")
        assert p.states() == ("H2", "H1")
    p.tell(VIEWER, "start")
    assert p.viewer.state == "CLOSED"
    p = Pair()
    p.mangle = lambda role, line: None if role == HOST else line
    p.tell(VIEWER, "start")
    h1 = next(x for x in p.log[VIEWER] if x.startswith("hs"))
    for n in range(2):
        p.tell(HOST, h1)
        assert p.host.state == "H2"
    p.tell(HOST, h1)
    assert p.host.state == "CLOSED" and p.seen(HOST, "fourth H2")

    # every byte of H1, H2, H3 and both AUTH, one flipped bit each: never KEYED at both ends
    count = 0
    for who, index, size in ((VIEWER, 0, 56), (HOST, 0, 72), (VIEWER, 1, 72), (HOST, 1, 448 + 24), (VIEWER, 2, 448 + 24)):
        step = 1 if size < 100 else 13
        for byte in range(0, size, step):
            p = Pair()
            sent = {HOST: 0, VIEWER: 0}

            def mangle(role, line):
                n = sent[role]
                sent[role] += 1
                return flipped(line, byte) if (role, n) == (who, index) else line

            p.mangle = mangle
            p.tell(VIEWER, "start")
            assert "KEYED" not in p.states() or p.states().count("KEYED") < 2, (who, index, byte)
            count += 1

    # each byte of RS1 and RS2: dropped, and the session lives
    for who, size in ((VIEWER, 160), (HOST, 160)):
        for byte in range(0, size, 7):
            p = Pair().tell(VIEWER, "start")
            p.mangle = lambda role, line: flipped(line, byte) if role == who and line.startswith("hs") else line
            if byte == 0:
                p.mangle = lambda role, line: flipped(line, 8) if role == who and line.startswith("hs") else line
            p.tell(VIEWER, "resume")
            assert p.seen(VIEWER if who == HOST else HOST, "dropped ")
            p.mangle = lambda role, line: line
            p.tell(VIEWER, "resume")
            assert p.states() == ("KEYED", "KEYED")
            count += 1

    # AUTH and RS field by field, as a dishonest end could send them (inside a good seal)
    th, fk = bytes(range(32)), bytes(range(32, 64))
    signer, pop, thief, own = (t.sha256(x) for x in (b"signer", b"pop", b"thief", b"own"))

    def stmt(**change):
        f = dict(signer_seed=signer, kid=1, role=VIEWER, slot=3, perms=7, kind=1, session_id=9, company_id=1,
                 not_after_ms=1000, pop_pk=t.ed_public(pop), company="Firma", name="Anna")
        f.update(change)
        return t.statement(**f)

    def auth_error(auth, **change):
        f = dict(role=VIEWER, slot=3, th=th, finished_key=fk, signer_pk=t.ed_public(signer), now_ms=1000, session_id=9,
                 own_pop_pk=t.ed_public(own))
        f.update(change)
        try:
            t.check_auth(auth, **f)
        except ProtocolError as e:
            return str(e)
        return ""

    good = t.make_auth(pop, VIEWER, th, fk, stmt())
    mac = good[384:]
    assert auth_error(good) == ""
    for what, text in (
        (auth_error(good[:-1]), "AUTH size"), (auth_error(good[:-1] + bytes([good[-1] ^ 1])), "AUTH mac"),
        (auth_error(t.make_auth(pop, VIEWER, th, bytes(32), stmt())), "AUTH mac"),
        (auth_error(t.make_auth(thief, VIEWER, th, fk, stmt())), "AUTH signature"),
        (auth_error(t.make_auth(pop, HOST, th, fk, stmt())), "AUTH signature"),
        (auth_error(good[:320] + bytes(64) + mac), "AUTH signature"),
        (auth_error(t.make_auth(pop, VIEWER, bytes(32), fk, stmt())), "AUTH signature"),
        (auth_error(t.make_auth(pop, VIEWER, th, fk, stmt(signer_seed=thief))), "statement signature"),
        (auth_error(good, now_ms=1001), "too old"), (auth_error(good, session_id=8), "another session"),
        (auth_error(good, slot=4), "wrong slot"), (auth_error(good, role=HOST), "wrong role"),
        (auth_error(good, own_pop_pk=t.ed_public(pop)), "own key"),
        (auth_error(t.make_auth(pop, VIEWER, th, fk, stmt(name="a\u202eb"))), "not allowed"),
        (auth_error(t.make_auth(pop, VIEWER, th, fk, stmt(name="a\x00b"))), "zero byte"),
        (auth_error(t.make_auth(pop, VIEWER, th, fk, stmt(slot=0))), "role and slot"),
        (auth_error(t.make_auth(pop, VIEWER, th, fk, stmt(kind=3))), "fields"),
    ):
        assert text in what, (text, what)

    def rs_error(resume_key=fk, by=pop, over=th, kind=4, role=VIEWER, gen=0):
        b = t.make_rs(kind, role, 3, gen, 9, bytes(16), t.sha256(b"e"), resume_key, over, by)
        try:
            t.check_rs(b, 4, VIEWER, 3, 0, 9, fk, th, t.ed_public(pop))
        except ProtocolError as e:
            return str(e)
        return ""

    assert rs_error() == ""
    for what, text in ((rs_error(resume_key=bytes(32)), "RS mac"), (rs_error(by=thief), "RS signature"),
                       (rs_error(over=bytes(32)), "RS mac"), (rs_error(kind=5), "RS type"), (rs_error(role=HOST), "RS role"),
                       (rs_error(gen=1), "RS generation")):
        assert text in what, (text, what)

    # a suspended session has no more rights than before
    p = Pair().tell(VIEWER, "start")
    box = []
    p.mangle = lambda role, line: box.append(line)
    p.tell(VIEWER, "msg 800b 01000000").tell(VIEWER, "resume")
    p.tell(HOST, box[1]).tell(HOST, box[0])
    assert p.host.state == "SUSPENDED" and p.seen(HOST, "refused 800b") and not p.seen(HOST, "msg 800b")

    # replayed, reordered within a class, reflected, wrong pf
    for change in ("replay", "skip", "reflect", "pf", "droppable"):
        p = Pair().tell(VIEWER, "start")
        box = []
        p.mangle = lambda role, line: box.append(line)
        p.tell(VIEWER, "say one").tell(VIEWER, "say two")
        p.mangle = lambda role, line: line
        if change == "replay":
            p.tell(HOST, box[0])
            assert p.host.state == "KEYED"
            p.tell(HOST, box[0])
        elif change == "skip":
            p.tell(HOST, box[1])
        elif change == "reflect":
            p.tell(VIEWER, box[0])
            assert p.viewer.state == "CLOSED"
            continue
        elif change == "pf":
            p.tell(HOST, box[0].replace("data 1 ", "data 5 "))
        else:
            p.tell(HOST, box[0].replace("data 1 ", "data 17 "))
        assert p.host.state == "CLOSED", change
    print("peer.py: self-test passed, %d bytes flipped" % count)


def main():
    if "--selftest" in sys.argv:
        selftest()
        return
    quick_test()
    peer = Peer()
    for line in sys.stdin:
        line = line.rstrip("\r\n")
        if line == "quit":
            break
        if line:
            for answer in peer.handle(line):
                print(answer)
        print(".", flush=True)


if __name__ == "__main__":
    main()
