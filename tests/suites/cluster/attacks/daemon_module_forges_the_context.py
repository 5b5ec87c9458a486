"""expect: stopped by Read-only file system|Permission denied

The same daemon writes a context where everybody looks for it."""

APPLICATION = "configured"


def attempt(sc):
    import json
    import os

    def forge():
        os.makedirs("/run/longhorn", exist_ok=True)
        with open("/run/longhorn/context.json", "w") as file:
            json.dump({"scope": "admin"}, file)
        return json.load(open("/run/longhorn/context.json"))["scope"]

    return everywhere(sc, forge)
