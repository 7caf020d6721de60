"""``python -m xnb``: the same as the command ``xnb``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
