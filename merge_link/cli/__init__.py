"""The command ``merge-link``, for people and shell scripts (extra ``cli``: click, python-dotenv).

What lives here, from the top down; a module imports only from those below it:

==============  ==============================================================
``program``     the command as a whole: its subcommands, its exit codes
``create``      ``merge-link create``: flags in, link token out
``bulk``        ``merge-link bulk``: a table in, a table with link tokens out
``exchange``    ``merge-link exchange``: public token in, account token out
``accounts``    ``merge-link accounts``: linked accounts, listed, shown, synced, deleted
``issues``      ``merge-link issues``: what is wrong with them
``keys``        ``merge-link keys``: remote keys
``request``     ``merge-link request``: any endpoint
``webhook``     ``merge-link webhook``: is one Merge's; and sending one
``doctor``      ``merge-link doctor``: what was found, and what to do, as text or JSON
``sandbox``     ``merge-link sandbox``: a sandbox that runs until Ctrl-C
``completion``  ``merge-link completion``: the script that a shell needs
``sending``     of ``bulk``: asking for the rows, and writing down what comes
``columns``     what each column of a table is for, and what is wrong with its rows
``journal``     the files of a run that may be killed at any moment
``tables``      reading CSV and JSON Lines
``sheets``      writing them, and finding again what was written whole
``progress``    how far a run is
``checkup``     what the doctor looks at, one finding for each
``probe``       one harmless request, and how far it came
``advice``      what to do when the server was not reached, or answered no
``listing``     lists of results as tables, JSON or JSON Lines
``account``     whose account it is about: the account token, a demo account in the sandbox
``asking``      questions before what cannot be taken back
``groups``      commands that hold others
``connection``  where requests go, and with which key: the sandbox or Merge
``browser``     opening a magic link, or the sandbox's page
``inputs``      what comes from files: the JSON object, keys, variables
``failures``    errors as lines for a person, in terms of the flags they typed
``options``     the flags, made from the field rows of the C core
``output``      a result as text, JSON or lines for a shell; colours
==============  ==============================================================

The rest of `merge_link` never imports this package, and this module loads click only when there is
something to do for it.
"""

import io
import sys

from merge_link._version import __version__

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""


def main() -> None:
    """Run the command line with the arguments of this process, and exit."""
    if sys.argv[1:] == ["--version"]:
        print(f"merge-link {__version__}")
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may be in any script
    try:
        _run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _run() -> None:
    try:
        import click  # noqa: F401
    except ImportError:
        sys.exit('merge-link: the command line needs click: pip install "merge-link[cli]"')
    import logging

    from merge_link.cli.program import program

    # Of retries only the outcome is told.
    logging.getLogger("merge_link").addHandler(logging.NullHandler())
    program.main(prog_name="merge-link")
