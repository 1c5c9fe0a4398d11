#!/usr/bin/python3
"""docs/WHITEPAPER.md lists every statement of the white paper once, and what it calls shown has a test that exists.

    tools/check-whitepaper.py [--root DIR]

A row: | id | statement | status | where | test |. Status `shown` takes at least one test: the name of a meson test (in
a tests/**/meson.build) or a path from the root, each in backquotes. Any other row says `not yet`.
"""
import argparse
import os
import re
import sys

sys.dont_write_bytecode = True
import csource

DOC = 'docs/WHITEPAPER.md'
COUNTS = {'SYS': 4, 'PORT': 3, 'OPS': 8, 'SLA': 4, 'DATA': 4, 'ACC': 7, 'PHY': 2, 'POL': 1}
IDS = [f'{group}-{n}' for group, count in COUNTS.items() for n in range(1, count + 1)]


def test_names(root):
    """Every quoted word of the meson files below tests/, comments apart."""
    names = set()
    for path in csource.files(root, ['tests'], ['meson.build']):
        for line in csource.read(os.path.join(root, path)).splitlines():
            names.update(re.findall(r"'([^'\n]+)'", re.sub(r"#[^']*$", '', line)))
    return names


def check_row(root, names, cells):
    if len(cells) != 5:
        return 'a row has five cells: id, statement, status, where, test'
    status, tests = cells[2], re.findall(r'`([^`]+)`', cells[4])
    if status == 'not yet':
        return None
    if status != 'shown':
        return f'status "{status}": write shown or not yet'
    if not tests:
        return 'shown by which test? Name one in backquotes'
    missing = [t for t in tests if t not in names and not ('/' in t and os.path.exists(os.path.join(root, t)))]
    if missing:
        return f'there is no test {", ".join(missing)} (neither in a tests/**/meson.build nor a file)'
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--root', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    root = parser.parse_args().root

    names, problems, seen, shown = test_names(root), [], {}, 0
    for number, line in enumerate(csource.read(os.path.join(root, DOC)).splitlines(), 1):
        match = re.match(r'\|\s*([A-Z]+-\d+)\s*\|', line)
        if not match:
            continue
        cells = [c.strip() for c in line.strip().strip('|').split('|')]
        problem = check_row(root, names, cells)
        if cells[0] not in IDS:
            problem = 'the white paper has no such statement'
        elif cells[0] in seen:
            problem = f'stands twice, first in line {seen[cells[0]]}'
        seen.setdefault(cells[0], number)
        shown += len(cells) == 5 and cells[2] == 'shown'
        if problem:
            problems.append(f'{DOC}:{number}: {cells[0]}: {problem}')
    problems += [f'{DOC}:1: {id_} is missing' for id_ in IDS if id_ not in seen]
    print('\n'.join(problems) if problems else f'white paper: {shown} of {len(IDS)} statements shown')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
