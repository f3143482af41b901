"""Which hosts belong to well-known sources, so that a label pointing somewhere else can be noticed."""

import unicodedata
from urllib.parse import urlsplit

# Registrable domains; a host fits when it is one of them or lies below one. News agencies are not here: every paper
# prints their reports under the agency's name.
_DOMAINS: dict[str, tuple[str, ...]] = {
    "新华网": ("news.cn", "xinhuanet.com"),
    "人民网": ("people.com.cn", "people.cn"),
    "人民日报": ("people.com.cn", "people.cn", "peopleapp.com"),
    "央视网": ("cctv.com", "cctv.cn", "cntv.cn"),
    "央视新闻": ("cctv.com", "cctv.cn", "cntv.cn"),
    "央广网": ("cnr.cn",),
    "光明网": ("gmw.cn",),
    "中国网": ("china.com.cn", "china.org.cn"),
    "中国日报": ("chinadaily.com.cn",),
    "环球网": ("huanqiu.com",),
    "环球时报": ("huanqiu.com", "globaltimes.cn"),
    "科技日报": ("stdaily.com",),
    "中国科技网": ("stdaily.com",),
    "经济日报": ("ce.cn",),
    "中国经济网": ("ce.cn",),
    "证券时报": ("stcn.com",),
    "中国证券报": ("cs.com.cn",),
    "中证网": ("cs.com.cn",),
    "上海证券报": ("cnstock.com",),
    "证券日报": ("zqrb.cn",),
    "财联社": ("cls.cn",),
    "财新": ("caixin.com",),
    "第一财经": ("yicai.com",),
    "界面新闻": ("jiemian.com",),
    "澎湃新闻": ("thepaper.cn",),
    "每日经济新闻": ("nbd.com.cn",),
    "21世纪经济报道": ("21jingji.com",),
    "东方财富": ("eastmoney.com",),
    "同花顺": ("10jqka.com.cn",),
    "新浪": ("sina.com.cn", "sina.cn"),
    "搜狐": ("sohu.com",),
    "网易": ("163.com",),
    "腾讯网": ("qq.com",),
    "腾讯新闻": ("qq.com",),
    "凤凰网": ("ifeng.com",),
    "36氪": ("36kr.com",),
    "虎嗅": ("huxiu.com",),
    "钛媒体": ("tmtpost.com",),
    "it之家": ("ithome.com",),
    "量子位": ("qbitai.com",),
    "机器之心": ("jiqizhixin.com",),
    "雷峰网": ("leiphone.com",),
    "品玩": ("pingwest.com",),
    "健康界": ("cn-healthcare.com",),
    "联合早报": ("zaobao.com", "zaobao.com.sg"),
    "techcrunch": ("techcrunch.com",),
    "theverge": ("theverge.com",),
    "wired": ("wired.com",),
    "arstechnica": ("arstechnica.com",),
    "bloomberg": ("bloomberg.com",),
    "theinformation": ("theinformation.com",),
    "venturebeat": ("venturebeat.com",),
    "mashable": ("mashable.com",),
    "cnbc": ("cnbc.com",),
    "thenewyorktimes": ("nytimes.com",),
    "newyorktimes": ("nytimes.com",),
    "wallstreetjournal": ("wsj.com",),
    "financialtimes": ("ft.com",),
    "theguardian": ("theguardian.com",),
    "mittechnologyreview": ("technologyreview.com",),
    "timesofindia": ("indiatimes.com",),
    "arxiv": ("arxiv.org",),
    "hackernews": ("ycombinator.com",),
}

# Where every source publishes under its own name too.
_PLATFORMS = ("mp.weixin.qq.com", "weibo.com", "toutiao.com")

_LONGEST_LABEL = max(len(label) for label in _DOMAINS)
_SHORTEST_HAN_LABEL = 2


def _lies_in(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _known(label: str) -> tuple[str, ...]:
    """Find the domains of a label; a Chinese name may be followed by a column's (人民网财经), a Latin one may not."""
    folded = unicodedata.normalize("NFKC", label).casefold()
    key = "".join(character for character in folded if character.isalnum())
    lengths = range(min(len(key), _LONGEST_LABEL), _SHORTEST_HAN_LABEL - 1, -1)
    exact = _DOMAINS.get(key, ())
    return exact or next((_DOMAINS[key[:n]] for n in lengths if key[:n] in _DOMAINS and not key[:n].isascii()), ())


def expected_domains(label: str, url: str) -> tuple[str, ...]:
    """Name the domains that a well-known source publishes on, when the link lies on none of them.

    An unknown label fits every link, and so does any label a link on a platform where sources publish themselves.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:  # a port or an IPv6 host that is none
        return ()
    domains = _known(label)
    return () if not host or not domains or _lies_in(host, (*domains, *_PLATFORMS)) else domains
