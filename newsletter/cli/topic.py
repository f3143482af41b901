"""`newsletter topic …`."""

from dataclasses import asdict
from typing import Annotated

import typer

from newsletter.cli.output import AsJson, console, open_newsletter, print_json, print_table

app = typer.Typer()


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show the topics in their order, with what they are about and the headings that mean them."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        topics = newsletter.topics(session).all()
    if as_json:
        print_json([asdict(topic) for topic in topics])
        return
    rows = [
        (topic.slug, topic.zh, topic.en, f"{topic.about_zh}\n{topic.about_en}".strip(), "、".join(topic.aliases))
        for topic in topics
    ]
    print_table(("slug", "中文", "English", "about", "aliases"), rows, "No topics; `newsletter topic add` makes one.")


@app.command()
def add(
    slug: Annotated[str, typer.Argument(help="Short name in letters, digits and hyphens.")],
    zh: Annotated[str, typer.Option(help="The Chinese name.")],
    en: Annotated[str, typer.Option(help="The English name.")],
) -> None:
    """Add a topic; section headings with its names belong to it from now on."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        newsletter.topics(session).add(slug, zh, en)
    console().print(f"{slug}: added.")


@app.command()
def alias(
    slug: Annotated[str, typer.Argument(help="The topic.")],
    heading: Annotated[str, typer.Argument(help="A section heading that means it.")],
) -> None:
    """Let a section heading mean a topic."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        newsletter.topics(session).add_alias(slug, heading)
    console().print(f"{heading}: means {slug} from now on.")


@app.command()
def about(
    slug: Annotated[str, typer.Argument(help="The topic.")],
    zh: Annotated[str | None, typer.Option(help="What it is about, in Chinese; an empty text takes it away.")] = None,
    en: Annotated[str | None, typer.Option(help="What it is about, in English.")] = None,
) -> None:
    """Say what a topic is about, for the page where readers choose; what is not given stays as it is."""
    if zh is None and en is None:
        raise typer.BadParameter("give --zh, --en or both")
    newsletter = open_newsletter()
    with newsletter.session() as session:
        newsletter.topics(session).describe(slug, zh, en)
    console().print(f"{slug}: described.")
