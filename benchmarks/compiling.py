"""What compiling an issue costs beside MJML and premailer alone on the same document."""

from benchmarks.measure import Result, cpu_seconds, paired
from benchmarks.sample import PUBLICATION, issue
from newsletter.render import page
from newsletter.render.compile import compile_issue
from newsletter.render.inline_css import mail_html
from newsletter.render.theme import load_theme
from subscribers.topics import Catalogue

TIMES = 5


def compiling() -> Result:
    """How many times MJML and premailer alone the whole compilation takes."""
    theme, told, topics = load_theme(), issue(), Catalogue()
    documents: list[tuple[str, str]] = []

    def remember(mjml: str, css: str) -> str:
        documents.append((mjml, css))
        return mail_html(mjml, css)

    def compile_once() -> object:
        return compile_issue(told, theme=theme, language="zh", topics=topics, publication=PUBLICATION)

    page.mail_html = remember  # the very documents that a compilation hands to MJML and premailer
    try:
        compile_once()
    finally:
        page.mail_html = mail_html

    def ours() -> float:
        return cpu_seconds(lambda: [compile_once() for _ in range(TIMES)])

    def theirs() -> float:
        return cpu_seconds(lambda: [mail_html(*document) for document in documents for _ in range(TIMES)])

    share, our, their = paired(ours, theirs)
    detail = f"{our / TIMES * 1000:.1f} ms against {their / TIMES * 1000:.1f} ms, ten stories, CPU time"
    return Result("compiling an issue", 1 / share, "at most 3 times MJML and premailer alone", 1 / share <= 3, detail)
