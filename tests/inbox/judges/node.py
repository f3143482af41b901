"""The door to judges written for Node: what they lack, their versions, and a question asked of one of our scripts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[1]
"""Where package.json lies; `npm ci` fills the folder node_modules there."""
_HERE = Path(__file__).resolve().parent


def lack(package: str) -> str:
    """What is missing before `package` can be asked, and the command that brings it; empty when nothing."""
    if not _node() or not (HOME / "node_modules" / package).is_dir():
        return f"{package} is missing; `make judges` installs it"
    return ""


def version(package: str) -> str:
    """The version of `package` that is installed."""
    about = json.loads((HOME / "node_modules" / package / "package.json").read_text(encoding="utf-8"))
    return str(about["version"])


def ask(script: str, question: object) -> Any:
    """What a script of this folder answers to `question`, both as JSON.

    Raises RuntimeError with what the script said when it fails.
    """
    done = subprocess.run(
        [_node(), str(_HERE / script)], input=json.dumps(question), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{script} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def _node() -> str:
    """The Node that `make judges` installs beside this Python, else the machine's; empty when there is none."""
    beside = Path(sys.executable).parent
    return shutil.which("node", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}") or ""
