#!/usr/bin/python3
"""Writes a file as an array of bytes for a C program: NAME[] and NAME_len.

    tools/embed.py NAME HEADER IN OUT

HEADER declares both (its path from src/).
"""
import sys


def main():
    name, header, source, target = sys.argv[1:]
    with open(source, 'rb') as f:
        data = f.read()
    rows = [', '.join(f'{b:#04x}' for b in data[i:i + 16]) for i in range(0, len(data), 16)]
    with open(target, 'w', encoding='utf-8') as f:
        f.write(f'#include "{header}"\n\nconst uint8_t {name}[] = {{\n    ' + ',\n    '.join(rows) + ',\n};\n'
                f'const size_t {name}_len = sizeof({name});\n')


if __name__ == '__main__':
    main()
