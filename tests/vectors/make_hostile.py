#!/usr/bin/python3
"""Writes x25519_bad.txt and ed25519_bad.txt: points and signatures that a careless implementation accepts.

All arithmetic is that of curve.py (plain integers); python-cryptography only confirms. Deterministic.
"""

import hashlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

import curve
from curve import B, L, P, add, challenge, challenge_wide, encode, mul, neg, verify_lax, verify_strict
from vecfile import VecFile, out_folder

TOP = 1 << 255
SIGN = 1 << 255


def seed_of(label):
    return hashlib.sha256(b"tasuki hostile " + label.encode()).digest()


def scalar_of(label):
    return int.from_bytes(hashlib.sha512(b"tasuki hostile " + label.encode()).digest(), "little") % L


def le(n):
    return n.to_bytes(32, "little")


# ---- X25519 ----


def make_x25519(folder):
    f = VecFile("x25519_bad.txt", """
X25519 with hostile public keys.
sk, pk
expect_text = allzero: the result is 32 zero bytes and the function must refuse (pk is of small order)
              ok:      the result is `out`; pk is not canonical (>= p, or with the top bit set) and harmless
why_text: what is special
""")
    # the u of order 8, found rather than remembered: the x coordinates of the torsion points of Ed25519, mapped by
    # u = (1 + y) / (1 - y)
    order8 = sorted({(1 + y) * pow(1 - y, P - 2, P) % P for _, y in (curve.torsion()[k] for k in (1, 3, 5, 7))})
    assert len(order8) == 2
    small = [("zero", 0, "u = 0, order 2"), ("one", 1, "u = 1, order 4"), ("order_eight_low", order8[0], "order 8"),
             ("order_eight_high", order8[1], "order 8"), ("minus_one", P - 1, "u = p - 1, on the twist"),
             ("p", P, "u = p, the non-canonical zero"), ("p_plus_one", P + 1, "u = p + 1, the non-canonical one")]
    for high in (False, True):
        for name, u, why in small:
            pk = le(u | TOP if high else u)
            for who in ("first", "second"):
                sk = seed_of("x25519 sk " + who)
                assert curve.x25519(sk, pk) == bytes(32)
                try:
                    X25519PrivateKey.from_private_bytes(sk).exchange(X25519PublicKey.from_public_bytes(pk))
                    raise AssertionError("OpenSSL took " + name)
                except ValueError:
                    pass
                f.block("small_%s%s_%s" % (name, "_top_bit" if high else "", who), expect_text="allzero", sk=sk, pk=pk,
                        why_text=why + (", with the top bit set" if high else ""))
    sk = seed_of("x25519 sk harmless")
    words = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " \
            "eighteen".split()
    cases = []
    for k, word in enumerate(words, 2):
        cases.append(("p_plus_" + word, P + k, "u = p + %d, must act as %d" % (k, k)))
        cases.append(("p_plus_%s_top_bit" % word, P + k | TOP, "u = p + %d with the top bit set" % k))
    cases.append(("nine_top_bit", 9 | TOP, "the base point with the top bit set, must act as 9"))
    for name, n in (("minus_one", 2 * P - 1), ("", 2 * P), ("plus_one", 2 * P + 1)):
        cases.append(("two_p" + ("_" + name if name else ""), n,
                      "2p%s: zero-like only if the top bit is not masked off" % {"minus_one": " - 1", "": "",
                                                                             "plus_one": " + 1"}[name]))
    for name, u, why in cases:
        pk = le(u)
        out = curve.x25519(sk, pk)
        assert out == curve.x25519(sk, le((u & (TOP - 1)) % P)) and out != bytes(32)
        assert out == X25519PrivateKey.from_private_bytes(sk).exchange(X25519PublicKey.from_public_bytes(pk))
        f.block("harmless_" + name, expect_text="ok", sk=sk, pk=pk, out=out, why_text=why)
    f.write(folder)


# ---- Ed25519 ----


class Ed:
    def __init__(self):
        self.f = VecFile("ed25519_bad.txt", """
Ed25519 signatures that implementations disagree about, and controls.
pk, msg, sig; why_text
expect_text = valid | invalid by Tasuki's rule: S < L; A and R canonical; A and R not of small order;
              [S]B = R + [h]A without the cofactor, h = SHA-512(R || A || msg) mod L
lax_int       1: a verifier that checks nothing but [S]B = R + [h]A (any S, any encoding, any order) accepts
cofactored_int 1: one that checks only [8][S]B = [8]R + [8][h]A accepts
So a block with expect invalid and lax_int 1 is a real forgery.
Where an order divides the outcome, h mod 8 is the same for the 512-bit hash and for the hash reduced mod L.
""")
        self.count = {"valid": 0, "invalid": 0, "invalid but OpenSSL accepts": 0}

    def put(self, name, expect, pk, msg, sig, why, lax=None):
        ok = verify_strict(pk, msg, sig)
        assert ok == (expect == "valid"), name
        is_lax, is_cof = verify_lax(pk, msg, sig), verify_lax(pk, msg, sig, cofactored=True)
        assert lax is None or lax == is_lax, name
        try:
            Ed25519PublicKey.from_public_bytes(pk).verify(sig, msg)
            is_ossl = True
        except InvalidSignature:
            is_ossl = False
        assert is_ossl or not ok, name
        self.count[expect] += 1
        self.count["invalid but OpenSSL accepts"] += is_ossl and not ok
        self.f.block(name, expect_text=expect, lax_int=int(is_lax), cofactored_int=int(is_cof),
                     pk=pk, msg=msg, sig=sig, why_text=why)


def search(label, r_bytes, a_bytes, want_mod8):
    """A message for which h mod 8 is as wanted, for the reduced and the unreduced hash alike."""
    for n in range(100000):
        msg = ("tasuki %s %d" % (label, n)).encode()
        wide = challenge_wide(r_bytes, a_bytes, msg)
        if wide % 8 == want_mod8 % 8 and (wide % L) % 8 == want_mod8 % 8:
            return msg, wide % L
    raise AssertionError(label)


def flip(b, bit):
    b = bytearray(b)
    b[bit // 8] ^= 1 << (bit % 8)
    return bytes(b)


WORDS = "zero one two three four five six seven".split()


def make_ed25519(folder):
    e = Ed()
    tors = curve.torsion()
    assert all(curve.on_curve(t) for t in tors) and len(set(tors)) == 8
    # all encodings of small order: 8 canonical, 6 not
    small = [("canonical_%s" % WORDS[k], encode(t), k, "canonical, order %d" % (8 // [8, 1, 2, 1, 4, 1, 2, 1][k]))
             for k, t in enumerate(tors)]
    for name, n, why in (("identity_sign", 1 | SIGN, "y = 1, x = 0 with the sign bit set"),
                         ("minus_one_sign", P - 1 | SIGN, "y = -1, x = 0 with the sign bit set"),
                         ("identity_p", P + 1, "y = p + 1"), ("identity_p_sign", P + 1 | SIGN, "y = p + 1, sign bit set"),
                         ("zero_p", P, "y = p, order 4"), ("zero_p_sign", P | SIGN, "y = p, sign bit set, order 4")):
        point = curve.decode_lax(le(n))
        assert curve.decode_strict(le(n)) is None
        small.append(("noncanonical_" + name, le(n), tors.index(point), "not canonical: " + why))
    assert len({s[1] for s in small}) == 14

    seed = seed_of("honest")
    pk = curve.public(seed)
    a = curve.clamp_secret(seed)[0]

    # controls
    for name, msg in (("empty", b""), ("short", b"tasuki"), ("long", bytes(range(256)) * 5)):
        e.put("control_" + name, "valid", pk, msg, curve.sign(seed, msg), "correct")
    msg = b"tasuki control"
    sig = curve.sign(seed, msg)
    e.put("control", "valid", pk, msg, sig, "correct; the following are made from it")

    # one flipped bit, one swapped part
    for bit in (0, 7, 100, 254, 255, 256, 300, 507, 508, 509, 510, 511):
        e.put("flip_sig_%s" % spell(bit), "invalid", pk, msg, flip(sig, bit), "bit %d of the signature flipped" % bit, False)
    for bit in (0, 128, 254, 255):
        e.put("flip_pk_%s" % spell(bit), "invalid", flip(pk, bit), msg, sig, "bit %d of the key flipped" % bit, False)
    for bit in (0, len(msg) * 8 - 1):
        e.put("flip_msg_%s" % spell(bit), "invalid", pk, flip(msg, bit), sig, "bit %d of the message flipped" % bit, False)
    e.put("msg_longer", "invalid", pk, msg + b"\x00", sig, "a zero byte added to the message", False)
    e.put("msg_shorter", "invalid", pk, msg[:-1], sig, "the last byte of the message gone", False)
    e.put("sig_swapped", "invalid", pk, msg, sig[32:] + sig[:32], "S || R", False)
    other = curve.public(seed_of("another"))
    e.put("wrong_key", "invalid", other, msg, sig, "another key", False)
    s = int.from_bytes(sig[32:], "little")
    e.put("minus_s", "invalid", pk, msg, sig[:32] + le(L - s), "L - S", False)
    zero_h = encode(mul(scalar_of("no hash"), B))
    e.put("no_hash", "invalid", pk, msg, zero_h + le(scalar_of("no hash")), "[S]B = R: the part of the key left out", False)

    # S >= L: the same signature once more
    for k, word in ((1, "one"), (2, "two"), (7, "seven"), (8, "eight"), (14, "fourteen")):
        e.put("s_plus_%s_l" % word, "invalid", pk, msg, sig[:32] + le(s + k * L), "S + %dL" % k, True)
    assert s + 15 * L < 2**256
    e.put("s_plus_fifteen_l", "invalid", pk, msg, sig[:32] + le(s + 15 * L), "S + 15L, the largest that fits", True)
    for bit in (252, 253, 254, 255):
        assert not s >> bit & 1
        e.put("s_bit_%s" % spell(bit), "invalid", pk, msg, sig[:32] + le(s | 1 << bit),
              "bit %d of S set: accepted by those who mask it" % bit)
    e.put("s_is_l", "invalid", pk, msg, sig[:32] + le(L), "S = L")
    e.put("s_all_ones", "invalid", pk, msg, sig[:32] + b"\xff" * 32, "S = 2^256 - 1")
    e.put("s_zero", "invalid", pk, msg, sig[:32] + bytes(32), "S = 0 with an honest R", False)

    # A of small order: anybody can sign
    for name, enc, k, why in small:
        order = next(n for n in (1, 2, 4, 8) if k * n % 8 == 0)
        r = scalar_of("small a " + name)
        r_bytes = encode(mul(r, B))
        m, h = search("small a " + name, r_bytes, enc, 0)
        assert h * k % 8 == 0
        e.put("small_a_" + name, "invalid", enc, m, r_bytes + le(r), "A of small order (%s), [h]A = 0, S = r" % why, True)
        # S = 0 and R = -[h]A: a signature without any secret
        if order > 1:
            for n in range(10000):
                m = ("tasuki nothing %s %d" % (name, n)).encode()
                hit = None
                for j in range(8):
                    rb = encode(tors[j])
                    wide = challenge_wide(rb, enc, m)
                    if (wide % L * k + j) % 8 == 0 and (wide * k + j) % 8 == 0:
                        hit = rb
                        break
                if hit:
                    break
            e.put("small_a_and_r_" + name, "invalid", enc, m, hit + bytes(32),
                  "A (%s) and R of small order, S = 0" % why, True)
    for k in range(8):
        rb, enc = encode(tors[0]), encode(tors[k])
        m, _ = search("identity r " + WORDS[k], rb, enc, 0)
        e.put("small_a_identity_r_" + WORDS[k], "invalid", enc, m, rb + bytes(32), "A of small order, R = identity, S = 0",
              True)

    # the all-zero signature: R = 00.. is y = 0, order 4
    e.put("all_zero_sig_honest_key", "invalid", pk, msg, bytes(64), "64 zero bytes", False)
    e.put("all_zero_everything", "invalid", bytes(32), b"", bytes(64), "key and signature zero, no message")
    for n in range(10000):
        m = b"tasuki zero %d" % n
        if verify_lax(bytes(32), m, bytes(64)):
            break
    e.put("all_zero_sig_zero_key", "invalid", bytes(32), m, bytes(64), "key and signature zero; R + [h]A = 0 here", True)
    e.put("all_ones", "invalid", b"\xff" * 32, msg, b"\xff" * 64, "all bits set")
    e.put("identity_sig", "invalid", pk, msg, encode(tors[0]) + bytes(32), "R = identity, S = 0, an honest key", False)

    # R of small order; A is honest when R is the identity, else A = [a]B + T, so that [h]A cancels R
    x = scalar_of("mixed a")
    for name, enc, k, why in small:
        if k == 0:
            m = b"tasuki small r"
            h = challenge(enc, pk, m)
            e.put("small_r_honest_a_" + name, "invalid", pk, m, enc + le(h * a % L), "R = identity (%s), A honest, S = h a" %
                  why, True)
        mixed = add(mul(x, B), tors[1])
        m, h = search("small r " + name, enc, encode(mixed), -k)
        e.put("small_r_mixed_a_" + name, "invalid", encode(mixed), m, enc + le(h * x % L),
              "R of small order (%s), A = [x]B + T8, S = h x" % why, True)
        m, h = search("small r cofactor " + name, enc, pk, 3)
        if k:
            e.put("small_r_cofactored_" + name, "invalid", pk, m, enc + le(h * a % L),
                  "R of small order (%s), A honest: only the cofactored equation holds" % why, False)

    # A of mixed order, R honest
    for k in range(1, 8):
        mixed = add(mul(x, B), tors[k])
        mb = encode(mixed)
        r = scalar_of("mixed r %d" % k)
        rb = encode(mul(r, B))
        m, h = search("mixed valid", rb, mb, 0)
        e.put("mixed_a_valid_" + WORDS[k], "valid", mb, m, rb + le((r + h * x) % L),
              "A = [x]B + [%d]T8, h divisible by 8: the equation holds without the cofactor" % k, True)
        m, h = search("mixed cofactored", rb, mb, 1)
        e.put("mixed_a_cofactored_" + WORDS[k], "invalid", mb, m, rb + le((r + h * x) % L),
              "A = [x]B + [%d]T8, h odd: only the cofactored equation holds" % k, False)
    # R of mixed order
    for k in range(1, 8):
        r = scalar_of("mixed r %d" % k)
        rb = encode(add(mul(r, B), tors[k]))
        m = b"tasuki mixed r"
        h = challenge(rb, pk, m)
        e.put("mixed_r_cofactored_" + WORDS[k], "invalid", pk, m, rb + le((r + h * a) % L),
              "R = [r]B + [%d]T8, A honest: only the cofactored equation holds" % k, False)
        mixed = add(mul(x, B), tors[1])
        m, h = search("mixed both", rb, encode(mixed), -k)
        e.put("mixed_both_valid_" + WORDS[k], "valid", encode(mixed), m, rb + le((r + h * x) % L),
              "A and R of mixed order whose small parts cancel: the equation holds without the cofactor", True)

    # y >= p that is not of small order. Nobody knows the discrete logarithm of such a point, so a signature that even a
    # lax verifier accepts cannot be made: these only check that decoding refuses, or that nothing crashes.
    for y in range(2, 19):
        for sign in (0, 1):
            n = P + y | (SIGN if sign else 0)
            name = "%s%s" % (spell(y), "_sign" if sign else "")
            if curve.decode_lax(le(n)) is None:
                continue
            e.put("noncanonical_a_" + name, "invalid", le(n), msg, sig, "A with y = p + %d (a point)" % y, False)
            e.put("noncanonical_r_" + name, "invalid", pk, msg, le(n) + sig[32:], "R with y = p + %d (a point)" % y, False)
    # not a point at all
    y = next(v for v in range(2, 100) if curve.recover_x(v, 0) is None)
    e.put("a_no_point", "invalid", le(y), msg, sig, "A is on no point (y = %d)" % y, False)
    e.put("r_no_point", "invalid", pk, msg, le(y) + sig[32:], "R is on no point (y = %d)" % y, False)
    if y <= 18:
        e.put("a_no_point_p", "invalid", le(P + y), msg, sig, "A is on no point and not canonical (y = p + %d)" % y, False)
    # the negatives: a check that compares only y takes them
    m = b"tasuki minus"
    r = scalar_of("minus")
    rb = encode(neg(mul(r, B)))
    h = challenge(rb, pk, m)
    e.put("minus_r", "invalid", pk, m, rb + le((r + h * a) % L), "R has the wrong sign: the y of both sides differ in x only",
          False)
    e.f.write(folder)
    print("ed25519_bad.txt: %s" % e.count, file=sys.stderr)


def spell(n):
    """A number in words, because names hold no digits that could be taken for hex."""
    digits = "zero one two three four five six seven eight nine".split()
    return "_".join(digits[int(d)] for d in str(n))


if __name__ == "__main__":
    out = out_folder(sys.argv)
    make_x25519(out)
    make_ed25519(out)
