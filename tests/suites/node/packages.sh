# What people install with, under the lock: pip, console scripts, virtualenv, uv, copies of the interpreter.
. /mnt/host/code/prelude.sh
lock > /dev/null
export HOME=/local_disk0
base=/local_disk0/.ephemeral_nfs
mkdir -p $base
cd $base
told='import os, sys; print(os.environ["LONGHORN_SCOPE"], sys.prefix, os.environ.get("SMUGGLED"))'
expect 0 '' $python -m venv $base/plain
expect 0 'Successfully installed' $base/plain/bin/python -m pip install --no-index --find-links /mnt/host/wheels virtualenv uv
expect 0 '^virtualenv ' $base/plain/bin/virtualenv --version
expect 0 '' $base/plain/bin/virtualenv --no-download $base/virtual
SMUGGLED=1 expect 0 "^fraud-training $base/virtual None" $base/virtual/bin/python -c "$told"
expect 0 '' $python -m venv --copies --without-pip $base/copies
[ ! -L $base/copies/bin/python3 ] || fail "--copies made a link"
SMUGGLED=1 expect 0 "^fraud-training $base/copies None" $base/copies/bin/python3 -c "$told"
cat > $base/with_uv.py <<'P'
import os, subprocess, sys
uv = "/local_disk0/.ephemeral_nfs/plain/bin/uv"
where = "/local_disk0/.ephemeral_nfs/uv"
def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout
run(uv, "venv", "--offline", "--no-cache", "--python", "/usr/bin/python3", where)
run(uv, "pip", "install", "--offline", "--no-cache", "--no-index", "--find-links", "/mnt/host/wheels", "--python", where + "/bin/python", "virtualenv")
print(run(where + "/bin/python", "-c", sys.argv[1]), run(where + "/bin/virtualenv", "--version"))
P
expect 0 "^fraud-training $base/uv None" $python $base/with_uv.py "$told"
