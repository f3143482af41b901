"""`make pages`: show every page that readers see to every judge, print one table, end with 1 when one says no.

Each judge is shown bad pages first. `python -m pages NAME…` asks only the judges so named.
"""

import argparse
import sys

from inbox.hearing import chosen, exit_code, hear

from pages.axe import Axe
from pages.lighthouse import Lighthouse
from pages.nu import Nu
from pages.site import open_site

ALL = (Nu(), Axe(), Lighthouse())

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", type=str.lower, metavar="NAME")
    given = parser.parse_args()
    judges = chosen(ALL, given.names, parser.error)
    with open_site() as pages:
        sys.exit(exit_code(hear(judges, pages)))
