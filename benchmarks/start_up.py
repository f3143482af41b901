"""`newsletter --help` beside a bare typer program."""

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Result, paired, process_seconds

BARE = """import typer
app = typer.Typer()

@app.command()
def hello(name: str) -> None:
    '''Greet.'''

app()
"""


def start_up() -> Result:
    """How many times as long the help takes, whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, "utf-8")
        ours = [sys.executable, "-m", "newsletter", "--help"]
        theirs = [sys.executable, bare, "--help"]
        process_seconds(ours), process_seconds(theirs)
        share, our, their = paired(lambda: process_seconds(ours), lambda: process_seconds(theirs), pairs=11)
    detail = f"{our * 1000:.0f} ms against {their * 1000:.0f} ms, whole processes"
    return Result("newsletter --help", 1 / share, "at most 1.5 times a bare typer program", 1 / share <= 1.5, detail)
