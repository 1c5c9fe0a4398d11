#!/usr/bin/python3
"""Every alarm of the engine and of the tools' flows has words for people in src/ui/alarm.c, and none of these is left over.

    tests/unit/test_ui_alarm.py ROOT
"""
import glob
import re
import sys


def code(path):
    """A C source without comments, with the pieces of each string put together."""
    with open(path, encoding='utf-8') as f:
        text = re.sub(r'/\*.*?\*/', '', f.read(), flags=re.S)
    return re.sub(r'"\s*\n\s*"', '', text)


# What raises an alarm: a call with the text in it, or with a variable that was filled just before; or TOOL_ALARM itself.
CALLS = r'\b(?:engine_alarm|broke|alarm_and_stop)\(((?:"[^"]*"|[^;{}"])*)\);'
NEWS = r'\.kind = TOOL_ALARM,[^;{}]*\.text = ([^;{}]*)\}'


def alarms(source):
    found, open_ends = set(), []
    for m in list(re.finditer(CALLS, source)) + list(re.finditer(NEWS, source)):
        said = re.findall(r'"([^"]*)"', m.group(1))
        if not said:
            # the nearest text before that went into the variable; a parameter comes from a call that is seen itself
            name = m.group(1).split(',')[1 if '(' in m.group(0)[:20] and ',' in m.group(1) else 0].strip()
            head = source[source.rfind('\n}\n', 0, m.start()) + 1:m.start()]
            said = re.findall(rf'(?:snprintf\(\s*{name},[^"]*|{name}\[\] = )"([^"]*)"', head)[-1:]
            if not said and not re.search(rf'const char \*{name}\b[^;]*\)\s*\{{', head):
                open_ends.append(m.group(0))
        found |= set(said)
    return found, open_ends


def main():
    root = sys.argv[1]
    said, problems = set(), []
    for path in sorted(glob.glob(f'{root}/src/session/*.c') + glob.glob(f'{root}/src/tool/*.c')):
        found, open_ends = alarms(code(path))
        said |= found
        problems += [f'{path}: which text is it? {what}' for what in open_ends]
    said = {text.split(': %')[0] for text in said}
    table = re.search(r'\balarms\[\] = \{(.*?)\n\};', code(f'{root}/src/ui/alarm.c'), re.S).group(1)
    known = set(re.findall(r'N_\("([^"]*)"\)', table))
    if len(said) < 10:
        problems.append(f'too few alarms were found: {len(said)}')
    problems += [f'src/ui/alarm.c: no words for "{text}"' for text in sorted(said - known)]
    problems += [f'src/ui/alarm.c: nobody says "{text}" any more' for text in sorted(known - said)]
    print('\n'.join(problems) or f'{len(said)} alarms have words')
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    main()
