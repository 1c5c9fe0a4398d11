#!/usr/bin/env bash
# `./run bench loop`: the age of the picture on thin lines, through the relay and all encryption.
exec /usr/bin/python3 "$(dirname "$(readlink -f "$0")")/loop.py" "$@"
