"""Every page that readers see, with the way to it.

Left out are the pages that are a mail, `/view` with a good link and `/sample`: mails have judges of their own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pages.guests import Guests
from pages.view import Form, View, Way
from subscribers.tokens import Purpose

_PREFERENCES, _LEAVE = Purpose.PREFERENCES, Purpose.UNSUBSCRIBE


@dataclass(frozen=True, slots=True)
class Tour:
    """The pages below an address, of a newsletter that has an issue `slug` with that story."""

    address: str
    guests: Guests
    slug: str
    story: str

    def views(self) -> list[View]:
        """All of them."""
        return [
            *self._sign_up(),
            *self._confirm(),
            *self._preferences(),
            *self._data(),
            *self._leave(),
            *self._archive(),
        ]

    def _sign_up(self) -> Iterator[View]:
        wrong = {"address": "nobody"}
        yield self._at("sign-up", "/", scored=True)
        yield self._at("sign-up, two topics", "/?topics=models&topics=policy")
        yield self._filled("sign-up, mistaken", "/", "/subscribe", "#sign-up .primary", wrong)
        yield self._at("sign-up sent", "/subscribe/sent", scored=True)
        yield self._at("embed", "/embed", scored=True)
        yield self._filled("embed, mistaken", "/embed", "/embed", ".primary", wrong)
        yield View("embed sent", self._embedded)

    def _confirm(self) -> Iterator[View]:
        guests = self.guests
        yield self._behind("confirm", "/confirm", guests.to_confirm, scored=True)
        yield self._pressed("confirm, done", "/confirm", guests.to_confirm)
        yield self._behind("confirm, over", "/confirm", self._late(guests.to_confirm), status=410)
        yield self._behind("confirm, left since", "/confirm", guests.to_confirm_after_leaving)
        yield self._at("confirm, unknown", "/confirm/nothing", status=404)

    def _preferences(self) -> Iterator[View]:
        link, wrong = lambda: self.guests.link(_PREFERENCES), {"most": "0"}
        yield self._at("ask for a link", "/preferences", scored=True)
        yield self._filled("ask for a link, mistaken", "/preferences", "/preferences", ".primary", {"address": "a@b"})
        yield self._at("link sent", "/preferences?sent=1")
        yield self._behind("preferences", "/preferences", link, scored=True)
        yield self._behind("preferences, saved", "/preferences", link, "?done=saved")
        yield self._pressed("preferences, mistaken", "/preferences", link, "#choices .primary", typed=wrong, status=422)
        yield self._behind("preferences, left", "/preferences", lambda: self.guests.link_of_one_who_left(_PREFERENCES))
        yield self._at("preferences, unknown", "/preferences/nothing", status=404)
        yield self._at("preferences, test mail", "/preferences/preview")

    def _data(self) -> Iterator[View]:
        to_data, to_new_address = self.guests.to_data, self.guests.to_new_address
        wrong, moving = {"address": "nobody"}, "form[action$='/address'] button"
        yield self._behind("own data", "/data", to_data, scored=True)
        yield self._behind("own data, letter to a new address", "/data", to_data, "?done=address")
        yield self._pressed("own data, mistaken", "/data", to_data, moving, "/address", typed=wrong, status=422)
        yield self._behind("own data, over", "/data", self._late(to_data), status=410)
        yield self._at("own data, unknown", "/data/nothing", status=404)
        yield self._behind("erase", "/data", to_data, "/erase")
        yield self._pressed("erased", "/data", to_data, goes_to="/erase", begins="/erase")
        yield self._behind("new address", "/address", to_new_address, scored=True)
        yield self._pressed("new address, done", "/address", to_new_address)
        yield self._behind("new address, over", "/address", self._late(to_new_address), status=410)

    def _leave(self) -> Iterator[View]:
        link, left = lambda: self.guests.link(_LEAVE), lambda: self.guests.link_of_one_who_left(_LEAVE)
        no_topic = {"do": "topics"}
        yield self._behind("leave", "/unsubscribe", link, scored=True)
        yield self._pressed("leave, mistaken", "/unsubscribe", link, ".instead button", sent=no_topic, status=422)
        yield self._pressed("left", "/unsubscribe", link)
        yield View("left, and back", lambda: self._goodbye(left(), "back", {}))
        yield View("left, and why", lambda: self._goodbye(left(), "reason", {"reason": "太多了"}))
        yield self._at("leave, unknown", "/unsubscribe/nothing", status=404)
        yield self._at("leave, test mail", "/unsubscribe/preview")

    def _archive(self) -> Iterator[View]:
        yield self._at("archive", "/archive", scored=True)
        yield self._at("search", "/archive?q=%E6%A8%A1%E5%9E%8B", scored=True)
        yield self._at("search, nothing", "/archive?q=%E7%8C%AB%E5%92%AA")
        yield self._at("issue", f"/archive/{self.slug}", scored=True)
        yield self._at("story", f"/archive/{self.slug}/{self.story}", scored=True)
        yield self._at("topic", "/topic/models", scored=True)
        yield self._at("view, unknown", "/view/nothing", status=404)
        yield self._at("view, test mail", "/view/preview")
        yield self._at("no such page", "/nothing", status=404)

    def _at(self, name: str, path: str, *, status: int = 200, scored: bool = False) -> View:
        return View(name, lambda: Way(self.address + path), status, scored)

    def _filled(self, name: str, path: str, goes_to: str, button: str, typed: dict[str, str]) -> View:
        """A form for everybody with a mistake in it."""
        form = Form(self.address + goes_to, f"main {button}", typed, {})
        return View(name, lambda: Way(self.address + path, form), 422)

    def _behind(
        self, name: str, page: str, token: Callable[[], str], end: str = "", *, status: int = 200, scored: bool = False
    ) -> View:
        """A page behind a link."""
        return View(name, lambda: Way(f"{self.address}{page}/{token()}{end}"), status, scored)

    def _pressed(
        self,
        name: str,
        page: str,
        token: Callable[[], str],
        button: str = ".primary",
        goes_to: str = "",
        *,
        begins: str = "",
        typed: dict[str, str] | None = None,
        sent: dict[str, str] | None = None,
        status: int = 200,
    ) -> View:
        """What answers a form behind a link."""

        def way() -> Way:
            link = f"{self.address}{page}/{token()}"
            return Way(link + begins, Form(link + goes_to, f"main {button}", typed or {}, sent or {}))

        return View(name, way, status)

    def _embedded(self) -> Way:
        typed = {"address": self.guests.address()}
        sent = {"form": self.guests.form(), "topics": "models"}
        return Way(f"{self.address}/embed?topics=models", Form(f"{self.address}/embed", ".primary", typed, sent))

    def _goodbye(self, token: str, do: str, typed: dict[str, str]) -> Way:
        form = Form(f"{self.address}/goodbye/{token}", f"main button[value={do}]", typed, {"do": do})
        return Way(f"{self.address}/unsubscribe/{token}", form)

    def _late(self, token: Callable[[], str]) -> Callable[[], str]:
        """The same link, made too long ago."""

        def made() -> str:
            with self.guests.long_ago():
                return token()

        return made
