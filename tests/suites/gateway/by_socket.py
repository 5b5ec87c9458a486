"""by_socket.py: the same job as train.py, by the socket, with the plugin as `init` places it."""

import runpy
import sys

sys.path.insert(0, "/mnt/host/code/plugin")
sys.argv[1:] = ["http://longhorn.invalid"]
runpy.run_path("/mnt/host/code/train.py", run_name="__main__")
