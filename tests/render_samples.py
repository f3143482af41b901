"""Issues, readers and strategies that the tests of the render room share."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from hypothesis import strategies as st

from newsletter.compose.edition import FOLLOWED, Edition, Group
from newsletter.content.inline import escape
from newsletter.content.issue import (
    Code,
    Image,
    Issue,
    Listing,
    Mark,
    Paragraph,
    Points,
    Quote,
    Section,
    Source,
    Story,
    Table,
)
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.publication import Publication
from newsletter.render.recipient import Recipient
from newsletter.render.theme import load_theme
from subscribers.topics import Catalogue

THEME = load_theme()
TOPICS = Catalogue()
PUBLICATION = Publication(
    sender="AI 行业动态 <daily@example.org>",
    envelope_sender="bounce@example.org",
    list_id="<daily.example.org>",
    base_url="https://news.example.org",
    reply_to="编辑部 <desk@example.org>",
    inbound_address="leave@example.org",
    postal_address="示例新闻社 · 北京市海淀区示例路 1 号",
)
READER = Recipient(
    key="m7.42",
    address="chen@example.com",
    date=datetime(2026, 3, 9, 8, 0, tzinfo=timezone(timedelta(hours=8))),
    topics=("models", "policy"),
    unsubscribe_token="dGhpcyBpcyBhIHRva2Vu",
    preferences_token="d2lzaGVz",
    view_token="bG9vaw",
    name="陈晓",
)

OCEAN = Story(
    id="ocean",
    title="示例研究院公开海洋预报模型的训练数据",
    summary="研究院公布了观测数据的来源与清洗步骤，并给出*可复核*的评测脚本，见 [说明页](https://ocean.example.org/notes?a=1&b=2)。",
    background="此前同类模型只公布结论，外部团队难以判断误差从何而来。",
    points=("数据覆盖 1993 年以来的海表温度与海流观测。", "评测脚本可在单机运行，约两小时得到与报告一致的结果。"),
    source=Source("示例研究院官网", "https://ocean.example.org/data"),
    topics=("models",),
    tags=("海洋", "开放数据"),
)
ECHO = Story(
    id="echo",
    title="示例团队开源小参数语音模型 **Echo-2**",
    summary="模型参数为 3 亿，可在手机端离线识别普通话与粤语。",
    points=("安静环境下字错率 4.1%，嘈杂环境 9.8%。",),
    source=Source("项目主页", "https://echo.example.org/"),
    topics=("models", "products"),
    published=datetime(2026, 3, 8),
)
RULES = Story(
    id="rules",
    title="示例市发布公共数据授权运营细则",
    summary="细则写明哪些数据可以授权、由谁定价，以及个人信息如何先行去标识。",
    source=Source("示例市数据局", ""),
    topics=("policy",),
)
QUIET = Story(
    id="quiet",
    title="Tidewater Labs opens a benchmark for quiet failures",
    source=Source("Tidewater", "https://tidewater.example.com/bench"),
    topics=("products",),
    body=(
        Paragraph("The suite measures how often a model is wrong without saying so. Run `tide bench` to see."),
        Points("What is in it", ("Four languages", "Two hundred tasks")),
        Listing(("Install it", "Run it"), ordered=True),
        Quote(("We wanted to hear the silence.",)),
        Code("tide bench --all\n  --quiet\n.hidden"),
        Table((("Model", "Score"), ("Echo-2", "0.41"))),
        Image("https://pictures.example.net/chart.png", "A chart of scores"),
        Image(f"https://news.example.org/image/{'0a' * 16}-1120x630.png", "A map of the bay"),
    ),
)
ISSUE = Issue(
    title="AI 行业动态",
    date=date(2026, 3, 9),
    sections=(
        Section("模型与技术进展", (OCEAN, ECHO), topic="models"),
        Section("政策与监管", (RULES,), topic="policy"),
        Section("产品与应用发布", (QUIET,), topic="products"),
    ),
)
EDITION = Edition((Group("models", ("ocean", "echo")), Group("policy", ("rules",))))
EVERYTHING = Edition((Group(FOLLOWED, ("quiet",)), Group("policy", ("rules",)), Group("models", ("echo", "ocean"))))


def compiled(issue: Issue = ISSUE, language: str = "zh", publication: Publication = PUBLICATION) -> CompiledIssue:
    return compile_issue(issue, theme=THEME, language=language, topics=TOPICS, publication=publication)


def ten_stories() -> Issue:
    """An issue with two full stories under each of the five topics."""
    sections = []
    for number, topic in enumerate(topic.slug for topic in TOPICS.topics):
        pair = tuple(
            replace(OCEAN, id=f"{topic}-{i}", title=f"{OCEAN.title}（{number}.{i}）", topics=(topic,)) for i in range(2)
        )
        sections.append(Section(topic, pair, topic=topic))
    return replace(ISSUE, sections=tuple(sections))


AWKWARD = [
    "<!--", "-->", "<!--n0:story.1-->", "n0.reason.", "{{ reason }}", "{% raw %}", "{# #}", "</mj-text>", "<mj-raw>",
    "<script>alert(1)</script>", "&lt;b&gt;", "&amp;", "&#39;", "]]>", "<![endif]-->", 'style="a; b"', "'\"`",
    "\x00", "\x1b", "\x85", "\u2028", "\u202e", "\u200b", "\ufeff", "\ud800", "\xa0", "\r\n", "\n.\n", ".\n",
    "مرحبا", "👩\u200d🚀", "é", "汉字，标点。", "From ", "=?utf-8?q?x?=", "%s", "\\", "$1", "@import", "</style>",
    "</title>", "<plaintext>", "&nbsp;",
]  # fmt: skip
texts = st.lists(st.sampled_from(AWKWARD) | st.text(max_size=6), max_size=4).map(" ".join)
inlines = (
    texts
    | texts.map(escape)
    | texts.map(lambda text: f"**{escape(text)}** [{escape(text)}](https://x.example.org/?a=1&b=2)")
)
urls = st.sampled_from(
    [
        "https://a.example.org/?q=1&r=2",
        'https://a.example.org/"><script>',
        "http://例子.example.org/路径?词=值",
        "https://a.example.org/%E8%B7%AF {{x}} 'y'",
        "javascript:alert(1)",
        "https://[::1/",
        "",
    ]
)  # fmt: skip
blocks = st.one_of(
    st.builds(Paragraph, inlines),
    st.builds(Points, inlines, st.lists(inlines, max_size=2).map(tuple)),
    st.builds(Listing, st.lists(inlines, max_size=2).map(tuple), st.booleans()),
    st.builds(Quote, st.lists(inlines, max_size=2).map(tuple)),
    st.builds(Code, texts),
    st.builds(Table, st.lists(st.lists(inlines, max_size=2).map(tuple), max_size=2).map(tuple)),
    st.builds(Image, urls, inlines),
)
stories = st.builds(
    Story,
    title=inlines,
    summary=inlines,
    background=inlines,
    points=st.lists(inlines, max_size=2).map(tuple),
    source=st.none() | st.builds(Source, texts, urls),
    topics=st.lists(
        st.sampled_from(["models", "policy", "funding", "none<of>these"]), min_size=1, max_size=3, unique=True
    ).map(tuple),
    tags=st.lists(texts, max_size=2).map(tuple),
    published=st.none() | st.datetimes(),
    body=st.lists(blocks, max_size=3).map(tuple),
    marks=st.lists(st.sampled_from(Mark), max_size=3, unique=True).map(tuple),
)


@st.composite
def issues(draw: st.DrawFn) -> Issue:
    """Issues of awkward texts, their stories numbered from 0."""
    made = draw(st.lists(stories, min_size=1, max_size=5))
    numbered = tuple(replace(story, id=str(number)) for number, story in enumerate(made))
    return Issue(
        title=draw(inlines),
        date=draw(st.none() | st.dates()),
        sections=(Section(draw(inlines), numbered, topic="models"),),
        subject=draw(st.just("") | texts),
        preheader=draw(st.just("") | texts),
    )


@st.composite
def editions(draw: st.DrawFn, issue: Issue) -> Edition:
    """Any subset of an issue's stories, each under one of its topics or followed, in any order."""
    chosen = draw(st.lists(st.sampled_from(issue.stories), min_size=1, unique_by=lambda story: story.id))
    groups: dict[str, list[str]] = {}
    for story in chosen:
        groups.setdefault(draw(st.sampled_from([*story.topics, FOLLOWED])), []).append(story.id)
    return Edition(tuple(Group(topic, tuple(members)) for topic, members in groups.items()))
