#!/usr/bin/env bash
# The catalogue of the tools' words: po/tasuki.pot is what stands in the sources, po/ja.po the Japanese.
#
#     tools/po.sh [--check] [--root DIR]
#
# Writes both anew (that is `./run po`): new texts come to ja.po without a translation, gone ones leave it. With --check changes
# nothing, and refuses: a text that is not in tasuki.pot, or not, or only perhaps (fuzzy), translated; and a translation whose
# placeholders are not those of the text.
set -euo pipefail

root=$(dirname "$(readlink -f "$0")")/..
mode=write
while [ $# -gt 0 ]; do
    case $1 in
    --check) mode=check ;;
    --root) root=$2 && shift ;;
    *) echo "usage: tools/po.sh [--check] [--root DIR]" >&2 && exit 2 ;;
    esac
    shift
done
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# No line numbers: they change with every commit.
extract() { # OUT
    find src -path 'src/ui/*.c' -o -path 'src/customer/*.c' -o -path 'src/operator/*.c' | LC_ALL=C sort |
        xgettext --files-from=- --language=C --from-code=UTF-8 --keyword= --keyword=_ --keyword=N_ --add-comments=ja: \
            --add-location=file --package-name=tasuki --foreign-user --output=- |
        sed '/^"POT-Creation-Date:/d; s/charset=CHARSET/charset=UTF-8/' >"$1"
}

merge() { # PO POT OUT
    msgmerge --quiet --no-fuzzy-matching --add-location=file --no-wrap --output-file="$work/merged.po" "$1" "$2"
    msgattrib --no-obsolete --no-wrap "$work/merged.po" >"$3"
}

refuse() {
    echo "po: $*" >&2
    exit 1
}

extract "$work/tasuki.pot"
if [ $mode = write ]; then
    mkdir -p po
    cp "$work/tasuki.pot" po/tasuki.pot
    merge po/ja.po po/tasuki.pot "$work/ja.po"
    cp "$work/ja.po" po/ja.po
    msgfmt --check --statistics -o /dev/null po/ja.po
    exit 0
fi

diff -u po/tasuki.pot "$work/tasuki.pot" >"$work/diff" || {
    cat "$work/diff" >&2
    refuse "po/tasuki.pot is not what stands in the sources: type ./run po"
}
merge po/ja.po po/tasuki.pot "$work/ja.po"
diff -u po/ja.po "$work/ja.po" >"$work/diff" || {
    cat "$work/diff" >&2
    refuse "po/ja.po does not have the texts of po/tasuki.pot: type ./run po"
}
msgfmt --check -o "$work/ja.mo" po/ja.po || refuse "po/ja.po: see above"
msgattrib --untranslated --no-obsolete --no-wrap po/ja.po >"$work/open"
[ ! -s "$work/open" ] || { cat "$work/open" >&2 && refuse "po/ja.po: the texts above have no translation"; }
msgattrib --only-fuzzy --no-obsolete --no-wrap po/ja.po >"$work/open"
[ ! -s "$work/open" ] || { cat "$work/open" >&2 && refuse "po/ja.po: look at the texts above and take away \"fuzzy\""; }
msgfmt --statistics -o /dev/null po/ja.po 2>&1 | sed 's/^/po: /'
