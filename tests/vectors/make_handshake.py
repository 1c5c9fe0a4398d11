#!/usr/bin/python3
"""Writes handshake.txt: complete handshakes, sealed records and resumes, computed by tasuki_ref.py. Deterministic."""

import hashlib
import sys

import tasuki_ref as t
from tasuki_ref import HOST, VIEWER
from vecfile import VecFile, out_folder

HEADER = """
Handshakes, sealed records and resumes (docs/protocol.md sections 3, 4, 6), computed by tasuki_ref.py.
Integers that are protocol fields (session_id, caps, suites, pf) are hex, big-endian, of their width on the wire.
h2o = from the host to the viewer ("key host>op"), o2h = from the viewer to the host ("key op>host").

kind_text = handshake
  signer_seed, signer_pk                   signs both statements (kid_int is in them)
  session_id, slot_int                     slot of the viewer; the host has 0
  viewer_e_sk, viewer_e_pk, viewer_r       ephemeral of the viewer      host_e_sk, host_e_pk, host_r   of the host
  viewer_pop_seed, viewer_pop_pk, host_pop_seed, host_pop_pk
  viewer_offer, viewer_caps, viewer_ver_int   suites, caps and ver of H1, greased bits included
  host_suites, host_caps                   what the host knows; H2.caps = H3.caps = the low 16 bits of both
  suite_int                                the chosen one, 1 ChaCha20-Poly1305, 2 AES-256-GCM
  h1, h2, h3, commit, th, ss, prk
  secret_h2o_N, secret_o2h_N               traffic secrets of phases 0 to 3
  aead_DIR_N, iv_DIR_N                     AEAD key and IV of phases 0 and 1
  finished_host, finished_op, resume, tiles, sas (the 8 bytes), sas6_text (6 digits)
  host_statement, viewer_statement, host_auth, viewer_auth      bodies of AUTH: statement || sig || mac
  host_auth_sig, host_auth_mac, viewer_auth_sig, viewer_auth_mac   the parts once more
  now_ms_int                               a time at which the statements hold

kind_text = record                         stands alone: everything needed to seal and to open
  of_text                                  name of the handshake or resume whose keys are used
  suite_int, session_id, src_int, dst_int, gen_int, phase_int, kid_int, cls_int, ctr_int, pf        kid = phase mod 4 | (gen mod 4) << 2
  secret, aead, iv                         of this direction and phase
  fragment                                 plaintext before the padding of classes 0 and 1
  plaintext, nonce, aad, sealed            sealed = kid || cls || ctr || ciphertext || tag = the payload of DATA

kind_text = forged                         as record, but opening must fail; why_text
  suite_int, session_id, src_int, dst_int, pf, aead, iv, sealed

kind_text = resume
  of_text                                  the handshake or resume that gave old_th and old_resume
  gen_int                                  the generation named in RS1 and RS2; the new keys are gen_int + 1
  suite_int, session_id, slot_int, viewer_pop_seed, viewer_pop_pk, host_pop_seed, host_pop_pk, old_th, old_resume
  viewer_e_sk, viewer_n, host_e_sk, host_n
  rs_one, rs_two (RS1, RS2), ss, th (th'), prk (PRK')
  secret_DIR_N, aead_DIR_N, iv_DIR_N, finished_host, finished_op, resume, tiles      of the new generation
"""

NOW = 1_800_000_000_000


def det(label, n=32):
    out = b""
    i = 0
    while len(out) < n:
        out += hashlib.sha256(b"tasuki vector %s %d" % (label.encode(), i)).digest()
        i += 1
    return out[:n]


DIRS = (("h2o", HOST), ("o2h", VIEWER))


def key_fields(keys):
    out = {}
    for d, role in DIRS:
        for phase in range(4):
            out["secret_%s_%d" % (d, phase)] = keys.secret(role, phase)
        for phase in range(2):
            out["aead_%s_%d" % (d, phase)], out["iv_%s_%d" % (d, phase)] = t.record_key(keys.secret(role, phase), keys.suite)
    out.update(finished_host=keys.finished[HOST], finished_op=keys.finished[VIEWER], resume=keys.resume, tiles=keys.tiles)
    return out


class Case:
    def __init__(self, f, name, session_id, slot, offer, host_suites, caps, host_caps, ver=1, leading_zeros=False,
                 viewer_name="Anna Gruber", host_name="Empfang", kind=1):
        self.f, self.name, self.sid, self.slot = f, name, session_id, slot
        signer = det("statement signer")
        v_e, h_e = det(name + " viewer e"), det(name + " host e")
        h_r = det(name + " host r", 16)
        self.v_pop, self.h_pop = det(name + " viewer pop"), det(name + " host pop")
        n = 0
        while True:
            v_r = det(name + " viewer r" + (" %d" % n if leading_zeros else ""), 16)
            h1 = t.make_h1(offer, caps, slot, session_id, v_e, v_r, ver)
            h2, suite = t.make_h2(h1, host_suites, host_caps, slot, session_id, h_e, h_r)
            h3, suite_v = t.make_h3(h1, h2, v_e, v_r)
            t.check_h3(h1, h2, h3)
            assert suite == suite_v
            th = t.transcript(h1, h2, h3)
            if not leading_zeros and n == 0:
                ss = t.x25519(v_e, h2[24:56])
                assert ss == t.x25519(h_e, h3[24:56])
            elif n == 0:
                ss = t.x25519(v_e, h2[24:56])
            prk = t.first_prk(th, ss)
            keys = t.Keys(suite, prk, th, 0)
            if not leading_zeros or keys.sas6().startswith("00"):
                break
            n += 1
        self.keys = keys
        h_st = t.statement(signer, 7, HOST, 0, 0x7F, 1, session_id, 4711, NOW + 3600_000, t.ed_public(self.h_pop),
                           "M\u00fcller & S\u00f6hne GmbH", host_name)
        v_st = t.statement(signer, 7, VIEWER, slot, 0x43, kind, session_id, 4711, NOW + 3600_000, t.ed_public(self.v_pop),
                           "Tasuki \u52a9 Support", viewer_name)
        h_auth = t.make_auth(self.h_pop, HOST, th, keys.finished[HOST], h_st)
        v_auth = t.make_auth(self.v_pop, VIEWER, th, keys.finished[VIEWER], v_st)
        signer_pk = t.ed_public(signer)
        t.check_auth(h_auth, HOST, 0, th, keys.finished[HOST], signer_pk, NOW, session_id, t.ed_public(self.v_pop))
        t.check_auth(v_auth, VIEWER, slot, th, keys.finished[VIEWER], signer_pk, NOW, session_id, t.ed_public(self.h_pop))
        self.h_auth, self.v_auth = h_auth, v_auth
        f.block(name, kind_text="handshake", signer_seed=signer, signer_pk=signer_pk, kid_int=7,
                session_id=session_id.to_bytes(8, "big"), slot_int=slot,
                viewer_e_sk=v_e, viewer_e_pk=t.x25519_public(v_e), viewer_r=v_r,
                host_e_sk=h_e, host_e_pk=t.x25519_public(h_e), host_r=h_r,
                viewer_pop_seed=self.v_pop, viewer_pop_pk=t.ed_public(self.v_pop),
                host_pop_seed=self.h_pop, host_pop_pk=t.ed_public(self.h_pop),
                viewer_offer=offer.to_bytes(2, "big"), viewer_caps=caps.to_bytes(4, "big"), viewer_ver_int=ver,
                host_suites=host_suites.to_bytes(2, "big"), host_caps=host_caps.to_bytes(4, "big"), suite_int=suite,
                h1=h1, h2=h2, h3=h3, commit=h1[24:], th=th, ss=ss, prk=prk, **key_fields(keys),
                sas=keys.sas, sas6_text=keys.sas6(),
                host_statement=h_st, viewer_statement=v_st, host_auth=h_auth, viewer_auth=v_auth,
                host_auth_sig=h_auth[320:384], host_auth_mac=h_auth[384:],
                viewer_auth_sig=v_auth[320:384], viewer_auth_mac=v_auth[384:], now_ms_int=NOW)

    def record(self, what, keys, of, sender, phase, pf, ctr, frag, forge=False):
        cls = pf & 3
        secret = keys.secret(sender, phase)
        key, iv = t.record_key(secret, keys.suite)
        src, dst = (0, self.slot) if sender == HOST else (self.slot, 0)
        plain = t.pad_class(frag, cls)
        kid = t.kid_of(keys.gen, phase)
        sealed = t.seal(keys.suite, key, iv, self.sid, src, dst, kid, ctr, pf, plain)
        assert t.open_sealed(keys.suite, key, iv, self.sid, src, dst, pf, sealed) == plain
        assert len(sealed) == len(plain) + t.OVERHEAD
        self.f.block("%s_%s" % (of, what), kind_text="record", of_text=of, suite_int=keys.suite,
                     session_id=self.sid.to_bytes(8, "big"), src_int=src, dst_int=dst, gen_int=keys.gen, phase_int=phase, kid_int=kid,
                     cls_int=cls, ctr_int=ctr, pf=bytes([pf]), secret=secret, aead=key, iv=iv, fragment=frag,
                     plaintext=plain, nonce=t.record_nonce(iv, cls, ctr),
                     aad=t.record_aad(self.sid, src, dst, kid, cls, ctr, pf), sealed=sealed)
        if not forge:
            return

        def bit(b, n):
            b = bytearray(b)
            b[n // 8] ^= 1 << n % 8
            return bytes(b)

        base = (self.sid, src, dst, pf, sealed)
        for word, why, args in (
            ("tag", "a bit of the tag flipped", base[:4] + (bit(sealed, len(sealed) * 8 - 1),)),
            ("text", "a bit of the ciphertext flipped", base[:4] + (bit(sealed, 64),)),
            ("kid", "a bit of kid flipped", base[:4] + (bit(sealed, 0),)),
            ("cls", "a bit of cls flipped, pf left", base[:4] + (bit(sealed, 8),)),
            ("cls_and_pf", "cls and pf changed alike", (self.sid, src, dst, pf ^ 2, bit(sealed, 9))),
            ("ctr", "a bit of ctr flipped", base[:4] + (bit(sealed, 56),)),
            ("pf_unit_start", "UNIT_START added by the relay", (self.sid, src, dst, pf ^ 4, sealed)),
            ("pf_unit_end", "UNIT_END added by the relay", (self.sid, src, dst, pf ^ 8, sealed)),
            ("pf_droppable", "DROPPABLE added by the relay", (self.sid, src, dst, pf ^ 16, sealed)),
            ("pf_high", "an unused bit of pf set", (self.sid, src, dst, pf ^ 128, sealed)),
            ("session", "another session", (self.sid ^ 1, src, dst, pf, sealed)),
            ("mirrored", "source and destination swapped", (self.sid, dst, src, pf, sealed)),
            ("slot", "another slot", (self.sid, src ^ 1, dst, pf, sealed)),
            ("group", "as if to a group", (self.sid, src, 255, pf, sealed)),
            ("cut", "the last byte gone", base[:4] + (sealed[:-1],)),
        ):
            sid, s, d, p, b = args
            assert t.open_sealed(keys.suite, key, iv, sid, s, d, p, b) is None
            self.f.block("%s_%s_forged_%s" % (of, what, word), kind_text="forged", of_text=of, why_text=why,
                         suite_int=keys.suite, session_id=sid.to_bytes(8, "big"), src_int=s, dst_int=d, pf=bytes([p]),
                         aead=key, iv=iv, sealed=b)

    def records(self, forge, big):
        k, n = self.keys, self.name

        def one(ch, kind, body):
            return t.message_fragments(ch, kind, body)[0]

        chat_h = one(7, t.CHAT, bytes(8) + "Guten Tag, was kann ich f\u00fcr Sie tun?".encode())
        chat_v = one(7, t.CHAT, bytes(8) + b"x")
        inp = one(1, t.INPUT, bytes([1, 1, 0, 0]) + (1).to_bytes(4, "big") + (1).to_bytes(4, "big") + bytes(6) +
                  (30).to_bytes(2, "big") + bytes(4) + (0x61).to_bytes(4, "big") + bytes(28))
        assert len(inp) == 64
        self.record("auth_host", k, n, HOST, 0, 0, 0, one(0, t.AUTH, self.h_auth), forge)
        self.record("auth_viewer", k, n, VIEWER, 0, 0, 0, one(0, t.AUTH, self.v_auth))
        self.record("ack_viewer", k, n, VIEWER, 0, 0, 1, one(0, t.ACK, bytes(8)))
        self.record("chat_host", k, n, HOST, 0, 1, 0, chat_h)
        self.record("chat_host_next", k, n, HOST, 0, 1, 1, chat_h)
        self.record("chat_viewer", k, n, VIEWER, 0, 1, 0, chat_v, forge)
        self.record("verify_viewer", k, n, VIEWER, 0, 0, 2, one(0, t.VERIFY, (42).to_bytes(2, "big")))
        self.record("verified_host", k, n, HOST, 0, 0, 1, one(0, t.VERIFIED, bytes([1, 2])))
        self.record("input_viewer", k, n, VIEWER, 0, 0, 3, inp)
        self.record("frame_host", k, n, HOST, 0, 2 | 4 | 8, 0, one(2, t.FRAME, det(n + " frame", 777)))
        if big:
            parts = t.message_fragments(2, t.FRAME, det(n + " large frame", 40000))
            assert len(parts) == 3
            for i, (word, frag) in enumerate(zip(("start", "middle", "fin"), parts)):
                self.record("frame_%s" % word, k, n, HOST, 0, 2, 1 + i, frag)
        self.record("bulk_viewer", k, n, VIEWER, 0, 3, 0, t.fragment(6, 3, 0x0040, det(n + " bulk", 100)))
        self.record("phase_one_host", k, n, HOST, 1, 0, 0, one(0, t.GRANTS, bytes([0, 3, 0, 0])))
        self.record("phase_one_viewer", k, n, VIEWER, 1, 1, 0, chat_v, forge)
        self.record("phase_one_frame", k, n, HOST, 1, 2, 5, one(2, t.FRAME, det(n + " frame two", 64)))
        self.record("phase_three_host", k, n, HOST, 3, 1, 2, chat_h)
        self.record("phase_four_viewer", k, n, VIEWER, 4, 0, 0, inp)
        self.record("counter_large", k, n, HOST, 0, 2, 0x0102030405, one(2, t.FRAME, b"far"))
        self.record("counter_largest", k, n, VIEWER, 0, 0, 2**48 - 1, inp)

    def resume(self, old, of, name):
        v_e, h_e = det(name + " viewer e"), det(name + " host e")
        v_n, h_n = det(name + " viewer n", 16), det(name + " host n", 16)
        v_pk, h_pk = t.ed_public(self.v_pop), t.ed_public(self.h_pop)
        rs1 = t.make_rs(4, VIEWER, self.slot, old.gen, self.sid, v_n, v_e, old.resume, old.th, self.v_pop)
        a = t.check_rs(rs1, 4, VIEWER, self.slot, old.gen, self.sid, old.resume, old.th, v_pk)
        rs2 = t.make_rs(5, HOST, self.slot, old.gen, self.sid, h_n, h_e, old.resume, old.th, self.h_pop, rs1)
        b = t.check_rs(rs2, 5, HOST, self.slot, old.gen, self.sid, old.resume, old.th, h_pk, rs1)
        new = t.resumed_keys(old, rs1, rs2, v_e, b["e_pk"])
        assert new.prk == t.resumed_keys(old, rs1, rs2, h_e, a["e_pk"]).prk
        self.f.block(name, kind_text="resume", of_text=of, gen_int=old.gen, suite_int=old.suite,
                     session_id=self.sid.to_bytes(8, "big"), slot_int=self.slot, viewer_pop_seed=self.v_pop,
                     viewer_pop_pk=v_pk, host_pop_seed=self.h_pop, host_pop_pk=h_pk, old_th=old.th, old_resume=old.resume,
                     viewer_e_sk=v_e, viewer_n=v_n, host_e_sk=h_e, host_n=h_n, rs_one=rs1, rs_two=rs2,
                     ss=t.x25519(v_e, b["e_pk"]), th=new.th, prk=new.prk, **key_fields(new))
        sync = t.fragment(0, 3, t.SYNC, (3).to_bytes(4, "big") + bytes(24) + (2).to_bytes(4, "big") + bytes(32) +
                          (1).to_bytes(4, "big") + (9).to_bytes(4, "big"))
        self.record("sync_viewer", new, name, VIEWER, 0, 0, 0, sync)
        self.record("sync_host", new, name, HOST, 0, 0, 0, sync)
        self.record("phase_five_host", new, name, HOST, 5, 1, 0, t.fragment(7, 3, t.CHAT, bytes(8) + b"later"))
        return new


def main(folder):
    f = VecFile("handshake.txt", HEADER)
    cases = [
        Case(f, "chacha", 0x0123456789ABCDEF, 1, 1, 3, 0, 0),
        Case(f, "aes", 0xFEDCBA9876543210, 1, 3, 3, 0, 0),
        Case(f, "greased", 0x8000000000000001, 15, 0xA503, 3, 0x5A5A0003, 0x00000001, viewer_name="\u5c71\u7530 \u592a\u90ce"),
        Case(f, "greased_old_host", 42, 2, 0xFF07, 1, 0xFFFF0000, 0, ver=9),
        Case(f, "only_chacha_offered", 0xFFFFFFFFFFFFFFFF, 7, 0x0105, 3, 0x00010000, 0, viewer_name="", host_name="h" * 96),
        Case(f, "browser", 0x1122334455667788, 3, 1, 3, 0x80000000, 0xFFFF, kind=2),
        Case(f, "code_with_leading_zeros", 0x99, 4, 3, 3, 0, 0, leading_zeros=True),
    ]
    assert [c.keys.suite for c in cases] == [1, 2, 2, 1, 1, 1, 2]
    for c in cases:
        full = c.name in ("chacha", "aes")
        c.records(forge=full, big=full)
    for c in cases[:3]:
        one = c.resume(c.keys, c.name, c.name + "_resume_first")
        two = c.resume(one, c.name + "_resume_first", c.name + "_resume_second")
        last = two
        if c is cases[0]:
            for n, word in ((3, "third"), (4, "fourth")):
                last = c.resume(last, c.name + "_resume_" + ("second" if n == 3 else "third"), c.name + "_resume_" + word)
        assert two.gen == 2 and last.gen in (2, 4)
    f.write(folder)


if __name__ == "__main__":
    main(out_folder(sys.argv))
