"""`newsletter doctor`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from newsletter.checkup.dns_records import Names
from newsletter.checkup.examination import examine
from newsletter.checkup.findings import Finding, Section, Verdict
from newsletter.cli.output import AsJson, console, error_console, print_json, printable

STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "bold red", Verdict.NOT_CHECKED: "dim"}
_VERDICT_COLUMNS = 13
_NAME_COLUMNS = 17
"""So wide that the columns of all subjects stand below each other."""


def command(as_json: AsJson = False) -> None:
    """Check settings, database, mail server, DNS records, templates, clock and disk: what is wrong, how to mend it."""
    verdicts: Counter[Verdict] = Counter()
    shown = []
    with error_console().status("Checking …") as status:
        for section in examine(Names()):
            verdicts.update(finding.verdict for finding in section.findings)
            shown += [{"subject": section.subject, **asdict(finding)} for finding in section.findings]
            if not as_json:
                status.stop()
                _print(section)
                status.start()
    if as_json:
        print_json(shown)
    else:
        console().print(_summary(verdicts))
    if verdicts[Verdict.WRONG]:
        raise SystemExit(1)


def _print(section: Section) -> None:
    out = Console(markup=False, highlight=False, emoji=False)
    out.print(Text(printable(section.subject), style="bold"))
    out.print(_table(section.findings))
    out.print()


def _table(findings: Iterable[Finding]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(min_width=_VERDICT_COLUMNS, no_wrap=True)
    table.add_column(min_width=_NAME_COLUMNS, overflow="fold")
    table.add_column(overflow="fold")
    for finding in findings:
        said = Text(printable(finding.what))
        if finding.advice:
            said.append(f"\n→ {printable(finding.advice)}", style="cyan")
        table.add_row(Text(f"  {finding.verdict}", style=STYLES[finding.verdict]), Text(printable(finding.name)), said)
    return table


def _summary(verdicts: Counter[Verdict]) -> Text:
    order = (Verdict.WRONG, Verdict.WARNING, Verdict.NOT_CHECKED, Verdict.OK)
    counted = [(f"{verdicts[one]} {_plural(one, verdicts[one])}", STYLES[one]) for one in order if verdicts[one]]
    return Text(", ").join(Text(words, style=style) for words, style in counted)


def _plural(verdict: Verdict, count: int) -> str:
    return f"{verdict}s" if verdict is Verdict.WARNING and count != 1 else str(verdict)
