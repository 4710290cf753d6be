"""``merge-link completion``: the script that makes a shell complete our commands and flags."""

import click
from click.shell_completion import get_completion_class

from merge_link.cli.options import HELP_NAMES

_HELP = """Print the script that makes a shell complete merge-link.

\b
  bash:  merge-link completion bash > ~/.local/share/bash-completion/completions/merge-link
  zsh:   merge-link completion zsh > a file _merge-link in a folder of $fpath
  fish:  merge-link completion fish > ~/.config/fish/completions/merge-link.fish

For the shell that runs now: eval "$(merge-link completion bash)"
"""


def _completion(context: click.Context, /, *, shell: str) -> None:
    program = context.find_root()
    made = get_completion_class(shell)
    assert made is not None
    name = program.info_name or "merge-link"
    variable = f"_{name}_COMPLETE".replace("-", "_").upper()
    click.echo(made(program.command, {}, name, variable).source())


completion: click.Command = click.Command(
    "completion",
    help=_HELP,
    short_help="Print a shell's completion script.",
    context_settings={"help_option_names": HELP_NAMES},
    params=[click.Argument(["shell"], type=click.Choice(["bash", "zsh", "fish"]))],
    callback=click.pass_context(_completion),
)
