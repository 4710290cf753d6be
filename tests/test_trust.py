"""Where a key may go, and whom a client trusts, by its options and the environment."""

import os
from pathlib import Path

import pytest

import merge_link
from samples import KEY

ELSEWHERE = "http://merge.example/api"


def test_allow_http_false_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERGE_ALLOW_HTTP", "1")
    assert merge_link.Client(api_key=KEY, base_url=ELSEWHERE).allow_http
    with pytest.raises(merge_link.ConfigurationError, match="unencrypted"):
        merge_link.Client(api_key=KEY, base_url=ELSEWHERE, allow_http=False)


def test_plain_http_to_loopback_through_a_remote_proxy_is_no_loopback() -> None:
    options = {"base_url": "http://localhost:9/api", "proxy": "http://proxy.example:3128"}
    with pytest.raises(merge_link.ConfigurationError, match="unencrypted"):
        merge_link.Client(api_key=KEY, **options)
    with pytest.raises(merge_link.ConfigurationError, match="production"):
        merge_link.Client(api_key="production_" + KEY, allow_http=True, **options)


def test_plain_http_to_loopback_through_a_proxy_on_loopback_is_allowed() -> None:
    merge_link.Client(api_key=KEY, base_url="http://localhost:9/api", proxy="http://127.0.0.1:9")


@pytest.mark.parametrize("proxy", ["ftp://proxy.example", "http://proxy example", "[bad"])
def test_a_proxy_that_is_no_url_is_refused(proxy: str) -> None:
    with pytest.raises(merge_link.ConfigurationError, match="proxy must be a URL of http or https"):
        merge_link.Client(api_key=KEY, proxy=proxy)


@pytest.mark.parametrize("port", ["0x", "65536", "99999999"])
def test_a_proxy_with_an_impossible_port_is_told_so(port: str) -> None:
    with pytest.raises(merge_link.ConfigurationError, match="proxy must have a port of 1 to 65535"):
        merge_link.Client(api_key=KEY, proxy=f"http://proxy.example:{port}")


def test_first_directory_of_a_list_that_is_there_is_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = tmp_path / "certs"
    there.mkdir()
    (there / "0123abcd.0").touch()  # as `openssl rehash` names them
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere{os.pathsep}{there}{os.pathsep}{tmp_path}")
    assert merge_link.Client(api_key=KEY).ca_bundle == str(there)


def test_a_missing_directory_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    with pytest.raises(merge_link.ConfigurationError, match="SSL_CERT_DIR"):
        merge_link.Client(api_key=KEY)


def test_a_wrong_region_is_refused_beside_a_base_url_too() -> None:
    with pytest.raises(merge_link.ConfigurationError, match="region"):
        merge_link.Client(api_key=KEY, region="moon", base_url="https://merge.example/api")
