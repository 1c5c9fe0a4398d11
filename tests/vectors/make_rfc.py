#!/usr/bin/python3
"""Writes the vectors from the RFCs (and NIST/McGrew-Viega), each one checked with two implementations first."""

import hashlib
import hmac
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import curve
from vecfile import VecFile, out_folder

H = bytes.fromhex


def dh(sk, pk):
    """X25519 by the plain ladder and by OpenSSL; they must agree."""
    mine = curve.x25519(sk, pk)
    theirs = X25519PrivateKey.from_private_bytes(sk).exchange(X25519PublicKey.from_public_bytes(pk))
    assert mine == theirs
    return mine


def make_x25519(folder):
    f = VecFile("x25519.txt", """
X25519, RFC 7748 sections 5.2 and 6.1.
sk, pk = scalar and u-coordinate; out = X25519(sk, pk)
iterations_int: only in the iterated blocks; k = u = 9 at first, then (k, u) = (X25519(k, u), k) that often; out = k
""")
    for name, sk, pk, out in (
        ("rfc_seven_seven_four_eight_first",
         "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
        ("rfc_seven_seven_four_eight_second",
         "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"),
    ):
        assert dh(H(sk), H(pk)) == H(out), name
        f.block(name, sk=H(sk), pk=H(pk), out=H(out))

    k = u = curve.X25519_BASE
    want = {1: "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
            1000: "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"}
    for n in range(1, 1001):
        # OpenSSL for each step, the ladder for the first 20
        r = dh(k, u) if n <= 20 else \
            X25519PrivateKey.from_private_bytes(k).exchange(X25519PublicKey.from_public_bytes(u))
        k, u = r, k
        if n in want:
            assert k == H(want[n])
            f.block("iterated_%s" % ("once" if n == 1 else "thousand"), sk=curve.X25519_BASE, pk=curve.X25519_BASE,
                    iterations_int=n, out=k)

    a = H("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    b = H("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    a_pk = H("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    b_pk = H("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    shared = H("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
    assert dh(a, curve.X25519_BASE) == a_pk and dh(b, curve.X25519_BASE) == b_pk
    assert dh(a, b_pk) == shared and dh(b, a_pk) == shared
    f.block("dh_alice_public", sk=a, pk=curve.X25519_BASE, out=a_pk)
    f.block("dh_bob_public", sk=b, pk=curve.X25519_BASE, out=b_pk)
    f.block("dh_alice_shared", sk=a, pk=b_pk, out=shared)
    f.block("dh_bob_shared", sk=b, pk=a_pk, out=shared)
    f.write(folder)


LONG = """
08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355f6c50544e23fb1433ddf
73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc6ea534e0810a4432826bf58c941efb65d57a338b
bd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da9
03401aa62100ab5d1a36553e06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc10
3b6621fcde2beca1231d206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d9562
9e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6
079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc2732e694
85bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128ba
b27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2
af58429ec96031dbcad3dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301
651339e22904cc8c42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f92b0fe2fd1a85f672451
7b65e614ad6808d6f6ee34dff7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7
984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8
b17b80e1b7b750dfc7598d5d5011fd2dcc5600a32ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a4
3dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5fb93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba7
7c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380d
b2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef68d3a101e8a3b8cac60c905c15fc910840b94c00
a0b9d0
"""


def make_ed25519(folder):
    f = VecFile("ed25519.txt", """
Ed25519, RFC 8032 section 7.1.
seed = secret key, pk = public key, msg, sig
""")
    for name, seed, pk, msg, sig in (
        ("rfc_test_one",
         "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
         "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
         "be24655141438e7a100b"),
        ("rfc_test_two",
         "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
         "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430"
         "2aeeb00d291612bb0c00"),
        ("rfc_test_three",
         "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
         "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716e"
         "d28dc027beceea1ec40a"),
        ("rfc_test_long",
         "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
         "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
         LONG.replace("\n", ""),
         "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e"
         "30a6ac00a9704a188a03"),
        ("rfc_test_sha_of_three_letters",
         "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
         "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
         hashlib.sha512(b"abc").hexdigest(),
         "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138a"
         "c17ad9bef1177331a704"),
    ):
        seed, pk, msg, sig = H(seed), H(pk), H(msg), H(sig)
        assert curve.public(seed) == pk and curve.sign(seed, msg) == sig and curve.verify_strict(pk, msg, sig), name
        assert Ed25519PrivateKey.from_private_bytes(seed).sign(msg) == sig
        Ed25519PublicKey.from_public_bytes(pk).verify(sig, msg)
        f.block(name, seed=seed, pk=pk, msg=msg, sig=sig)
    f.write(folder)


def make_hashes(folder):
    f = VecFile("sha256.txt", """
SHA-256, FIPS 180-4 examples and block boundaries (the latter from two runs of hashlib and OpenSSL, not from a standard).
msg, digest; repeat_int = how often msg stands one after the other (1 when the key is missing)
""")
    for name, msg, digest in (
        ("nothing", b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("three_letters", b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("two_blocks", b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
    ):
        assert hashlib.sha256(msg).digest() == H(digest), name
        f.block(name, msg=msg, digest=H(digest))
    million = H("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    assert hashlib.sha256(b"a" * 1000000).digest() == million
    f.block("a_million_letters", msg=b"a" * 1000, repeat_int=1000, digest=million)
    for name, n in (("before_the_padding_spills", 55), ("after_the_padding_spills", 56), ("block_less_one", 63),
                    ("one_block", 64), ("block_and_one", 65)):
        msg = bytes(range(n))
        f.block(name, msg=msg, digest=hashlib.sha256(msg).digest())
    f.write(folder)

    f = VecFile("hmac.txt", """
HMAC-SHA256, RFC 4231 cases 1 to 4, 6 and 7.
key, msg, mac
""")
    for name, key, msg, mac in (
        ("case_one", b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        ("case_two", b"Jefe", b"what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ("case_three", b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        ("case_four", bytes(range(1, 26)), b"\xcd" * 50,
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        ("case_six", b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
        ("case_seven", b"\xaa" * 131, b"This is a test using a larger than block-size key and a larger than block-size "
         b"data. The key needs to be hashed before being used by the HMAC algorithm.",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ):
        assert hmac.new(key, msg, "sha256").digest() == H(mac), name
        f.block(name, key=key, msg=msg, mac=H(mac))
    f.write(folder)

    f = VecFile("hkdf.txt", """
HKDF-SHA256, RFC 5869 appendix A cases 1 to 3.
ikm, salt (empty = none given), prk = Extract; info, okm = Expand(prk, info, length of okm)
""")
    for name, ikm, salt, info, prk, okm in (
        ("case_one", b"\x0b" * 22, bytes(range(13)), bytes(range(0xf0, 0xfa)),
         "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
        ("case_two", bytes(range(0x50)), bytes(range(0x60, 0xb0)), bytes(range(0xb0, 0x100)),
         "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f"
         "09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"),
        ("case_three", b"\x0b" * 22, b"", b"",
         "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
    ):
        prk, okm = H(prk), H(okm)
        assert hmac.new(salt or bytes(32), ikm, "sha256").digest() == prk, name
        assert HKDF(SHA256(), len(okm), salt or None, info).derive(ikm) == okm, name
        f.block(name, ikm=ikm, salt=salt, prk=prk, info=info, okm=okm)
    f.write(folder)


def aead_bad(f, aead, name, key, iv, aad, text, sealed):
    """The ways to forge: each must fail to open."""
    def flip(b, bit):
        b = bytearray(b)
        b[bit // 8] ^= 1 << (bit % 8)
        return bytes(b)

    n = len(sealed)
    variants = [("tag_first_bit", key, iv, aad, flip(sealed, (n - 16) * 8)),
                ("tag_last_bit", key, iv, aad, flip(sealed, n * 8 - 1)),
                ("tag_gone", key, iv, aad, sealed[:-16]),
                ("tag_short", key, iv, aad, sealed[:-1]),
                ("tag_zero", key, iv, aad, sealed[:-16] + bytes(16)),
                ("iv_flipped", key, flip(iv, 95), aad, sealed),
                ("key_flipped", flip(key, 255), iv, aad, sealed)]
    if text:
        variants.append(("text_flipped", key, iv, aad, flip(sealed, 0)))
        variants.append(("text_cut", key, iv, aad, sealed[:-17] + sealed[-16:]))
    if aad:
        variants.append(("aad_flipped", key, iv, flip(aad, 3), sealed))
        variants.append(("aad_cut", key, iv, aad[:-1], sealed))
    else:
        variants.append(("aad_added", key, iv, b"\x00", sealed))
    for what, k, i, a, s in variants:
        try:
            aead(k).decrypt(i, s, a)
            raise AssertionError(name + what)
        except InvalidTag:
            pass
        f.block(name + "_" + what, expect_text="forged", key=k, iv=i, aad=a, sealed=s)


def make_aeads(folder):
    head = """
key, iv (12 bytes), aad, text, sealed = ciphertext || tag
expect_text = forged: opening `sealed` must fail (there is no `text`); no expect_text: sealing gives `sealed` and
opening gives `text`
"""
    f = VecFile("chacha20poly1305.txt", "ChaCha20-Poly1305, RFC 8439 section 2.8.2 and appendix A.5" + head)
    tip = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would "
           b"be it.")
    drafts = ("Internet-Drafts are draft documents valid for a maximum of six months and may be updated, replaced, or "
              "obsoleted by other documents at any time. It is inappropriate to use Internet-Drafts as reference "
              "material or to cite them other than as /\u201cwork in progress./\u201d").encode()
    for name, key, iv, aad, text, ct, tag in (
        ("rfc_sunscreen", bytes(range(0x80, 0xa0)), H("070000004041424344454647"), H("50515253c0c1c2c3c4c5c6c7"), tip,
         "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e06"
         "0b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d265"
         "86cec64b6116", "1ae10b594f09e26a7e902ecbd0600691"),
        ("rfc_internet_drafts", H("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"),
         H("000000000102030405060708"), H("f33388860000000000004e91"), drafts, None,
         "eead9d67890cbb22392336fea1851f38"),
    ):
        sealed = ChaCha20Poly1305(key).encrypt(iv, text, aad)
        assert sealed[-16:] == H(tag) and (ct is None or sealed[:-16] == H(ct)), name
        f.block(name, key=key, iv=iv, aad=aad, text=text, sealed=sealed)
        aead_bad(f, ChaCha20Poly1305, name, key, iv, aad, text, sealed)
    f.write(folder)

    f = VecFile("aes256gcm.txt", "AES-256-GCM, McGrew and Viega test cases 13 to 16 (IV of 12 bytes)" + head)
    key = H("feffe9928665731c6d6a8f9467308308") * 2
    iv = H("cafebabefacedbaddecaf888")
    text = H("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0d"
             "e657ba637b391aafd255")
    ct = H("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a"
           "0abcc9f662898015ad")
    for name, k, i, a, t, c, tag in (
        ("case_thirteen", bytes(32), bytes(12), b"", b"", b"", "530f8afbc74536b9a963b4f1c4cb738b"),
        ("case_fourteen", bytes(32), bytes(12), b"", bytes(16), H("cea7403d4d606b6e074ec5d3baf39d18"),
         "d0d1c8a799996bf0265b98b5d48ab919"),
        ("case_fifteen", key, iv, b"", text, ct, "b094dac5d93471bdec1a502270e3cc6c"),
        ("case_sixteen", key, iv, H("feedfacedeadbeeffeedfacedeadbeefabaddad2"), text[:-4], ct[:-4],
         "76fc6ece0f4e1768cddf8853bb2d551b"),
    ):
        sealed = AESGCM(k).encrypt(i, t, a)
        assert sealed == c + H(tag), name
        f.block(name, key=k, iv=i, aad=a, text=t, sealed=sealed)
        aead_bad(f, AESGCM, name, k, i, a, t, sealed)
    f.write(folder)


if __name__ == "__main__":
    out = out_folder(sys.argv)
    make_x25519(out)
    make_ed25519(out)
    make_hashes(out)
    make_aeads(out)
