// The module as a whole: what it asks for and offers, what it does with nonsense, and node's cryptography by the vectors
// that the native libraries have to pass, too. node test_module.mjs tasuki.wasm
import assert from 'node:assert';
import * as fs from 'node:fs';
import {Tasuki, TasukiError} from '../../src/wasm/tasuki.mjs';
import {nodeCrypto} from './node_crypto.mjs';

const SIZE_MAX = 320 * 1024;
const bytes = fs.readFileSync(process.argv[2]), module = await WebAssembly.compile(bytes);
const crypto = nodeCrypto();
const tasuki = await Tasuki.load(module, crypto);
const source = (name) => fs.readFileSync(new URL(`../../src/wasm/${name}`, import.meta.url), 'utf8');
const namesIn = (text, pattern) => [...text.matchAll(pattern)].map((match) => match[1]).sort();

function test(name, body) {
    body();
    console.log(`ok ${name}`);
}

// ---- what it asks for and offers ----

test('the headers say what is exported and imported', () => {
    const exported = WebAssembly.Module.exports(module).map((e) => e.name).filter((n) => n !== 'memory' && n !== '_initialize');
    assert.deepStrictEqual(exported.sort(), namesIn(source('wasm.h'), /^WASM_EXPORT\("(\w+)"\)/gm));
    const imported = WebAssembly.Module.imports(module).filter((i) => i.module === 'tasuki_host').map((i) => i.name);
    assert.deepStrictEqual(imported.sort(), namesIn(source('host_private.h'), /^HOST_IMPORT\("(\w+)"\)/gm));
});

test('it needs no files, no clock and no arguments', () => {
    const wasi = WebAssembly.Module.imports(module).filter((i) => i.module !== 'tasuki_host').map((i) => `${i.module}.${i.name}`);
    const printf = ['fd_close', 'fd_seek', 'fd_write'].map((name) => `wasi_snapshot_preview1.${name}`); // linked, never called
    assert(wasi.every((name) => printf.includes(name)), wasi.join());
});

test('it is small', () => assert(bytes.length <= SIZE_MAX, `${bytes.length} bytes`));

// ---- nonsense ----

function fails(code, body) {
    assert.throws(body, (error) => error instanceof TasukiError && error.code === code);
}

test('sizes beyond the limits are refused', () => {
    for (const [width, height, bits] of [[0, 1, 17], [1, 0, 17], [16385, 1, 17], [16384, 16384, 17], [64, 64, 11], [64, 64, 19]])
        fails('LIMIT', () => tasuki.decoder(width, height, bits));
});

test('frames of nonsense are refused, and a decoder goes on living', () => {
    const decoder = tasuki.decoder(100, 100, 12), before = tasuki.memoryBytes;
    for (let len = 0; len < 300; len++) {
        const frame = crypto.random(new Uint8Array(len));
        if (len > 0)
            frame[0] = 1 + (len % 2); // a reset of either kind
        assert.throws(() => decoder.frame(frame), TasukiError);
    }
    fails('LIMIT', () => decoder.frame(new Uint8Array(4 * 1024 * 1024 + 1)));
    decoder.free();
    decoder.free();
    assert(tasuki.memoryBytes - before <= 16 * 1024 * 1024);
});

test('sections of nonsense are refused', () => {
    const head = 16, tail = 2; // of a frame with a reset and sections
    for (let len = head + tail + 8; len < 300; len++) {
        const frame = crypto.random(new Uint8Array(len));
        frame[0] = 1 | 8;
        frame.set([0, (len - head - tail) >> 8, (len - head - tail) & 255], 13); // all of it is sections
        frame.set(len % 3 === 0 ? [0] : [1, 50, 0, 0, 0, len - head - tail - 6, 0xff, 0xd0], head); // no kind, or a scan with a marker
        fails('PROTO', () => tasuki.sections(frame));
    }
});

test('a session of nonsense is refused', () => {
    const config = {
        keyset: new Uint8Array(136), rootKey: new Uint8Array(32), popSeed: new Uint8Array(32), ticket: new Uint8Array(192),
        statement: new Uint8Array(320), serverMs: 0,
    };
    fails('PROTO', () => tasuki.session(config, 0));
    fails('PROTO', () => tasuki.session({...config, ticket: new Uint8Array(191)}, 0));
});

test('a failed assertion says what and where', () => {
    const decoder = tasuki.decoder(64, 64, 12);
    assert.throws(() => decoder.rgba({x: 60, y: 0, width: 10, height: 10}), (error) =>
        error.code === 'ASSERT' && /src\/wasm\/screen\.c:\d+/.test(error.message));
});

// ---- cryptography ----

function vectors(name) {
    const text = fs.readFileSync(new URL(`../vectors/${name}.txt`, import.meta.url), 'utf8');
    const blocks = text.split('\n\n').map((block) => block.split('\n').filter((line) => / = /.test(line) && !line.startsWith('#')));
    return blocks.filter((lines) => lines.length > 0).map((lines) => Object.fromEntries(lines.map((line) => {
        const at = line.indexOf(' = '), key = line.slice(0, at), value = line.slice(at + 3);
        return [key, key === 'name' || /_(text|int)$/.test(key) ? value : Buffer.from(value, 'hex')];
    })));
}

const same = (a, b, what) => assert.strictEqual(Buffer.from(a).toString('hex'), b.toString('hex'), what);

test('node agrees with the vectors', () => {
    for (const v of vectors('sha256'))
        same(crypto.sha256(Array(Number(v.repeat_int ?? 1)).fill(v.msg)), v.digest, v.name);
    for (const v of vectors('hmac'))
        same(crypto.hmac(v.key, [v.msg.subarray(0, 3), v.msg.subarray(3)]), v.mac, v.name);
    for (const v of vectors('x25519').filter((v) => !v.iterations_int))
        same(crypto.x25519(v.sk, v.pk), v.out, v.name);
    for (const v of vectors('x25519_bad')) {
        const out = crypto.x25519(v.sk, v.pk);
        if (v.expect_text === 'allzero')
            assert.strictEqual(out, null, v.name);
        else
            same(out, v.out, v.name);
    }
    for (const v of vectors('ed25519')) {
        same(crypto.ed25519Public(v.seed), v.pk, v.name);
        same(crypto.ed25519Sign(v.seed, v.msg), v.sig, v.name);
        assert(crypto.ed25519Verify(v.sig, v.pk, v.msg), v.name);
    }
    for (const [suite, name] of [[1, 'chacha20poly1305'], [2, 'aes256gcm']])
        for (const v of vectors(name)) {
            const aead = crypto.aead(suite, v.key), opened = aead.open(v.iv, v.aad, v.sealed);
            if (v.expect_text === 'forged') {
                assert.strictEqual(opened, null, v.name);
                continue;
            }
            same(opened, v.text, v.name);
            same(aead.seal(v.iv, v.aad, v.text), v.sealed, v.name);
        }
});
