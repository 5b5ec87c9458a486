"""packages.py VENV WHEELS SCRATCH: what installers make of an environment with the plugin: pip through this interpreter, and uv.

Nothing is broken, nothing else is in the way, and none of them takes the plugin away or for its own."""

import glob
import os
import subprocess
import sys
import zipfile

VENV, WHEELS, SCRATCH = sys.argv[1:]
PYTHON = os.path.join(VENV, "bin/python3")
(SITE,) = glob.glob(os.path.join(VENV, "lib/python3.*/site-packages"))


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def pip(*arguments):
    return run(sys.executable, "-m", "pip", "--python", PYTHON, "--disable-pip-version-check", *arguments)


def uv():
    """Unpacked from its wheel."""
    (wheel,) = glob.glob(os.path.join(WHEELS, "uv-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/scripts/uv")]
        program = archive.extract(name, SCRATCH)
    os.chmod(program, 0o755)
    return lambda *arguments: run(program, "pip", *arguments, "--python", PYTHON, "--offline", "--no-cache")


def plugin():
    found = {}
    for place, _, names in os.walk(SITE):
        if "longhorn_mlflow" in place:
            found.update({os.path.join(place, name): open(os.path.join(place, name), "rb").read() for name in names})
    return found


def told(outcome, *wanted):
    assert outcome[0] == 0 and "WARNING" not in outcome[2] and all(text in outcome[1] for text in wanted), outcome


before = plugin()
assert len(before) == 5, list(before)
told(pip("check"), "No broken requirements found")
told(pip("list"), "longhorn-mlflow")
assert pip("freeze", "--all") == (0, "longhorn-mlflow==0.1.0\n", ""), pip("freeze", "--all")
uv = uv()
assert uv("check")[0] == 0, uv("check")
for install, uninstall in ((pip, ("uninstall", "--yes")), (uv, ("uninstall",))):
    assert install("install", "--no-index", "--find-links", WHEELS, "filelock")[0] == 0
    assert os.path.isdir(os.path.join(SITE, "filelock"))
    assert install(*uninstall, "filelock")[0] == 0
    assert not os.path.isdir(os.path.join(SITE, "filelock"))
    status, out, err = install(*uninstall, "longhorn-mlflow")
    assert status != 0 and "RECORD" in out + err, (status, out, err)
    assert plugin() == before
print("ok packages")
