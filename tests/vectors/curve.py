"""Curve25519 in plain Python integers: X25519 (RFC 7748) and Ed25519 (RFC 8032) with strict and lax verification.

Slow and not constant-time: for making and checking test vectors only.
"""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)

# ---- X25519 ----


def x25519(sk, u):
    """RFC 7748 section 5; the all-zero result is returned, not refused."""
    k = bytearray(sk)
    k[0] &= 248
    k[31] = (k[31] & 127) | 64
    k = int.from_bytes(k, "little")
    x1 = (int.from_bytes(u, "little") & (2**255 - 1)) % P
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = (k >> t) & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = (x2 + z2) % P, (x2 - z2) % P
        aa, bb = a * a % P, b * b % P
        e = (aa - bb) % P
        c, d = (x3 + z3) % P, (x3 - z3) % P
        da, cb = d * a % P, c * b % P
        x3 = (da + cb) ** 2 % P
        z3 = x1 * (da - cb) ** 2 % P
        x2 = aa * bb % P
        z2 = e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


X25519_BASE = (9).to_bytes(32, "little")

# ---- the group of Ed25519, affine points (x, y) ----

IDENTITY = (0, 1)


def add(p, q):
    """The complete addition law of -x^2 + y^2 = 1 + d x^2 y^2."""
    (x1, y1), (x2, y2) = p, q
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, P - 2, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - k, P - 2, P) % P
    return x, y


def _dbl_ext(p):
    x1, y1, z1, _ = p
    a, b = x1 * x1 % P, y1 * y1 % P
    c = 2 * z1 * z1 % P
    h = a + b
    e = h - (x1 + y1) ** 2
    g = a - b
    f = c + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _add_ext(p, q):
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * t1 * t2 * D % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def mul(k, p):
    """[k]p for any integer k >= 0, k NOT reduced."""
    q = (0, 1, 1, 0)
    e = (p[0], p[1], 1, p[0] * p[1] % P)
    for i in range(k.bit_length() - 1, -1, -1):
        q = _dbl_ext(q)
        if (k >> i) & 1:
            q = _add_ext(q, e)
    zi = pow(q[2], P - 2, P)
    return q[0] * zi % P, q[1] * zi % P


def neg(p):
    return -p[0] % P, p[1]


def on_curve(p):
    x, y = p
    return (-x * x + y * y - 1 - D * x * x * y * y) % P == 0


def encode(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def recover_x(y, sign):
    """The x of y with the given lowest bit; None if y is on no point. x = 0 is given for either sign (lax)."""
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    xx = u * pow(v, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * SQRT_M1 % P
    if (x * x - xx) % P:
        return None
    if x & 1 != sign and x:
        x = P - x
    return x


def decode_lax(b):
    """Takes y >= p and x = 0 with the sign bit set; None only if there is no such point."""
    n = int.from_bytes(b, "little")
    y, sign = (n & (2**255 - 1)) % P, n >> 255
    x = recover_x(y, sign)
    return None if x is None else (x, y)


def decode_strict(b):
    """Canonical encodings only: decoding and encoding again gives the same 32 bytes."""
    p = decode_lax(b)
    return p if p is not None and encode(p) == bytes(b) else None


def is_small_order(p):
    return mul(8, p) == IDENTITY


B = (recover_x(4 * pow(5, P - 2, P) % P, 0), 4 * pow(5, P - 2, P) % P)


def torsion():
    """The 8 points of small order: index k holds [k]T for a T of order 8 (the one with the smallest x, then y)."""
    best = None
    y = 2
    while best is None:
        x = recover_x(y, 0)
        if x is not None:
            t = mul(L, (x, y))
            if mul(4, t) != IDENTITY:
                best = min(mul(k, t) for k in (1, 3, 5, 7))
        y += 1
    return [mul(k, best) for k in range(8)]


# ---- Ed25519 ----


def clamp_secret(seed):
    h = bytearray(hashlib.sha512(seed).digest())
    h[0] &= 248
    h[31] = (h[31] & 63) | 64
    return int.from_bytes(h[:32], "little"), bytes(h[32:])


def public(seed):
    return encode(mul(clamp_secret(seed)[0], B))


def challenge_wide(r, a, msg):
    """The 512-bit hash as an integer, before it is reduced mod L."""
    return int.from_bytes(hashlib.sha512(bytes(r) + bytes(a) + bytes(msg)).digest(), "little")


def challenge(r, a, msg):
    return challenge_wide(r, a, msg) % L


def sign(seed, msg):
    a, prefix = clamp_secret(seed)
    pk = encode(mul(a, B))
    r = int.from_bytes(hashlib.sha512(prefix + msg).digest(), "little") % L
    rb = encode(mul(r, B))
    s = (r + challenge(rb, pk, msg) * a) % L
    return rb + s.to_bytes(32, "little")


def verify_strict(pk, msg, sig):
    """Tasuki's rule: S < L, A and R canonical and not of small order, [S]B = R + [h]A without the cofactor."""
    if len(pk) != 32 or len(sig) != 64:
        return False
    s = int.from_bytes(sig[32:], "little")
    if s >= L:
        return False
    a, r = decode_strict(pk), decode_strict(sig[:32])
    if a is None or r is None or is_small_order(a) or is_small_order(r):
        return False
    return mul(s, B) == add(r, mul(challenge(sig[:32], pk, msg), a))


def verify_lax(pk, msg, sig, cofactored=False):
    """Takes everything that satisfies the equation: any S, any encoding, any order."""
    a, r = decode_lax(pk), decode_lax(sig[:32])
    if a is None or r is None:
        return False
    s = int.from_bytes(sig[32:], "little")
    left, right = mul(s, B), add(r, mul(challenge(sig[:32], pk, msg), a))
    return mul(8, left) == mul(8, right) if cofactored else left == right
