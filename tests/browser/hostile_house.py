"""A newsletter with script in every text: topics, issues, names, keywords, requests, settings.

The texts are those that break other programs: tags, handlers of events, links that are programs, ends of comments and
attributes, words of template languages, line separators that scripts know.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from hostile_desk import fill_desk
from mail_servers import free_port
from pydantic import SecretStr
from reader_samples import address_link, data_link, link
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin, plan_mailing
from newsletter.editorial.intake import read, take_in
from newsletter.readers.new_address import ask as ask_move
from newsletter.readers.sign_up import Asked, ask
from newsletter.settings import Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.key import remember_key
from newsletter.storage.migrate import migrate
from newsletter.web.sign_up_form import fresh_token
from subscribers.models import SignUp
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

TYPED = "{{70123+7001}}"
EVALUATED = "77124"
PAYLOADS = (
    TYPED,
    "${70123+7001} #{70123+7001} <%= 70123+7001 %>",
    "{% for c in [70123+7001] %}{{c}}{% endfor %}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "<svg onload=ran=3></svg>",
    "[link](javascript:alert(4))",
    "</title><script>alert(5)</script>",
    '"><script>alert(6)</script>',
    "' autofocus onfocus='alert(7)",
    "</textarea></style></pre><script>alert(8)</script>",
    "--><script>alert(9)</script><!--",
    "]]><script>ran=10</script>",
    "<iframe srcdoc='<script>alert(11)</script>'></iframe>",
    "<a href=javascript:alert(12)>press</a>",
    "<style>*{display:none}</style>",
)
ALL = " ".join(PAYLOADS)
WRITTEN = " ".join(text for text in PAYLOADS if "](javascript" not in text)
"""All but the link that keeps an issue from being sent; the draft has that."""
TITLES = (" ".join(PAYLOADS[:6]), f"{TYPED} " + " ".join(PAYLOADS[7:12]), f"{TYPED} " + " ".join(PAYLOADS[12:]))
"""The same in pieces as long as a title may be."""
SHORT = f"{TYPED}</title><script>alert(13)</script><img src=x onerror=alert(14)>"
"""As much as fits into a name of a topic or a keyword, of 80 characters."""
QUOTED = f"\"'><script>alert(15)</script>{TYPED}"
URL = "https://lab.example.org/?q=\"'%3E<script>alert(16)</script>&j=javascript:alert(17)"
SEPARATORS = "\u2028alert(18)\u2029//"

DAILY = f"""# {TITLES[0]} ({{day}})

**hostile**

- **{TITLES[1]}**
  说明：{WRITTEN} {SEPARATORS}
  背景：{WRITTEN}
  要点：
    - {WRITTEN}
    - [{SHORT}]({URL}) and ![{SHORT}](https://lab.example.org/x.png)
  标签：{SHORT}、{QUOTED}
  来源出处：[{WRITTEN}]({URL})

- **{TITLES[2]}**
  说明：`{SHORT}` **{QUOTED}**
  来源出处：[{SHORT}]({URL})
"""
ARTICLE = f"""# {SHORT}, March 8, 2026

## hostile

### [{SHORT}](https://lab.example.org/)

{WRITTEN}

> {WRITTEN}

```{SHORT}
{WRITTEN}
```

| {SHORT} | b |
|---|---|
| {WRITTEN} | {QUOTED} |

![{WRITTEN}](https://lab.example.org/chart.png)

- {WRITTEN}

<script>alert(21)</script>
<img src=x onerror=alert(22)>
"""


def hostile_settings(folder: Path) -> Settings:
    """Settings with script in every text that a page shows."""
    return Settings(
        database_url=f"sqlite:///{folder / 'newsletter.db'}",
        secret_key=SecretStr("a key that is only used in these tests"),
        sender='"' + SHORT.replace('"', "") + '" <daily@example.org>',
        postal_address=ALL,
        about=SHORT,
        about_en=SHORT,
        base_url=f"http://127.0.0.1:{free_port()}",
    )


def fill(settings: Settings) -> dict[str, str]:
    """Write everything down; the values of the addresses of pages."""
    migrate(open_engine(settings.database_url))
    newsletter = Newsletter(settings)
    with newsletter.session() as session:
        remember_key(session, newsletter.address_key)
        topics = newsletter.topics(session)
        topics.seed()
        topics.add("hostile", SHORT, QUOTED)
        topics.describe("hostile", ALL[:200], ALL[-200:])
        choices = Preferences(("hostile", "models"), follow=(SHORT, *_keywords()), mute=("nothing <b>",))
        people = [newsletter.people(session).add(f"wen{n}@example.com", choices, name=ALL[:200]) for n in range(5)]
    _publish(newsletter)
    with newsletter.reading() as session:
        mails = session.exec(select(Delivery).where(Delivery.address == "wen0@example.com").order_by(col(Delivery.id)))
        article_view, view = (str(row.slots["view_token"]) for row in mails)
        article = newsletter.issues(session).find("2026-03-08").issue
        issue = newsletter.issues(session).find("2026-03-09").issue
    data = data_link(newsletter, people[0])
    ask_move(newsletter, data, "moved@example.com", wording=ALL)
    address = address_link(newsletter)
    ask(newsletter, Asked("new@example.com", Preferences(("hostile",), follow=(SHORT,)), "api", ALL[:500], ""))
    with newsletter.reading() as session:
        sign_up = session.exec(select(SignUp).where(SignUp.address == "new@example.com")).one()
    now = newsletter.clock
    newsletter.clock = lambda: datetime.now(UTC) - timedelta(minutes=1)
    form = fresh_token(newsletter)
    newsletter.clock = now
    desk = fill_desk(newsletter, (SHORT, ALL + SEPARATORS))
    newsletter.engine.dispose()
    return {
        **desk,
        "confirm": newsletter.tokens.make(Purpose.CONFIRM, sign_up.public_id),
        "address": address,
        "data": data,
        "view": view,
        "article_view": article_view,
        "feed": link(newsletter, Purpose.FEED, people[0]),
        "form": form,
        **{f"preferences{n}": link(newsletter, Purpose.PREFERENCES, one) for n, one in enumerate(people)},
        **{f"leave{n}": link(newsletter, Purpose.UNSUBSCRIBE, one) for n, one in enumerate(people)},
        "story": issue.stories[0].id,
        "other_story": issue.stories[1].id,
        "article_story": article.stories[0].id,
        "all": quote(ALL + SEPARATORS, safe=""),
        "short": quote(SHORT, safe=""),
    }


def _keywords() -> tuple[str, ...]:
    return tuple(text for text in PAYLOADS if len(text) <= 80 and ";" not in text)


def _publish(newsletter: Newsletter) -> None:
    draft = DAILY.replace("{day}", "2026-03-07").replace(WRITTEN, ALL).encode()
    take_in(newsletter, read(newsletter, draft), draft, draft=True)
    for text in (ARTICLE, DAILY.replace("{day}", "2026-03-09")):
        reading = read(newsletter, text.encode())
        assert reading.issue is not None
        assert not reading.errors, reading.errors
        saved, _ = take_in(newsletter, reading, text.encode())
        approve(newsletter, saved.slug)
        list(plan_mailing(newsletter, begin(newsletter, saved.slug)))
