"""A form whose sender leaves before its end is no fault of ours: nothing is logged, nothing is written."""

import asyncio

import pytest
from desk_samples import at_desk
from starlette.types import Message

from newsletter.app import Newsletter
from newsletter.web.application import build
from newsletter.web.posted import MOST_BODY_BYTES


@pytest.mark.parametrize("come", [0, 2 * MOST_BODY_BYTES], ids=["nothing", "much"])
@pytest.mark.parametrize("path", ["/subscribe", "/desk/images", "/desk/readers/import"])
def test_who_leaves_in_the_middle_of_a_form_makes_no_failure(newsletter: Newsletter, path: str, come: int) -> None:
    messages = [{"type": "http.request", "body": bytes(come), "more_body": True}, {"type": "http.disconnect"}]
    cookie = f"desk={at_desk(newsletter).cookies['desk']}".encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"cookie", cookie),
            (b"content-type", b"multipart/form-data; boundary=b"),
        ],
    }
    said: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0) if len(messages) > 1 else messages[0]

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(build(newsletter)(scope, receive, send))
    assert said[0]["status"] < 500
