"""What the checks share: reading C source without being fooled by comments and strings, and finding files."""
import os
import re

# A comment, a string or a character, whichever starts first.
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(match):
    """The same number of lines and columns, with nothing in them."""
    return re.sub(r'[^\n]', ' ', match.group(0))


def without_comments(text):
    """Comments blanked; strings kept, so that #include "..." can still be read."""
    return TOKEN.sub(lambda m: blank(m) if m.group(0).startswith('/') else m.group(0), text)


def code_only(text):
    """Comments and the contents of strings and characters blanked."""
    return TOKEN.sub(blank, text)


def read(path):
    """Text of a file; None when it is not text."""
    try:
        with open(path, encoding='utf-8') as f:
            return f.read()
    except UnicodeDecodeError:
        return None


def files(root, folders, suffixes):
    """Paths below root/folder that end in one of the suffixes, relative to root, sorted."""
    found = []
    for folder in folders:
        for here, dirs, names in os.walk(os.path.join(root, folder)):
            dirs[:] = [d for d in dirs if not d.startswith('.') and d != '__pycache__']
            found += [os.path.relpath(os.path.join(here, n), root) for n in names if n.endswith(tuple(suffixes))]
    return sorted(found)
