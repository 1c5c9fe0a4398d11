#!/usr/bin/env bash
# Refuses C files that are not formatted as .clang-format says; with --fix formats them (that is `./run fmt`).
#
#     tools/check-format.sh [--fix] [--root DIR]
#
# Looks at every .c and .h that git tracks or would track; without git, at every one in the source folders.
set -euo pipefail

root=$(dirname "$(readlink -f "$0")")/..
mode=check
while [ $# -gt 0 ]; do
    case $1 in
    --fix) mode=fix ;;
    --root) root=$2 && shift ;;
    *) echo "usage: tools/check-format.sh [--fix] [--root DIR]" >&2 && exit 2 ;;
    esac
    shift
done
cd "$root"

list_files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -z --cached --others --exclude-standard -- '*.c' '*.h'
    else
        find . \( -name 'build*' -o -name '.*' ! -name . \) -prune -o -name '*.[ch]' -print0
    fi
}

files=()
while IFS= read -r -d '' file; do
    [ -f "$file" ] && files+=("$file")
done < <(list_files)
if [ ${#files[@]} -eq 0 ]; then
    echo "format: no C files"
    exit 0
fi

if [ $mode = fix ]; then
    clang-format -i "${files[@]}"
    echo "format: ${#files[@]} files formatted"
elif clang-format --dry-run -Werror "${files[@]}"; then
    echo "format: ${#files[@]} files are as .clang-format says"
else
    echo "format: type ./run fmt" >&2
    exit 1
fi
