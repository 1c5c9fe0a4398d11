#!/usr/bin/env bash
# `./run bench manager [login] [streams] [claims] [renew]`: what one management server carries.
exec /usr/bin/python3 "$(dirname "$(readlink -f "$0")")/manager.py" "$@"
