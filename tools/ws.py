"""Entry point of `./ws`: the program itself is the package `workspace` beside this file."""

import sys

from workspace.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
