"""A real notebook kernel: interrupt a cell whose call waits, then run another.

Argument: ``bulk`` for a call of many.
"""

import os
import sys
import time
from tempfile import TemporaryDirectory

from samples import FIELDS, KEY, TOKEN
from scripted import PATIENCE, Server, stay_silent, token_answer

SETUP = "import merge_link; client = merge_link.Client(base_url={url!r}, api_key={key!r})"
CELL = f"assert client.create_link_token(**{FIELDS!r}).link_token == {TOKEN!r}"
BULK = f"run = client.create_link_tokens([{FIELDS!r}] * 50, concurrency=4)\nrun.collect()"
IS_BULK = sys.argv[1:] == ["bulk"]
ANSWERS = [token_answer(), *[stay_silent] * 4] if IS_BULK else [stay_silent]


def main(server: Server) -> None:
    from jupyter_client.manager import KernelManager

    manager = KernelManager(transport="ipc")
    manager.start_kernel()
    kernel = manager.client()
    kernel.start_channels()
    try:
        kernel.wait_for_ready(timeout=60)
        kernel.execute(SETUP.format(url=server.base_url, key=KEY), reply=True, timeout=PATIENCE)
        cell = kernel.execute(BULK if IS_BULK else CELL, stop_on_error=False)
        server.wait_for_requests(len(ANSWERS))
        interrupted_at = time.monotonic()
        manager.interrupt_kernel()
        while (reply := kernel.get_shell_msg(timeout=PATIENCE))["parent_header"]["msg_id"] != cell:
            pass
        assert time.monotonic() - interrupted_at < 1.5
        print(reply["content"]["status"], reply["content"]["ename"])
        if IS_BULK:
            print(*reply["content"]["traceback"][-3:])
        print(kernel.execute(CELL, reply=True, timeout=PATIENCE)["content"]["status"])
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)


with TemporaryDirectory() as place, Server(*ANSWERS, token_answer()) as scripted:
    # Read when jupyter_client is imported. The path of a socket may not be long.
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        os.environ[name] = place
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    main(scripted)
