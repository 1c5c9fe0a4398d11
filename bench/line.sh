#!/usr/bin/env bash
# `./run bench line [TRIES]`: how long the picture stands still when a relay is killed or a cable cut.
TRIES=${1:-20} exec /usr/bin/python3 "$(dirname "$(readlink -f "$0")")/../tests/e2e/test_line.py"
