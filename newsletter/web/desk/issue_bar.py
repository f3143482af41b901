"""The head of every page about one issue: what it is, how it stands, when it was saved, and where its pages are."""

from dataclasses import dataclass

from fastapi import HTTPException, Request

from newsletter.editorial.dispatch import Standing, standing
from newsletter.editorial.writing import author
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.web.desk.moments import moment
from newsletter.web.pages import newsletter_of


@dataclass(frozen=True, slots=True)
class IssueBar:
    """An issue's newest revision, how its mailing stands, and by whom (empty: the command line) it was saved when.

    `at` is in words.
    """

    saved: Saved
    standing: Standing
    by: str
    at: str

    @property
    def slug(self) -> str:
        """What the issue is known by."""
        return self.saved.slug

    @property
    def state(self) -> str:
        """The word for its state: that of its mailing, or that a second person was asked."""
        asked = self.standing.state == "draft" and self.saved.asked_at is not None
        return "asked" if asked else self.standing.state


def issue_bar(request: Request, slug: str) -> IssueBar:
    """The head of the pages of an issue; ends in 404 when there is no such issue."""
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        try:
            saved = newsletter.issues(session).find(slug)
        except IssueRefused as refusal:
            raise HTTPException(404, str(refusal)) from None
    at = moment(request, saved.saved_at or saved.created_at)
    return IssueBar(saved, standing(newsletter, saved), author(newsletter, saved), at)
