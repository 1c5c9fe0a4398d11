// The WebAssembly decoder against recordings of the native one, frame by frame:
//     node test_decoder.mjs tasuki.wasm wasm_record [TRACE...]
// Made-up screens of several sizes, and the traces that are named; each exactly, and with JPEG and video in it.
import assert from 'node:assert';
import * as fs from 'node:fs';
import {Tasuki} from '../../src/wasm/tasuki.mjs';
import {compare, otherColours, record} from './compare.mjs';
import {nodeCrypto} from './node_crypto.mjs';

const SCREENS = ['640x400', '1x1', '17x300', '333x65', '200x129', '512x512'];

const [wasm, recorder, ...traces] = process.argv.slice(2);
const tasuki = await Tasuki.load(fs.readFileSync(wasm), nodeCrypto());
let painted = 0, finals = 0;
for (const source of [...SCREENS, ...traces])
    for (const options of [['--hostile'], ['--rough', '--hostile']]) {
        const isTrace = traces.includes(source), what = `${source} ${options}`;
        const {recording} = record(recorder, source, isTrace ? options.filter((o) => o !== '--hostile') : options);
        compare(tasuki, recording, what);
        const rough = recording.frames.reduce((n, frame) => n + frame.rough.length, 0);
        if (rough > 0)
            finals += compare(tasuki, recording, `${what}, other colours`, otherColours);
        painted += rough;
        console.log(`${what}: ${recording.frames.length} frames equal, ${rough} of them painted by the host`);
    }
assert(painted > 0 && finals > 0, 'nothing was rough, or nothing refined');
