# A job that outlives its lock has no hold on the next one.
. /mnt/host/code/prelude.sh
lock > /dev/null
$python -c '
import os, time
while not os.path.exists("/local_disk0/go"):
    time.sleep(0.05)
for path in ["/run/longhorn", "/run/longhorn/lock", "/run/longhorn/lease", "/run/longhorn/sock"]:
    try:
        os.chmod(path, 0o777)
        print("changed", path)
    except OSError as error:
        print(error.strerror)
print("tried")
' > /local_disk0/old &
job=$!
sleep 0.5
$longhorn uninstall
lock > /dev/null
touch /local_disk0/go
wait $job
grep -q tried /local_disk0/old || fail "the job did not try"
! grep changed /local_disk0/old || fail "a job of an earlier lock changed the new one"
expect 0 '' $python -c pass
