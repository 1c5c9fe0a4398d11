#!/usr/bin/python3
"""Writes the tables at the end of docs/protocol.md from src/wire/messages.def.

    tools/wire-doc.py [--check] [--root DIR]

With --check nothing is written: exit code 1 when the tables are stale. Also refuses a declared size that does not
agree with the fields, an id that stands twice, a field after a TAIL, and a line that it does not understand.
"""
import argparse
import os
import re
import sys

DEF = 'src/wire/messages.def'
DOC = 'docs/protocol.md'
MARKER = '<!-- generated from src/wire/messages.def by tools/wire-doc.py: do not edit below this line -->'

SECTION = re.compile(r'/\* ---- (section .*?) ---- \*/')
LINE = re.compile(r'\s*([A-Z0-9]+)\(([^)]*)\)\s*(?:/\*\s*(.*?)\s*\*/)?\s*')
NUMBERS = {'U8': 1, 'U16': 2, 'U32': 4, 'U64': 8}


class Bad(Exception):
    """A line of messages.def that cannot be right."""


class Message:
    def __init__(self, kind, args, section):
        want = {'LAYOUT': 3, 'RECORD': 3, 'MESSAGE': 4}[kind]
        if len(args) != want:
            raise Bad(f'{kind} takes {want} arguments')
        self.kind, self.section = kind, section
        if kind == 'LAYOUT':
            self.title, self.name, self.size = args[0], args[1], int(args[2], 0)
        else:
            self.id, self.title, self.name = int(args[0], 0), args[1], args[2]
        self.channel = int(args[3], 0) if kind == 'MESSAGE' else None
        self.rows, self.offset, self.tail = [], 0, None

    def add(self, kind, args, comment):
        if self.tail is not None:
            raise Bad('nothing may follow a TAIL')
        size, type_, field = size_of(kind, args)
        if kind == 'TAIL':
            self.tail = int(args[1], 0)
        self.rows.append((self.offset, type_, field, comment or ''))
        self.offset += size

    def end(self, args):
        if args != [self.name]:
            raise Bad(f'END({self.name}) expected')
        if self.kind == 'LAYOUT' and self.offset != self.size:
            raise Bad(f'{self.title} says {self.size} bytes, its fields have {self.offset}')

    def heading(self):
        length = f'{self.offset} bytes' if self.tail is None else f'{self.offset} to {self.offset + self.tail} bytes'
        if self.kind == 'LAYOUT':
            return f'{self.title}: {length}'
        if self.kind == 'RECORD':
            return f'{self.title}: record 0x{self.id:02x}, {length}'
        critical = ', critical' if self.id & 0x8000 else ''
        return f'{self.title}: message 0x{self.id:04x}, channel {self.channel}{critical}, {length}'


def size_of(kind, args):
    """(bytes, type as shown, field as shown) of one field line."""
    want = 1 if kind in NUMBERS or kind == 'PAD' else 2
    if len(args) != want:
        raise Bad(f'{kind} takes {want} arguments')
    if kind in NUMBERS:
        return NUMBERS[kind], kind.lower(), f'`{args[0]}`'
    if kind == 'PAD':
        return int(args[0], 0), f'zero[{args[0]}]', ''
    if kind == 'BYTES':
        return int(args[1], 0), f'u8[{args[1]}]', f'`{args[0]}`'
    if kind == 'TAIL':
        return 0, f'u8[0..{args[1]}]', f'`{args[0]}`'
    return NUMBERS[kind[:-1]] * int(args[1], 0), f'{kind[:-1].lower()}[{args[1]}]', f'`{args[0]}`'


def parse(text):
    """The messages in the order of the file."""
    body = text.partition('*/')[2]  # after the comment at the top
    first = text[:len(text) - len(body)].count('\n') + 1
    messages, section, open_ = [], None, None
    for number, line in enumerate(body.splitlines(), first):
        try:
            if SECTION.fullmatch(line.strip()):
                section = SECTION.fullmatch(line.strip()).group(1)
                continue
            if not line.strip():
                continue
            match = LINE.fullmatch(line)
            if not match:
                raise Bad('not understood; one macro and one comment a line')
            kind, args, comment = match.group(1), [a.strip() for a in match.group(2).split(',')], match.group(3)
            if kind in ('LAYOUT', 'RECORD', 'MESSAGE'):
                if open_:
                    raise Bad(f'END({open_.name}) is missing')
                open_ = Message(kind, args, section)
            elif not open_:
                raise Bad('outside of any message')
            elif kind == 'END':
                open_.end(args)
                messages.append(open_)
                open_ = None
            elif kind in NUMBERS or kind in ('PAD', 'BYTES', 'TAIL', 'U32S', 'U64S'):
                open_.add(kind, args, comment)
            else:
                raise Bad(f'{kind} is not a field')
        except (Bad, ValueError) as error:
            raise Bad(f'{DEF}:{number}: {error}') from None
    if open_:
        raise Bad(f'{DEF}: END({open_.name}) is missing at the end')
    refuse_twice(messages)
    return messages


def refuse_twice(messages):
    seen = set()
    for m in messages:
        for key in [('name', m.name)] + ([(m.kind, m.id)] if m.kind != 'LAYOUT' else []):
            if key in seen:
                raise Bad(f'{DEF}: {m.title}: {key[1] if key[0] == "name" else hex(key[1])} stands twice')
            seen.add(key)


def cell(text):
    return re.sub(r'([|*<])', r'\\\1', text)


def tables(messages):
    out, section = [], None
    for m in messages:
        if m.section != section:
            section = m.section
            out += ['', f'### {section[0].upper()}{section[1:]}']
        out += ['', f'**{m.heading()}**', '', '| offset | type | field | |', '|---|---|---|---|']
        out += [f'| {offset} | {type_} | {field} | {cell(comment)} |' for offset, type_, field, comment in m.rows]
    return '\n'.join(out) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--root', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    args = parser.parse_args()

    doc_path = os.path.join(args.root, DOC)
    with open(os.path.join(args.root, DEF), encoding='utf-8') as f:
        source = f.read()
    with open(doc_path, encoding='utf-8') as f:
        doc = f.read()
    try:
        messages = parse(source)
    except Bad as error:
        sys.exit(str(error))
    head, marker, _ = doc.partition(MARKER + '\n')
    if not marker:
        sys.exit(f'{DOC}: the line is missing under which the tables go: {MARKER}')
    new = head + marker + tables(messages)
    if args.check and new != doc:
        sys.exit(f'{DOC}: the tables are stale: run tools/wire-doc.py')
    if not args.check and new != doc:
        with open(doc_path, 'w', encoding='utf-8') as f:
            f.write(new)
    print(f'wire-doc: {len(messages)} layouts, records and messages {"agree" if args.check else "written"}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
