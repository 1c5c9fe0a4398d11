#!/usr/bin/env bash
# The checks check: plants one violation after another in a tree of its own and sees each refused, and the clean
# tree accepted. A check that refuses nothing is worse than none.
set -euo pipefail

tools=$(dirname "$(readlink -f "$0")")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cd "$tree"
failed=0
count=0

clean_tree() {
    rm -rf "${tree:?}"/*
    mkdir -p src/base src/wire src/relay src/net src/crypto src/e2e src/client/x11 tests/unit tools docs
    cp "$tools/../.clang-format" "$tree/"
    printf 'base:\nwire: base\ncrypto: base\ne2e: base wire crypto\nnet: base crypto\nclient: base e2e\nrelay: base net wire\n' >tools/layers.txt
    printf '#pragma once\n\nint tas_a(int x);\n' >src/base/a.h
    printf '#include "base/a.h"\n\n#include <stddef.h>\n\nint tas_a(int x) {\n    return x + 1;\n}\n' >src/base/a.c
    printf '#pragma once\n' >src/base/a_private.h
    printf '#pragma once\n' >src/e2e/seal.h
    printf '#include "base/a.h"\n\nint main(void) {\n    return tas_a(0);\n}\n' >src/relay/main.c
    printf '/* top */\n\n/* ---- section 1: things ---- */\n\nLAYOUT(ONE, one, 4)\n    U8(a) /* first */\n    PAD(1)\n    U16(b)\nEND(one)\n\nRECORD(0x01, TWO, two)\n    TAIL(rest, 9)\nEND(two)\n' >src/wire/messages.def
    printf '# Wire\n\n<!-- generated from src/wire/messages.def by tools/wire-doc.py: do not edit below this line -->\n' >docs/protocol.md
    "$tools/wire-doc.py" --root . >/dev/null
    printf "test('session', exe, suite: 'e2e')\n" >tests/unit/meson.build
    white_paper >docs/WHITEPAPER.md
}

white_paper() {
    local group n
    for group in SYS:4 PORT:3 OPS:8 SLA:4 DATA:4 ACC:7 PHY:2 POL:1; do
        for n in $(seq "${group#*:}"); do
            printf '| %s-%d | statement | not yet | | |\n' "${group%:*}" "$n"
        done
    done
}

fail() {
    echo "selftest: $*" >&2
    failed=$((failed + 1))
}

# The check must refuse the tree as it stands now, and say the words.
refused() { # WORDS CHECK [ARG...]
    local words=$1 said
    shift
    count=$((count + 1))
    if said=$("$tools/$1" "${@:2}" --root . 2>&1); then
        fail "$1 accepted: $words"
    elif ! grep -qF -- "$words" <<<"$said"; then
        fail "$1 refused, but did not say \"$words\": $said"
    fi
    clean_tree
}

accepted() { # CHECK [ARG...]
    local said
    count=$((count + 1))
    said=$("$tools/$1" "${@:2}" --root . 2>&1) || fail "$1 refused what is right: $said"
    clean_tree
}

append() { printf '%b\n' "$2" >>"$1"; }
in_front() { { printf '%b\n' "$2" && cat "$1"; } >"$1.new" && mv "$1.new" "$1"; }

clean_tree
for check in check-layers.py check-banned.py check-whitepaper.py check-format.sh; do
    accepted "$check"
done
accepted wire-doc.py --check

# layers
append src/relay/main.c '#include "e2e/seal.h"' && refused 'relay never includes e2e' check-layers.py
append src/net/tls.h '#pragma once\n#include "wire/x.h"' && append src/wire/x.h '#pragma once' && refused 'net may include base crypto' check-layers.py
append src/wire/w.h '#pragma once\n#include <time.h>' && refused 'reads no clock' check-layers.py
append src/wire/w.h '#pragma once\n#include <sys/epoll.h>' && refused 'belongs to one system' check-layers.py
append src/client/c.h '#pragma once\n#include <xcb/xcb.h>' && refused 'X11 lives in' check-layers.py
append src/client/x11/c.h '#pragma once\n#include <xcb/xcb.h>' && accepted check-layers.py
append src/e2e/k.h '#pragma once\n#include <openssl/evp.h>' && refused 'ask src/crypto' check-layers.py
append src/crypto/k.h '#pragma once\n#include <openssl/ssl.h>' && refused 'TLS lives in' check-layers.py
append src/net/k.h '#pragma once\n#include <sodium.h>' && refused 'ask src/crypto' check-layers.py
append src/net/k.h '#pragma once\n#include <openssl/ssl.h>\n#include <sys/epoll.h>' && accepted check-layers.py
append src/relay/r.h '#pragma once\n#include "base/a_private.h"' && refused 'is private to src/base' check-layers.py
append src/base/b.h 'int tas_b(void);' && refused '#pragma once' check-layers.py
append src/base/b.c '#include <stddef.h>' && refused 'give it a header' check-layers.py
in_front src/base/a.c '#include <stdint.h>' && refused 'our headers come before' check-layers.py
append src/base/b.h '#pragma once' && in_front src/base/a.c '#include "base/b.h"' && refused 'own header "base/a.h" first' check-layers.py
append src/base/a.c '#include "nowhere/b.h"' && refused 'there is no src/nowhere/b.h' check-layers.py
append src/base/a.c '/* #include "nowhere/b.h" */' && accepted check-layers.py
mkdir -p src/new && append src/new/n.h '#pragma once' && refused 'no row in tools/layers.txt' check-layers.py
append tools/layers.txt 'os: os2\nos2: os' && refused 'round in a circle' check-layers.py
sed -i 's/^net:.*/net: base crypto e2e/' tools/layers.txt && refused 'relay reaches e2e' check-layers.py

# banned
for call in 'strcpy(a, b)' 'sprintf(a, b)' 'atoi(a)' 'system(a)' 'signal(a, b)' 'rand()' 'usleep(1)' 'gets(a)' 'alloca(4)'; do
    append src/base/a.c "int x = $call;" && refused "${call%%(*}()" check-banned.py
done
append src/base/a.c 'int x = tas_rand(), y = ops->system(1), z = snprintf(a, b); /* atoi(x) */ char *s = "gets(x)";' && accepted check-banned.py
append src/base/a.c 'int x = atoi(a); /* banned-ok: the selftest says so */' && accepted check-banned.py
append src/base/a.c 'int x = atoi(a); /* banned-ok: */' && refused 'atoi()' check-banned.py
append tests/unit/t.c "/* TO""DO: later */" && refused 'write an issue' check-banned.py
seq -f '/* %g */' 901 >src/base/long.h && refused 'split the file' check-banned.py

# the wire
append src/wire/messages.def 'RECORD(0x02, THREE, three)\nEND(three)' && refused 'stale' wire-doc.py --check
append src/wire/messages.def 'RECORD(0x01, THREE, three)\nEND(three)' && refused 'stands twice' wire-doc.py
sed -i 's/one, 4/one, 5/' src/wire/messages.def && refused 'says 5 bytes' wire-doc.py
sed -i 's/^END(two)/    U8(x)\nEND(two)/' src/wire/messages.def && refused 'follow a TAIL' wire-doc.py
append docs/protocol.md '| by | hand |' && refused 'stale' wire-doc.py --check
sed -i '/generated from/d' docs/protocol.md && refused 'line is missing' wire-doc.py

# the white paper
sed -i '/ OPS-8 /d' docs/WHITEPAPER.md && refused 'OPS-8 is missing' check-whitepaper.py
append docs/WHITEPAPER.md '| SYS-1 | again | not yet | | |' && refused 'stands twice' check-whitepaper.py
append docs/WHITEPAPER.md '| SYS-9 | new | not yet | | |' && refused 'no such statement' check-whitepaper.py
sed -i 's/\(| SYS-1 | statement |\).*/\1 shown | | `sessions` |/' docs/WHITEPAPER.md && refused 'no test sessions' check-whitepaper.py
sed -i 's/\(| SYS-1 | statement |\).*/\1 shown | | |/' docs/WHITEPAPER.md && refused 'by which test' check-whitepaper.py
sed -i 's/\(| SYS-1 | statement |\).*/\1 nearly | | |/' docs/WHITEPAPER.md && refused 'write shown or not yet' check-whitepaper.py
sed -i 's/\(| SYS-1 | statement |\).*/\1 shown | | `session`, `docs\/protocol.md` |/' docs/WHITEPAPER.md && accepted check-whitepaper.py

# translations
words() { # TRANSLATION [FLAG]
    mkdir -p src/ui po
    append src/ui/w.c 'const char *a = N_("It takes %d seconds");'
    printf 'msgid ""\nmsgstr ""\n"Language: ja\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n' >po/ja.po
    "$tools/po.sh" --root . >/dev/null 2>&1
    sed -i "\$!b; s/.*/msgstr \"$1\"/" po/ja.po
    [ $# -lt 2 ] || sed -i "s/^#, c-format/#, $2, c-format/" po/ja.po
    sed -i '/^$/d; s/^#: /\n&/' po/ja.po
}
words '%d 秒です' && accepted po.sh --check
words '' && refused 'no translation' po.sh --check
words '%d 秒です' fuzzy && refused 'take away "fuzzy"' po.sh --check
words '%s 秒です' && refused 'po/ja.po: see above' po.sh --check
words '%d 秒です' && append src/ui/w.c 'const char *b = _("New");' && refused 'not what stands in the sources' po.sh --check
words '%d 秒です' && append src/ui/w.c 'const char *b = _("New");' && "$tools/po.sh" --root . >/dev/null 2>&1 && refused 'no translation' po.sh --check

# the one file: a program that needs libraries which not every desktop has
count=$((count + 1))
if said=$("$tools/check-onefile.sh" "$(command -v openssl)" 2>&1); then
    fail "check-onefile.sh accepted a program that needs libssl.so"
elif ! grep -qF 'libssl.so.3 is not on every desktop' <<<"$said"; then
    fail "check-onefile.sh refused, but did not say why: $said"
fi

# the format
append src/base/a.h 'int  tas_b( int x );' && refused 'run fmt' check-format.sh

[ $failed -eq 0 ] || exit 1
echo "selftest: $count violations and clean trees told apart"
