"""`newsletter serve` as a process: it says where it listens, and never which links were opened."""

import os
import socket
import subprocess
import sys
import urllib.request

import pytest
from web_samples import add_reader, state_of

from newsletter.app import Newsletter
from subscribers.models import State

SERVE = [sys.executable, "-u", "-m", "newsletter", "serve", "--port"]


@pytest.fixture
def environment(newsletter: Newsletter) -> dict[str, str]:
    """The environment of a process that serves the test's newsletter."""
    return {
        **os.environ,
        "NEWSLETTER_DATABASE_URL": newsletter.settings.database_url,
        "NEWSLETTER_SECRET_KEY": newsletter.settings.secret_key.get_secret_value(),
    }


def test_it_answers_links_and_prints_no_token(newsletter: Newsletter, environment: dict[str, str]) -> None:
    token = add_reader(newsletter, "wen@example.com")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([*SERVE, "0"], env=environment, **pipes) as server:
        try:
            address = server.stdout.readline().split("/ ")[0]
            body = b"List-Unsubscribe=One-Click"
            with urllib.request.urlopen(f"{address}/unsubscribe/{token}", data=body, timeout=30) as answer:
                assert answer.status == 200
        finally:
            server.terminate()
        assert token not in server.stdout.read()
    assert state_of(newsletter, "wen@example.com") is State.UNSUBSCRIBED


def test_a_taken_port_is_said_in_words(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = subprocess.run([*SERVE, str(port)], env=environment, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on (Address already in use)" in run.stderr
    assert "Traceback" not in run.stderr
