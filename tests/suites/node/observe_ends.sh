# Observed: no launch fails for want of a lock, a lease or Longhorn itself; what enforcing would have refused is said.
. /mnt/host/code/prelude.sh
target=$(readlink -f $python)
before=$(sha256sum < "$target")
lock > /dev/null
[ "$(sha256sum < "$target")" != "$before" ] || fail "the interpreter is not covered"
record() { cat /var/lib/longhorn/log/*/seg-*; }
would() { record | grep -q "\"would_refuse\":\"$1\""; }
show='import os; print(os.environ.get("SMUGGLED"), os.environ.get("LONGHORN_SCOPE"))'
# A copy that knows its number and nothing else.
cp "$target" /local_disk0/copy
mv /run/longhorn/lock /run/longhorn/kept
SMUGGLED=1 expect 0 '^1 None' $python -c "$show"
until_true 5 would lock-missing
printf damaged > /run/longhorn/lock
SMUGGLED=1 expect 0 '^1 None' $python -c "$show"
until_true 5 would lock-foreign
chmod 444 /run/longhorn/lock
SMUGGLED=1 expect 0 '^1 None' $python -c "$show"
until_true 5 would lock-damaged
mv /run/longhorn/kept /run/longhorn/lock
SMUGGLED=1 expect 0 '^1 fraud-training' $python -c "$show"
# A lease that is over while its keeper cannot be asked.
cp /run/longhorn/lease /run/longhorn/kept
kill -STOP "$(cat /run/longhorn/keeper)"
ended() { SMUGGLED=1 $python -c "$show" | grep -q '^1 fraud-training' || fail "a launch failed"; would lease-ended; }
until_true 15 ended
kill -9 "$(cat /run/longhorn/keeper)"
until_true 10 eval '[ -z "$(sidecar)" ]'
SMUGGLED=1 expect 0 '^1 fraud-training' $python -c "$show"
$longhorn uninstall
[ "$(sha256sum < "$target")" = "$before" ] || fail "uninstall did not restore the interpreter"
SMUGGLED=1 expect 0 '^1 None' $python -c "$show"
[ ! -e /run/longhorn ] || fail "uninstall left /run/longhorn"
[ ! -e /opt/longhorn/cover ] || fail "uninstall left its links"
# A copy from then stands for nothing on a node that enforces.
cp /mnt/host/code/enforce/* /mnt/host/bundle/
lock | grep -q 'locked (full)' || fail "it cannot be locked afterwards"
mv /run/longhorn/lock /run/longhorn/kept
expect 82 lock-missing /local_disk0/copy -c pass
