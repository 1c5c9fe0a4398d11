#!/usr/bin/python3
"""Turns migrations/NNNN-name.sql into C strings: embed.py FILE.sql... OUT.c"""
import os
import sys


def main(files, out):
    rows = []
    for path in sorted(files):
        number = int(os.path.basename(path)[:4])
        with open(path, encoding='utf-8') as f:
            lines = [line.rstrip('\n') for line in f]
        text = '\n'.join('        "%s\\n"' % line.replace('\\', '\\\\').replace('"', '\\"') for line in lines if line.strip())
        rows.append('    {%d, "%s",\n%s},\n' % (number, os.path.basename(path), text))
    if [int(r.split('{')[1].split(',')[0]) for r in rows] != list(range(1, len(rows) + 1)):
        sys.exit('embed.py: migrations must be numbered 1, 2, 3, ...')
    with open(out, 'w', encoding='utf-8') as f:
        f.write('#include "store/migrate_private.h"\n\n#pragma GCC diagnostic ignored "-Woverlength-strings"\n\nconst struct store_migration store_migrations[] = {\n' + ''.join(rows)
                + '};\nconst size_t store_n_migrations = sizeof(store_migrations) / sizeof(store_migrations[0]);\n')


main(sys.argv[1:-1], sys.argv[-1])
