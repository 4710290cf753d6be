"""Run the cells of a notebook in a real kernel and print the file that is saved.

Argument: the notebook's file, or a JSON list of cells.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory


def main(argument: str, place: str) -> None:
    import nbformat
    from nbclient import NotebookClient
    from traitlets.config import Config

    if argument.startswith("["):
        cells = [nbformat.v4.new_code_cell(source) for source in json.loads(argument)]
        notebook = nbformat.v4.new_notebook(cells=cells)
    else:
        notebook = nbformat.reads(Path(argument).read_text(), as_version=4)
    # Its sockets lie beside this file, and so apart from those of other kernels.
    kernel = {"transport": "ipc", "connection_file": f"{place}/kernel.json"}
    config = Config(KernelManager=kernel)
    NotebookClient(notebook, config=config, allow_errors=True, timeout=60).execute()
    print(nbformat.writes(notebook))


with TemporaryDirectory() as place:
    # Read when jupyter_client is imported. The path of a socket may not be long.
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        os.environ[name] = place
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    main(sys.argv[1], place)
