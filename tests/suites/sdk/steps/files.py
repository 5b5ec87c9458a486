"""Files and directories of a volume."""

import io
from itertools import islice

from steps.expect import all_of, refused, same


def file(workspace):
    directory = "/Volumes/main/longhorn/keys"
    refused("NOT_FOUND", lambda: workspace.files.upload(f"{directory}/node.pub", io.BytesIO(b"a key")))
    for _ in range(2):
        workspace.files.create_directory(directory)
    workspace.files.upload(f"{directory}/node.pub", io.BytesIO(b"a key"), overwrite=True)
    refused("ALREADY_EXISTS", lambda: workspace.files.upload(f"{directory}/node.pub", io.BytesIO(b"x")))
    same("content", workspace.files.download(f"{directory}/node.pub").contents.read(), b"a key")
    refused("NOT_FOUND", lambda: workspace.files.download(f"{directory}/other.pub"))
    workspace.files.create_directory(f"{directory}/nodes/c-1")
    for number in range(5):
        workspace.files.upload(f"{directory}/nodes/c-1/{number}", io.BytesIO(b"x"))
    entries = all_of(workspace.files.list_directory_contents(directory))
    same("entries", [(entry.name, entry.is_directory, entry.file_size) for entry in entries], [("node.pub", False, 5), ("nodes", True, None)])
    pages = islice(workspace.files.list_directory_contents(f"{directory}/nodes/c-1", page_size=2), 10)
    same("pages", [entry.path for entry in pages], [f"{directory}/nodes/c-1/{number}" for number in range(5)])
    refused("NOT_FOUND", lambda: list(workspace.files.list_directory_contents(f"{directory}/absent")))
