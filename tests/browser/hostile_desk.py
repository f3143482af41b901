"""Script in every field that the staff fill or read: names, notes, lists, pictures, replies of servers, the audit log.

Each text holds the mark that shows what of it is seen, and payloads that call `alert` or set `ran`.
"""

from collections.abc import Sequence
from datetime import date
from io import BytesIO

from PIL import Image
from sending import Hand
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.editorial import look, pictures, test_lists, writing
from newsletter.readers import reader_lists, staff_changes, suppressing, topic_changes
from newsletter.staff import accounts, audit, invitations, sessions
from newsletter.staff.rights import Role
from subscribers.models import State
from subscribers.preferences import Preferences

DRAFT, ARTICLE, SENT = "2026-03-07", "2026-03-08", "2026-03-09"
_FATES = {
    "wen1": (Verdict.UNKNOWN, Stage.DOT, 0),
    "wen2": (Verdict.LATER, Stage.RCPT, 452),
    "wen4": (Verdict.REFUSED, Stage.RCPT, 550),
}


def fill_desk(newsletter: Newsletter, texts: Sequence[str]) -> dict[str, str]:
    """Write it all down; `texts` are one for short fields and one for long ones. Gives the values of addresses."""
    short, long = texts
    with newsletter.session() as session:
        row = accounts.invite(session, "chen@example.org", short, tuple(Role), newsletter.clock())
        editor = accounts.actor_of(row)
        token = sessions.begin(session, row, newsletter.clock(), origin="127.0.0.1", browser=long)
        audit.record(session, editor, audit.Action.SETTING_CHANGED, long, newsletter.clock(), **{long: long})
    invited = invitations.invite(newsletter, editor, "li@example.org", short, [Role.EDITOR])
    _settle(newsletter, long)
    text = writing.text_of(newsletter, DRAFT)
    writing.save(newsletter, editor, DRAFT, text[1] + f"\n- **{short}**\n  说明：{long}\n", text[0].number)
    empty = writing.create(newsletter, editor, date(2026, 3, 20), f"# {short}, 2026-03-20\n\n## {long}\n\n- {long}\n")
    topic_changes.add_alias(newsletter, editor, "hostile", "'><script>alert(31)</script>")
    test_lists.keep(newsletter, editor, short, "seed@example.org")
    suppressing.suppress_all(newsletter, editor, "angry@example.net", long[:200])
    drawn = BytesIO()
    Image.new("RGB", (32, 32)).save(drawn, "PNG")
    pictures.keep_picture(newsletter, editor, short, drawn.getvalue(), long)
    public_id = staff_changes.add(
        newsletter, editor, "agreed@example.com", Preferences(("hostile",)), name=short, state=State.ACTIVE, agreed=long
    )
    cell = '"' + long.replace('"', '""') + '"'
    lines = f"address,name,{cell},topics\nnew1@example.com,{cell},x,{cell}\n{cell},x,x,hostile\n"
    key = reader_lists.keep(newsletter, editor, short, BytesIO(lines.encode()), State.ACTIVE)
    shared, _ = look.share(newsletter, editor, SENT, (), "zh", look.DAYS[0])
    with newsletter.reading() as session:
        (suppressed,) = newsletter.suppression(session).newest(1)
        entries = session.exec(select(Delivery).order_by(col(Delivery.id))).all()
        member = accounts.find(session, "li@example.org").public_id
    numbers = {one.address.partition("@")[0] + str(one.mailing_id): str(one.id) for one in entries if one.address}
    return {
        "desk": token,
        "empty": empty.slug,
        "welcome": invited.link.rpartition("/")[2],
        "member": member,
        "reader": public_id,
        "list": key,
        "look": shared,
        "suppressed": str(suppressed.id),
        **{f"entry_{name}": number for name, number in numbers.items()},
    }


def _settle(newsletter: Newsletter, reply: str) -> None:
    """Hand both issues over, with replies of a server that was told what to say."""
    for mailing in (1, 2):
        hand = Hand(newsletter, mailing)
        for row in hand.take(10):
            verdict, stage, code = _FATES.get(row.address.partition("@")[0], (Verdict.ACCEPTED, Stage.DONE, 250))
            hand.settle(row, Outcome(verdict, stage, code, reply))
        hand.seat.leave()


_SHOWING = ("desktop", "phone", "dark", "images", "style", "inbox", "text", "source", "decoded")
DESK_PAGES = {
    "overview": "/desk",
    "issues": "/desk/issues",
    "issues, found": "/desk/issues?q={short}",
    "new issue": "/desk/issues/new",
    **{f"editor of {slug}": f"/desk/issues/{slug}" for slug in (DRAFT, ARTICLE, SENT)},
    "checks of a text without order": "/desk/issues/{empty}/checks",
    "editor, figures": f"/desk/issues/{DRAFT}?figures=1",
    "editor, text": f"/desk/issues/{SENT}?view=text",
    "editor, frame": f"/desk/issues/{SENT}/frame",
    "editor, query": f"/desk/issues/{SENT}?topics=hostile&view={{all}}&by={{all}}&language={{all}}",
    "history": f"/desk/issues/{DRAFT}/history",
    "difference": f"/desk/issues/{DRAFT}/history/2?whole=1",
    "pictures": "/desk/images",
    **{f"checks of {slug}": f"/desk/issues/{slug}/checks" for slug in (DRAFT, ARTICLE, SENT)},
    **{f"preview, {view}": f"/desk/issues/{SENT}/preview?view={view}" for view in _SHOWING},
    "preview of a draft": f"/desk/issues/{DRAFT}/preview",
    "preview of an article": f"/desk/issues/{ARTICLE}/preview",
    "preview by reader": f"/desk/issues/{SENT}/preview?by=reader&reader=wen1%40example.com",
    "preview by edition": f"/desk/issues/{SENT}/preview?by=edition",
    "preview, query": f"/desk/issues/{SENT}/preview?by=reader&q={{all}}&reader={{all}}&topics={{all}}&view={{all}}",
    "preview, mail": f"/desk/issues/{SENT}/preview/mail?reader=wen1%40example.com",
    "look": "/look/{look}",
    "look, text": "/look/{look}?view=text",
    "look, mail": "/look/{look}/mail",
    **{f"sending of {slug}": f"/desk/issues/{slug}/sending" for slug in (DRAFT, ARTICLE, SENT)},
    "sending, done": f"/desk/issues/{SENT}/sending?done={{all}}",
    "test": f"/desk/issues/{SENT}/test",
    "test lists": "/desk/test-lists",
    "readers": "/desk/readers",
    "readers, found": "/desk/readers?q={short}&state={all}&topic={all}&reads={all}&format={all}",
    "reader": "/desk/readers/{reader}",
    "forget a reader": "/desk/readers/{reader}/forget",
    "add a reader": "/desk/readers/add",
    "import": "/desk/readers/import/{list}",
    "suppression": "/desk/suppression",
    "suppression, found": "/desk/suppression?q={short}&reason={all}",
    "lift a suppression": "/desk/suppression/{suppressed}/lift",
    "topics": "/desk/topics",
    "topic": "/desk/topics/hostile",
    "add a topic": "/desk/topics/add?heading={short}",
    "log": "/desk/log",
    "log, found": "/desk/log?q={short}&issue={all}&state={all}",
    **{f"log entry of wen{n}": f"/desk/log/{{entry_wen{n}2}}" for n in range(5)},
    "log entry, source": "/desk/log/{entry_wen02}?view=decoded",
    "log entry, mail": "/desk/log/{entry_wen02}/mail",
    "settings": "/desk/settings",
    "staff": "/desk/staff",
    "staff member": "/desk/staff/{member}",
    "welcome": "/desk/welcome/{welcome}",
    "audit": "/desk/audit?who={all}&action={all}",
    "account": "/desk/account",
    "second factor": "/desk/account/second-factor",
}
"""What the staff see; the name of the editor, a payload, stands at the top of each."""
