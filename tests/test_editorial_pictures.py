"""Pictures: taken in as any file, kept small and without secrets, shown in mails at a width that holds."""

import random
import struct
import zlib
from io import BytesIO

import pytest
from desk_samples import add_staff, at_desk
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from test_editorial_writing import DAY, TEXT, Hands

from newsletter.app import Newsletter
from newsletter.content.document import read_issue
from newsletter.content.picture_address import on_this_host, picture_at
from newsletter.editorial import writing
from newsletter.editorial.pictures import (
    MOST_BYTES_IN,
    MOST_BYTES_OUT,
    Picture,
    PictureRefused,
    drawn_anew,
    keep_picture,
    picture,
    picture_data,
    pictures,
)
from newsletter.editorial.preview import preview_topics
from newsletter.staff import audit
from newsletter.staff.rights import Actor
from subscribers.topics import Catalogue

both_databases = pytest.mark.both_databases


@pytest.fixture
def chen(newsletter: Newsletter) -> Actor:
    newsletter.clock = Hands()
    return add_staff(newsletter)


def file(width: int = 40, height: int = 20, kind: str = "PNG", mode: str = "RGB", **options: object) -> bytes:
    out = BytesIO()
    Image.new(mode, (width, height), "teal").save(out, kind, **options)
    return out.getvalue()


def noise(width: int, height: int, kind: str = "PNG") -> bytes:
    out = BytesIO()
    pixels = random.Random(7).randbytes(width * height * 3)
    Image.frombytes("RGB", (width, height), pixels).save(out, kind)
    return out.getvalue()


def keep(newsletter: Newsletter, actor: Actor, data: bytes, alt: str = "一张图", name: str = "a.png") -> Picture:
    return keep_picture(newsletter, actor, name, data, alt)


def reopened(newsletter: Newsletter, kept: Picture) -> Image.Image:
    found = picture_data(newsletter, kept.kept.key)
    assert found is not None
    return Image.open(BytesIO(found[1]))


@both_databases
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_each_kind_of_file_is_taken_and_kept_as_png_or_jpeg(newsletter: Newsletter, chen: Actor, kind: str) -> None:
    kept = keep(newsletter, chen, file(kind=kind))
    expected = "JPEG" if kind == "JPEG" else "PNG"
    assert reopened(newsletter, kept).format == expected
    assert kept.url == f"https://news.example.org/image/{kept.kept.key}.{'jpg' if expected == 'JPEG' else 'png'}"
    assert (kept.kept.width, kept.kept.height) == (40, 20)


def test_what_a_file_says_beside_its_pixels_is_gone(newsletter: Newsletter, chen: Actor) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET place"
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "SECRET name")
    for data in (file(kind="JPEG", exif=exif, comment=b"SECRET"), file(pnginfo=text, exif=exif)):
        assert b"SECRET" in data
        kept = keep(newsletter, chen, data)
        found = picture_data(newsletter, kept.kept.key)
        assert found is not None
        assert b"SECRET" not in found[1]


def test_a_picture_lies_as_its_camera_was_held(newsletter: Newsletter, chen: Actor) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    kept = keep(newsletter, chen, file(40, 20, "JPEG", exif=exif)).kept
    assert (kept.width, kept.height) == (20, 40)


@pytest.mark.parametrize("size", [(3000, 900), (1200, 4000), (2600, 2000)])
def test_a_large_picture_is_made_smaller_and_light(newsletter: Newsletter, chen: Actor, size: tuple[int, int]) -> None:
    kept = keep(newsletter, chen, noise(*size, kind="JPEG")).kept
    assert kept.width <= 1200
    assert kept.size_bytes <= MOST_BYTES_OUT
    assert kept.width / kept.height == pytest.approx(size[0] / size[1], rel=0.01)


def test_a_light_picture_that_one_sees_through_stays_so(newsletter: Newsletter, chen: Actor) -> None:
    out = BytesIO()
    Image.new("RGBA", (30, 30), (255, 0, 0, 40)).save(out, "PNG")
    assert reopened(newsletter, keep(newsletter, chen, out.getvalue())).mode == "RGBA"


def test_a_line_of_one_pixel_is_kept(newsletter: Newsletter, chen: Actor) -> None:
    kept = keep(newsletter, chen, noise(900, 1, "JPEG")).kept
    assert (kept.width, kept.height) == (900, 1)


@both_databases
def test_the_same_picture_twice_is_one_row_with_the_newer_text(newsletter: Newsletter, chen: Actor) -> None:
    first, second = (keep(newsletter, chen, file(), alt) for alt in ("第一", "第二"))
    assert first.kept.key == second.kept.key
    found, total = pictures(newsletter)
    assert (total, [one.kept.alt for one in found]) == (1, ["第二"])
    with newsletter.reading() as session:
        assert [entry.action for entry in audit.entries(session)] == ["picture added"]


def claiming(width: int, height: int) -> bytes:
    """A small PNG that says it is that large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(100_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "no-picture"),
        (file()[:60], "no-picture"),
        (noise(200, 200)[:5000], "no-picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no-picture"),
        (claiming(30_000, 30_000), "no-picture"),
        (claiming(9_000, 9_000), "pixels"),
        (claiming(5_000, 5_000), "pixels"),
        (bytes(MOST_BYTES_IN + 1), "large"),
    ],
)
def test_what_is_no_good_picture_is_refused(newsletter: Newsletter, chen: Actor, data: bytes, code: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        keep(newsletter, chen, data)
    assert refused.value.code == code
    assert pictures(newsletter) == ([], 0)


@given(st.binary(max_size=400), st.integers(0, 200))
def test_a_broken_file_is_refused_and_nothing_else_happens(junk: bytes, at: int) -> None:
    for whole in (file(), file(kind="GIF", mode="P"), file(kind="JPEG"), file(kind="WEBP")):
        try:
            drawn_anew(whole[:at] + junk + whole[at + len(junk) :])
        except PictureRefused as refused:
            assert refused.code in ("no-picture", "pixels")


@pytest.mark.parametrize("alt", ["", "  \n", "\0\x01"])
def test_a_picture_without_a_text_that_stands_for_it_is_refused(newsletter: Newsletter, chen: Actor, alt: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        keep(newsletter, chen, file(), alt)
    assert refused.value.code == "no-alt"


@both_databases
@pytest.mark.parametrize("alt", ["港湾的海图", "a [b](c) *d* `e` ![f] \\ & <g>", "x" * 900])
def test_the_markdown_to_paste_shows_the_picture_in_a_story(newsletter: Newsletter, chen: Actor, alt: str) -> None:
    kept = keep(newsletter, chen, file(), alt)
    text = TEXT.replace("  说明：模型能", f"  {kept.markdown}\n  说明：模型能")
    saved = writing.create(newsletter, chen, DAY, text)
    assert [found.code for found in saved.diagnostics] == []
    made = preview_topics(newsletter, saved.slug, ("models",))
    assert f'<img src="{kept.url}"' in made.html
    assert kept.url in made.text
    assert pictures(newsletter)[0][0].used_in == (saved.slug,)


@both_databases
@pytest.mark.parametrize("key", ["", "x", "0" * 32, "a\0b", "%"])
def test_an_unknown_key_is_no_picture(newsletter: Newsletter, key: str) -> None:
    assert picture(newsletter, key) is None
    assert picture_data(newsletter, key) is None


KEY = "0a" * 16


@pytest.mark.parametrize(("width", "shown"), [(1200, 536), (1102, 536), (1100, 536), (560, 536), (320, 320)])
def test_a_picture_is_shown_as_wide_as_there_is_room(width: int, shown: int) -> None:
    found = picture_at(f"https://a.example.org/image/{KEY}-{width}x10.png", "https://a.example.org")
    assert found is not None
    assert found.shown_width == shown


@pytest.mark.parametrize(
    "url",
    [
        f"https://b.example.org/image/{KEY}-10x10.png",
        f"https://a.example.org.evil.example/image/{KEY}-10x10.png",
        f"https://a.example.org/image/{KEY}.png",
        f"https://a.example.org/image/{KEY}-10x10.svg",
        f"https://a.example.org/image/{KEY}-0x10.png",
        f"https://a.example.org/image/{KEY}-10x10.png?x=1",
        f"https://a.example.org/archive/../image/{KEY}-10x10.png",
    ],
)
def test_no_other_address_is_a_picture_of_ours(url: str) -> None:
    assert picture_at(url, "https://a.example.org") is None


def test_a_picture_comes_from_the_host_that_shows_the_mail() -> None:
    ours = f"/image/{KEY}-10x10.png"
    home = "https://a.example.org"
    html = f'<img src="{home}{ours}" alt=""><a href="{home}{ours}">x</a><img src="{home}/logo.png">'
    assert on_this_host(html) == html.replace(f'src="{home}{ours}', f'src="{ours}')


@pytest.mark.parametrize(("alt", "codes"), [("", ["image-alt-missing"]), ("海图", [])])
def test_a_picture_without_alternative_text_is_a_warning(
    newsletter: Newsletter, chen: Actor, alt: str, codes: list[str]
) -> None:
    url = f"https://news.example.org/image/{KEY}-10x10.png"
    text = TEXT.replace("  说明：模型能", f"  ![{alt}]({url})\n  说明：模型能")
    saved = writing.create(newsletter, chen, DAY, text)
    assert [found.code for found in saved.diagnostics] == codes
    assert read_issue(text.encode(), resolve=Catalogue().resolve).issue is not None


@pytest.mark.parametrize("base_url", ["https://news.example.org", "http://127.0.0.1:8000"])
def test_a_preview_asks_the_desk_itself_for_pictures_and_the_mail_asks_the_newsletter(
    newsletter: Newsletter, chen: Actor, base_url: str
) -> None:
    newsletter.settings.base_url = base_url
    kept = keep(newsletter, chen, file())
    saved = writing.create(newsletter, chen, DAY, TEXT.replace("  说明：模型能", f"  {kept.markdown}\n  说明：模型能"))
    made = preview_topics(newsletter, saved.slug, ("models",))
    client = at_desk(newsletter)
    frame = client.get(f"/preview/{saved.slug}/mail?by=topics&topic=models")
    assert f'<img src="{kept.url}"' in made.html
    assert f'<img src="{kept.kept.path}"' in frame.text
    assert "img-src 'self'" in frame.headers["content-security-policy"]
    assert client.get(kept.kept.path).status_code == 200
