#!/usr/bin/env bash
# `./run bench screen [--quick] [--net direct,lan,5M25] [WORKLOAD,...]`: from the customer's screen to the operator's, through the real
# tools, the relay and all encryption. One JSON line for each line and workload. Needs root (network namespaces).
exec /usr/bin/python3 "$(dirname "$(readlink -f "$0")")/screen/screen.py" "$@"
