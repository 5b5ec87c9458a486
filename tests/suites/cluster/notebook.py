"""notebook.py NUMBER: types the cells of standard input, each behind a line `# ---`, into notebook NUMBER, as the front end does.

Prints a line of JSON for each: whether it ended well, and everything that it printed."""

import json
import os
import sys
import time

from jupyter_client import BlockingKernelClient

file = f"/databricks/kernel-connections/{sys.argv[1]}.json"
client = BlockingKernelClient()
for _ in range(600):
    if os.path.exists(file) and os.path.getsize(file):
        break
    time.sleep(0.1)
client.load_connection_file(file)
client.start_channels()
client.wait_for_ready(timeout=120)
for cell in sys.stdin.read().split("# ---\n"):
    printed = []

    def hook(message):
        content = message["content"]
        if message["msg_type"] == "stream":
            printed.append(content["text"])
        elif message["msg_type"] in ("execute_result", "display_data"):
            printed.append(content["data"].get("text/plain", "") + "\n")
        elif message["msg_type"] == "error":
            printed.append(f"{content['ename']}: {content['evalue']}\n")

    reply = client.execute_interactive(cell, timeout=120, output_hook=hook)
    print(json.dumps({"cell": cell, "ok": reply["content"]["status"] == "ok", "printed": "".join(printed)}), flush=True)
