"""`python -m wove.cli` is the `wove` command."""

import sys

from wove.cli import main

sys.exit(main())
