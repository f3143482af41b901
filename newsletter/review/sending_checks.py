"""Checks of what sending needs beside the issue: headers, settings, and the records of the sender's domain."""

from collections.abc import Iterator
from email import message_from_bytes
from urllib.parse import urlsplit

from newsletter.app import theme_setting
from newsletter.checkup import findings
from newsletter.checkup.dns_records import Names
from newsletter.checkup.sending_domain import sending_domains
from newsletter.content.diagnostics import Severity
from newsletter.editorial.approval import unfit_for_real_mail
from newsletter.render.theme_trial import try_theme
from newsletter.review.specimen import Specimen
from newsletter.review.verdicts import Check, Place, Verdict, judged, not_checked, ok
from newsletter.setting_values import is_loopback

THEME_SECONDS = 20.0


def header_checks(specimen: Specimen) -> Iterator[Check]:
    """One-click unsubscribing (RFC 8058), and what in the settings is unfit for real readers."""
    yield _one_click(specimen)
    unfit = [Place(*_taken_apart(words)) for words in unfit_for_real_mail(specimen.newsletter)]
    yield judged("settings", Verdict.WARNING, unfit)


def sender_records(specimen: Specimen, names: Names) -> Check:
    """SPF, DKIM and DMARC, as `newsletter doctor` looks at them; asks the name server, for 12 seconds at most."""
    settings = specimen.newsletter.settings
    if is_loopback(urlsplit(settings.base_url).hostname or ""):
        return not_checked("sender-records", "local")
    if "sender" not in settings.model_fields_set:
        return not_checked("sender-records", "no_sender")
    found = list(sending_domains(settings, names))
    wrong = [one for one in found if one.verdict is findings.Verdict.WRONG]
    warned = [one for one in found if one.verdict is findings.Verdict.WARNING]
    places = [_said(one) for one in (*wrong, *warned)]
    if not places and not any(one.verdict is findings.Verdict.OK for one in found):
        unasked = tuple(_said(one) for one in found)
        return Check("sender-records", Verdict.NOT_CHECKED, "no_answer", places=unasked)
    if not places:
        well = tuple(_said(one) for one in found)
        return Check("sender-records", Verdict.OK, values={"n": len(found)}, places=well)
    return judged("sender-records", Verdict.ERROR if wrong else Verdict.WARNING, places)


def theme_trial(specimen: Specimen) -> Check:
    """What `newsletter theme check` says of the issue's theme, in a process of its own."""
    settings = specimen.newsletter.settings
    name = getattr(settings, theme_setting(specimen.saved.issue))
    verdict = try_theme(name, settings.themes, THEME_SECONDS)
    faults = sorted(verdict.faults, key=lambda fault: fault.severity is not Severity.ERROR)
    places = [Place(f"{fault.file}:{fault.line}" if fault.line else fault.file, fault.message) for fault in faults]
    return judged("theme", Verdict.WARNING if verdict.is_usable else Verdict.ERROR, places, theme=name)


def _one_click(specimen: Specimen) -> Check:
    if specimen.message is None:
        return not_checked("one-click", "no_mail")
    base_url = urlsplit(specimen.newsletter.settings.base_url)
    if is_loopback(base_url.hostname or ""):
        return not_checked("one-click", "local")
    headers = message_from_bytes(specimen.message.data)
    leave, post = headers["List-Unsubscribe"] or "", headers["List-Unsubscribe-Post"] or ""
    if leave.startswith("<https://") and post == "List-Unsubscribe=One-Click":
        return ok("one-click", host=base_url.hostname or "")
    return judged("one-click", Verdict.WARNING, [Place("List-Unsubscribe", leave[:80])])


def _said(finding: findings.Finding) -> Place:
    return Place(finding.name, f"{finding.what}. {finding.advice}" if finding.advice else finding.what)


def _taken_apart(words: str) -> tuple[str, str]:
    """The name of a setting, and what is wrong with it."""
    name, _, what = words.partition(" ")
    return name, what
