#!/usr/bin/python3
"""Who may include whom: refuses an #include in src/ that tools/layers.txt or the table below does not allow.

    tools/check-layers.py [--root DIR]

Prints file:line and what to do. Exit code 1 when something was found.
"""
import argparse
import os
import re
import sys

sys.dont_write_bytecode = True
import csource

PLATFORMS = ['client/x11', 'client/linux', 'client/wayland', 'client/win32', 'operator/present']

# System headers: (pattern of the whole name, where it may be included: folders or files below src/, why).
# The first pattern that matches decides. A header that matches none is free, but see PURE.
SYSTEM = [
    (r'openssl/(ssl|ssl2|ssl3|tls1|dtls1|bio|quic)\.h', ['net'], 'TLS lives in src/net'),
    (r'openssl/.*', ['crypto', 'net'], 'ask src/crypto: it alone knows a crypto library'),
    (r'sodium(\.h|/.*)', ['crypto'], 'ask src/crypto: it alone knows a crypto library'),
    (r'crack\.h', ['crypto'], 'ask crypto/password.h'),
    (r'(xcb|X11|xkbcommon)/.*', ['client/x11', 'operator/present'], 'X11 lives in src/client/x11 and src/operator/present'),
    (r'wayland-.*', ['client/wayland', 'operator/present'], 'Wayland lives in src/client/wayland and src/operator/present'),
    (r'(gtk|gdk|glib|gio|pango|cairo)[-/.].*|glib\.h|cairo\.h', ['ui', 'customer', 'operator'], 'windows live in src/ui, src/customer and src/operator'),
    (r'sqlite3\.h|libpq-fe\.h|libpq/.*|postgresql/.*', ['store'], 'all SQL lives in src/store'),
    (r'nghttp2/.*|curl/.*', ['http'], 'HTTP lives in src/http'),
    (r'confuse\.h|jansson\.h', ['base'], 'use base/conf.h or base/json.h'),
    (r'(jpeglib|jerror|turbojpeg)\.h|vpx/.*|libyuv(\.h|/.*)', ['lossy'], 'picture libraries live in src/lossy'),
    (r'xxhash\.h', ['codec'], 'only the codec looks tiles up'),
    (r'cjose/.*|ldap\.h|lber\.h', ['manager/identity'], 'only src/manager/identity*.c knows an identity provider'),
    (r'sys/(epoll|eventfd|inotify|mman|prctl|ptrace|sendfile|signalfd|syscall|timerfd)\.h|(linux|asm)/.*|seccomp\.h|sched\.h'
     r'|(windows|winsock2|ws2tcpip|windef)\.h', ['os', 'net', 'ui/bridge'] + PLATFORMS, 'what belongs to one system lives in src/os, src/net and src/client/<platform>'),
    (r'poll\.h', ['os', 'net', 'http', 'store'] + PLATFORMS, 'sockets live in src/net'),
    (r'(sys/socket|sys/un|netdb)\.h|(netinet|arpa|net)/.*', ['os', 'net', 'http'] + PLATFORMS, 'sockets live in src/net'),
]

# Folders that do no I/O and read no clock: these headers of the C library, what SYSTEM gives them, and no others.
PURE = ['wire', 'codec', 'e2e', 'session']
PURE_HEADERS = ['assert.h', 'ctype.h', 'errno.h', 'inttypes.h', 'limits.h', 'math.h', 'stdalign.h', 'stdarg.h', 'stdbool.h',
                'stddef.h', 'stdint.h', 'stdio.h', 'stdlib.h', 'string.h', 'immintrin.h', 'emmintrin.h', 'arm_neon.h']

# What must hold whatever layers.txt says, also by way of other folders: a program cannot do what it cannot reach.
NEVER = {'relay': (['e2e', 'session', 'codec', 'store', 'client', 'end', 'operator'], 'the relay knows no session key, no picture and no SQL')}

INCLUDE = re.compile(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def read_layers(path):
    """{folder: set of folders it may include}; '*' is kept as it stands."""
    layers = {}
    for number, line in enumerate(csource.read(path).splitlines(), 1):
        line = line.split('#')[0].strip()
        if not line:
            continue
        folder, colon, allowed = line.partition(':')
        if not colon or folder in layers:
            sys.exit(f'{path}:{number}: write each folder once, as "folder: the folders it may include"')
        layers[folder.strip()] = set(allowed.split())
    return layers


def reached(layers, folder):
    """Every folder that `folder` reaches by its own row and the rows of those."""
    seen, todo = set(), [folder]
    while todo:
        for nxt in layers.get(todo.pop(), ()):
            if nxt not in seen:
                seen.add(nxt)
                todo.append(nxt)
    return seen


def check_table(layers):
    for folder in layers:
        if folder in reached(layers, folder):
            yield f'tools/layers.txt:1: {folder} reaches itself: layers must not go round in a circle'
        forbidden, why = NEVER.get(folder, ([], ''))
        for other in sorted(reached(layers, folder) & set(forbidden)):
            yield f'tools/layers.txt:1: {folder} reaches {other}, which it never may: {why}'


def is_below(path, places):
    """Whether src/`path` is in one of the places (folders, or beginnings of file names after a slash)."""
    return any(path.startswith(place + '/') or ('/' in place and path.startswith(place)) for place in places)


def check_system(path, name):
    for pattern, places, why in SYSTEM:
        if re.fullmatch(pattern, name):
            return None if is_below(path, places) else f'<{name}> is not for this folder: {why}'
    if path.split('/')[0] in PURE and name not in PURE_HEADERS:
        return f'<{name}> is not for src/{path.split("/")[0]}, which does no I/O and reads no clock: move the caller up, or pass the value in'
    return None


def check_own(root, layers, path, name):
    mine, other = path.split('/')[0], name.split('/')[0]
    if '/' not in name:
        return f'"{name}": write the path from src/, such as "{os.path.dirname(path)}/{name}"'
    if not os.path.exists(os.path.join(root, 'src', name)):
        return f'"{name}": there is no src/{name}'
    if name.endswith('_private.h') and os.path.dirname(name) != os.path.dirname(path):
        return f'"{name}" is private to src/{os.path.dirname(name)}: use its public header'
    if other == mine or '*' in layers[mine]:
        return None
    if other in NEVER.get(mine, ([],))[0]:
        return f'"{name}": {mine} never includes {other}: {NEVER[mine][1]}'
    if other not in layers[mine]:
        return f'"{name}": {mine} may include {" ".join(sorted(layers[mine])) or "nothing"}; move the code, or argue for a new row of tools/layers.txt'
    return None


def check_first(root, path, first):
    """A .c begins with its own header, or, without one, with the header of its folder (or one above) that it implements."""
    folder, base = os.path.split(path)
    if base == 'main.c':
        return None
    own = path[:-2] + '.h'
    if os.path.exists(os.path.join(root, 'src', own)):
        return None if first == own else f'include its own header "{own}" first, which proves that header complete'
    private = path[:-2] + '_private.h'
    if os.path.exists(os.path.join(root, 'src', private)) and first == private:
        return None
    if first and (folder + '/').startswith(os.path.dirname(first) + '/'):
        return None
    return f'give it a header "{own}", or include the header of this folder that it implements first'


def check_file(root, layers, path):
    raw = csource.read(os.path.join(root, 'src', path)) or ''
    lines = csource.without_comments(raw).splitlines()
    if path.split('/')[0] not in layers or '/' not in path:
        yield 1, 'this folder has no row in tools/layers.txt: add one'
        return
    if path.endswith('.h') and 'No include guard' not in raw and not re.search(r'^#pragma once$', '\n'.join(lines), re.M):
        yield 1, 'begin the header with #pragma once (one that is included again and again says "No include guard" in its comment)'

    first, is_head, had_system = None, True, False
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            is_head = is_head and (not line.strip() or line.lstrip().startswith('#'))
            continue
        ours, system = match.groups()
        first = first or ours or f'<{system}>'
        problem = check_own(root, layers, path, ours) if ours else check_system(path, system)
        if problem:
            yield number, problem
        if is_head and ours and had_system:
            yield number, f'"{ours}": our headers come before <...>'
        had_system = had_system or bool(system)
    if path.endswith('.c'):
        problem = check_first(root, path, first)
        if problem:
            yield 1, problem


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--root', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    root = parser.parse_args().root

    layers = read_layers(os.path.join(root, 'tools', 'layers.txt'))
    problems = list(check_table(layers))
    paths = [p[len('src/'):] for p in csource.files(root, ['src'], ['.c', '.h'])]
    for path in paths:
        problems += [f'src/{path}:{number}: {what}' for number, what in check_file(root, layers, path)]
    print('\n'.join(problems) if problems else f'layers: {len(paths)} files hold to tools/layers.txt')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
