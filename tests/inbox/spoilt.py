"""Good messages made bad in one way each: what a judge of form has to reject."""

import re
from collections.abc import Callable


def _without(name: bytes, data: bytes) -> bytes:
    return re.sub(rb"(?mi)^%s:(?:[^\r\n]|\r\n[ \t])*\r\n" % name, b"", data, count=1)


def _with(name: bytes, value: bytes) -> Callable[[bytes], bytes]:
    """The header with another value, in front of the others."""
    return lambda data: name + b": " + value + b"\r\n" + _without(name, data)


def _lacking(name: bytes) -> Callable[[bytes], bytes]:
    return lambda data: _without(name, data)


def _twice(line: bytes) -> Callable[[bytes], bytes]:
    return lambda data: line + b"\r\n" + data


def _changed(old: bytes, new: bytes, count: int = -1) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old, new, count)


def _parts_turned_round(data: bytes) -> bytes:
    found = re.search(rb'boundary="([^"]+)"', data)
    assert found
    head, text, html, end = data.split(b"\r\n--" + found[1])
    return (b"\r\n--" + found[1]).join([head, html, text, end])


def _longer_base64(data: bytes) -> bytes:
    """The first line of base64 of 80 characters and the second of 72."""
    return re.sub(rb"([A-Za-z0-9+/]{76})\r\n([A-Za-z0-9+/]{4})([A-Za-z0-9+/]{72}\r\n)", rb"\1\2\r\n\3", data, count=1)


def _ascii_in_base64(data: bytes) -> bytes:
    return re.sub(rb"(base64\r\n\r\n)(?:[A-Za-z0-9+/=]+\r\n)+", rb"\1bm90aGluZyBidXQgQVNDSUk=\r\n", data, count=1)


def plain_names(data: bytes) -> bytes:
    """The message with `SUBJECT` and `SENDER` written as they should be."""
    return _with(b"From", b"AI <daily@example.org>")(_with(b"Subject", b"=?utf-8?b?5rGJ5a2X?=")(data))


SUBJECT, SENDER = "汉字", "AI"
"""The subject and the sender's name of the message before it is spoilt."""

LONG_WORD = b"=?utf-8?b?" + b"5rGJ" * 17 + b"?="
"""An encoded word of 80 characters."""

SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "no Date": _lacking(b"Date"),
    "no Message-ID": _lacking(b"Message-ID"),
    "no From": _lacking(b"From"),
    "From twice": _twice(b"From: other@example.org"),
    "Subject twice": _twice(b"Subject: another"),
    "two senders": _with(b"From", b"<a@example.org>, <b@example.org>"),
    "From without its end": _with(b"From", b"AI <daily@example.org"),
    "To with two signs at": _with(b"To", b"Chen <chen@@example.com>"),
    "To with a comma unquoted": _with(b"To", b"Chen, Xiao <chen@example.com>"),
    "raw GBK in Subject": _with(b"Subject", "汉字".encode("gbk")),
    "raw UTF-8 in From": _with(b"From", "汉字 <daily@example.org>".encode()),
    "half a character in a word": _with(b"Subject", b"=?utf-8?b?5rGJ5a0=?= =?utf-8?b?lw==?="),
    "a word cut short": _with(b"Subject", b"=?utf-8?b?5rGJ5a2XX?="),
    "a word of 80": _with(b"Subject", LONG_WORD),
    "a word in quotes": _with(b"From", b'"=?utf-8?b?5rGJ5a2X?=" <daily@example.org>'),
    "ASCII in a word": _with(b"Subject", b"=?utf-8?q?plain?="),
    "a word in List-Unsubscribe": _with(
        b"List-Unsubscribe", b"=?utf-8?q?=3Chttps=3A//news.example.org/unsubscribe/x=3E?="
    ),
    "a word in Message-ID": _with(b"Message-ID", b"<=?utf-8?q?a?=@example.org>"),
    "Message-ID of another domain": _with(b"Message-ID", b"<a@example.com>"),
    "List-Id without a dot": _with(b"List-Id", b"<daily>"),
    "no One-Click": _lacking(b"List-Unsubscribe-Post"),
    "unsubscribe by http": _changed(b"<https://", b"<http://", 1),
    "Date without a zone": _with(b"Date", b"Mon, 09 Mar 2026 08:00:00 -0000"),
    "Date that is none": _with(b"Date", b"yesterday"),
    "a header line not folded": _with(b"Subject", b"many words " * 9 + b"end"),
    "a line of 1,200": _with(b"Subject", b"x" * 1_200),
    "a bare LF": lambda data: re.sub(rb"([A-Za-z0-9+/]{76})\r\n", rb"\1\n", data, count=1),
    "gb18030 that is not so": _changed(b"charset=utf-8", b"charset=gb18030"),
    "utf-8 that is not so": lambda data: re.sub(
        rb"(base64\r\n\r\n)(?:[A-Za-z0-9+/=]+\r\n)+", rb"\1urrX1g==\r\n", data, count=1
    ),
    "7bit that is not so": _changed(b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: 7bit"),
    "base64 that is not so": lambda data: re.sub(rb"(base64\r\n\r\n)....", rb"\1*?*?", data),
    "base64 of ASCII": _ascii_in_base64,
    "base64 in lines of 80": _longer_base64,
    "HTML before text": _parts_turned_round,
    "another boundary": lambda data: re.sub(rb'boundary="', b'boundary="x', data),
    "no last boundary": lambda data: data.rstrip(b"\r\n-") + b"\r\n",
    "MIME-Version in a part": _changed(b"Content-Type: text/html", b"MIME-Version: 1.0\r\nContent-Type: text/html"),
    "mixed instead of alternative": _changed(b"multipart/alternative", b"multipart/mixed"),
}
"""Each way by its name; to be done to a message whose two parts are both in base64."""

UNSEEN = {"7bit that is not so"}
"""What no rule sees in the bytes: base64 is ASCII too."""
