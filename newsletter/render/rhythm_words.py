"""When somebody's mail comes, in a sentence: on pages and in letters the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from newsletter.render.labels import Labels
from subscribers.preferences import Frequency, Preferences


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Says when mail comes, in the words of `labels`.

    `topic_name` gives the name of a topic by its slug, or None where there is no such topic any more; `weekly_day` is
    the newsletter's own day of the week for what comes weekly (0 is Monday).
    """

    labels: Labels
    topic_name: Callable[[str], str | None]
    weekly_day: int

    def sentence(self, preferences: Preferences) -> str:
        """How often and when: first what holds for most, then the topics that come otherwise."""
        main = _main(preferences)
        at = self._at(preferences)
        day = self._day(preferences)
        clauses = [self._main_clause(main, day, at)]
        for frequency in Frequency:
            names = self._names(() if frequency is main else preferences.topics_at(frequency))
            if names:
                clauses.append(self._other_clause(frequency, day, names))
        return self.labels.gettext("{sentence}.", sentence=self.labels.gettext("; ").join(clauses))

    def week_day(self, day: int) -> str:
        """A day of the week by its name."""
        # NOTE: a day of the week in the letters of CLDR (UTS 35): Monday
        return self.labels.week_day(day, self.labels.gettext("EEEE"))

    def digest_day(self, preferences: Preferences) -> str:
        """The day of the week on which the digest comes, by its name."""
        return self.week_day(self._day(preferences))

    def digest_topics(self, preferences: Preferences) -> str:
        """The names of the topics that come in the digest; empty where none does."""
        return self._names(preferences.topics_at(Frequency.WEEKLY))

    def _day(self, preferences: Preferences) -> int:
        return preferences.day if preferences.day is not None else self.weekly_day

    def _names(self, slugs: Sequence[str]) -> str:
        names = [name for slug in slugs if (name := self.topic_name(slug))]
        return self.labels.gettext(", ").join(names)  # "A & B and C & D" would not tell two names from three

    def _at(self, preferences: Preferences) -> str:
        if preferences.hour is None or preferences.zone is None:
            return ""
        return self.labels.gettext(
            "{hour} ({city})", hour=f"{preferences.hour:02d}:00", city=self.labels.zone_city(preferences.zone)
        )

    def _main_clause(self, main: Frequency, day: int, at: str) -> str:
        _ = self.labels.gettext
        if main is Frequency.WEEKLY:
            if at:
                return _("Every {day} at {at} you get a digest of the week", day=self.week_day(day), at=at)
            return _("Every {day} you get a digest of the week", day=self.week_day(day))
        if main is Frequency.IMPORTANT:
            if at:
                return _("When there is something important, you get it at {at}", at=at)
            return _("When there is something important, you get it as soon as it is out")
        if at:
            return _("Every day at {at} you get the daily mail", at=at)
        return _("You get the daily mail as soon as it is out")

    def _other_clause(self, frequency: Frequency, day: int, names: str) -> str:
        _ = self.labels.gettext
        if frequency is Frequency.WEEKLY:
            return _("{topics} in a digest every {day}", topics=names, day=self.week_day(day))
        if frequency is Frequency.IMPORTANT:
            return _("{topics} only when important", topics=names)
        return _("{topics} every day", topics=names)


def _main(preferences: Preferences) -> Frequency:
    """The frequency of most topics, or the general one where keywords come with it or no topic is chosen."""
    if preferences.follow or not preferences.topics or preferences.topics_at(preferences.frequency):
        return preferences.frequency
    return max(Frequency, key=lambda frequency: len(preferences.topics_at(frequency)))
