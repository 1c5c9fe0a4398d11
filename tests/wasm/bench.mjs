// How fast the WebAssembly decoder is beside the native one, on the same frames in the same run:
//     node bench.mjs tasuki.wasm wasm_record wasm_play FOLDER
// prints one line of JSON a trace (*.tr in FOLDER): CPU ms a frame, means over the frames after the first (the key frame),
// medians of three rounds in turns. first_pass: photographs as JPEG, their pixels from the recording in both. Every frame
// is compared, too.
import {execFileSync} from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import {Tasuki} from '../../src/wasm/tasuki.mjs';
import {compare, otherColours, record} from './compare.mjs';
import {nodeCrypto} from './node_crypto.mjs';
import {RecordedPainter} from './recording.mjs';

const ROUNDS = 3;
const [wasm, recorder, player, folder] = process.argv.slice(2);

const cpuMs = () => {
    const {user, system} = process.cpuUsage();
    return (user + system) / 1000;
};

// {dec_ms, key_dec_ms}
function time(tasuki, recording) {
    const painter = new RecordedPainter();
    const decoder = tasuki.decoder(recording.width, recording.height, recording.modelBits, painter);
    let first = 0, rest = 0;
    recording.frames.forEach((frame, i) => {
        painter.expect(frame.rough);
        const start = cpuMs();
        decoder.frame(frame.bytes);
        const took = cpuMs() - start;
        if (i === 0)
            first = took;
        else
            rest += took;
    });
    decoder.free();
    return {dec_ms: rest / Math.max(1, recording.frames.length - 1), key_dec_ms: first};
}

function median(values) {
    return values.sort((a, b) => a - b)[values.length >> 1];
}

// In turns, so that what else the machine does hits both.
function measure(tasuki, {recording, file}) {
    const rounds = Array.from({length: ROUNDS}, () => ({native: JSON.parse(execFileSync(player, [file])), wasm: time(tasuki, recording)}));
    const of = (end, figure) => median(rounds.map((round) => round[end][figure]));
    return {
        dec_ms: of('wasm', 'dec_ms'),
        native_dec_ms: of('native', 'dec_ms'),
        key_dec_ms: of('wasm', 'key_dec_ms'),
        native_key_dec_ms: of('native', 'key_dec_ms'),
    };
}

const rounded = (n) => Math.round(n * 1000) / 1000;
const tasuki = await Tasuki.load(fs.readFileSync(wasm), nodeCrypto());
for (const name of fs.readdirSync(folder).filter((entry) => entry.endsWith('.tr')).sort()) {
    const source = path.join(folder, name);
    const exact = record(recorder, source, []);
    compare(tasuki, exact.recording, name); // warms up the compiler as well
    const e = measure(tasuki, exact);
    const rough = record(recorder, source, ['--rough']);
    compare(tasuki, rough.recording, `${name}, rough`);
    compare(tasuki, rough.recording, `${name}, rough in other colours`, otherColours);
    const r = measure(tasuki, rough);
    console.log(JSON.stringify({
        bench: 'wasm',
        trace: name.slice(0, -3),
        frames: exact.recording.frames.length - 1,
        dec_ms: rounded(e.dec_ms),
        native_dec_ms: rounded(e.native_dec_ms),
        ratio: rounded(e.dec_ms / e.native_dec_ms),
        key_dec_ms: rounded(e.key_dec_ms),
        native_key_dec_ms: rounded(e.native_key_dec_ms),
        first_pass_dec_ms: rounded(r.dec_ms),
        first_pass_native_dec_ms: rounded(r.native_dec_ms),
        first_pass_key_dec_ms: rounded(r.key_dec_ms),
        painted_by_host: rough.recording.frames.reduce((n, frame) => n + frame.rough.length, 0),
        equal: true, // compare() asserts it
    }));
}
