"""Topics that readers subscribe to, the headings that mean them, and the five that ship."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

_NUMBERING = re.compile(r"^(?:第?[一二三四五六七八九十百\d]+[章节、.．)）:：]|[(（][一二三四五六七八九十\d]+[)）])\s*")


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject readers choose by its slug, with its names and the section headings (aliases) that mean it.

    `about_zh` and `about_en` say in a sentence what a reader gets.
    """

    slug: str
    zh: str
    en: str
    aliases: tuple[str, ...] = ()
    about_zh: str = ""
    about_en: str = ""

    def name(self, language: str) -> str:
        """Give the topic's name in a language of `subscribers.preferences.LANGUAGES`."""
        return self.en if language == "en" else self.zh

    def about(self, language: str) -> str:
        """Give the sentence about it in a language; empty where nobody wrote one."""
        return self.about_en if language == "en" else self.about_zh


SHIPPED = (
    Topic(
        "policy",
        "政策与监管",
        "Policy & Regulation",
        ("政策发布", "国家视点", "国际事件", "政策", "监管", "Policy", "Regulation"),
        "法律法规、政府规划、标准与国际规则",
        "Laws, government plans, standards and international rules",
    ),
    Topic(
        "models",
        "模型与技术进展",
        "Models & Research",
        ("技术产品", "开源生态", "高校动态", "模型", "技术进展", "Models", "Research"),
        "新模型、论文、评测与开源",
        "New models, papers, evaluations and open source",
    ),
    Topic(
        "products",
        "产品与应用发布",
        "Products & Applications",
        ("互联网大厂动态", "集成电路和手机", "产品", "应用发布", "Products", "Applications"),
        "上线的产品、功能更新与硬件",
        "Products launched, new features and hardware",
    ),
    Topic(
        "funding",
        "投融资与并购",
        "Funding & Acquisitions",
        ("投融资", "融资", "并购", "Funding", "Acquisitions"),
        "融资、上市、收购与合作",
        "Rounds, listings, acquisitions and partnerships",
    ),
    Topic(
        "industry",
        "行业落地与生态",
        "Industry & Ecosystem",
        ("市场动向", "企业大事记", "行业落地", "生态", "Industry", "Ecosystem"),
        "企业怎样用上 AI，市场与人才",
        "How companies put AI to use, markets and people",
    ),
)


def heading_key(heading: str) -> str:
    """Reduce a heading to what decides its topic: width, case, blanks and numbering do not matter."""
    folded = unicodedata.normalize("NFKC", heading).strip().casefold()
    return re.sub(r"[\s*_#＃]+", "", _NUMBERING.sub("", folded))


class Catalogue:
    """The topics of one newsletter, in the order readers are offered them: `topics`, and the same `by_slug`."""

    def __init__(self, topics: Iterable[Topic] = SHIPPED) -> None:
        self.topics = tuple(topics)
        self.by_slug: Mapping[str, Topic] = {topic.slug: topic for topic in self.topics}

    def get(self, slug: str) -> Topic | None:
        """Find the topic of that slug, or None."""
        return self.by_slug.get(slug)

    def resolve(self, heading: str) -> str | None:
        """Find the slug that a section heading means, or None when no topic has that name or alias."""
        return self._by_heading.get(heading_key(heading))

    @cached_property
    def _by_heading(self) -> Mapping[str, str]:
        """Slugs by heading, made when a heading is first looked for: pages ask for topics, and only issues do that."""
        return {
            heading_key(heading): topic.slug
            for topic in reversed(self.topics)
            for heading in (*topic.aliases, topic.en, topic.zh, topic.slug)
        }
