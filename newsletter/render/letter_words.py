"""What a letter to one person says, by its kind: a confirmation, a welcome, a link that was asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from newsletter.render.labels import Labels
from newsletter.render.spans import language_of
from newsletter.render.widths import cut_to_characters
from newsletter.render.wording import PREHEADER_CHARACTERS, masked


@dataclass(frozen=True, slots=True)
class Link:
    """Somewhere to go, and what that is called."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Latest:
    """An issue on offer: where it can be read, its date, its title and those of its first stories, as plain text."""

    url: str
    date: date
    title: str
    stories: tuple[str, ...]

    @property
    def lang(self) -> str:
        """The language that the issue is written in."""
        return language_of(" ".join((self.title, *self.stories)))


@dataclass(frozen=True, slots=True)
class Facts:
    """What a letter is about; `kind` is one of `KINDS`.

    `newsletter` is its name, `address` whom the letter goes to, in ASCII, and `other` the address that this one is to
    replace, or that has replaced it: the words show either masked. `link` is where the button leads, `topics` are
    names in the letter's language. `preferences` and `unsubscribe` are links for those who are readers, else empty.
    `rhythm` is the sentence that says when their mail comes.
    """

    kind: str
    newsletter: str
    address: str
    link: str
    topics: tuple[str, ...] = ()
    other: str = ""
    preferences: str = ""
    unsubscribe: str = ""
    latest: Latest | None = None
    rhythm: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A letter in words, none of them escaped: paragraphs, what is listed, the button, and what stands below it.

    `heading` is the subject too. It is without the newsletter's name, which stands before it as the sender's in every
    list of mails: a Chinese subject whose only Latin letters are those of "AI" is taken for shouting by spam filters.
    """

    heading: str
    paragraphs: tuple[str, ...]
    button: Link
    notes: tuple[str, ...]
    items_label: str = ""
    items: tuple[str, ...] = ()
    latest_label: str = ""
    latest: Latest | None = None
    links: tuple[Link, ...] = ()

    @property
    def preheader(self) -> str:
        """What a list of mails shows behind the subject."""
        return cut_to_characters(self.paragraphs[0], PREHEADER_CHARACTERS)


def words_of(labels: Labels, facts: Facts) -> Words:
    """The words of a letter; raises `KeyError` for a kind that there is none of."""
    return KINDS[facts.kind](labels, facts)


def _confirm(labels: Labels, facts: Facts) -> Words:
    _ = labels.gettext
    return Words(
        heading=_("Confirm your subscription"),
        paragraphs=(
            _(
                "Somebody, most likely you, asked for {newsletter} to be sent to {address}. Your "
                "subscription begins when you confirm.",
                newsletter=facts.newsletter,
                address=masked(facts.address),
            ),
        ),
        items_label=_("Topics asked for"),
        items=facts.topics,
        button=Link(_("Confirm subscription"), facts.link),
        notes=(_("The link works for 7 days."), _nothing_happens(labels)),
    )


def _already(labels: Labels, facts: Facts) -> Words:
    _ = labels.gettext
    return Words(
        heading=_("You are subscribed already"),
        paragraphs=(
            _(
                "Somebody, most likely you, signed up for {newsletter} with {address}. It goes there already, and "
                "nothing was changed.",
                newsletter=facts.newsletter,
                address=masked(facts.address),
            ),
            _("Topics and everything else can be changed in your preferences."),
        ),
        button=Link(_("Open your preferences"), facts.link),
        notes=(_("If it was not you, ignore this email."),),
        links=_leave(labels, facts),
    )


def _welcome(labels: Labels, facts: Facts) -> Words:
    _ = labels.gettext
    preferences = Link(_("Open your preferences"), facts.preferences)
    button = Link(_("Read the latest issue"), facts.latest.url) if facts.latest else preferences
    return Words(
        heading=_("You are subscribed"),
        paragraphs=(
            _(
                "Thank you for confirming. The next issue that has something for you comes to {address}.",
                address=masked(facts.address),
            ),
            *filter(None, (facts.rhythm,)),
        ),
        items_label=_("Your topics"),
        items=facts.topics,
        latest_label=_("The latest issue"),
        latest=facts.latest,
        button=button,
        notes=(_("You can change your topics or leave whenever you like."),),
        links=(*((preferences,) if facts.latest else ()), *_leave(labels, facts)),
    )


def _goodbye(labels: Labels, facts: Facts) -> Words:
    _ = labels.gettext
    return Words(
        heading=_("You are unsubscribed"),
        paragraphs=(
            _(
                "{address} gets no more issues of {newsletter}. This is the last email.",
                newsletter=facts.newsletter,
                address=masked(facts.address),
            ),
            _("Was it a mistake? For a day you can undo it."),
        ),
        button=Link(_("Come back"), facts.link),
        notes=(),
    )


def _preferences(labels: Labels, facts: Facts) -> Words:
    _ = labels.gettext
    address = masked(facts.address)
    reader = _(
        "Here is the link that was asked for. It lets you change the topics and all other settings of {address}, or "
        "leave.",
        address=address,
    )
    left = _(
        "Here is the link that was asked for. {address} is unsubscribed; the page leads to signing up again and to "
        "your data.",
        address=address,
    )
    return Words(
        heading=_("Your preferences"),
        paragraphs=(reader if facts.unsubscribe else left,),
        button=Link(_("Open your preferences"), facts.link),
        notes=(_("The link is yours alone, so do not pass this email on."), _nothing_happens(labels)),
        links=_leave(labels, facts),
    )


def _data(labels: Labels, facts: Facts) -> Words:
    _ = labels.gettext
    return Words(
        heading=_("Your data"),
        paragraphs=(
            _(
                "Here you can download all that we hold about {address}, have it erased, or have your mail sent to "
                "another address.",
                address=masked(facts.address),
            ),
        ),
        button=Link(_("Open your data"), facts.link),
        notes=(_("The link works for an hour."), _nothing_happens(labels)),
    )


def _address(labels: Labels, facts: Facts) -> Words:
    _ = labels.gettext
    return Words(
        heading=_("Confirm your new address"),
        paragraphs=(
            _(
                "Somebody, most likely you, wants {newsletter} sent to {address} instead of {former}. That "
                "begins when you confirm.",
                newsletter=facts.newsletter,
                former=masked(facts.other),
                address=masked(facts.address),
            ),
        ),
        button=Link(_("Confirm this address"), facts.link),
        notes=(_nothing_happens(labels),),
    )


def _moved(labels: Labels, facts: Facts) -> Words:
    _ = labels.gettext
    return Words(
        heading=_("Your subscription has moved"),
        paragraphs=(
            _(
                "From now on {newsletter} goes to {other} and no longer to {address}. The change was confirmed from "
                "the new address.",
                newsletter=facts.newsletter,
                other=masked(facts.other),
                address=masked(facts.address),
            ),
            _("If it was not you, write to us: answer this email."),
        ),
        button=Link(_("Open the newsletter's website"), facts.link),
        notes=(),
    )


def _nothing_happens(labels: Labels) -> str:
    return labels.gettext("If you did not ask for this, ignore this email: nothing happens.")


def _leave(labels: Labels, facts: Facts) -> tuple[Link, ...]:
    return (Link(labels.gettext("Unsubscribe"), facts.unsubscribe),) if facts.unsubscribe else ()


KINDS: Mapping[str, Callable[[Labels, Facts], Words]] = {
    "confirm": _confirm,
    "already": _already,
    "welcome": _welcome,
    "goodbye": _goodbye,
    "preferences": _preferences,
    "data": _data,
    "address": _address,
    "moved": _moved,
}
"""Who writes which kind of letter."""
