. /mnt/host/code/prelude.sh
lock > /dev/null
cat > /tmp/nest.py <<'P'
import os, subprocess, sys
depth = int(sys.argv[1])
if depth:
    sys.exit(subprocess.run([sys.executable, "/tmp/nest.py", str(depth - 1)], env={**os.environ, "SMUGGLED": "1"}).returncode)
status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and "SMUGGLED" not in os.environ, dict(os.environ)
assert os.environ["LONGHORN_SCOPE"] == "fraud-training"
try:
    open("/etc/x", "w")
except OSError:
    print("innermost is locked and scrubbed")
P
expect 0 'innermost is locked and scrubbed' $python /tmp/nest.py 20
