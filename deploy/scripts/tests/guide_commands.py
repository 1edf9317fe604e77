#!/usr/bin/env python3
"""Prints the commands of a guide as one script: guide_commands.py FILE.md

Its blocks marked `sh` run as they stand. A block marked `sh servers` has one
command a line that runs until it is ended: each becomes `serves COMMAND`, which
whoever runs the script defines.
"""

import re
import sys
import textwrap

# A block may be part of a list, and then stands further to the right.
BLOCK = re.compile(r"^(?P<indent> *)```sh(?P<kind>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


def main(path: str) -> int:
    with open(path, encoding="utf-8") as guide:
        blocks = list(BLOCK.finditer(guide.read()))
    if not blocks:
        print(f"{path} has no commands", file=sys.stderr)
        return 1
    for block in blocks:
        kind, text = block["kind"].strip(), textwrap.dedent(block["text"])
        if kind == "servers":
            print("\n".join(f"serves {line}" for line in text.splitlines() if line.strip()))
        elif kind == "":
            print(text, end="")
        else:
            print(f"{path}: a block marked sh {kind}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
