"""An application holds what it keeps itself: when it goes, nothing of it stays."""

import gc
import time
import weakref

from sign_up_samples import publish_issue
from web_samples import SLUG, far

from newsletter.app import Newsletter


def test_nothing_is_kept_of_an_application_that_is_gone(newsletter: Newsletter) -> None:
    publish_issue(newsletter)
    served = Newsletter(newsletter.settings)
    client, known = far(served), weakref.ref(served)
    for path in (
        "/",
        "/archive",
        "/archive?q=模型",
        f"/archive/{SLUG}",
        "/topic/models",
        "/sample",
        "/feed.xml",
        "/embed",
    ):
        assert client.get(path).status_code == 200
    served.engine.dispose()
    del client, served
    for _ in range(500):  # the thread that answered last may hold on to it for a moment
        gc.collect()
        if known() is None:
            return
        time.sleep(0.01)
    raise AssertionError("something keeps it")
