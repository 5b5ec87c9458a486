# A job that waits for the keeper's file is not the keeper: what root asks of the keeper it asks of no other process.
. /mnt/host/code/prelude.sh
lock > /dev/null
$python -c '
import fcntl, time
file = open("/run/longhorn/keeper")
print("waits", flush=True)
fcntl.flock(file, fcntl.LOCK_EX)
time.sleep(60)
' > /local_disk0/posed &
job=$!
until_true 5 grep -q waits /local_disk0/posed
kill -9 "$(pgrep -f 'longhorn keeper' | head -n 1)"
until_true 5 eval '! pgrep -f "longhorn keeper"'
$longhorn uninstall
kill -0 $job || fail "uninstall ended a process that is not the keeper"
expect 0 'locked (' lock
kill $job
