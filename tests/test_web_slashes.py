"""An address with a slash too many leads to the page, on this host, whatever the request says of it."""

import pytest
from web_samples import far

from newsletter.app import Newsletter


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/archive/", "/archive"),
        ("/archive/?q=x", "/archive?q=x"),
        ("//evil.example/", "/evil.example"),
        ("/a//", "/a"),
    ],
)
def test_a_slash_at_the_end_is_taken_off(newsletter: Newsletter, asked: str, led: str) -> None:
    answer = far(newsletter).get(f"https://news.example.org{asked}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, led)


def test_a_form_is_led_nowhere(newsletter: Newsletter) -> None:
    assert far(newsletter).post("/archive/", follow_redirects=False).status_code == 404
