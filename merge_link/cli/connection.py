"""Where requests go, and with which key: the sandbox, or Merge as flags and environment say."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import click

from merge_link import Client, _core, _environment
from merge_link.cli.failures import ExitCode, Failure
from merge_link.cli.inputs import STDIN, environment_with, name_of, read_key
from merge_link.cli.options import REGIONS, completion_of, number_of, refused_key_option

if TYPE_CHECKING:
    from merge_link.sandbox import Sandbox

    _Prepare = Callable[[Sandbox], dict[str, Any]]
# Stands for Merge's server of any region: no proxy variable tells them apart.
_MERGE = "https://api.merge.dev/api"


class EnvFile(NamedTuple):
    """A .env file, and which variables of this run come from it."""

    path: str
    names: frozenset[str]


@dataclass(frozen=True)
class Connection:
    """The flags of `connection_options`, as they were given."""

    sandbox: bool = False
    api_key_file: str | None = None
    env_file: EnvFile | None = None
    region: str | None = None
    base_url: str | None = None
    timeout: float | None = None

    @classmethod
    def taken_from(cls, flags: dict[str, Any]) -> Self:
        """Take the connection's flags out of all that were given."""
        return cls(**{field.name: flags.pop(field.name) for field in fields(cls)})

    def refuse_conflicts(self, **files: str | None) -> None:
        """Raise `Failure` when flags exclude each other.

        ``files`` are those of other flags, and of arguments, whose names are in capitals.
        """
        others = self._of_merge()
        files = {**files, **self._files()}
        problems = [
            f"--sandbox and {flag} exclude each other"
            for flag, value in others.items()
            if self.sandbox and value is not None
        ]
        from_stdin = [
            f"{name} -" if name.isupper() else f"--{name.replace('_', '-')} -"
            for name, path in files.items()
            if path == STDIN
        ]
        if len(from_stdin) > 1:
            problems.append(f"{' and '.join(from_stdin)} exclude each other: there is one stdin")
        if problems:
            raise Failure(*problems)

    def _of_merge(self) -> dict[str, str | None]:
        """What has no meaning with the sandbox."""
        return {
            "--base-url": self.base_url,
            "--region": self.region,
            "--api-key-file": self.api_key_file,
        }

    def _files(self) -> dict[str, str | None]:
        return {
            "api_key_file": self.api_key_file,
            "env_file": self.env_file.path if self.env_file else None,
        }

    def variable(self, name: str) -> str:
        """What to call an environment variable: with the file, if it comes from there."""
        if self.env_file is None or name not in self.env_file.names:
            return name
        return f"{name} (in {name_of(self.env_file.path)})"

    def words(self, base_url: str | None = None) -> dict[str, str]:
        """What to call the client's options, by where they came from.

        ``base_url`` is the client's, where it is known.
        """
        base_url = base_url or self.base_url or os.environ.get("MERGE_BASE_URL")
        origin = _core.origin(base_url) if base_url else None
        proxy = _environment.proxy_choice(base_url or _MERGE).variable
        ca_rule = _environment.ca_rule("")
        return {
            "api_key": f"the key of --api-key-file {name_of(self.api_key_file)}"
            if self.api_key_file is not None
            else self.variable("MERGE_API_KEY"),
            "base_url": "--base-url"
            if self.base_url is not None or not _environment.variable_of("base_url")
            else self.variable("MERGE_BASE_URL"),
            "region": "--region" if self.region is not None else self.variable("MERGE_REGION"),
            "timeout": "--timeout",
            "ca_bundle": self.variable(
                "SSL_CERT_DIR" if ca_rule == "SSL_CERT_DIR" else "SSL_CERT_FILE"
            ),
            "proxy": self.variable(proxy or "HTTPS_PROXY"),
            "no_proxy": f"NO_PROXY={origin[1]}" if origin else "A NO_PROXY entry for the host",
        }

    def api_key(self) -> str | None:
        """The key of the file; None leaves it to the client, which reads the environment."""
        if self.api_key_file is None:
            return None
        return read_key("--api-key-file", self.api_key_file)

    def credentials(self) -> dict[str, Any]:
        """The client's options that no variable of a frame should hold."""
        return {"api_key": self.api_key()}

    @contextmanager
    def options(self, prepare: "_Prepare | None" = None) -> Iterator[dict[str, Any]]:
        """Start the sandbox if it was asked for; yield the client's options.

        The key is among them with the sandbox only: that of a file is read by `api_key`.
        ``prepare`` gets the sandbox before it is used, and returns more options.
        """
        if not self.sandbox:
            yield {"region": self.region, "base_url": self.base_url, "timeout": self.timeout}
            return
        with _sandbox() as sandbox:
            yield {
                "base_url": sandbox.base_url,
                "api_key": sandbox.api_key,
                "timeout": self.timeout,
                **(prepare(sandbox) if prepare is not None else {}),
            }

    @contextmanager
    def client(self, prepare: "_Prepare | None" = None) -> Iterator[Client]:
        """Yield a client. Raises `Failure`, or what the client raises."""
        with (
            self.options(prepare) as options,
            Client(**{**self.credentials(), **options}) as client,
        ):
            yield client


def _sandbox() -> "Sandbox":
    try:
        from merge_link.sandbox import Sandbox
    except ImportError as error:
        raise Failure(str(error), code=ExitCode.CONFIGURATION) from None
    try:
        return Sandbox().start()
    except OSError as error:
        raise Failure(
            f"the sandbox could not start: {error.strerror}", code=ExitCode.NETWORK
        ) from None


def _fill_environment(
    context: click.Context, option: click.Parameter, path: str | None
) -> EnvFile | None:
    """Read the .env file before anything else looks at the environment."""
    if path is None or context.resilient_parsing:
        return None
    return EnvFile(path, context.with_resource(environment_with(path)))


def env_file_option() -> click.Option:
    """The flag ``--env-file``."""
    return click.Option(
        ["--env-file"],
        type=click.Path(),
        metavar="FILE",
        is_eager=True,
        callback=_fill_environment,
        help="Read MERGE_*, SSL_CERT_* and proxy variables from a .env file, for this run;"
        " what the environment has wins.",
    )


def connection_options(*, timeout: str = "30") -> Sequence[click.Option]:
    """Return the flags that `Connection` holds."""
    return [
        click.Option(
            ["--sandbox"],
            is_flag=True,
            help="Ask a sandbox inside this process, not Merge: needs neither key nor network.",
        ),
        click.Option(
            ["--api-key-file"],
            type=click.Path(),
            metavar="FILE",
            help="Read Merge's API key from a file, - for stdin.  [default: MERGE_API_KEY]",
        ),
        refused_key_option(),
        env_file_option(),
        click.Option(
            ["--region"],
            metavar="us|eu|apac",
            shell_complete=completion_of(REGIONS),
            help="Of Merge's servers.  [default: MERGE_REGION, else us]",
        ),
        click.Option(
            ["--base-url"],
            metavar="URL",
            help="What stands before /CATEGORY; wins over the region.  [default: MERGE_BASE_URL]",
        ),
        click.Option(
            ["--timeout"],
            callback=number_of(float, "a number of seconds, such as 30"),
            metavar="SECONDS",
            help=f"For the whole call, retries included.  [default: {timeout}]",
        ),
    ]
