"""The switch of language: it works on every page, those that answer a form among them."""

import re

import pytest
from desk_samples import at_desk
from fastapi.routing import iter_route_contexts
from reader_samples import add, data_link
from starlette.testclient import TestClient
from web_samples import far

from newsletter.app import Newsletter
from newsletter.web.application import build

COOKIE = "__Host-language"


def form_addresses(newsletter: Newsletter) -> list[str]:
    """Every address that a form is sent to, with a token, a name or a number that opens nothing."""
    found = iter_route_contexts(build(newsletter).routes)
    paths = [route.path or "" for route in found if "POST" in (route.methods or ())]
    return [re.sub(r"\{[^}]+\}", "1", path) for path in paths if not path.startswith("/api/")]


def test_every_address_that_a_form_is_sent_to_leads_to_a_page_in_the_other_language(newsletter: Newsletter) -> None:
    addresses, failed = form_addresses(newsletter), []
    with_account = at_desk(newsletter)
    for path in addresses:
        client = with_account if path.startswith("/desk") and path != "/desk/login" else far(newsletter)
        client.cookies.pop("language", None)
        answer = client.get(f"{path}?language=en", headers={"accept-language": "zh"})
        kept = {COOKIE, "language"} & set(client.cookies)
        right = answer.status_code in (200, 404) and '<html lang="en">' in answer.text and kept
        failed += [] if right else [(path, answer.status_code)]
    assert len(addresses) > 8
    assert failed == []


@pytest.mark.parametrize("page", ["confirm", "unsubscribe", "goodbye", "preferences", "view", "data", "address"])
def test_a_page_that_a_link_in_a_mail_leads_to_offers_the_other_language(newsletter: Newsletter, page: str) -> None:
    answer = far(newsletter).get(f"/{page}/nothing", headers={"accept-language": "zh", "accept": "text/html"})
    assert 'href="?language=en" hreflang="en"' in answer.text


def switched(client: TestClient, path: str, fields: dict[str, str]) -> str:
    """Send a form with a mistake, then press the switch on the page that answers; the address one ends at."""
    page = client.post(path, data=fields, headers={"accept-language": "zh"})
    assert page.status_code == 422
    (query,) = re.findall(r'href="([^"]*language=en[^"]*)"', page.text)
    answer = client.get(path + query.replace("&amp;", "&"))
    assert answer.status_code == 200
    assert '<html lang="en">' in answer.text
    return answer.url.path


@pytest.mark.parametrize(("path", "leads_to"), [("/subscribe", "/"), ("/preferences", "/preferences")])
def test_the_switch_works_after_a_mistake_in_a_form_for_everybody(
    newsletter: Newsletter, path: str, leads_to: str
) -> None:
    assert switched(far(newsletter), path, {"address": "nobody"}) == leads_to


def test_the_switch_works_after_a_mistake_in_a_form_for_one_person(newsletter: Newsletter) -> None:
    token = data_link(newsletter, add(newsletter))
    assert switched(far(newsletter), f"/data/{token}/address", {"address": "nobody"}) == f"/data/{token}"


def test_a_token_cannot_lead_to_another_site(newsletter: Newsletter) -> None:
    for path in ("/goodbye/%2F%2Felsewhere.example", "/data/%2F%2Felsewhere.example/address", "/goodbye/..%5Cx"):
        answer = far(newsletter).get(path, follow_redirects=False)
        assert answer.status_code == 404 or answer.headers["location"].startswith(("/unsubscribe/", "/data/"))
