"""A week in a test: issues that went out, readers who read weekly, and what their digests brought them."""

from datetime import timedelta

from sending import Clock
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment, Delivery, Mailing
from newsletter.editorial.appointments import keep_appointments
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin, plan_mailing
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.weekly import keep_digests
from newsletter.storage.digests import find_digest
from subscribers.models import Subscriber
from subscribers.preferences import Frequency, Preferences

WEEKLY = Preferences(topics=("policy", "models"), frequency=Frequency.WEEKLY)


def day(newsletter: Newsletter, number: int, hour: float = 8) -> None:
    """Let it be an hour of a day of March."""
    newsletter.clock.now = Clock().now + timedelta(days=number - 9, hours=hour - 8)  # type: ignore[attr-defined]


def story(title: str, number: int, mark: str = "") -> str:
    """A story with a text that is like no other one's."""
    said = "".join(chr(0x4E00 + (number * 997 + place * 131) % 20000) for place in range(40))
    return f"- **{title}**\n  说明：{said}。\n{f'  标记：{mark}' if mark else ''}\n"


def issue(newsletter: Newsletter, number: int, *stories: str, heading: str = "政策与监管") -> str:
    """An approved issue of a day of March."""
    told = "".join(stories or [story(f"三月{number}日", number)])
    data = f"# 示例日报 (2026-03-{number:02})\n\n**{heading}**\n\n{told}".encode()
    saved, _ = take_in(newsletter, read(newsletter, data), data)
    approve(newsletter, saved.slug)
    return saved.slug


def sent(newsletter: Newsletter, number: int, *stories: str, heading: str = "政策与监管") -> str:
    """One that went out at eight of its day, planned and all."""
    day(newsletter, number)
    slug = issue(newsletter, number, *stories, heading=heading)
    plan(newsletter, begin(newsletter, slug))
    return slug


def plan(newsletter: Newsletter, mailing_id: int) -> None:
    list(plan_mailing(newsletter, mailing_id))


def reader(newsletter: Newsletter, name: str, preferences: Preferences = WEEKLY) -> None:
    with newsletter.session() as session:
        newsletter.people(session).add(f"{name}@example.org", preferences)


def keep(newsletter: Newsletter) -> None:
    """A round of a sender, with the rows of what it began."""
    keep_appointments(newsletter)
    keep_digests(newsletter, newsletter.clock())
    with newsletter.reading() as session:
        mailings = session.exec(select(Mailing.id).order_by(col(Mailing.id))).all()
    for mailing_id in mailings:
        plan(newsletter, mailing_id or 0)


def states(newsletter: Newsletter) -> list[str]:
    """What came of the moments of the digest."""
    with newsletter.reading() as session:
        rows = session.exec(select(Appointment).where(col(Appointment.is_digest)).order_by(col(Appointment.at))).all()
        return [f"{row.at.astimezone(newsletter.settings.time_zone):%d} {row.state}" for row in rows]


def got(newsletter: Newsletter, number: int) -> dict[str, list[str]]:
    """The titles that each reader has in the digest of a day, or the reason why there are none."""
    with newsletter.reading() as session:
        saved = find_digest(session, f"digest-2026-03-{number:02}")
        assert saved is not None
        titles = {one.id: one.title for one in saved.issue.stories}
        rows = session.exec(
            select(Delivery, Subscriber)
            .join(Mailing, col(Mailing.id) == Delivery.mailing_id)
            .join(Subscriber, col(Subscriber.id) == Delivery.subscriber_id)
            .where(Mailing.issue_id == saved.issue_id)
        ).all()
    found = {}
    for row, person in rows:
        chosen = [titles[one] for _topic, stories in row.edition for one in stories]
        found[str(person.address).partition("@")[0]] = chosen or [str(row.reason)]
    return found
