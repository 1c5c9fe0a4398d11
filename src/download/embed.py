#!/usr/bin/python3
"""Turns texts into C strings: embed.py FILE... OUT.c  page_ja.html becomes download_page_ja_html."""
import os
import sys


def literal(line):
    return '    "' + line.replace('\\', '\\\\').replace('"', '\\"') + '\\n"'


def main(files, out):
    parts = ['#include "download/texts_private.h"\n\n#pragma GCC diagnostic ignored "-Woverlength-strings"\n']
    for path in files:
        name = 'download_' + os.path.basename(path).replace('.', '_')
        with open(path, encoding='utf-8') as f:
            lines = f.read().splitlines()
        parts.append(f'const char {name}[] =\n' + '\n'.join(literal(line) for line in lines) + ';\n')
    with open(out, 'w', encoding='utf-8') as f:
        f.write('\n'.join(parts))


main(sys.argv[1:-1], sys.argv[-1])
