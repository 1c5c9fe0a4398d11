// node's OpenSSL as what tasuki.mjs asks of a crypto library.
import * as node from 'node:crypto';

// A raw key of 32 bytes in the wrapping that OpenSSL wants (RFC 8410).
const PRIVATE = {x25519: '302e020100300506032b656e04220420', ed25519: '302e020100300506032b657004220420'};
const PUBLIC = {x25519: '302a300506032b656e032100', ed25519: '302a300506032b6570032100'};

function privateKey(type, raw) {
    const key = Buffer.concat([Buffer.from(PRIVATE[type], 'hex'), raw]);
    return node.createPrivateKey({key, format: 'der', type: 'pkcs8'});
}

function publicKey(type, raw) {
    const key = Buffer.concat([Buffer.from(PUBLIC[type], 'hex'), raw]);
    return node.createPublicKey({key, format: 'der', type: 'spki'});
}

function publicOf(type, raw) {
    return node.createPublicKey(privateKey(type, raw)).export({format: 'der', type: 'spki'}).subarray(-32);
}

function updated(state, parts) {
    for (const part of parts)
        state.update(part);
    return state.digest();
}

function x25519(sk, pk) {
    try {
        return node.diffieHellman({privateKey: privateKey('x25519', sk), publicKey: publicKey('x25519', pk)});
    } catch {
        return null; // OpenSSL refuses points of small order
    }
}

const TAG = 16;
const CIPHERS = {1: 'chacha20-poly1305', 2: 'aes-256-gcm'};

function aead(suite, raw) {
    const cipher = CIPHERS[suite], key = node.createSecretKey(raw);
    return {
        seal(iv, aad, text) {
            const state = node.createCipheriv(cipher, key, iv, {authTagLength: TAG});
            state.setAAD(aad);
            return Buffer.concat([state.update(text), state.final(), state.getAuthTag()]);
        },
        open(iv, aad, sealed) {
            if (sealed.length < TAG)
                return null;
            const state = node.createDecipheriv(cipher, key, iv, {authTagLength: TAG});
            state.setAAD(aad);
            state.setAuthTag(sealed.subarray(-TAG));
            try {
                return Buffer.concat([state.update(sealed.subarray(0, -TAG)), state.final()]);
            } catch {
                return null;
            }
        },
        free() {},
    };
}

// suites: 1 ChaCha20-Poly1305, 2 AES-256-GCM, 3 both.
export function nodeCrypto(suites = 3) {
    return {
        suites,
        random: (out) => node.randomFillSync(out),
        sha256: (parts) => updated(node.createHash('sha256'), parts),
        hmac: (key, parts) => updated(node.createHmac('sha256', key), parts),
        x25519Public: (sk) => publicOf('x25519', sk),
        x25519,
        ed25519Public: (seed) => publicOf('ed25519', seed),
        ed25519Sign: (seed, msg) => node.sign(null, msg, privateKey('ed25519', seed)),
        ed25519Verify: (sig, pk, msg) => node.verify(null, msg, publicKey('ed25519', pk), sig),
        aead: (suite, key) => (CIPHERS[suite] ? aead(suite, key) : null),
    };
}
