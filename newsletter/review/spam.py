"""The score that a SpamAssassin on this machine gives the fullest edition, asked through its own client `spamc`."""

import re
import shutil
import subprocess

from newsletter.review.specimen import Specimen
from newsletter.review.verdicts import Check, Place, Verdict, judged, not_checked

SECONDS = 20.0
MOST_BYTES = 500_000
"""What `spamc` hands over at most by default; a larger mail is not judged."""
WARN_SCORE = 2.0
"""Mails of ours score 0 to 0.5; whoever scores this much has little left for what the network says of the sender."""
COUNTS = 0.1
"""Rules below this are not worth a line."""
_NO_DAEMON = (68, 69, 74, 75)
"""`spamc -x`: no such host, unavailable, input/output error, try later (sysexits.h)."""
_SCORE = re.compile(r"^(-?[\d.]+)/(-?[\d.]+)\s*$", re.MULTILINE)
_RULE = re.compile(r"^\s*(-?\d+\.\d+)\s+([A-Z][A-Z0-9_]+)\s+(.*)$", re.MULTILINE)


def spam_score(specimen: Specimen, seconds: float = SECONDS) -> Check:
    """Ask for a report, for so many seconds at most; where nobody answers, the check says what to install."""
    program, message = shutil.which("spamc"), specimen.message
    if message is None:
        return not_checked("spam-score", "no_mail")
    if program is None:
        return not_checked("spam-score", "no_program")
    if len(message.data) > MOST_BYTES:
        return not_checked("spam-score", "too_large", most=MOST_BYTES // 1000)
    try:
        command = [program, "-x", "-R", "-t", str(round(seconds)), "-n", "3", "--connect-retries", "1"]
        done = subprocess.run(  # noqa: S603 - the program is the one on this machine's path, its arguments are ours
            command, input=message.data, capture_output=True, timeout=seconds, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        return not_checked("spam-score", "no_answer")
    if done.returncode in _NO_DAEMON:
        return not_checked("spam-score", "no_daemon")
    return _judged(done.stdout.decode("utf-8", "replace"))


def _judged(report: str) -> Check:
    """A check from a report of `spamc -R`: score and limit on the first line, then the rules that were met."""
    found = _SCORE.search(report)
    if not found or float(found[2]) == 0:  # "0/0" is how spamc says that it was told nothing
        return not_checked("spam-score", "no_answer")
    score, limit = float(found[1]), float(found[2])
    rules = sorted(((float(points), rule, words) for points, rule, words in _RULE.findall(report)), reverse=True)
    places = [Place(rule, f"{points:+.1f} · {words.strip()}") for points, rule, words in rules if points >= COUNTS]
    verdict = Verdict.ERROR if score >= limit else Verdict.WARNING if score >= WARN_SCORE else Verdict.OK
    values = {"score": round(score, 1), "limit": limit}
    if verdict is Verdict.OK:
        return Check("spam-score", verdict, values=values, places=tuple(places))
    return judged("spam-score", verdict, places or [Place("SpamAssassin", found[0].strip())], **values)
