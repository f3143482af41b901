"""Which features of HTML and CSS a finished mail uses, by the names that caniemail.com gives them.

Counted as `make inbox` counts: what stands under `prefers-color-scheme` or under Outlook's own attribute for the dark
is left out, because who does not know the condition leaves out what depends on it.
"""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser

from newsletter.review.style_rules import Rule, declarations, rules

_DARK = re.compile(r"prefers-color-scheme")
_OUTLOOK_DARK = re.compile(r"^\s*\[data-ogs[cb]\]")
_PSEUDO = re.compile(r"(::?)([a-z-]+)")
_UNIT = re.compile(r"(?<![\w#.-])-?\d*\.?\d+(%|[a-z]+)")
_FUNCTION = re.compile(r"([a-z-]+)\(")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|url\([^)]*\)")

_AXES = ("block", "inline")
_PROPERTIES = {
    **dict.fromkeys(("left", "right", "top", "bottom"), "css-left-right-top-bottom"),
    **dict.fromkeys(("gap", "row-gap", "column-gap", "grid-gap"), "css-gap"),
    **dict.fromkeys(("block-size", "inline-size"), "css-block-inline-size"),
    **{f"column-{what}": "css-column-layout-properties" for what in ("width", "rule", "fill", "span")},
    **{f"{what}-{axis}-{end}": f"css-{what}-{axis}-start-end"
       for what in ("margin", "padding") for axis in _AXES for end in ("start", "end")},
    **{f"{what}-{axis}": f"css-{what}-inline-block" for what in ("margin", "padding", "border") for axis in _AXES},
    **{f"grid-template{what}": "css-grid-template" for what in ("", "-columns", "-rows", "-areas")},
}  # fmt: skip
_VALUES = {
    ("display", "flex"): "css-display-flex",
    ("display", "inline-flex"): "css-display-flex",
    ("display", "grid"): "css-display-grid",
    ("display", "inline-grid"): "css-display-grid",
    ("flex-direction", "column"): "css-flex-direction",
    ("flex-wrap", "wrap"): "css-flex-wrap",
    **{("width", size): "css-intrinsic-size" for size in ("fit-content", "min-content", "max-content")},
}
_BY_VALUE = {"flex-direction", "flex-wrap"}
"""Properties that are features with one value alone."""
_FUNCTIONS = {
    **{name: f"css-function-{name}" for name in ("clamp", "min", "max", "light-dark")},
    **dict.fromkeys(("lch", "oklch", "lab", "oklab"), "css-modern-color"),
    **{name: f"css-{name}" for name in ("linear-gradient", "radial-gradient", "conic-gradient", "rgba")},
    "calc": "css-unit-calc",
    "var": "css-variables",
}
_MEDIA = {
    "device-pixel-ratio": "css-at-media-device-pixel-ratio",
    "hover": "css-at-media-hover",
    "orientation": "css-at-media-orientation",
    "prefers-reduced-motion": "css-at-media-prefers-reduced-motion",
}
_SEMANTIC = (
    *("article", "aside", "details", "figcaption", "figure", "footer", "header", "main", "mark", "nav", "section"),
    *("summary", "time"),
)
_ELEMENTS = {**dict.fromkeys(_SEMANTIC, "html-semantics"), "map": "html-image-maps"}
_ATTRIBUTES = {"srcset": "html-srcset", "sizes": "html-srcset", "loading": "html-loading-attribute"}
_PLAIN_ATTRIBUTES = (
    *("aria-describedby", "aria-hidden", "aria-label", "aria-labelledby", "aria-live", "hidden", "popover", "required"),
    *("target", "background"),
)
_FORMATS = ("apng", "avif", "bmp", "heif", "ico", "svg", "tiff", "webp", "mp4")


def used(html: str) -> dict[str, str]:
    """The features that a page uses, each with what it was seen by first: `position:absolute`, `<video>`."""
    walk = _Walk()
    walk.feed(html)
    walk.close()
    return walk.seen


def _inline(style: str) -> Iterator[tuple[str, str]]:
    """What an element's own style uses; how something looks that is not shown needs nobody's support."""
    pairs = declarations(style)
    for pair in pairs if ("display", "none") not in pairs else [("display", "none")]:
        yield from _declaration(*pair)


def _style_sheet(css: str) -> Iterator[tuple[str, str]]:
    for rule in rules(css):
        if any(_DARK.search(words) for words in (rule.selector, *rule.at)):
            continue
        if rule.selector.startswith("@"):
            yield from _at_rule(rule)
        else:
            yield from _selectors(rule)


def _at_rule(rule: Rule) -> Iterator[tuple[str, str]]:
    name = rule.selector.lower()
    kind = name.split(" ")[0].split("(")[0]
    yield f"css-at-{kind.removeprefix('@')}", kind
    if kind == "@media":
        yield from ((slug, f"@media ({word})") for word, slug in _MEDIA.items() if word in name)
    for pair in rule.declarations:
        yield from _declaration(*pair)


def _selectors(rule: Rule) -> Iterator[tuple[str, str]]:
    """The selectors of a rule and, unless every one of them is Outlook's for the dark, what it declares."""
    kept = [selector for selector in rule.selector.split(",") if not _OUTLOOK_DARK.match(selector)]
    for selector in kept:
        if "&" in selector:
            yield "css-nesting", selector
        for colons, name in _PSEUDO.findall(selector.lower()):
            kind = (
                "element" if len(colons) == 2 or name in ("before", "after", "first-letter", "first-line") else "class"
            )
            yield f"css-pseudo-{kind}-{name}", f"{colons}{name}"
        yield from ((slug, selector.strip()) for sign, slug in _COMBINED if re.search(sign, selector))
    for pair in rule.declarations if kept else ():
        yield from _declaration(*pair)


_COMBINED = (
    (r"\+", "css-selector-adjacent-sibling"),
    (r"~(?!=)", "css-selector-general-sibling"),
    (r">", "css-selector-child"),
    (r"\[", "css-selector-attribute"),
    (r"\.[\w-]+\.[\w-]", "css-selector-chaining"),
    (r"(?:^|[\s,>+~])\*", "css-selector-universal"),
)


def _declaration(name: str, value: str) -> Iterator[tuple[str, str]]:
    shown = f"{name}:{value[:40]}"
    if name.startswith("--"):
        yield "css-variables", shown
        return
    bare = value.removesuffix("!important").strip()
    if (name, bare) in _VALUES:
        yield _VALUES[name, bare], shown
    if name not in _BY_VALUE:
        yield _PROPERTIES.get(name, f"css-{name}"), shown
    value = _QUOTED.sub(" ", value)
    yield from ((_FUNCTIONS[one], f"{one}()") for one in _FUNCTION.findall(value) if one in _FUNCTIONS)
    yield from (("css-unit-percent" if unit == "%" else f"css-unit-{unit}", shown) for unit in _UNIT.findall(value))
    if bare == "initial":
        yield "css-unit-initial", shown


class _Walk(HTMLParser):
    """Goes through a page; comments, those for Outlook too, are looked at by nobody else and left out."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, str] = {}
        self._style: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element with its attributes and its style."""
        given = {name: value or "" for name, value in attrs}
        self._note(_ELEMENTS.get(tag, f"html-{tag}"), f"<{tag}>")
        for name in given:
            if name in _PLAIN_ATTRIBUTES or name in _ATTRIBUTES:
                self._note(_ATTRIBUTES.get(name, f"html-{name}"), f"{name}=")
        for slug, shown in _special(tag, given):
            self._note(slug, shown)
        self._note_all(_inline(given.get("style", "")))
        if tag == "style":
            self._style = []

    def handle_endtag(self, tag: str) -> None:
        """Look at a style block once it is whole."""
        if tag == "style":
            self._end_style()

    def handle_data(self, data: str) -> None:
        """Keep style."""
        if self._style is not None:
            self._style.append(data)

    def close(self) -> None:
        """Look at a style block that nobody closed."""
        super().close()
        self._end_style()

    def _end_style(self) -> None:
        css, self._style = "".join(self._style or ()), None
        self._note_all(_style_sheet(css))

    def _note_all(self, found: Iterator[tuple[str, str]]) -> None:
        for slug, shown in found:
            self._note(slug, shown)

    def _note(self, slug: str, shown: str) -> None:
        self.seen.setdefault(slug, shown)


def _special(tag: str, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is a feature by a value of an attribute."""
    if tag in ("input", "button"):
        kind = given.get("type", "text" if tag == "input" else "submit").lower()
        yield f"html-{tag}-{kind}", f'<{tag} type="{kind}">'
    if tag == "a" and given.get("href", "").startswith("#"):
        yield "html-anchor-links", given["href"][:40]
    if tag == "meta" and given.get("name", "").lower() == "color-scheme":
        yield "html-meta-color-scheme", '<meta name="color-scheme">'
    if tag in ("img", "source", "video"):
        address = given.get("src", "").lower()
        if address.startswith("data:"):
            yield "image-base64", "data:"
        ending = address.partition("?")[0].rpartition(".")[2]
        if ending in _FORMATS:
            yield f"image-{ending}", f".{ending}"
