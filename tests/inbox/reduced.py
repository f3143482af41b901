"""Reduce the data of the caniemail package to what the desk's check needs: `python tests/inbox/reduced.py PACKAGE`.

PACKAGE is the unpacked npm package. The result and the package's licence go to `newsletter/review/data`, with a lock
that names version, licence and the SHA-512 of each file.
"""

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "newsletter" / "review" / "data"
CLIENTS = (
    "gmail.desktop-webmail", "gmail.ios", "gmail.android", "outlook.windows", "outlook.outlook-com", "outlook.macos",
    "outlook.ios", "apple-mail.macos", "apple-mail.ios", "yahoo.desktop-webmail", "samsung-email.android",
    "thunderbird.macos",
)  # fmt: skip
"""The twelve that `make inbox` judges by, too."""


def main(package: Path) -> None:
    """Write the reduced data, the licence and the lock."""
    about = json.loads((package / "package.json").read_text(encoding="utf-8"))
    everything = json.loads((package / "data" / "caniemail.json").read_text(encoding="utf-8"))
    reduced = json.dumps(reduce(everything), ensure_ascii=False, indent=1) + "\n"
    files = {"caniemail/caniemail.json": reduced.encode(), "caniemail/LICENSE": (package / "LICENSE").read_bytes()}
    for name, data in files.items():
        (DATA / name).parent.mkdir(parents=True, exist_ok=True)
        (DATA / name).write_bytes(data)
    lock = {
        "name": about["name"],
        "version": about["version"],
        "licence": about["license"],
        "files": {name: hashlib.sha512(data).hexdigest() for name, data in sorted(files.items())},
    }
    (DATA / "vendor.lock.json").write_text(json.dumps([lock], indent=2) + "\n", encoding="utf-8")


def reduce(everything: dict[str, Any]) -> dict[str, Any]:
    """The features that one of the twelve does not know, with a letter for each: y(es), a(lmost), n(o), u(nknown)."""
    names = everything["nicenames"]
    clients = {one: _name(names, *one.split(".")) for one in CLIENTS}
    features = {}
    for feature in sorted(everything["data"], key=lambda one: one["slug"]):
        support = "".join(_level(feature["stats"], *client.split(".")) for client in CLIENTS)
        if "n" in support and feature["slug"].partition("-")[0] in ("css", "html", "image"):
            features[feature["slug"]] = {"title": feature["title"].strip(), "support": support}
    return {"updated": everything["last_update_date"][:10], "clients": clients, "features": features}


def _name(names: dict[str, dict[str, str]], family: str, platform: str) -> str:
    where = names["platform"][platform].replace("Desktop Webmail", "web")
    return f"{names['family'][family].removeprefix('Mozilla ')} ({where})"


def _level(stats: dict[str, Any], family: str, platform: str) -> str:
    """The data list versions from old to new; the keys of some clients are dates, in any order."""
    levels = stats.get(family, {}).get(platform)
    if not levels:
        return "u"
    versions = list(levels)
    dated = all(re.fullmatch(r"\d{4}(-\d\d)?", version) for version in versions)
    return str(levels[max(versions) if dated else versions[-1]][0])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
