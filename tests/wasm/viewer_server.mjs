// The other end of remote_viewer.c: carries out what it asks for on sessions in tasuki.wasm, by the classes of
// tasuki.mjs. node viewer_server.mjs tasuki.wasm; requests on standard input, answers on standard output, numbers
// big-endian.
import * as fs from 'node:fs';
import {Tasuki, TasukiError} from '../../src/wasm/tasuki.mjs';
import {nodeCrypto} from './node_crypto.mjs';

const tasuki = await Tasuki.load(fs.readFileSync(process.argv[2]), nodeCrypto());
const sessions = new Map();
const frames = new Map(); // of each: the last frame that was announced
const prepared = new Map(); // of each: what the painter will be asked for, painted already
const canvases = new Map(); // of each session: what a browser's canvas would show

const names = (get) => new Map(Array.from({length: 64}, (_, number) => [get(number), number]));
const KINDS = names((n) => tasuki.eventName(n)), STATES = names((n) => tasuki.stateName(n));
const ERRORS = ['NOMEM', 'MORE', 'PROTO', 'LIMIT', 'FULL', 'STATE', 'AUTH', 'IO', 'RIGHT', 'EXPIRED', 'CLOSED', 'CONFIG', 'ABSENT'];

// ---- bytes ----

class Reader {
    constructor(bytes) {
        this.bytes = bytes;
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        this.at = 0;
    }
    #step(n) {
        this.at += n;
        return this.at - n;
    }
    u8 = () => this.view.getUint8(this.#step(1));
    u16 = () => this.view.getUint16(this.#step(2));
    u32 = () => this.view.getUint32(this.#step(4));
    i16 = () => this.view.getInt16(this.#step(2));
    u64 = () => Number(this.view.getBigUint64(this.#step(8)));
    take = (n) => this.bytes.slice(this.#step(n), this.at);
    rest = () => this.take(this.bytes.length - this.at);
}

const PLEASE_PAINT = 2 ** 32 - 1; // instead of an answer's length
const MOST = 2n ** 64n - 1n;
const u8 = (n) => Uint8Array.of(n);
function number(bytes, method, value) {
    const out = new Uint8Array(bytes);
    new DataView(out.buffer)[method](0, value);
    return out;
}
const u16 = (n) => number(2, 'setUint16', n), u32 = (n) => number(4, 'setUint32', n);
const u64 = (n) => number(8, 'setBigUint64', n < 2 ** 53 ? BigInt(n) : MOST);
const tail = (bytes) => Buffer.concat([u32(bytes.length), bytes]);
const text = (string) => tail(new TextEncoder().encode(string));

// ---- what can be asked ----

const plain = (s, value = 0) => Buffer.concat([u64(value), u64(s ? s.deadlineUs : 0)]);

// For what throws: the error's number without its sign, 0 for none.
function tried(session, act) {
    try {
        act();
        return plain(session());
    } catch (error) {
        if (!(error instanceof TasukiError) || !ERRORS.includes(error.code))
            throw error;
        return plain(session(), ERRORS.indexOf(error.code) + 1);
    }
}

function open(id, r) {
    const nowUs = r.u64(), serverMs = r.u64(), suites = r.u16(), popSeed = r.take(32), ticket = r.take(192), statement = r.take(320);
    const rootKey = r.take(32), keyset = r.take(r.u32());
    const config = {serverMs, suites, popSeed, ticket, statement, rootKey, keyset};
    const next = () => prepared.get(id).shift();
    const painter = {jpeg: next, video: next};
    return tried(() => sessions.get(id), () => sessions.set(id, tasuki.session(config, nowUs, painter)));
}

// As a browser has to do it: whatever takes time is asked for before the frame is decoded. Here remote_viewer.c paints.
function paint(section) {
    const s = {quality: 0, isFullColour: false, id: 0, codec: 0, isStart: false, ...section}, bool = (b) => u8(b ? 1 : 0);
    const question = Buffer.concat([
        u32(s.width), u32(s.height), u8(s.quality), bool(s.isFullColour), u8(s.id), u8(s.codec), bool(s.isStart), s.scan ?? s.chunk,
    ]);
    writeAll(Buffer.concat([u32(PLEASE_PAINT), u32(question.length), question]));
    const length = readAll(4).readUInt32BE(0);
    return length ? readAll(length) : null;
}

function decode(id, s) {
    return tried(() => s, () => {
        prepared.set(id, frames.has(id) ? tasuki.sections(frames.get(id)).map(paint) : []);
        s.decode();
    });
}

function event(id, s) {
    const ev = s.event();
    if (ev.kind === 'frame')
        frames.set(id, ev.data);
    const parts = [
        u64(s.deadlineUs), u32(KINDS.get(ev.kind)), u32(ev.leg), u32(ev.relayId), u32(STATES.get(ev.from)), u32(STATES.get(ev.state)),
        u32(ev.number), u8(ev.flag ? 1 : 0), u32(ev.x), u32(ev.y), u32(ev.width), u32(ev.height), text(ev.text), tail(ev.data),
    ];
    if (ev.kind === 'peer') {
        const p = ev.peer;
        parts.push(u8(p.kind), u16(p.perms), u32(p.companyId), text(p.company), text(p.name), p.key);
    }
    if (ev.kind === 'cursor_image')
        parts.push(u16(ev.hotX), u16(ev.hotY));
    return Buffer.concat(parts);
}

function sendInput(s, r) {
    const input = {kind: r.u8(), isDown: r.u8() === 1};
    r.u8(); // the monitor, and below layout and seq: the session's own
    const length = r.u8();
    r.take(8);
    Object.assign(input, {x: r.u16(), y: r.u16(), buttons: r.u16(), keycode: r.u16(), wheelX: r.i16(), wheelY: r.i16(), keysym: r.u32()});
    input.text = Array.from({length: 6}, r.u32).slice(0, length);
    return tried(() => s, () => s.sendInput(input));
}

function figures(s, r) {
    const f = s.figures(r.u64());
    return Buffer.concat([
        ...[f.rateBps, f.minRttUs, f.lastRttUs, f.silentUs, f.screenBytes].map(u64),
        ...[f.window, f.inFlight, f.chunk, f.relayId, f.resumes, f.frames].map(u32),
    ]);
}

function monitors(s) {
    const {shown, list} = s.monitors();
    const each = list.map((m) => Buffer.concat([u8(m.id), u8(m.isPrimary ? 1 : 0), ...[m.x, m.y, m.width, m.height].map(u16), text(m.name)]));
    return Buffer.concat([u8(shown), u8(list.length), ...each]);
}

// Draws what has changed, and nothing else, as a browser does.
function picture(id, s) {
    const pic = s.picture();
    if (!pic)
        return Buffer.concat([u32(0), u32(0)]);
    const {width, height} = pic, old = canvases.get(id);
    const canvas = old && old.width === width && old.height === height ? old : {width, height, rgba: Buffer.alloc(4 * width * height)};
    canvases.set(id, canvas);
    for (const rect of s.changed()) {
        const rgba = s.rgba(rect), row = 4 * rect.width;
        for (let y = 0; y < rect.height; y++)
            canvas.rgba.set(rgba.subarray(y * row, (y + 1) * row), 4 * ((rect.y + y) * width + rect.x));
    }
    return Buffer.concat([u32(width), u32(height), canvas.rgba]);
}

function close(id, s) {
    s.free();
    sessions.delete(id);
    for (const map of [canvases, frames, prepared])
        map.delete(id);
    return plain(null);
}

function done(s, act) {
    act();
    return plain(s);
}

// The same numbers stand in remote_viewer.c. The order of arguments: the time comes first.
const timed = (act) => (id, r, s) => {
    const nowUs = r.u64();
    return done(s, () => act(s, nowUs, r));
};
const OPS = {
    1: (id, r) => open(id, r),
    2: (id, r, s) => close(id, s),
    3: (id, r, s) => event(id, s),
    4: timed((s, now) => s.tick(now)),
    5: timed((s, now, r) => s.secured(r.u8(), now, r.take(32))),
    6: timed((s, now, r) => s.lost(r.u8(), now)),
    7: (id, r, s) => plain(s, s.inputRoom(r.u8())),
    8: timed((s, now, r) => s.input(r.u8(), r.rest(), now)),
    9: (id, r, s) => {
        const nowUs = r.u64(), out = s.output(r.u8(), nowUs);
        return Buffer.concat([u64(s.deadlineUs), out]);
    },
    10: (id, r, s) => done(s, () => s.sent(r.u8(), r.u32())),
    11: (id, r, s) => plain(s, STATES.get(s.state)),
    12: (id, r, s) => {
        const wallMs = r.u64();
        return tried(() => s, () => s.chatBytes(r.rest(), wallMs));
    },
    13: timed((s, now, r) => s.end(r.u8(), now)),
    14: (id, r, s) => tried(() => s, () => s.setTicket(r.rest())),
    15: (id, r, s) => figures(s, r),
    16: (id, r, s) => {
        const nowUs = r.u64();
        return tried(() => s, () => s.typeCode(new TextDecoder().decode(r.rest()), nowUs));
    },
    17: (id, r, s) => done(s, () => s.view(r.u8() === 1)),
    18: (id, r, s) => done(s, () => s.ask(r.u16())),
    19: (id, r, s) => sendInput(s, r),
    20: (id, r, s) => decode(id, s),
    21: timed((s, now, r) => s.presented(r.u32(), now)),
    22: (id, r, s) => picture(id, s),
    23: () => plain(null, tasuki.memoryBytes),
    24: (id, r, s) => tried(() => s, () => s.chooseMonitor(r.u8())),
    25: (id, r, s) => monitors(s),
};

// ---- the pipes ----

function readAll(len) {
    const bytes = Buffer.alloc(len);
    for (let at = 0; at < len;) {
        const n = fs.readSync(0, bytes, at, len - at);
        if (n === 0)
            process.exit(0);
        at += n;
    }
    return bytes;
}

function writeAll(bytes) {
    for (let at = 0; at < bytes.length;)
        at += fs.writeSync(1, bytes, at);
}

for (;;) {
    const r = new Reader(readAll(readAll(4).readUInt32BE(0)));
    const op = r.u8(), id = r.u32();
    const answer = OPS[op](id, r, sessions.get(id));
    writeAll(Buffer.concat([u32(answer.length), answer]));
}
