"""The judges, a module for each kind; `ALL` names them in the order of the table."""

from inbox.judge import Judge, Sample
from inbox.judges.axe import Axe
from inbox.judges.clients import Caniemail
from inbox.judges.forced_dark import ForcedDark
from inbox.judges.form import JUDGES as FORM
from inbox.judges.markup import HtmlValidate, Nu
from inbox.judges.narrow import NarrowScreen
from inbox.judges.rspamd import Rspamd
from inbox.judges.signatures import SIGNATURES
from inbox.judges.size import Size
from inbox.judges.spamassassin import SPAMASSASSIN
from inbox.judges.stripped import NoStyleBlocks

ALL: tuple[Judge[Sample], ...] = (
    Caniemail(),
    *SPAMASSASSIN,
    Rspamd(),
    *SIGNATURES,
    *FORM,
    Nu(),
    HtmlValidate(),
    Axe(),
    ForcedDark(),
    NarrowScreen(),
    Size(),
    NoStyleBlocks(),
)
