#!/usr/bin/env bash
# `./run bench glass [--net lan|5M25] [WORKLOAD,...]`: from one screen to another through the real tools and servers, beside TigerVNC with
# TLS in the same run. The harness (glass) is not part of this repository: GLASS names its folder, by default ../shared/measure/glass.
# One JSON line per system and workload, as glass has them, then one with ratios. Needs root (network namespaces).
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
glass=$(readlink -f "${GLASS:-$root/../shared/measure/glass}")
net=lan
workloads=typing,scroll,keys,idle
while [ $# -gt 0 ]; do
    case $1 in
    --net) net=$2; shift 2 ;;
    *) workloads=$1; shift ;;
    esac
done
[ -x "$glass/glass" ] || { echo "bench glass: there is no harness in $glass; GLASS=FOLDER names another" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "bench glass: needs root, for network namespaces" >&2; exit 2; }
for program in X0tigervnc xtigervncviewer matchbox-window-manager; do
    command -v $program >/dev/null || { echo "bench glass: $program is missing: apt-get install tigervnc-scraping-server tigervnc-viewer matchbox-window-manager" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/peers"
ln -s "$glass/glass" "$work/glass"
ln -s "$glass"/peers/* "$work/peers/"
ln -s "$root/bench/peer-tasuki" "$work/peers/tasuki"
export GLASS_BIN=$work/bin
make -s -C "$glass" B="$GLASS_BIN" >/dev/null
for peer in tasuki tigervnc-x0:tls; do
    echo "bench glass: $peer, $net: $workloads" >&2
    list=$workloads
    # The customer's windows cover the first workload until the session runs, which the harness takes for a picture
    # that never comes: that one is for nothing.
    [ $peer != tasuki ] || list=${workloads%%,*},$workloads
    (cd "$work" && ./glass run --peer "$peer" --net "$net" --workloads "$list" --keep-going --scratch "$work/runs" --out "$work/out.jsonl")
done
/usr/bin/python3 "$root/bench/glass_compare.py" "$work/out.jsonl"
