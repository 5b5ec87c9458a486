# The unit that ran the init script has ended; the node is locked all the same.
. /mnt/host/code/prelude.sh
cat /mnt/host/init-said
grep -q '^longhorn: locked (' /mnt/host/init-said || fail "the init script did not lock"
[ "$(systemctl show -P ActiveState booted-init.service)" = inactive ] || fail "the unit of the init script has not ended"
# Longer than a lease: it was renewed by processes that live.
sleep 4
expect 0 'state *locked' $longhorn status
expect 0 fraud-training $python -c 'import os; print(os.environ["LONGHORN_SCOPE"])'
for process in "$(cat /run/longhorn/keeper)" "$(sidecar)"; do
  grep -q '/longhorn-[0-9]*\.scope$' "/proc/$process/cgroup" || fail "process $process is not in a scope: $(cat "/proc/$process/cgroup")"
done
head -n 1 /var/lib/longhorn/log/*/seg-* | grep -q '"processes":"systemd: longhorn-[0-9]*\.scope"' || fail "the first record does not say so"
# The scope ends with what is in it, and is forgotten.
expect 0 '' $longhorn uninstall
gone() { [ -z "$(systemctl list-units --all --no-legend 'longhorn-*.scope')" ]; }
until_true 10 gone
# Where systemd makes no scope, plain processes do, and the record says so.
mount --bind /bin/false /usr/bin/systemd-run
expect 0 'locked (' lock
grep -q '"processes":"plain: systemd did not make a scope"' /var/lib/longhorn/log/*/seg-* || fail "the first record does not say that there is no scope"
expect 0 '' $longhorn uninstall
echo held
