#!/usr/bin/python3
"""Sums up ./run test: the slowest tests, what failed and how to run it again, and "N passed, N failed".

    tools/results.py RESULTS.tsv

RESULTS.tsv is written by ./run, one line a check:
    check  label  exit code  seconds  how to run it again  log
    meson  label  exit code  seconds  build dir  log  JSON lines that meson test left, one a test
Exit code 1 when anything failed, or when the first run of meson tests ran none.
"""
import json
import os
import sys

TAIL_LINES = 25
SLOWEST = 10
GOOD = ('OK', 'EXPECTEDFAIL')


class Result:
    def __init__(self, name, state, seconds, rerun, log):
        self.name, self.state, self.seconds, self.rerun, self.log = name, state, seconds, rerun, log


def tail_of_file(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()
    except OSError:
        return f'(no log {path})'


def of_check(label, code, seconds, rerun, log):
    state = 'passed' if int(code) == 0 else 'failed'
    return [Result(label, state, float(seconds), rerun, '' if state == 'passed' else tail_of_file(log))]


def of_test(label, build_dir, test):
    state = 'passed' if test['result'] in GOOD else 'skipped' if test['result'] == 'SKIP' else 'failed'
    name = test['name'].split(' / ')[-1]
    log = f'{test.get("stdout") or ""}\n{test.get("stderr") or ""}\n({test["result"].lower()})'
    return Result(f'{label}: {name}', state, test.get('duration') or 0.0, f'meson test -C {build_dir} -v {name}', log)


def of_meson(label, code, seconds, build_dir, log, path, must_run):
    results = []
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            results = [of_test(label, build_dir, json.loads(line)) for line in f if line.strip()]
    is_explained = any(r.state == 'failed' for r in results)
    if (int(code) != 0 and not is_explained) or (must_run and not results):
        why = tail_of_file(log) if int(code) else 'no test ran'
        results.append(Result(label, 'failed', float(seconds), f'meson test -C {build_dir}', why))
    return results


def read(path):
    results, is_first = [], True
    with open(path, encoding='utf-8') as f:
        for line in f:
            kind, *cells = line.rstrip('\n').split('\t')
            if kind == 'check':
                results += of_check(*cells)
            else:
                results += of_meson(*cells, must_run=is_first)
                is_first = False
    return results


def main():
    results = read(sys.argv[1])
    by_state = {state: [r for r in results if r.state == state] for state in ('passed', 'failed', 'skipped')}

    print(f'\nthe {SLOWEST} slowest:')
    for r in sorted(results, key=lambda r: -r.seconds)[:SLOWEST]:
        print(f'  {r.seconds:7.1f} s  {r.name}')
    if by_state['skipped']:
        print('\nskipped: ' + ', '.join(r.name for r in by_state['skipped']))
    for r in by_state['failed']:
        print(f'\nFAILED {r.name}\n  again: {r.rerun}')
        print('\n'.join('  | ' + line for line in r.log.strip().splitlines()[-TAIL_LINES:]))

    print(f'\n{len(by_state["passed"])} passed, {len(by_state["failed"])} failed')
    return 1 if by_state['failed'] or not results else 0


if __name__ == '__main__':
    sys.exit(main())
