"""Lists of addresses for tests: kept, changed, deleted, and refused in words."""

import pytest
from desk_samples import add_staff
from hypothesis import given
from hypothesis import strategies as st

from newsletter.app import Newsletter
from newsletter.editorial.test_lists import MOST_ADDRESSES, ListRefused, addresses_in, all_lists, drop, keep
from newsletter.staff.audit import Action, entries
from newsletter.staff.rights import Actor

pytestmark = pytest.mark.both_databases


@pytest.fixture
def chen(newsletter: Newsletter) -> Actor:
    return add_staff(newsletter)


def test_a_list_is_kept_changed_and_deleted_and_each_is_written_down(newsletter: Newsletter, chen: Actor) -> None:
    kept = keep(newsletter, chen, "编辑部", "a@example.org, b@example.org")
    keep(newsletter, chen, "编辑部 2", "c@example.org", kept.id)
    assert [(one.name, one.addresses) for one in all_lists(newsletter)] == [("编辑部 2", ("c@example.org",))]
    drop(newsletter, chen, kept.id)
    assert all_lists(newsletter) == ()
    with newsletter.reading() as session:
        assert [entry.action for entry in entries(session)] == [Action.TEST_LIST_CHANGED] * 3


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("", "a@example.org", "name"),
        ("x" * 101, "a@example.org", "name"),
        ("a\x00b", "a@example.org", "name"),
        ("taken", "a@example.org", "taken"),
        ("new", "", "none"),
        ("new", " ,;\n", "none"),
        ("new", "no address", "address"),
        ("new", " ".join(f"a{number}@example.org" for number in range(MOST_ADDRESSES + 1)), "many"),
    ],
)
def test_what_cannot_be_a_list_is_refused_and_nothing_is_kept(
    newsletter: Newsletter, chen: Actor, name: str, text: str, code: str
) -> None:
    keep(newsletter, chen, "taken", "a@example.org")
    with pytest.raises(ListRefused) as refusal:
        keep(newsletter, chen, name, text)
    assert refusal.value.code == code
    assert len(all_lists(newsletter)) == 1


def test_a_list_that_is_gone_is_neither_changed_nor_deleted_again(newsletter: Newsletter, chen: Actor) -> None:
    kept = keep(newsletter, chen, "编辑部", "a@example.org")
    drop(newsletter, chen, kept.id)
    for attempt in (lambda: drop(newsletter, chen, kept.id), lambda: keep(newsletter, chen, "x", "a@b.org", kept.id)):
        with pytest.raises(ListRefused) as refusal:
            attempt()
        assert refusal.value.code == "gone"


@given(
    st.lists(st.sampled_from(["a@example.org", "A@Example.org", "b@example.org"]), min_size=1),
    st.sampled_from(" ,;\n，"),
)
def test_an_address_stands_once_however_often_and_however_it_was_written(written: list[str], between: str) -> None:
    found = addresses_in(between.join(written))
    assert {address.casefold() for address in found} == {address.casefold() for address in written}
    assert len(found) == len({address.casefold() for address in found})
