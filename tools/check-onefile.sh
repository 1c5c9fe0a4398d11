#!/bin/sh
# Will this program run on any desktop, as one file?
#
#     tools/check-onefile.sh FILE
#
# Prints the highest version of glibc that it needs, the libraries that it needs, and its size when stripped. Exit
# code 1, with words, when one of them is out of bounds.
set -eu

GLIBC_MAX=2.34    # Debian 12, Ubuntu 22.04, Fedora 35, RHEL 9, openSUSE Leap 15.6 and all that came later
SIZE_MAX=8388608  # bytes; what a customer waits for on a slow line

# Which libraries may stay outside, and why they are there on every desktop.
allowed() {
    case $1 in
    libc.so.6 | libm.so.6 | ld-linux-*.so.*) ;; # glibc
    libpthread.so.0 | libdl.so.2 | librt.so.1) ;; # glibc before 2.34 had them apart
    libgtk-3.so.0 | libgdk-3.so.0) ;; # windows, fonts, input methods, screen readers
    libglib-2.0.so.0 | libgobject-2.0.so.0 | libgio-2.0.so.0 | libgmodule-2.0.so.0) ;; # GTK stands on it
    libcairo.so.2 | libcairo-gobject.so.2 | libpango-1.0.so.0 | libpangocairo-1.0.so.0 | libgdk_pixbuf-2.0.so.0) ;; # GTK draws with them
    libpangoft2-1.0.so.0 | libharfbuzz.so.0 | libfontconfig.so.1 | libfreetype.so.6 | libpixman-1.so.0) ;; # Pango and Cairo do
    libatk-1.0.so.0) ;; # GTK tells screen readers by it
    libX11.so.6 | libxcb.so.1) ;; # GDK's way to X11, where the former stands on the latter
    libxkbcommon.so.0) ;; # GDK's way to keys under Wayland
    libwayland-client.so.0) ;; # GDK's way to Wayland
    *) return 1 ;;
    esac
}

[ $# -eq 1 ] && [ -r "$1" ] || {
    echo "usage: tools/check-onefile.sh FILE" >&2
    exit 2
}
file=$1
bad=0
complain() {
    echo "check-onefile: $*" >&2
    bad=1
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
LC_ALL=C readelf -dW "$file" >"$folder/dynamic" || {
    echo "check-onefile: $file is not a program that readelf understands" >&2
    exit 1
}
LC_ALL=C objdump -T "$file" >"$folder/symbols"

# Versions sort as numbers do, part by part: 2.4 is before 2.34.
highest=$(grep -o 'GLIBC_[0-9.]*' "$folder/symbols" | cut -d_ -f2 | sort -uV | tail -n 1)
echo "glibc: ${highest:-none} (at most $GLIBC_MAX)"
if [ "$(printf '%s\n%s\n' "${highest:-0}" "$GLIBC_MAX" | sort -V | tail -n 1)" != "$GLIBC_MAX" ]; then
    complain "these symbols need a glibc above $GLIBC_MAX: older desktops cannot start the program"
    grep "GLIBC_$highest" "$folder/symbols" >&2
fi

needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' "$folder/dynamic")
echo "needed:" $needed
for library in $needed; do
    allowed "$library" || complain "$library is not on every desktop: link it statically (src/onefile/meson.build), or look for it at run time"
done

# Where it would look for libraries beside the usual places: a folder of the machine that it was built on.
if grep -E '\((RPATH|RUNPATH)\)' "$folder/dynamic" >&2; then
    complain "it carries a path to libraries"
fi
# A library that brings its own OpenSSL must not find ours.
if grep -E '\.text.* (SSL_|EVP_|OPENSSL_|CRYPTO_)' "$folder/symbols" >&2; then
    complain "it shows its OpenSSL to the libraries that it loads: link with -Wl,--exclude-libs,ALL"
fi

strip -o "$folder/stripped" "$file"
size=$(wc -c <"$folder/stripped")
echo "size: $size bytes stripped (at most $SIZE_MAX)"
[ "$size" -le "$SIZE_MAX" ] || complain "it is larger than a customer should have to wait for"
exit $bad
