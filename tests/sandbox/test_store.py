"""The sandbox's file: what is kept in it stays, and what is not a sandbox's is left alone."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from merge_link.sandbox.state import State

ORDER = {
    "end_user_email_address": "hr@acme.example",
    "end_user_organization_name": "Acme",
    "end_user_origin_id": "acme-42",
    "categories": ["ats"],
    "link_expiry_mins": 30,
}

# Links accounts without end, and prints the id of each one only when it is kept.
LINKING = """
import sys
from merge_link.sandbox.state import State
state = State(path=sys.argv[1])
state.advance(600)
print(state.api_key, flush=True)
for number in range(10**9):
    order = {**%r, "end_user_origin_id": str(number)}
    link = state.create_link_token(state.api_key, order)
    public = state.complete_link(link.token, "lever")
    print(public.token, public.account.id, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.db"


def test_what_was_told_survives_kill_9(path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", LINKING % ORDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process:
        key = process.stdout.readline().strip()
        told = [process.stdout.readline().split() for _ in range(50)]
        process.send_signal(signal.SIGKILL)
        told += [words for line in process.stdout if len(words := line.split()) == 2]
    state = State(path=path)
    assert state.api_key == key
    for public_token, account_id in told[:-1]:
        account = state.exchange(key, public_token, "ats")
        assert account is not None
        assert account.id == account_id
    state.close()


def test_the_time_that_passed_is_kept(path: Path) -> None:
    first = State(path=path)
    first.advance(3600)
    link = first.create_link_token(first.api_key, ORDER)
    first.close()
    second = State(path=path)
    assert second.find_link_token(link.token) == link
    second.advance(1801)
    found = second.find_link_token(link.token)
    assert found is not None
    assert found.state == "expired"
    second.close()


def test_another_key_is_added_to_those_of_the_file(path: Path) -> None:
    first = State("test_first", path=path)
    first.add_api_key("test_second")
    first.close()
    third = State("test_third", path=path)
    assert third.api_key == "test_third"
    assert all(third.accepts(key) for key in ("test_first", "test_second", "test_third"))
    third.close()
    again = State(path=path)
    assert again.api_key == "test_first"
    again.close()


def test_only_its_owner_may_read_the_file(path: Path) -> None:
    state = State(path=path)
    state.create_link_token(state.api_key, ORDER)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    state.close()


def test_a_file_in_use_is_refused_and_free_after_close(path: Path) -> None:
    first = State(path=path)
    first.create_link_token(first.api_key, ORDER)
    script = "import sys\nfrom merge_link.sandbox.state import State\nState(path=sys.argv[1])"
    command = [sys.executable, "-c", script, str(path)]
    other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "in use by another sandbox" in other.stderr
    with pytest.raises(ValueError, match="in use by another sandbox"):
        State(path=path)
    first.close()
    State(path=path).close()
    assert os.listdir(path.parent) == [path.name]


def test_what_is_no_database_of_a_sandbox_is_left_as_it_is(path: Path) -> None:
    path.write_bytes(b"my diary " * 1000)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not a database"):
        State(path=path)
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE diary (day TEXT)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not a sandbox's database"):
        State(path=path)
    assert path.read_bytes() == before


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    State(path=path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ValueError, match="another version"):
        State(path=path)


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        State(path=tmp_path / "nowhere" / "sandbox.db")


def test_sqlites_own_name_for_memory_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    state = State(path=":memory:")
    state.create_link_token(state.api_key, ORDER)
    state.close()
    assert list(tmp_path.iterdir()) == []
