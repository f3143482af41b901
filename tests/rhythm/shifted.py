"""`newsletter` by another clock: the file that the environment names says by how many seconds it is ahead.

`python shifted.py worker` is `newsletter worker` in all else. It imports nothing of the tests.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from newsletter.app import Newsletter
from newsletter.cli.main import run

AHEAD = "RHYTHM_AHEAD_FILE"


def clock() -> datetime:
    """The moment that the test wants it to be."""
    return datetime.now(UTC) + timedelta(seconds=float(Path(os.environ[AHEAD]).read_text()))


if __name__ == "__main__":
    (by_default,) = Newsletter.__init__.__defaults__ or ()
    Newsletter.__init__.__defaults__ = (clock,)
    sys.argv[0] = "newsletter"
    run()
