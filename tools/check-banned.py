#!/usr/bin/python3
"""Refuses functions that go wrong too easily, notes to oneself, and files too long to read.

    tools/check-banned.py [--root DIR]

A line that has to be an exception says why at its end: /* banned-ok: the reason */
Prints file:line and what to do. Exit code 1 when something was found. (VLAs are refused by the compiler, -Wvla.)
"""
import argparse
import os
import re
import sys

sys.dont_write_bytecode = True
import csource

FOLDERS = ['src', 'tests', 'fuzz', 'bench']
MAX_LINES = 900

# Function: what to use instead.
BANNED = {
    'strcpy': 'use struct tas_bytes, or memcpy with a length that was checked',
    'strcat': 'use tas_buf, or snprintf into a known size',
    'strncpy': 'it leaves strings without an end: use snprintf',
    'sprintf': 'use snprintf',
    'vsprintf': 'use vsnprintf',
    'gets': 'use fgets or read',
    'atoi': 'it cannot tell an error: use strtol and check the end and errno',
    'atol': 'it cannot tell an error: use strtol and check the end and errno',
    'strtok': 'it keeps a static pointer: use strcspn or struct tas_reader',
    'rand': 'use base/rand.h',
    'srand': 'use base/rand.h',
    'alloca': 'use an array of fixed size, or malloc',
    'system': 'no shell: use fork and execv',
    'popen': 'no shell: use fork and execv',
    'usleep': 'wait for an event with a deadline, not for time to pass',
    'signal': 'use sigaction, or a signalfd in src/os',
}
CALL = re.compile(r'(?<![\w.])(?<!->)(' + '|'.join(BANNED) + r')\s*\(')
NOTE = re.compile(r'\b(' + '|'.join(['TO' 'DO', 'FIX' 'ME', 'X' 'XX', 'HA' 'CK']) + r')\b')
ALLOWED = re.compile(r'(?:/\*|#|//) banned-ok: (?!\*/)\S+')


def check(path, text):
    lines = text.splitlines()
    code = csource.code_only(text).splitlines() if path.endswith(('.c', '.h', '.def')) else []
    for number, line in enumerate(lines, 1):
        if ALLOWED.search(line):
            continue
        match = CALL.search(code[number - 1]) if number <= len(code) else None
        if match:
            yield number, f'{match.group(1)}(): {BANNED[match.group(1)]}'
        match = NOTE.search(line)
        if match:
            yield number, f'{match.group(1)}: do it now, or write an issue'
    if len(lines) > MAX_LINES:
        yield MAX_LINES + 1, f'{len(lines)} lines: split the file, {MAX_LINES} is the most'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--root', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    root = parser.parse_args().root

    paths = csource.files(root, FOLDERS + ['tools'], ['.c', '.h', '.def', '.py', '.sh', 'meson.build'])
    problems = []
    for path in paths:
        text = csource.read(os.path.join(root, path))
        if text is not None:
            problems += [f'{path}:{number}: {what}' for number, what in check(path, text)]
    print('\n'.join(problems) if problems else f'banned: {len(paths)} files are clean')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
