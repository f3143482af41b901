"""Mails that are spam by construction: a filter that lets one of them pass proves nothing."""

from base64 import b64encode

SHOUTING = b"""\
From: WINNER@EXAMPLE.ORG
To: chen@example.com
Subject: FREE MONEY!!! CLICK HERE NOW, YOU HAVE WON $1,000,000
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<html><body><div style="color:#ffffff;font-size:1px;background:#ffffff">HIDDEN</div>
<h1>DEAR FRIEND, CONGRATULATIONS!!!</h1><p>YOUR ADDRESS HAS WON THE LOTTERY. THIS IS NOT SPAM. ACT NOW, 100% FREE,
NO OBLIGATION, GUARANTEED MONEY BACK. <a href="http://198.18.0.99/win">https://bank.example.org/login</a></p></body></html>
""".replace(b"HIDDEN", b"morning paper river stone " * 60)
"""All in capitals, from nobody, without Date and Message-ID, HTML alone, hidden text, a link that shows another one."""

IMAGE_ONLY = b"""\
From: offers@example.org
To: chen@example.com
Subject: hi
MIME-Version: 1.0
Content-Type: text/html

<html><body><a href="http://198.18.0.99/x"><img src="http://198.18.0.99/a.png" width=600 height=900></a></body></html>
"""
"""One picture behind a link to a bare address, and nothing to read."""

SPAM = {
    "spam that shouts": SHOUTING.replace(b"\n", b"\r\n"),
    "spam that is one picture": IMAGE_ONLY.replace(b"\n", b"\r\n"),
}

_LEGACY_SUBJECT = b64encode("每日要闻与产业观察".encode("gb2312"))
_LEGACY_TEXT = "示例研究院今天公开了海洋预报模型的训练数据，并说明每一步清洗是怎样做的。\n".encode("gb2312")

LEGACY_CHARSET = b"""\
From: <daily@example.org>
To: <chen@example.com>
Subject: =?gb2312?B?%b?=
Date: Thu, 12 Mar 2026 08:00:00 +0800
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=gb2312
Content-Transfer-Encoding: 8bit

%b""" % (_LEGACY_SUBJECT, _LEGACY_TEXT * 20)
"""Honest Chinese in an encoding that a reader of English alone is known not to use."""

SPAM_TO_THE_ENGLISH = {"Chinese in GB2312": LEGACY_CHARSET.replace(b"\n", b"\r\n")}
