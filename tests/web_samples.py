"""What the tests of the web pages share: an issue, readers, and clients near and far."""

from starlette.testclient import TestClient

from newsletter.app import Newsletter
from newsletter.editorial.intake import read, take_in
from newsletter.web.application import build
from subscribers.models import State
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

ISSUE = """# AI 行业动态 (2026-03-09)

**模型与技术进展**

- **群岛实验室公开潮汐预报模型**
  说明：实验室公布了训练所用的观测数据。
  来源出处：[群岛实验室](https://lab.example.org/tides)

- **{title}**
  说明：第二条的说明。
  来源出处：[项目主页](https://project.example.org/)

**政策与监管**

- **岬角市发布公共数据细则**
  说明：细则写明哪些数据可以授权。
  来源出处：[岬角市](https://city.example.org/data)
"""
SLUG = "2026-03-09"
SCRIPT = "<script>alert(1)</script>"


def add_issue(newsletter: Newsletter, title: str = "山谷团队开源语音模型 Echo-2") -> None:
    """Keep the sample issue as a draft, with another title for its second story."""
    text = ISSUE.format(title=title).encode()
    take_in(newsletter, read(newsletter, text), text, draft=True)


def add_reader(newsletter: Newsletter, address: str, *topics: str, name: str = "", language: str = "zh") -> str:
    """Add an active reader and give their unsubscribe token."""
    with newsletter.session() as session:
        preferences = Preferences(topics=topics or ("models",), language=language)
        person = newsletter.people(session).add(address, preferences, name=name)
        return newsletter.tokens.make(Purpose.UNSUBSCRIBE, person.public_id)


def state_of(newsletter: Newsletter, address: str) -> State:
    """Where a reader stands."""
    with newsletter.session() as session:
        person = newsletter.people(session).get(address)
        assert person is not None
        return person.state


def near(newsletter: Newsletter) -> TestClient:
    """A browser at this machine."""
    return TestClient(
        build(newsletter),
        base_url="http://127.0.0.1:8000",
        client=("127.0.0.1", 50000),
        headers={"accept": "text/html", "accept-language": "zh-CN,zh;q=0.9"},
        raise_server_exceptions=False,
    )


def far(newsletter: Newsletter) -> TestClient:
    """A browser somewhere in the world."""
    return TestClient(
        build(newsletter),
        base_url="https://news.example.org",
        client=("203.0.113.7", 50000),
        headers={"accept": "text/html"},
        raise_server_exceptions=False,
    )
