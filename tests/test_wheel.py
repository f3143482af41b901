"""The wheel holds everything that an installed newsletter needs, and finds its templates inside itself."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_an_installed_wheel_finds_its_templates_inside_itself(unpacked: Path, tmp_path: Path) -> None:
    code = "from newsletter.render.theme import load_theme, templates_dir; load_theme(); print(templates_dir())"
    run = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(run.stdout.strip()) == unpacked / "newsletter" / "_templates"


def test_an_editable_install_uses_the_templates_of_the_checkout() -> None:
    code = "from newsletter.render.theme import templates_dir; print(templates_dir())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert Path(run.stdout.strip()) == ROOT / "templates"


def test_the_wheel_holds_migrations_pages_and_the_licence(unpacked: Path) -> None:
    names = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file()}
    assert "newsletter/storage/migrations/script.py.mako" in names
    assert "newsletter/web/static/site.css" in names
    assert any(name.startswith("newsletter/_templates/web/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
