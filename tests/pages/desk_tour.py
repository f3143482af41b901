"""Every page that the staff see, with the way to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from newsletter.staff.rights import Role
from newsletter.web.desk.seat import COOKIES
from pages.newsroom import APPROVED, ASKED, FIRST, HELD, PASSWORD, RUNNING, SENT, TIMED, WORK, Newsroom
from pages.view import Form, View, Way
from subscribers.models import State

WIDTHS = (375, 768, 1280)
_Path: TypeAlias = str | Callable[[], str]
"""A path, or what makes one anew at every call."""


@dataclass(frozen=True, slots=True)
class DeskTour:
    """The pages below an address where that newsroom works."""

    address: str
    newsroom: Newsroom
    _sessions: dict[str, str] = field(default_factory=dict)

    def views(self) -> list[View]:
        """All of them."""
        return [
            *self._door(),
            *self._issues(),
            *self._editor(),
            *self._preview(),
            *self._sending(),
            *self._tests(),
            *self._readers(),
            *self._suppression(),
            *self._topics(),
            *self._log(),
            *self._staff(),
            *self._account(),
        ]

    def cookie(self, who: str = "") -> str:
        """The session of somebody with every role, or of the `sender`, or of `nobody`."""
        if who not in self._sessions:
            room = self.newsroom
            token = "" if who == "nobody" else room.session_without(Role.ADMIN) if who else room.session()
            self._sessions[who] = f"{COOKIES[1]}={token}" if token else ""
        return self._sessions[who]

    def _door(self) -> Iterator[View]:
        room, wrong = self.newsroom, {"address": "chen@example.org", "password": "lighthouse"}
        welcome = lambda: f"/welcome/{room.invitation()}"  # noqa: E731 - a path made anew
        unlike = {"password": PASSWORD, "again": "another one, but long"}
        yield self._at("login", "/login", who="nobody")
        yield self._sent("login, wrong", self._later("/login"), ".primary", wrong, status=422, who="nobody")
        yield View("login, code", self._at_code, widths=WIDTHS)
        yield self._at("welcome", welcome, who="nobody")
        yield self._sent("welcome, mistaken", welcome, ".primary", unlike, status=422, who="nobody")
        yield self._at("welcome, over", lambda: f"/welcome/{room.invitation(used=True)}", status=410, who="nobody")
        yield self._at("welcome, unknown", "/welcome/nothing", status=404, who="nobody")
        yield self._at("no right", "/staff", status=403, who="sender")
        yield self._at("no such desk page", "/nothing", status=404)

    def _issues(self) -> Iterator[View]:
        yield self._at("overview", "", scored=True)
        yield self._at("overview of a sender", "", who="sender")
        yield self._at("issues", "/issues")
        yield self._at("issues, none found", "/issues?q=%E7%8C%AB%E5%92%AA")
        yield self._at("new issue", "/issues/new")
        yield self._at("history", f"/issues/{WORK}/history")
        yield self._at("difference", f"/issues/{WORK}/history/2")
        yield self._at("difference, all lines", f"/issues/{WORK}/history/1?whole=1")
        yield self._at("pictures", "/images")
        yield self._at("no such issue", "/issues/nothing", status=404)

    def _editor(self) -> Iterator[View]:
        yield self._at("editor", f"/issues/{WORK}", scored=True)
        yield self._at("editor with figures", f"/issues/{WORK}?figures=1")
        yield self._at("editor, text", f"/issues/{APPROVED}?view=text")
        yield self._at("editor, reading", f"/issues/{SENT}", who="sender")
        yield self._at("checks", f"/issues/{WORK}/checks")
        yield self._at("checks, passed", f"/issues/{APPROVED}/checks")

    def _preview(self) -> Iterator[View]:
        room, home = self.newsroom, f"/issues/{APPROVED}/preview"
        yield self._at("preview", home)
        yield self._at("preview of a draft", f"/issues/{WORK}/preview")
        yield self._at("preview by reader", f"{home}?by=reader")
        yield self._at("preview of a reader", f"{home}?reader=lin.xiaolan%40example.org")
        yield self._at("preview, no reader", f"{home}?reader=nobody%40example.org")
        yield self._at("preview by edition", f"{home}?by=edition&view=phone")
        for view in ("dark", "images", "style", "inbox", "text", "source", "decoded"):
            yield self._at(f"preview, {view}", f"{home}?view={view}")
        yield self._sent("link shared", home, "form[action$='/share'] button", goes_to=f"/issues/{APPROVED}/share")
        yield self._at("look", lambda: f"../look/{room.look()}", who="nobody")
        yield self._at("look, text", lambda: f"../look/{room.look()}?view=text", who="nobody")
        yield self._at("look, over", lambda: f"../look/{room.look(over=True)}", status=410, who="nobody")
        yield self._at("look, unknown", "../look/nothing", status=404, who="nobody")

    def _sending(self) -> Iterator[View]:
        start = f"/issues/{APPROVED}/sending/start"
        states = ("sent", FIRST), ("sent, some refused", SENT), ("running", RUNNING), ("held", HELD)
        for name, slug in (*states, ("approved", APPROVED), ("asked", ASKED), ("timed", TIMED), ("draft", WORK)):
            yield self._at(f"sending, {name}", f"/issues/{slug}/sending")
        yield self._at("sending, seen by a sender", f"/issues/{ASKED}/sending", who="sender")
        yield self._at("sending, done", f"/issues/{HELD}/sending?done=paused")
        yield self._at("start sending", start)
        yield self._sent("start sending, mistaken", start, "form .primary", {"canary": "ten"}, status=422)
        yield self._at("cancel sending", f"/issues/{RUNNING}/sending/cancel")

    def _tests(self) -> Iterator[View]:
        test = f"/issues/{APPROVED}/test"
        both = {"addresses": "chen@example.org, gone@example.net"}
        yield self._at("test", test)
        yield self._sent("test, sent", test, "form[action$='/test'] .primary", both)
        yield self._sent("test, mistaken", test, "form[action$='/test'] .primary", {"addresses": "nobody"}, status=422)
        yield self._at("test lists", "/test-lists")
        wrong = {"name": "编辑部", "addresses": "a@example.org"}
        yield self._sent("test lists, mistaken", "/test-lists", ".primary", wrong, status=422)

    def _readers(self) -> Iterator[View]:
        room, home = self.newsroom, "/readers"
        yield self._at("readers", home)
        yield self._at("readers, none found", f"{home}?q=cat")
        yield self._at("readers, filtered", f"{home}?state=active&topic=models&reads=zh&format=html")
        yield self._at("readers, growth", f"{home}/growth")
        yield self._at("readers, growth by day", f"{home}/growth?by=day")
        yield self._at("add a reader", f"{home}/add")
        wrong = {"address": "nobody", "agreed": ""}
        yield self._sent("add a reader, mistaken", f"{home}/add", ".row > .primary", wrong, status=422)
        yield self._at("import", f"{home}/import")
        yield self._at("import, looked through", lambda: f"{home}/import/{room.import_list()}")
        yield self._at("import, done", lambda: f"{home}/import/{room.import_list(done=True)}")
        yield self._at("import, gone", f"{home}/import/nothing", status=404)
        for state in (State.ACTIVE, State.PAUSED, State.UNSUBSCRIBED):
            yield self._at(f"reader, {state}", f"{home}/{room.reader(state)}")
        yield self._at("reader, saved", f"{home}/{room.reader()}?done=saved")
        one = f"{home}/{room.reader()}"
        yield self._sent("reader, mistaken", one, "form .primary", {"name": "x", "most": "0"}, status=422)
        yield self._at("forget a reader", f"{one}/forget")

    def _suppression(self) -> Iterator[View]:
        home = "/suppression"
        yield self._at("suppression", home)
        yield self._at("suppression, none found", f"{home}?q=cat%40example.org")
        yield self._sent(
            "suppression, mistaken", home, "form .primary", {"addresses": "a@example.org nobody"}, status=422
        )
        yield self._at("lift a suppression", f"{home}/{self.newsroom.suppressed()}/lift")

    def _topics(self) -> Iterator[View]:
        taken = {"slug": "models", "zh": "", "en": "Models"}
        yield self._at("topics", "/topics")
        yield self._at("topics, seen by a sender", "/topics", who="sender")
        yield self._at("add a topic", "/topics/add")
        yield self._sent("add a topic, mistaken", "/topics/add", ".primary", taken, status=422)
        yield self._at("topic at the desk", "/topics/policy")
        yield self._sent("topic at the desk, mistaken", "/topics/policy", ".primary", {"zh": ""}, status=422)

    def _log(self) -> Iterator[View]:
        yield self._at("log", "/log")
        yield self._at("log, searched", f"/log?q=reader1&issue={RUNNING}&state=accepted")
        yield self._at("log, nothing found", "/log?q=cat%40example.org")
        for state in ("accepted", "failed", "deferred", "unknown", "queued", "excluded"):
            yield self._at(f"log entry, {state}", f"/log/{self.newsroom.entry(state)}")
        yield self._at("log entry, source", f"/log/{self.newsroom.entry('accepted')}?view=source")

    def _staff(self) -> Iterator[View]:
        invite = "form[action='/desk/staff'] .primary"
        yield self._at("settings", "/settings")
        yield self._at("settings, seen by a sender", "/settings", who="sender")
        yield self._sent("settings, refused", "/settings", ".primary", {"canary": "many"}, status=422)
        yield self._at("staff", "/staff")
        yield self._sent("staff, mistaken", "/staff", invite, {"address": "a@example.org"}, status=422)
        yield self._at("staff member", f"/staff/{self.newsroom.member()}")
        again = f"/staff/{self.newsroom.member()}/link"
        yield self._sent(
            "staff link", f"/staff/{self.newsroom.member()}", "form[action$='/link'] button", goes_to=again
        )
        yield self._at("audit", "/audit")
        yield self._at("audit, nothing", "/audit?action=second+factor+off")

    def _account(self) -> Iterator[View]:
        wrong = {"old": "lighthouse", "password": PASSWORD, "again": PASSWORD}
        yield self._at("account", "/account")
        yield self._at("account, done", "/account?done=password")
        button, page = "form[action$='/password'] .primary", self._later("/account")
        yield self._sent("account, mistaken", page, button, wrong, "/account/password", 422)
        yield self._at("second factor", "/account/second-factor")
        page = self._later("/account/second-factor")
        yield self._sent("second factor, mistaken", page, ".primary", {"code": "000000"}, status=422)

    def _at(self, name: str, path: _Path, *, status: int = 200, scored: bool = False, who: str = "") -> View:
        def way() -> Way:
            return Way(self._url(path))

        return View(name, way, status, scored, self.cookie(who), WIDTHS)

    def _sent(
        self,
        name: str,
        path: _Path,
        button: str,
        typed: dict[str, str] | None = None,
        goes_to: str = "",
        status: int = 200,
        *,
        who: str = "",
    ) -> View:
        """What answers a form on a page."""

        def way() -> Way:
            begins = self._url(path)
            return Way(begins, Form(self._url(goes_to) if goes_to else begins, f"main {button}", typed or {}))

        return View(name, way, status, False, self.cookie(who), WIDTHS)

    def _at_code(self) -> Way:
        login, typed = (
            self._url("/login"),
            {"address": self.newsroom.address_with_second_factor(), "password": PASSWORD},
        )
        return Way(login, Form(login, "main .primary", typed))

    def _later(self, path: str) -> Callable[[], str]:
        """A page where something wrong is typed in: every time as if nothing had been for a while."""

        def there() -> str:
            self.newsroom.let_time_pass()
            return path

        return there

    def _url(self, path: _Path) -> str:
        path = path if isinstance(path, str) else path()
        return f"{self.address}/{path[3:]}" if path.startswith("../") else f"{self.address}/desk{path}"
