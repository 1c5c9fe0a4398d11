// Plays a recording (recording.h) in the WebAssembly decoder.
import * as fs from 'node:fs';

const KIND = {rough: 1, frame: 2, result: 3};
const ERRORS = ['OK', 'NOMEM', 'MORE', 'PROTO', 'LIMIT', 'FULL', 'STATE', 'AUTH', 'IO', 'RIGHT', 'EXPIRED', 'CLOSED', 'CONFIG', 'ABSENT'];

// {width, height, modelBits, frames: [{rough: [{err, width, height, pixels}], bytes, err, sum, exact, roughCount, isFinal, isBroken}]}
export function readRecording(path) {
    const file = fs.readFileSync(path), word = (at) => file.readUInt32LE(at);
    const recording = {width: word(4), height: word(8), modelBits: word(12), frames: []};
    let rough = [], bytes = null;
    for (let at = 16; at < file.length;) {
        const kind = word(at), len = word(at + 4), data = at + 8;
        at = data + len;
        if (kind === KIND.rough) {
            const pixels = file.subarray(data + 12, at);
            rough.push({err: file.readInt32LE(data), width: word(data + 4), height: word(data + 8), pixels});
        } else if (kind === KIND.frame) {
            bytes = file.subarray(data, at);
        } else {
            recording.frames.push({
                rough,
                bytes,
                err: ERRORS[-file.readInt32LE(data)],
                sum: word(data + 4),
                exact: word(data + 8),
                roughCount: word(data + 12),
                isFinal: word(data + 16) === 1,
                isBroken: word(data + 20) === 1,
            });
            rough = [];
        }
    }
    return recording;
}

// A painter that gives what the native decoder painted. change(pixels): other colours, as another JPEG decoder may give.
export class RecordedPainter {
    constructor(change = null) {
        this.change = change;
        this.rough = [];
    }
    // For the next frame.
    expect(rough) {
        this.rough = [...rough];
        this.asked = [];
    }
    #next(width, height) {
        const next = this.rough.shift();
        if (!next || next.err !== 0 || next.width !== width || next.height !== height)
            return null;
        const rgba = Uint8Array.from(next.pixels);
        for (let i = 0; i < rgba.length; i += 4)
            [rgba[i], rgba[i + 2]] = [rgba[i + 2], rgba[i]]; // recorded as B, G, R, 0
        if (this.change)
            this.change(rgba);
        return rgba;
    }
    jpeg(asked) {
        this.asked.push({kind: 'jpeg', ...asked, scan: asked.scan.slice()});
        return this.#next(asked.width, asked.height);
    }
    video(asked) {
        this.asked.push({kind: 'video', ...asked, chunk: asked.chunk.slice()});
        return this.#next(asked.width, asked.height);
    }
}

const ROUGH = 0x80000000;

// As recording_sum().
export function sumOf(picture) {
    let sum = 0x811c9dc5 | 0, exact = sum, roughCount = 0;
    for (let y = 0; y < picture.height; y++) {
        const row = y * picture.stride;
        for (let x = row; x < row + picture.width; x++) {
            const px = picture.pixels[x] | 0;
            sum = Math.imul(sum ^ px, 0x01000193);
            exact = Math.imul(exact ^ (px < 0 ? ROUGH : px), 0x01000193);
            roughCount += px < 0 ? 1 : 0;
        }
    }
    return {sum: sum >>> 0, exact: exact >>> 0, roughCount};
}
