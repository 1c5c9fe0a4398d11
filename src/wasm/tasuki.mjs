// Tasuki's decoder and viewer's end of a session for JavaScript: classes around tasuki.wasm (wasm.h is the contract
// with it). Needs nothing but WebAssembly with SIMD, so that it works in browsers and in node.
//
//     const tasuki = await Tasuki.load(bytes, crypto);
//     const session = tasuki.session({keyset, rootKey, popSeed, ticket, statement, serverMs}, nowUs);
//     for (let ev; (ev = session.event()).kind !== 'none';) ...
//
// `crypto` is an object with these functions, all at once (no promises), on Uint8Arrays that are good during the call
// only. What cannot be is null.
//     suites                     1 ChaCha20-Poly1305, 2 AES-256-GCM, or both added
//     random(out)                fills
//     sha256(parts)              32 bytes, over the parts one after the other
//     hmac(key, parts)           HMAC-SHA256, likewise
//     x25519Public(sk)           32 bytes
//     x25519(sk, pk)             32 bytes; null: all zeros
//     ed25519Public(seed)        32 bytes
//     ed25519Sign(seed, msg)     64 bytes
//     ed25519Verify(sig, pk, msg)  true or false
//     aead(suite, key)           {seal(iv, aad, text): with the tag of 16 bytes behind it, open(iv, aad, sealed): null when
//                                forged, free()}; null: this suite is not known
//
// Times are µs of one clock that never goes back, such as performance.now() * 1000.

const MAX_RECTS = 64;
const MAX_SECTIONS = 9, SECTION_SIZE = 48; // TAS_SECTIONS_MAX, struct wasm_section
const JPEG_HEAD = 1024;
const SCRATCH = 2048; // bytes; the largest is MAX_RECTS rectangles

export class TasukiError extends Error {
    constructor(code, text) {
        super(`${code}: ${text}`);
        this.name = 'TasukiError';
        this.code = code; // 'PROTO', as in base/err.h
    }
}

export class Tasuki {
    #memory;
    #exports;
    #view;
    #names = new Map();
    #errors = new Map();
    #aeads = new Map();
    #lastAead = 0;
    #painters = new Map();

    // source: the bytes of tasuki.wasm, or a WebAssembly.Module.
    static async load(source, crypto) {
        const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
        const tasuki = new Tasuki();
        const instance = await WebAssembly.instantiate(module, tasuki.#imports(module, crypto));
        tasuki.#start(instance);
        return tasuki;
    }

    #start(instance) {
        this.#exports = instance.exports;
        this.#memory = instance.exports.memory;
        this.#exports._initialize();
        for (let number = -1; number > -32; number--)
            this.#errors.set(this.#cachedName('error_name', number), number);
    }

    // A decoder by itself. painter: see Screen.
    decoder(width, height, modelBits, painter) {
        return new Decoder(this, width, height, modelBits, painter);
    }

    // A viewer's end of a session. config: see Session.
    session(config, nowUs, painter) {
        return new Session(this, config, nowUs, painter);
    }

    // What a frame will ask the painter for, in this order: [{kind: 'jpeg' or 'video', and what the painter gets}]. For
    // painters whose own decoders answer later: ask them first, then feed the frame, and answer from what they gave.
    // Throws TasukiError when the frame is broken.
    sections(frame) {
        const room = MAX_SECTIONS * SECTION_SIZE;
        return this.with(frame, (at) => this.with(new Uint8Array(room), (out) => {
            const count = this.checked(this.#exports.frame_sections(at, frame.length, out, MAX_SECTIONS));
            return Array.from({length: count}, (_, i) => this.#section(this.data(out + i * SECTION_SIZE, SECTION_SIZE)));
        }));
    }

    #section(d) {
        const word = (i) => d.getUint32(4 * i, true), at = word(10), data = this.bytes.slice(at, at + word(11));
        const size = {width: word(3), height: word(4)};
        if (word(0) === 0)
            return {kind: 'jpeg', ...size, quality: word(1), isFullColour: word(2) !== 0, scan: data};
        return {kind: 'video', ...size, x: word(5), y: word(6), id: word(7), codec: word(8), isStart: word(9) !== 0, chunk: data};
    }

    // The JPEG file of a section, or of what the painter is asked for.
    jpegFile({width, height, quality, isFullColour, scan}) {
        const words = Uint32Array.of(0, quality, isFullColour ? 1 : 0, width, height, 0, 0, 0, 0, 0, 0, 0);
        return this.with(new Uint8Array(words.buffer), (section) => this.with(new Uint8Array(JPEG_HEAD), (out) => {
            const len = this.checked(this.#exports.jpeg_head(section, out));
            const file = new Uint8Array(len + scan.length + 2);
            file.set(this.#part(out, len));
            file.set(scan, len);
            file.set([0xff, 0xd9], len + scan.length);
            return file;
        }));
    }

    get memoryBytes() {
        return this.#memory.buffer.byteLength;
    }

    // ---- for the classes below ----

    get call() {
        return this.#exports;
    }

    // Fresh after each call into the module: memory may have moved.
    get bytes() {
        if (!this.#view || this.#view.buffer !== this.#memory.buffer)
            this.#view = new Uint8Array(this.#memory.buffer);
        return this.#view;
    }

    data(at, len) {
        return new DataView(this.#memory.buffer, at, len);
    }

    alloc(len) {
        const at = this.#exports.alloc(len);
        if (at === 0)
            throw this.error(this.#errors.get('NOMEM'));
        return at;
    }

    // Calls use(address) with a copy of `bytes` in the module's memory.
    with(bytes, use) {
        const at = this.alloc(bytes.length || 1);
        try {
            this.bytes.set(bytes, at);
            return use(at);
        } finally {
            this.#exports.release(at, bytes.length || 1);
        }
    }

    #textAt(at) {
        const end = this.bytes.indexOf(0, at);
        return new TextDecoder().decode(this.bytes.slice(at, end));
    }

    #cachedName(table, number) {
        const key = `${table} ${number}`;
        if (!this.#names.has(key))
            this.#names.set(key, this.#textAt(this.#exports[table](number)));
        return this.#names.get(key);
    }

    eventName(kind) {
        return this.#cachedName('event_name', kind);
    }
    stateName(state) {
        return this.#cachedName('state_name', state);
    }
    endReason(reason) {
        return this.#cachedName('end_reason', reason);
    }

    error(number) {
        return new TasukiError(this.#cachedName('error_name', number), this.#cachedName('error_text', number));
    }

    // Gives what is not an error, throws what is one.
    checked(result) {
        if (result < 0)
            throw this.error(result);
        return result;
    }

    // ---- imports ----

    #part(at, len) {
        return this.bytes.subarray(at, at + len);
    }

    #parts(at, count) {
        const pairs = this.data(at, 8 * count), parts = [];
        for (let i = 0; i < count; i++)
            parts.push(this.#part(pairs.getUint32(8 * i, true), pairs.getUint32(8 * i + 4, true)));
        return parts;
    }

    // Writes what `make` gives to `at`. A host that throws must not unwind the module's stack.
    #give(at, make) {
        try {
            const result = make();
            if (!result)
                return this.#errors.get('AUTH');
            this.bytes.set(result, at);
            return 0;
        } catch {
            return this.#errors.get('NOMEM');
        }
    }

    #openAead(crypto, suite, key) {
        try {
            const aead = crypto.aead(suite, key);
            if (!aead)
                return 0;
            this.#aeads.set(++this.#lastAead, aead);
            return this.#lastAead;
        } catch {
            return 0;
        }
    }

    #closeAead(number) {
        const aead = this.#aeads.get(number);
        this.#aeads.delete(number);
        aead.free();
    }

    // Rough pixels: the painter gives bytes red, green, blue, anything; null: it cannot.
    #paint(owner, px, stride, width, height, ask) {
        try {
            const rgba = ask(this.#painters.get(owner));
            if (!rgba || rgba.length !== 4 * width * height)
                return this.#errors.get('PROTO');
            const structs = Uint8Array.from(new Uint8Array(Uint32Array.of(px, width, height, stride, 0, 0, width, height).buffer));
            this.with(structs, (at) => this.with(rgba, (from) => this.#exports.picture_paint(at, at + 16, from)));
            return 0;
        } catch {
            return this.#errors.get('NOMEM');
        }
    }

    paintsWith(owner, painter) {
        if (painter)
            this.#painters.set(owner, painter);
        else
            this.#painters.delete(owner);
    }

    #imports(module, crypto) {
        const part = (at, len) => this.#part(at, len), key = (at) => this.#part(at, 32);
        const host = {
            failed: (what, file, line) => {
                throw new TasukiError('ASSERT', `${this.#textAt(what)} (${this.#textAt(file)}:${line})`);
            },
            random: (at, len) => crypto.random(part(at, len)),
            suites: () => crypto.suites,
            sha256: (out, at, n) => this.#give(out, () => crypto.sha256(this.#parts(at, n))),
            hmac: (out, at, len, parts, n) => this.#give(out, () => crypto.hmac(part(at, len), this.#parts(parts, n))),
            x25519_public: (out, sk) => this.#give(out, () => crypto.x25519Public(key(sk))),
            x25519: (out, sk, pk) => this.#give(out, () => crypto.x25519(key(sk), key(pk))),
            ed25519_public: (out, seed) => this.#give(out, () => crypto.ed25519Public(key(seed))),
            ed25519_sign: (out, seed, msg, len) => this.#give(out, () => crypto.ed25519Sign(key(seed), part(msg, len))),
            ed25519_verify: (sig, pk, msg, len) =>
                this.#give(0, () => crypto.ed25519Verify(part(sig, 64), key(pk), part(msg, len)) && []),
            aead_new: (suite, at) => this.#openAead(crypto, suite, key(at)),
            aead_free: (number) => this.#closeAead(number),
            seal: (number, out, iv, aad, aadLen, text, len) =>
                this.#give(out, () => this.#aeads.get(number).seal(part(iv, 12), part(aad, aadLen), part(text, len))),
            open: (number, out, iv, aad, aadLen, sealed, len) =>
                this.#give(out, () => this.#aeads.get(number).open(part(iv, 12), part(aad, aadLen), part(sealed, len))),
            jpeg: (owner, px, stride, width, height, quality, isFullColour, scan, len) =>
                this.#paint(owner, px, stride, width, height, (painter) =>
                    painter.jpeg({width, height, quality, isFullColour: isFullColour !== 0, scan: part(scan, len)})),
            video: (owner, px, stride, width, height, x, y, id, codec, isStart, chunk, len) =>
                this.#paint(owner, px, stride, width, height, (painter) =>
                    painter.video({x, y, width, height, id, codec, isStart: isStart !== 0, chunk: part(chunk, len)})),
        };
        return {tasuki_host: host, wasi_snapshot_preview1: noFiles(module)};
    }
}

// The C library's printf carries file functions with it. Nothing here writes to files, so nothing calls them.
const WASI_NOSYS = 52;
function noFiles(module) {
    const wanted = WebAssembly.Module.imports(module).filter((i) => i.module === 'wasi_snapshot_preview1');
    return Object.fromEntries(wanted.map((i) => [i.name, () => WASI_NOSYS]));
}

// A picture that is being received. Decoder and Session are both one.
//
// What is photographed or moves may come roughly at first, as JPEG or video, which this module does not know. A painter
// decodes it: an object with two functions, which give width * height * 4 bytes red, green, blue, anything, at once:
//     jpeg({width, height, quality, isFullColour, scan})             jpegFile() makes a file of it
//     video({id, codec, isStart, x, y, width, height, chunk})        codec: 1 VP8, 2 VP9; null: not possible
// A browser decodes only with promises: Tasuki.sections() says beforehand what a frame will ask for. Without a painter frames with
// such parts are refused.
class Screen {
    #tasuki;
    #prefix;
    #painter;
    #scratch;
    #rgba = {at: 0, len: 0};
    #at = 0;

    constructor(tasuki, prefix, painter) {
        this.#tasuki = tasuki;
        this.#prefix = prefix;
        this.#painter = painter;
        this.#scratch = tasuki.alloc(SCRATCH);
    }

    get tasuki() {
        return this.#tasuki;
    }
    get scratch() {
        return this.#scratch;
    }
    get at() {
        return this.#at;
    }
    opened(result) {
        if (result < 0)
            this.#forget();
        this.#at = this.#tasuki.checked(result);
        this.#tasuki.paintsWith(this.#at, this.#painter);
    }

    #forget() {
        this.#tasuki.call.release(this.#scratch, SCRATCH);
        this.#tasuki.call.release(this.#rgba.at, this.#rgba.len);
        this.#scratch = this.#rgba.at = this.#rgba.len = 0;
    }

    // Wipes and releases everything. Not to be used afterwards.
    free() {
        if (this.#at === 0)
            return;
        this.#tasuki.call[`${this.#prefix}_free`](this.#at);
        this.#tasuki.paintsWith(this.#at, null);
        this.#at = 0;
        this.#forget();
    }

    // {width, height, stride, pixels}: 0x00RRGGBB (0x80RRGGBB when rough), `stride` of them a row. Good until the next call.
    // null: no screen yet.
    picture() {
        this.#tasuki.call[`${this.#prefix}_picture`](this.#at, this.#scratch);
        const d = this.#tasuki.data(this.#scratch, 16);
        const at = d.getUint32(0, true), width = d.getUint32(4, true), height = d.getUint32(8, true), stride = d.getUint32(12, true);
        if (at === 0)
            return null;
        const length = stride * (height - 1) + width;
        return {width, height, stride, pixels: new Uint32Array(this.#tasuki.bytes.buffer, at, length)};
    }

    // Rectangles {x, y, width, height} that were painted since this was last asked.
    changed() {
        const count = this.#tasuki.call[`${this.#prefix}_changed`](this.#at, this.#scratch, MAX_RECTS);
        const d = this.#tasuki.data(this.#scratch, 16 * count), rects = [];
        for (let at = 0; at < 16 * count; at += 16)
            rects.push({
                x: d.getUint32(at, true),
                y: d.getUint32(at + 4, true),
                width: d.getUint32(at + 8, true),
                height: d.getUint32(at + 12, true),
            });
        return rects;
    }

    // A rectangle of the picture as bytes red, green, blue, 255, for ImageData. Good until the next call.
    rgba(rect) {
        const len = 4 * rect.width * rect.height;
        if (len > this.#rgba.len) {
            this.#tasuki.call.release(this.#rgba.at, this.#rgba.len);
            this.#rgba = {at: 0, len: 0};
            this.#rgba = {at: this.#tasuki.alloc(len), len};
        }
        this.#tasuki.call[`${this.#prefix}_picture`](this.#at, this.#scratch);
        const d = this.#tasuki.data(this.#scratch + 16, 16);
        [rect.x, rect.y, rect.width, rect.height].forEach((n, i) => d.setUint32(4 * i, n, true));
        this.#tasuki.call.picture_rgba(this.#scratch, this.#scratch + 16, this.#rgba.at);
        return new Uint8ClampedArray(this.#tasuki.bytes.buffer, this.#rgba.at, len);
    }
}

class Decoder extends Screen {
    constructor(tasuki, width, height, modelBits, painter) {
        super(tasuki, 'decoder', painter);
        this.opened(tasuki.call.decoder_new(width, height, modelBits, painter ? 1 : 0));
    }

    // Throws TasukiError: 'STATE': not the frame after the last one; others: broken, wait for one that resets.
    frame(bytes) {
        this.tasuki.with(bytes, (at) => this.tasuki.checked(this.tasuki.call.decoder_frame(this.at, at, bytes.length)));
    }
}

// Where the fields of wasm.h's structs lie.
const CONFIG = {serverMs: 0, suites: 8, keyset: 12, rootKey: 20, popSeed: 52, ticket: 84, statement: 276, hasPainter: 596, size: 600};
const EVENT_SIZE = 128;
const INPUT = ['kind', 'isDown', 'textLength', 'x', 'y', 'buttons', 'keycode', 'wheelX', 'wheelY', 'keysym'];
const INPUT_TEXT = 6, INPUT_SIZE = 4 * (INPUT.length + INPUT_TEXT);

class Session extends Screen {
    // config: {keyset, rootKey, popSeed, ticket, statement: Uint8Arrays; serverMs: the management server's wall clock now;
    // suites: a mask, 0 for all}.
    constructor(tasuki, config, nowUs, painter) {
        super(tasuki, 'session', painter);
        const bytes = new Uint8Array(CONFIG.size), d = new DataView(bytes.buffer);
        d.setFloat64(CONFIG.serverMs, config.serverMs, true);
        d.setUint32(CONFIG.suites, config.suites ?? 0, true);
        d.setUint32(CONFIG.hasPainter, painter ? 1 : 0, true);
        for (const [name, len] of [['rootKey', 32], ['popSeed', 32], ['ticket', 192], ['statement', 320]]) {
            if (config[name].length !== len)
                throw new TasukiError('PROTO', `${name} has ${config[name].length} bytes, not ${len}`);
            bytes.set(config[name], CONFIG[name]);
        }
        const result = tasuki.with(config.keyset, (keyset) => {
            d.setUint32(CONFIG.keyset, keyset, true);
            d.setUint32(CONFIG.keyset + 4, config.keyset.length, true);
            return tasuki.with(bytes, (at) => tasuki.call.session_new(at, nowUs));
        });
        bytes.fill(0);
        this.opened(result);
    }

    // The next event: {kind: 'chat', ...}; kind 'none': there is none. session/session.h says what each means. While a
    // frame waits to be decoded, asking for the next event passes over it.
    event() {
        const t = this.tasuki;
        t.call.session_event(this.at, this.scratch);
        const d = t.data(this.scratch, EVENT_SIZE), word = (at) => d.getUint32(at, true);
        const copy = (at) => t.bytes.slice(word(at), word(at) + word(at + 4));
        const text = (at) => new TextDecoder().decode(copy(at));
        const event = {
            kind: t.eventName(word(0)),
            leg: word(4),
            relayId: word(8),
            from: t.stateName(word(12)),
            state: t.stateName(word(16)),
            number: word(20),
            flag: word(24) !== 0,
            x: word(28),
            y: word(32),
            width: word(36),
            height: word(40),
            hotX: word(44),
            hotY: word(48),
            text: text(52),
            data: copy(60),
        };
        if (event.kind === 'peer')
            event.peer = {
                kind: word(68),
                perms: word(72),
                companyId: word(76),
                company: text(80),
                name: text(88),
                key: t.bytes.slice(this.scratch + 96, this.scratch + 128),
            };
        return event;
    }

    // When tick() must be called at the latest.
    get deadlineUs() {
        return this.tasuki.call.session_deadline_us(this.at);
    }
    tick(nowUs) {
        this.tasuki.call.session_tick(this.at, nowUs);
    }
    get state() {
        return this.tasuki.stateName(this.tasuki.call.session_state(this.at));
    }

    // ---- sockets ----

    // binding: 32 bytes; all zeros in a browser, which cannot know them.
    secured(leg, nowUs, binding = new Uint8Array(32)) {
        this.tasuki.with(binding, (at) => this.tasuki.call.session_secured(this.at, leg, at, nowUs));
    }
    lost(leg, nowUs) {
        this.tasuki.call.session_lost(this.at, leg, nowUs);
    }
    inputRoom(leg) {
        return this.tasuki.call.session_input_room(this.at, leg);
    }
    input(leg, bytes, nowUs) {
        this.tasuki.with(bytes, (at) => this.tasuki.call.session_input(this.at, leg, at, bytes.length, nowUs));
    }
    // A copy of what is to be sent now, perhaps empty. Then say how much of it went: sent().
    output(leg, nowUs) {
        this.tasuki.call.session_output(this.at, leg, nowUs, this.scratch);
        const d = this.tasuki.data(this.scratch, 8), at = d.getUint32(0, true);
        return this.tasuki.bytes.slice(at, at + d.getUint32(4, true));
    }
    sent(leg, count) {
        this.tasuki.call.session_sent(this.at, leg, count);
    }

    // ---- what the user does; each throws TasukiError ----

    chat(text, wallMs) {
        this.chatBytes(new TextEncoder().encode(text), wallMs);
    }
    // bytes: UTF-8.
    chatBytes(bytes, wallMs) {
        const t = this.tasuki;
        t.with(bytes, (at) => t.checked(t.call.session_chat(this.at, at, bytes.length, wallMs)));
    }
    // reason: a number of session.h, 1: closed by the operator.
    end(reason, nowUs) {
        this.tasuki.call.session_end(this.at, reason, nowUs);
    }
    setTicket(ticket) {
        if (ticket.length !== 192)
            throw new TasukiError('PROTO', 'a ticket has 192 bytes');
        this.tasuki.with(ticket, (at) => this.tasuki.checked(this.tasuki.call.session_set_ticket(this.at, at)));
    }
    // code: as typed, '482-913-527'.
    typeCode(code, nowUs) {
        const bytes = new TextEncoder().encode(`${code}\0`), t = this.tasuki;
        t.with(bytes, (at) => t.checked(t.call.session_type_code(this.at, at, nowUs)));
    }
    view(isOn) {
        this.tasuki.call.session_view(this.at, isOn ? 1 : 0);
    }
    // monitor: an id of monitors(), 0: all of them, 255: as the host thinks best. Throws TasukiError.
    chooseMonitor(monitor) {
        this.tasuki.checked(this.tasuki.call.session_choose_monitor(this.at, monitor));
    }
    // {shown: an id or 0, list: [{id, isPrimary, x, y, width, height, name}]}, as last told.
    monitors() {
        const t = this.tasuki;
        t.call.session_monitors(this.at, this.scratch);
        const d = t.data(this.scratch, 8 + 16 * 32), word = (at) => d.getUint32(at, true);
        const list = Array.from({length: word(4)}, (_, i) => {
            const at = 8 + 32 * i, name = word(at + 24);
            return {
                id: word(at),
                isPrimary: word(at + 4) !== 0,
                x: word(at + 8),
                y: word(at + 12),
                width: word(at + 16),
                height: word(at + 20),
                name: new TextDecoder().decode(t.bytes.slice(name, name + word(at + 28))),
            };
        });
        return {shown: word(0), list};
    }
    ask(rights) {
        this.tasuki.call.session_ask(this.at, rights);
    }
    // input: any of kind, isDown, x, y, buttons, keycode, wheelX, wheelY, keysym, text (a list of code points).
    sendInput(input) {
        const t = this.tasuki, text = input.text ?? [];
        const bytes = new Uint8Array(INPUT_SIZE), d = new DataView(bytes.buffer);
        INPUT.forEach((name, i) => d.setInt32(4 * i, name === 'textLength' ? text.length : Number(input[name] ?? 0), true));
        text.slice(0, INPUT_TEXT).forEach((point, i) => d.setUint32(4 * (INPUT.length + i), point, true));
        t.with(bytes, (at) => t.checked(t.call.session_send_input(this.at, at)));
    }

    // ---- the screen ----

    // Decodes the frame that the event 'frame' announced. Show it, then say so: presented(). Throws TasukiError, which is
    // for figures only: the session asks for a new picture by itself.
    decode() {
        this.tasuki.checked(this.tasuki.call.session_decode(this.at));
    }
    presented(decodeUs, nowUs) {
        this.tasuki.call.session_presented(this.at, decodeUs, nowUs);
    }

    figures(nowUs) {
        this.tasuki.call.session_figures(this.at, this.scratch, nowUs);
        const d = this.tasuki.data(this.scratch, 64), figures = {};
        ['rateBps', 'minRttUs', 'lastRttUs', 'silentUs', 'screenBytes'].forEach((name, i) => {
            figures[name] = d.getFloat64(8 * i, true);
        });
        ['window', 'inFlight', 'chunk', 'relayId', 'resumes', 'frames'].forEach((name, i) => {
            figures[name] = d.getUint32(40 + 4 * i, true);
        });
        return figures;
    }
}
