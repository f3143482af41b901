"""`make inbox`: show every sample edition to every judge, print one table, end with 1 when one of them says no.

Each judge is shown its bad samples first. A judge that this machine lacks is reported as not run; where
NEWSLETTER_TESTS_COMPLETE is set, that is a failure too. A judge that breaks down fails. `python -m inbox NAME…` asks
only the judges so named; `--write FILE` puts the table into a page, between its marks.
"""

import argparse
import re
import sys
from pathlib import Path

from inbox.hearing import chosen, exit_code, hear, markdown
from inbox.judges import ALL
from inbox.samples import samples

_BETWEEN_MARKS = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end -->)", re.DOTALL)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", type=str.lower, metavar="NAME")
    parser.add_argument("--write", type=Path, metavar="FILE")
    given = parser.parse_args()
    rows = hear(chosen(ALL, given.names, parser.error), list(samples()))
    if page := given.write:
        page.write_text(_BETWEEN_MARKS.sub(lambda _: markdown(rows), page.read_text("utf-8")), "utf-8")
    sys.exit(exit_code(rows))
