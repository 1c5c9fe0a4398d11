#!/usr/bin/python3
"""Whatever can go wrong has words in src/ui/words.c: each code of docs/openapi.yaml and of the sources, and each sentence by
which words.c knows what a connection failed of still stands in the sources.

    tests/unit/test_ui_codes.py ROOT
"""
import glob
import os
import re
import sys


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def texts(c):
    """A C source with the pieces of each string put together."""
    return re.sub(r'"\s*\n\s*"', '', c)


def codes_of_description(root):
    found = set()
    for said in re.findall(r'\bcode: \{type: string, (const: \w+|enum: \[[^]]*\])', read(f'{root}/docs/openapi.yaml')):
        found |= set(re.findall(r'\w+', said.split(':', 1)[1]))
    return found


def codes_of_sources(root):
    calls = [('src/http/*.c src/manager/*.c', r'\b(?:tas_http_problem|problem|refuse\w*)\([^";]*?, "([a-z_0-9]+)",'),
             ('src/api/*.c src/tool/*.c', r'\b(?:api_error_set|fail_with)\([^";]*?, "([a-z_0-9]+)",'),
             ('src/tool/*.c', r'\btool_refuse\([^;]*?"([a-z_0-9]+)",\s*(?:"[^"]* |why\b)')]
    found = set()
    for patterns, call in calls:
        for path in sum((glob.glob(f'{root}/{p}') for p in patterns.split()), []):
            found |= set(re.findall(call, read(path)))
    return found


def rows(words, table):
    body = re.search(r'\b' + table + r'\[\] = \{(.*?)\n\};', words, re.S).group(1)
    return re.findall(r'^\s*\{"([^"]*)", (?:"([^"]*)"|NULL),', body, re.M)


def main():
    root = sys.argv[1]
    words = texts(read(f'{root}/src/ui/words.c'))
    known = {key for key, _ in rows(words, 'ui_words_codes')}
    described, ours = codes_of_description(root), codes_of_sources(root)
    problems = []
    if len(described) < 20 or len(ours) < 20 or not {'no_server', 'slow_down'} <= ours:
        problems.append(f'too few codes were found: {len(described)} described, {len(ours)} in the sources')
    for code in sorted((described | ours) - known):
        problems.append(f'src/ui/words.c: no words for {code}')

    said = ''.join(texts(read(p)) for folder in ('http', 'net') for p in sorted(glob.glob(f'{root}/src/{folder}/*.c')))
    for row in rows(words, 'ui_words_transport'):
        for part in filter(None, row):
            if part not in said:
                problems.append(f'src/ui/words.c: nobody says "{part}" any more')
    print('\n'.join(problems) or f'{len(described | ours)} codes have words')
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    main()
