"""What a finished mail may hold: elements, attributes, addresses and style that neither fetch nor run anything.

Everything that is not known to be harmless is refused: what mail programs may understand one day cannot be listed.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from newsletter.content.picture_address import picture_at

_TAGS = re.compile(
    "html|head|title|meta|style|body|div|p|span|br|hr|h[1-6]|ul|ol|li|dl|dt|dd|blockquote|pre|code|a|b|strong|i|em|u|s"
    "|small|sub|sup|del|ins|mark|q|cite|abbr|center|font|section|article|header|footer|main|address"
    "|table|caption|colgroup|col|thead|tbody|tfoot|tr|th|td"
)
_FOR_OUTLOOK = re.compile(
    "table|tbody|tr|td|div|style|noscript|xml|o:(?:officedocumentsettings|allowpng|pixelsperinch)"
)
_ATTRIBUTES = re.compile(
    "style|class|id|lang|dir|role|title|v?align|vertical-align|width|height|border|cellpadding|cellspacing|bgcolor|color"
    "|face|size|colspan|rowspan|scope|start|value|type|media|xmlns(?::[vo])?|aria-[a-z]+"
)
_ATTRIBUTES_OF = {
    "a": {"href", "target", "rel"},
    "img": {"src", "alt"},
    "meta": {"name", "http-equiv", "content", "charset"},
}
_META = {
    *(
        "viewport",
        "color-scheme",
        "supported-color-schemes",
        "format-detection",
        "x-apple-disable-message-reformatting",
    ),
    *("content-type", "x-ua-compatible"),
}
_ADDRESS = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)
_FUNCTIONS = re.compile(
    "rgba?|hsla?|calc|min|max|clamp|(?:linear|radial)-gradient|and|or|not|is|where|nth-child|lang|dir"
)
_FUNCTION = re.compile(r"([\w-]+)\(")
_AT_RULE = re.compile(r"@([\w-]*)")
_CONDITIONAL = re.compile(r"\[if [\w !|&()]+\]>(.*)<!\[endif\]", re.DOTALL)
_EMPTY = re.compile(r"\[if [\w !|&()]+\]><!|<!\[endif\]|[^<>]*")  # comments without any element in them


def not_allowed(html: str, base_url: str = "") -> Iterator[tuple[str, str]]:
    """What a finished page may not hold: what to look for in the theme's files, and what is wrong, each once.

    The only pictures are those that were uploaded, which lie below `base_url`.
    """
    judge = _Judge(_TAGS, base_url)
    judge.feed(html)
    judge.close()
    yield from judge.found.items()


class _Judge(HTMLParser):
    """Goes through a page; `found` are its faults by the words that make them."""

    def __init__(self, tags: re.Pattern[str], base_url: str = "") -> None:
        super().__init__()
        self._base_url = base_url
        self.found: dict[str, str] = {}
        self._tags = tags
        self._style: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element and its attributes."""
        if not self._tags.fullmatch(tag) and not self._is_our_picture(tag, dict(attrs)):
            where = "a comment for Outlook" if self._tags is _FOR_OUTLOOK else "a mail"
            self._say(f"<{tag}", f"<{tag}> is nothing that {where} may hold: it could fetch or run something")
        if tag == "style":
            self._style = []
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def handle_endtag(self, tag: str) -> None:
        """Look at a style block once it is whole."""
        if tag == "style":
            self._end_style()

    def handle_data(self, data: str) -> None:
        """Keep style; text is for everybody, so none stands in a comment for Outlook."""
        if self._style is not None:
            self._style.append(data)
        elif self._tags is _FOR_OUTLOOK and not re.fullmatch(r"[\s\d]*", data):
            self._say(data.strip()[:20], f"{data.strip()[:20]!r} stands in a comment that only Outlook shows")

    def handle_comment(self, data: str) -> None:
        """Look into a comment for Outlook; any other may not look like HTML."""
        conditional = _CONDITIONAL.fullmatch(data)
        if "--" in data or not (conditional or _EMPTY.fullmatch(data)):
            self._say("<!--" + data[:20], f"the comment {data[:20]!r} could hide something: take it out")
        elif conditional:
            inside = _Judge(_FOR_OUTLOOK)
            inside.feed(conditional[1])
            inside.close()
            self.found |= inside.found

    def handle_decl(self, decl: str) -> None:
        """Any declaration but the one for the type of the document is refused."""
        if decl.lower() != "doctype html":
            self._say("<!" + decl[:20], f"<!{decl[:20]}> has no place in a mail: take it out")

    def unknown_decl(self, data: str) -> None:
        """The same for what is no declaration of HTML."""
        self._say("<![" + data[:20], f"<![{data[:20]}]> has no place in a mail: take it out")

    def handle_pi(self, data: str) -> None:
        """The same for instructions to programs."""
        self._say("<?" + data[:20], f"<?{data[:20]}> has no place in a mail: take it out")

    def close(self) -> None:
        """Look at what was left open."""
        super().close()
        self._end_style()

    def _is_our_picture(self, tag: str, attrs: dict[str, str | None]) -> bool:
        return tag == "img" and picture_at(attrs.get("src") or "", self._base_url) is not None

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if not _ATTRIBUTES.fullmatch(name) and name not in _ATTRIBUTES_OF.get(tag, ()):
            self._say(
                f"{name}=", f"{name}= is nothing that <{tag}> may have in a mail: it could fetch or run something"
            )
        elif name == "href" and not _ADDRESS.match(value):
            self._say(value, f"a link leads to {value[:40]!r}; it has to begin with https://, http:// or mailto:")
        elif tag == "meta" and name in ("name", "http-equiv") and value.lower() not in _META:
            self._say(value, f'<meta {name}="{value[:40]}"> has no place in a mail: take it out')
        elif name == "style":
            self._rules(value)

    def _end_style(self) -> None:
        rules, self._style = "".join(self._style or ()), None
        self._rules(rules)

    def _rules(self, css: str) -> None:
        """Look at style: without escapes, a name in it is what it says, and nothing is fetched but by function or @."""
        if "\\" in css:
            self._say("\\", "a style has a backslash in it: write the character itself")
        for function in _FUNCTION.findall(css.lower()):
            if not _FUNCTIONS.fullmatch(function):
                self._say(f"{function}(", f"{function}() in a style could fetch something: take it out")
        for rule in _AT_RULE.findall(css.lower()):
            if rule not in ("media", "supports"):
                self._say(
                    f"@{rule}", f"@{rule} in a style could fetch something: only @media and @supports are allowed"
                )

    def _say(self, word: str, said: str) -> None:
        self.found.setdefault(word, said)
