"""What the sandbox remembers: Merge's linking, without HTTP."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from merge_link.sandbox import tokens
from merge_link.sandbox.linking import Event, LinkRefused, LinkToken
from merge_link.sandbox.listing import InvalidCursor
from merge_link.sandbox.state import State
from merge_link.sandbox.tokens import MOST_LINK_TOKENS

KEY = "test_mine"
OTHER = "test_other"


@pytest.fixture
def state() -> Iterator[State]:
    made = State(KEY)
    yield made
    made.close()


def order(origin_id: str = "acme-42", *categories: str, **more: Any) -> dict[str, Any]:
    return {
        "end_user_email_address": "hr@acme.example",
        "end_user_organization_name": "Acme",
        "end_user_origin_id": origin_id,
        "categories": list(categories) or ["ats"],
        "link_expiry_mins": 30,
        **more,
    }


def make(state: State, *of: str, key: str = KEY, **more: Any) -> LinkToken:
    return state.create_link_token(key, order(*of, **more))


def link(state: State, integration: str, *of: str, key: str = KEY) -> Any:
    return state.complete_link(make(state, *of, key=key).token, integration).account


def reason_of(state: State, token: str, integration: str = "lever") -> str:
    with pytest.raises(LinkRefused) as caught:
        state.complete_link(token, integration)
    assert token not in str(caught.value)
    return caught.value.reason


# ---- link tokens ----


def test_a_link_token_keeps_all_of_its_order(state: State) -> None:
    asked = order(language="de", integration_specific_config={"a": [1, None]})
    made = state.create_link_token(KEY, asked)
    found = state.find_link_token(made.token)
    assert found == made
    assert found is not None
    assert found.order == asked
    assert state.find_link_token("x") is None


def test_a_link_token_links_once(state: State) -> None:
    made = make(state)
    state.complete_link(made.token, "lever")
    found = state.find_link_token(made.token)
    assert found is not None
    assert found.state == "used"
    assert reason_of(state, made.token) == "used"
    assert reason_of(state, "x") == "unknown"


@pytest.mark.parametrize(("minutes", "state_then"), [(29.9, "ready"), (30.1, "expired")])
def test_a_link_token_expires_by_the_sandboxs_clock(
    state: State, minutes: float, state_then: str
) -> None:
    made = make(state)
    state.advance(minutes * 60)
    found = state.find_link_token(made.token)
    assert found is not None
    assert found.state == state_then
    if state_then == "expired":
        assert reason_of(state, made.token) == "expired"
        assert state.list_accounts(KEY).results == []


def test_a_refused_link_leaves_the_link_token_ready(state: State) -> None:
    made = make(state)
    assert reason_of(state, made.token, "salesforce") == "integration"
    found = state.find_link_token(made.token)
    assert found is not None
    assert found.state == "ready"


def test_a_magic_link_leads_to_its_link_token_and_gives_no_public_token(state: State) -> None:
    made = make(state, should_create_magic_link_url=True)
    assert made.magic_link_code is not None
    assert state.find_magic_link(made.magic_link_code) == made
    account = state.complete_magic_link(made.magic_link_code, "lever")
    assert state.list_accounts(KEY).results == [account]
    assert reason_of(state, made.token) == "used"
    assert make(state).magic_link_code is None


def test_old_link_tokens_give_way_to_new_ones(state: State) -> None:
    with state._store.transaction as db:
        first, second, *_ = [make_in(db, state) for _ in range(2)]
        db.execute("UPDATE link_tokens SET number = ? WHERE number = 2", [MOST_LINK_TOKENS])
    make(state)
    assert state.find_link_token(first) is None
    assert state.find_link_token(second) is not None


def make_in(db: Any, state: State) -> str:
    from merge_link.sandbox import tokens
    from merge_link.sandbox.linking import make_token

    made = LinkToken(
        token=make_token(),
        magic_link_code=None,
        api_key=KEY,
        order=order(),
        integration=None,
        created_at=0,
        expires_at=0,
        state="ready",
    )
    tokens.insert_link_token(db, made)
    return made.token


# ---- linked accounts ----


def test_relinking_keeps_id_and_account_token(state: State) -> None:
    first = link(state, "greenhouse")
    again = state.complete_link(
        state.create_link_token(KEY, order(end_user_organization_name="Acme Inc")).token
    ).account
    assert (again.id, again.account_token) == (first.id, first.account_token)
    assert (again.integration_slug, again.end_user_organization_name) == ("greenhouse", "Acme Inc")
    assert len(state.list_accounts(KEY).results) == 1


@pytest.mark.parametrize("origin_id", ["acme-42", "ACME-42", "acme-43"])
@pytest.mark.parametrize("category", ["ats", "hris"])
@pytest.mark.parametrize("key", [KEY, OTHER])
def test_one_account_for_each_origin_id_and_category_and_key(
    state: State, origin_id: str, category: str, key: str
) -> None:
    first = link(state, "bamboohr", "acme-42", "ats")
    second = link(state, "bamboohr", origin_id, category, key=key)
    same = (origin_id, category, key) == ("acme-42", "ats", KEY)
    assert (first.id == second.id) is same
    assert (first.account_token == second.account_token) is same


def test_the_next_link_token_opens_with_what_was_linked(state: State) -> None:
    assert make(state).integration_name is None
    link(state, "greenhouse")
    assert make(state).integration_name == "Greenhouse"
    assert make(state, "acme-42", "hris", "ats").integration_name == "Greenhouse"
    assert make(state, "acme-42", "hris").integration_name is None
    assert make(state, "acme-43").integration_name is None
    assert make(state, key=OTHER).integration_name is None
    assert make(state, integration="lever").integration_name == "Lever"


def test_relinking_with_another_integration_changes_the_account(state: State) -> None:
    first = link(state, "greenhouse")
    second = link(state, "lever")
    assert (second.id, second.account_token) == (first.id, first.account_token)
    assert second.integration_name == "Lever"


def test_a_link_token_of_an_integration_links_no_other(state: State) -> None:
    made = make(state, integration="greenhouse")
    assert reason_of(state, made.token, "lever") == "integration"
    assert state.complete_link(made.token).account.integration_slug == "greenhouse"


def test_a_link_token_that_opens_with_none_needs_an_integration(state: State) -> None:
    with pytest.raises(LinkRefused, match="name an integration"):
        state.complete_link(make(state).token)


@pytest.mark.parametrize(
    ("categories", "integration", "category"),
    [
        (["ats"], "greenhouse", "ats"),
        (["hris", "ats"], "greenhouse", "ats"),
        (["hris", "ats"], "bamboohr", "hris"),
        (["ats", "hris"], "bamboohr", "ats"),
        (["crm", "ats"], "acme-of-our-own", "crm"),
        (["crm", "ats"], "GreenHouse", "ats"),
    ],
)
def test_the_account_lies_in_the_first_category_of_the_integration(
    state: State, categories: list[str], integration: str, category: str
) -> None:
    assert link(state, integration, "acme-42", *categories).category == category


def test_an_integration_that_was_linked_is_relinked_where_it_is(state: State) -> None:
    first = link(state, "bamboohr", "acme-42", "ats")
    assert link(state, "bamboohr", "acme-42", "hris", "ats").id == first.id


@pytest.mark.parametrize(
    ("key", "account_type"), [(KEY, "TEST"), ("x", "TEST"), ("production_x", "PRODUCTION")]
)
def test_the_key_decides_the_type_of_the_account(state: State, key: str, account_type: str) -> None:
    assert link(state, "lever", key=key).account_type == account_type


def test_an_account_is_found_by_its_token_and_by_its_own_key_only(state: State) -> None:
    account = link(state, "lever")
    assert state.find_account(KEY, account.account_token) == account
    assert state.find_account(OTHER, account.account_token) is None
    assert state.find_account(KEY, account.id) is None


def test_a_regenerated_account_token_replaces_the_old_one(state: State) -> None:
    account = link(state, "lever")
    renewed = state.regenerate_account_token(account)
    assert renewed is not None
    assert renewed.id == account.id
    assert state.find_account(KEY, account.account_token) is None
    assert state.find_account(KEY, renewed.account_token) == renewed
    assert link(state, "lever").account_token == renewed.account_token


def test_a_deleted_account_is_gone_and_linking_makes_a_new_one(state: State) -> None:
    public = state.complete_link(make(state).token, "lever")
    state.delete_account(public.account)
    state.delete_account(public.account)
    assert state.list_accounts(KEY).results == []
    assert state.exchange(KEY, public.token) is None
    assert make(state).integration_name is None
    assert link(state, "lever").id != public.account.id


@pytest.mark.parametrize("by", ["id", "account_token"])
def test_a_status_is_set_and_relinking_completes(state: State, by: str) -> None:
    account = link(state, "lever")
    for status in ("INCOMPLETE", "RELINK_NEEDED", "IDLE"):
        changed = state.set_status(getattr(account, by), status)  # type: ignore[arg-type]
        assert changed is not None
        assert changed.status == status
    assert link(state, "lever").status == "COMPLETE"
    assert state.set_status("nobody", "IDLE") is None
    with pytest.raises(ValueError, match="RELINK_NEEDED"):
        state.set_status(account.id, "relink")  # type: ignore[arg-type]


# ---- public tokens ----


def test_a_public_token_is_exchanged_once(state: State) -> None:
    public = state.complete_link(make(state).token, "lever")
    assert state.exchange(KEY, public.token) == public.account
    assert state.exchange(KEY, public.token) is None
    assert state.exchange(KEY, "x") is None


@pytest.mark.parametrize(("minutes", "lives"), [(9.9, True), (10.1, False)])
def test_a_public_token_lives_ten_minutes(state: State, minutes: float, lives: bool) -> None:
    public = state.complete_link(make(state).token, "lever")
    state.advance(minutes * 60)
    assert (state.exchange(KEY, public.token) is not None) is lives


def test_only_the_latest_public_tokens_are_kept(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST_PUBLIC_TOKENS", 3)
    made = [state.complete_link(make(state).token, "lever").token for _ in range(5)]
    found = [state.exchange(KEY, token) is not None for token in made]
    assert found == [False, False, True, True, True]


def test_a_public_token_in_the_wrong_hands_stays_good(state: State) -> None:
    public = state.complete_link(make(state).token, "lever")
    assert state.exchange(OTHER, public.token) is None
    assert state.exchange(KEY, public.token, "hris") is None
    assert state.exchange(KEY, public.token, "ats") == public.account


# ---- lists ----


def walk(state: State, page_size: int, **filters: list[str]) -> list[list[str]]:
    pages, cursor = [], ""
    while True:
        page = state.list_accounts(KEY, [*filters.items()], cursor=cursor, page_size=page_size)
        pages.append([account.end_user_origin_id for account in page.results])
        if page.next is None:
            return pages
        cursor = page.next


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7])
@pytest.mark.parametrize("page_size", [1, 3, 100])
def test_pages_cover_each_account_once_in_order(state: State, count: int, page_size: int) -> None:
    ids = [f"user-{number}" for number in range(count)]
    for origin_id in ids:
        link(state, "lever", origin_id)
        link(state, "lever", origin_id, key=OTHER)
    pages = walk(state, page_size)
    assert [origin_id for page in pages for origin_id in page] == ids
    assert all(len(page) == page_size for page in pages[:-1])


def test_previous_leads_back_the_same_way(state: State) -> None:
    for number in range(7):
        link(state, "lever", f"user-{number}")
    pages, cursor = [], ""
    while True:
        pages.append(state.list_accounts(KEY, cursor=cursor, page_size=3))
        if pages[-1].next is None:
            break
        cursor = pages[-1].next
    assert pages[0].previous is None
    for before, page in pairwise(pages):
        assert page.previous is not None
        back = state.list_accounts(KEY, cursor=page.previous, page_size=3)
        assert (back.results, back.next) == (before.results, before.next)


def test_a_cursor_outlives_its_account(state: State) -> None:
    for number in range(4):
        link(state, "lever", f"user-{number}")
    page = state.list_accounts(KEY, page_size=2)
    assert page.next is not None
    for account in state.list_accounts(KEY).results[1:]:
        state.delete_account(account)
    empty = state.list_accounts(KEY, cursor=page.next, page_size=2)
    assert (empty.results, empty.next) == ([], None)
    assert empty.previous is not None
    back = state.list_accounts(KEY, cursor=empty.previous, page_size=2)
    assert [account.end_user_origin_id for account in back.results] == ["user-0"]


@pytest.mark.parametrize("cursor", ["x", "cD14", "é", "cD0tMQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_what_is_no_cursor_is_refused(state: State, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        state.list_accounts(KEY, cursor=cursor)


def test_filters_narrow_a_list(state: State) -> None:
    link(state, "lever", "a")
    link(state, "greenhouse", "b")
    link(state, "gusto", "b", "hris")
    assert walk(state, 9, end_user_origin_id=["b"]) == [["b", "b"]]
    assert walk(state, 9, end_user_origin_id=["b"], category=["ats"]) == [["b"]]
    assert walk(state, 9, integration_name=["Lever", "Gusto"]) == [["a", "b"]]
    assert walk(state, 9, status=["IDLE"]) == [[]]
    assert walk(state, 9, id=[]) == [[]]
    assert len(state.list_accounts(None).results) == 3


# ---- events ----


def test_listeners_hear_of_each_change_after_it_is_kept(state: State) -> None:
    heard: list[tuple[str, str, int]] = []

    def listen(event: Event) -> None:
        kept = state.list_accounts(KEY).results
        heard.append((event.name, event.account.status, len(kept)))

    state.listeners.append(listen)
    account = link(state, "lever")
    state.set_status(account.id, "RELINK_NEEDED")
    link(state, "lever")
    state.delete_account(account)
    assert reason_of(state, "x") == "unknown"
    assert heard == [
        ("linked", "COMPLETE", 1),
        ("relinked", "COMPLETE", 1),
        ("deleted", "COMPLETE", 0),
    ]


def test_listeners_hear_in_the_order_of_the_changes(state: State) -> None:
    names: list[str] = []
    state.listeners.append(lambda event: names.append(event.name))

    def work(_: int) -> None:
        state.delete_account(link(state, "lever"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(200)))
    there = False
    for name in names:
        assert there is (name != "linked")
        there = name != "deleted"


# ---- all of it ----


def test_a_link_token_used_by_many_at_once_links_once(state: State) -> None:
    made = make(state)
    barrier = threading.Barrier(16)

    def work(_: int) -> str:
        barrier.wait(10)
        try:
            return state.complete_link(made.token, "lever").token
        except LinkRefused as refused:
            return refused.reason

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(work, range(16)))
    assert results.count("used") == 15
    (token,) = set(results) - {"used"}
    with ThreadPoolExecutor(16) as pool:
        accounts = list(pool.map(lambda _: state.exchange(KEY, token), range(16)))
    assert accounts.count(None) == 15


def test_reset_forgets_all_but_the_first_key(state: State) -> None:
    state.add_api_key(OTHER)
    account = link(state, "lever")
    state.advance(3600)
    state.reset()
    assert (state.accepts(KEY), state.accepts(OTHER)) == (True, False)
    assert state.find_account(KEY, account.account_token) is None
    assert state.latest_link_tokens() == []
    made = make(state)
    state.advance(29 * 60)
    found = state.find_link_token(made.token)
    assert found is not None
    assert found.state == "ready"


@pytest.mark.parametrize(
    ("key", "strict", "lax"),
    [
        (KEY, True, True),
        ("test_x", False, True),
        ("production_x", False, True),
        ("x", False, False),
    ],
)
def test_strict_keys_are_its_own_and_others_have_a_known_prefix(
    key: str, strict: bool, lax: bool
) -> None:
    assert State(KEY).accepts(key) is strict
    assert State(KEY, strict_keys=False).accepts(key) is lax


def test_no_repr_shows_a_credential(state: State) -> None:
    events: list[Event] = []
    state.listeners.append(events.append)
    made = make(state, should_create_magic_link_url=True)
    public = state.complete_link(made.token, "lever")
    shown = f"{state!r} {made!r} {public!r} {events!r}"
    for secret in (
        KEY,
        made.token,
        made.magic_link_code,
        public.token,
        public.account.account_token,
    ):
        assert secret is not None
        assert secret not in shown
