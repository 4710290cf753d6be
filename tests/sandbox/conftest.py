"""Fixtures of the sandbox's tests."""

from collections.abc import Iterator

import pytest

from merge_link.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running
