#!/usr/bin/env bash
# `./run bench wasm [--traces FOLDER]`: the WebAssembly decoder in node beside the native one, on recorded desktops.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
build=${TASUKI_BUILD:-$here/../build}
traces=$here/../../shared/traces
[ "${1:-}" != --traces ] || traces=${2:?--traces wants a folder}
exec node "$here/../tests/wasm/bench.mjs" "$build/src/wasm/tasuki.wasm" "$build/tests/wasm/wasm_record" "$build/tests/wasm/wasm_play" "$traces"
