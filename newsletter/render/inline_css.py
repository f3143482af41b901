"""The door of MJML and premailer: an MJML document and a style sheet in, finished mail HTML out. Nothing is fetched.

premailer drops every rule that it cannot inline (`@supports`, `[data-ogsc] .x`), so the blocks that MJML writes are
kept away from it letter by letter, and only the style sheet handed over here is inlined.
"""

import logging
import re
from functools import lru_cache
from xml.dom import DOMException

import cssutils
from mjml import mjml2html
from premailer import Premailer

from newsletter.render.theme import FAULTS, ThemeError

_OWN_STYLE = re.compile(r"<!--.*?-->|<style(?=[\s/>])", re.DOTALL | re.IGNORECASE)
_STYLE = re.compile(r'<[a-z][^<>]*? style="[^"]*"')  # in a tag only: in text, "<" is always escaped
_CLASS = re.compile(r'(<[a-z][^<>]*?) class="([^"]*)"')
_KEPT = ' data-premailer="ignore"'
# As attributes these would come out wrong for Outlook (width="100%"); MJML has already written the right ones.
_NOT_AS_ATTRIBUTES = ["width", "height", "align", "bgcolor"]


def mail_html(mjml: str, css: str) -> str:
    """Compile MJML and write the rules of `css` into the elements they fit.

    Raises ThemeError as `with_rules` does, and when the document is not well-formed MJML.
    """
    head, end, body = with_rules(_compiled(mjml), css).partition("</head>")
    body = _STYLE.sub(lambda found: found[0].replace("; ", ";"), body)
    return head.replace(_KEPT, "") + end + _with_classes_of(head, body)


def with_rules(html: str, css: str) -> str:
    """A page with the rules of `css` written into the elements they fit; what the elements say already goes before.

    Raises ThemeError when a style sheet imports another one or cannot be read.
    """
    cssutils.log.setLevel(logging.CRITICAL)
    cssutils.ser.prefs.minimizeColorHash = False  # #123 is not understood by old Outlook
    inliner = _Inliner(
        _sheltered(html),
        css_text=css,
        allow_network=False,
        strip_important=False,
        keep_style_tags=False,
        disable_validation=True,
        disable_basic_attributes=_NOT_AS_ATTRIBUTES,
    )
    try:
        page: str = inliner.transform(pretty_print=False)
    except ThemeError:
        raise
    except (DOMException, *FAULTS) as error:
        raise ThemeError(f"the style sheet does not fit the page: {type(error).__name__}: {error}") from error
    return page


class _Inliner(Premailer):  # type: ignore[misc]  # premailer has no type hints
    """A premailer that reads style sheets without a network; its own `allow_network` does not hold for @import."""

    def _parse_css_string(self, css_body: str, validate: bool = True) -> cssutils.css.CSSStyleSheet:
        return _style_sheet(css_body, validate)


@lru_cache(maxsize=64)
def _style_sheet(css: str, validate: bool) -> cssutils.css.CSSStyleSheet:
    """The rules of a style sheet; raises ThemeError for one that imports another, in whatever letters."""
    sheet = cssutils.CSSParser(fetcher=_nothing, validate=validate).parseString(css)
    if any(rule.type == rule.IMPORT_RULE for rule in sheet):
        raise ThemeError("the style sheet of a theme may not use @import: mails are rendered without a network")
    return sheet


def _nothing(_: str) -> None:
    """What cssutils gets when it asks for an imported style sheet."""


def _with_classes_of(head: str, body: str) -> str:
    """Leave out the classes that no style block names: they have done their work once the rules are inlined."""
    named = set(re.findall(r"\.([a-zA-Z][\w-]*)", head))

    def kept(tag: re.Match[str]) -> str:
        names = " ".join(name for name in tag[2].split() if name in named)
        return f'{tag[1]} class="{names}"' if names else tag[1]

    return _CLASS.sub(kept, body)


def _compiled(mjml: str) -> str:
    try:
        return str(mjml2html(mjml, fonts={}))  # without fonts={} every mail would load Google Fonts
    except ValueError as error:
        raise ThemeError(f"the theme did not give well-formed MJML: {error}") from error


def _sheltered(html: str) -> str:
    """Mark MJML's own style blocks as not to be touched, and write the doctype as premailer knows it."""
    html = _OWN_STYLE.sub(lambda found: found[0] if found[0].startswith("<!--") else f"<style{_KEPT}", html)
    return html.replace("<!doctype html>", "<!DOCTYPE html>", 1)
