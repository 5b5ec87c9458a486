. /mnt/host/code/prelude.sh
lock > /dev/null
export HOME=/tmp
cd /tmp
for kind in plain copies; do
  [ $kind = plain ] && option= || option=--copies
  $python -m venv --without-pip $option /tmp/venv-$kind || fail "venv $kind"
done
expect 0 '/tmp/venv-plain fraud-training' /tmp/venv-plain/bin/python -c 'import sys, os; print(sys.prefix, os.environ["LONGHORN_SCOPE"])'
cat > /tmp/multi.py <<'P'
import multiprocessing as m, os, subprocess, sys
def square(x):
    return x * x, os.environ.get("LONGHORN_SCOPE")
if __name__ == "__main__":
    for how in ("fork", "spawn", "forkserver"):
        with m.get_context(how).Pool(2) as pool:
            assert pool.map(square, range(4)) == [(x * x, "fraud-training") for x in range(4)], how
    out = subprocess.run([sys.executable, "-c", "import os; print(os.environ['LONGHORN_SCOPE'])"], capture_output=True, text=True, env={"SMUGGLED": "1"})
    assert out.stdout == "fraud-training\n", out
    assert sys.executable == "/usr/bin/python3", sys.executable
    print("multiprocessing works")
P
expect 0 'multiprocessing works' $python /tmp/multi.py
long=$(head -c 122880 /dev/zero | tr '\0' x)
[ "$(FEATURE_LONG=$long $python -c 'import os; print(len(os.environ["FEATURE_LONG"]))')" = 122880 ] || fail "a value of 120 KB did not pass whole"
printf '#!/usr/bin/python3\nimport os\nprint("script in", os.environ["LONGHORN_SCOPE"])\n' > /local_disk0/script.py
expect 0 'script in fraud-training' $python /local_disk0/script.py
expect 0 '^0 ' sh -c "cd /local_disk0 && $python -c 'import os; print(0, os.getcwd())'"
