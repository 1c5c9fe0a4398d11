#!/usr/bin/env bash
# Called by `./run demo`, which has built what is needed and set TASUKI_BUILD.
set -euo pipefail
exec /usr/bin/python3 "$(dirname "$(readlink -f "$0")")/demo.py" "$@"
