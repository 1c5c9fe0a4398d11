// The WebAssembly decoder against a recording of the native one.
import assert from 'node:assert';
import {spawnSync} from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import {TasukiError} from '../../src/wasm/tasuki.mjs';
import {readRecording, RecordedPainter, sumOf} from './recording.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tasuki-wasm-'));
process.on('exit', () => fs.rmSync(folder, {recursive: true}));
for (const name of ['SIGINT', 'SIGTERM'])
    process.on(name, () => process.exit(1));

// Runs wasm_record. The file is overwritten by the next one.
export function record(recorder, source, options) {
    const file = path.join(folder, 'recording');
    const run = spawnSync(recorder, [...options, source, file], {encoding: 'utf8'});
    assert.strictEqual(run.status, 0, `${recorder} ${options.join(' ')} ${source}: ${run.stderr}`);
    return {recording: readRecording(file), file};
}

function decode(decoder, bytes) {
    try {
        decoder.frame(bytes);
        return 'OK';
    } catch (error) {
        if (!(error instanceof TasukiError))
            throw error;
        return error.code;
    }
}

// Draws what the decoder says has changed; in the end that must be the picture.
class Canvas {
    constructor(width, height) {
        this.width = width;
        this.rgba = new Uint8ClampedArray(4 * width * height);
    }
    draw(decoder) {
        for (const rect of decoder.changed()) {
            const rgba = decoder.rgba(rect), row = 4 * rect.width;
            for (let y = 0; y < rect.height; y++)
                this.rgba.set(rgba.subarray(y * row, (y + 1) * row), 4 * ((rect.y + y) * this.width + rect.x));
        }
    }
    check(picture, what) {
        for (let y = 0, at = 0; y < picture.height; y++)
            for (let x = 0; x < picture.width; x++, at += 4) {
                const px = picture.pixels[y * picture.stride + x] & 0xffffff;
                const drawn = (this.rgba[at] << 16) | (this.rgba[at + 1] << 8) | this.rgba[at + 2];
                if (drawn !== px || this.rgba[at + 3] !== 255)
                    assert.fail(`${what}: ${x},${y} is not drawn`);
            }
    }
}

// What a frame holds is known beforehand, and what is said then is what the painter is asked for.
function checkSections(tasuki, sections, asked, what) {
    assert.deepStrictEqual(sections, asked, what);
    for (const section of sections.filter(({kind}) => kind === 'jpeg')) {
        const file = Buffer.from(tasuki.jpegFile(section)), frame = file.indexOf('ffc0', 0, 'hex');
        assert.strictEqual(file.readUInt16BE(0), 0xffd8);
        assert.strictEqual(file.readUInt16BE(frame + 5), section.height);
        assert.strictEqual(file.readUInt16BE(frame + 7), section.width);
        assert.strictEqual(file.readUInt16BE(file.length - 2), 0xffd9);
    }
}

function sectionsOf(tasuki, bytes) {
    try {
        return tasuki.sections(bytes);
    } catch (error) {
        assert(error instanceof TasukiError && error.code === 'PROTO', error);
        return null;
    }
}

// Decodes a recording and asserts that all is as it was natively. change: as for RecordedPainter: then only what is exact
// must be equal. Gives how often everything was refined.
export function compare(tasuki, recording, what, change = null) {
    const painter = new RecordedPainter(change);
    const decoder = tasuki.decoder(recording.width, recording.height, recording.modelBits, painter);
    const canvas = new Canvas(recording.width, recording.height);
    let finals = 0;
    recording.frames.forEach((frame, i) => {
        const sections = sectionsOf(tasuki, frame.bytes);
        painter.expect(frame.rough);
        assert.strictEqual(decode(decoder, frame.bytes), frame.err, `${what}: frame ${i}`);
        if (frame.err !== 'OK')
            return;
        if (!frame.isBroken) // a JPEG decoder shows something for broken scans; of their size nobody can be sure
            checkSections(tasuki, sections, painter.asked, `${what}: sections of frame ${i}`);
        canvas.draw(decoder);
        const got = sumOf(decoder.picture());
        assert.strictEqual(got.exact, frame.exact, `${what}: exact pixels of frame ${i}`);
        assert.strictEqual(got.roughCount, frame.roughCount, `${what}: rough pixels of frame ${i}`);
        if (!change || frame.roughCount === 0)
            assert.strictEqual(got.sum, frame.sum, `${what}: picture of frame ${i}`);
        if (i % 8 === 0 || frame.isFinal)
            canvas.check(decoder.picture(), `${what}: frame ${i}`);
        finals += frame.isFinal ? 1 : 0;
    });
    decoder.free();
    return finals;
}

// As another JPEG decoder would give, and worse.
export function otherColours(rgba) {
    for (let i = 0; i < rgba.length; i++)
        rgba[i] ^= i % 7;
}
