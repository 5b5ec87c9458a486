# Observed: what the job's processes have open is seen now and then, told as directories, and never called complete.
. /mnt/host/code/prelude.sh
lock > /dev/null
mkdir -p /srv/models/ada /Workspace/Users/ada@example.com /Volumes/main/gold/sales
: > /srv/models/ada/private-name.bin
: > /Workspace/Users/ada@example.com/notes
job='import time; held = [open("/srv/models/ada/private-name.bin"), open("/Workspace/Users/ada@example.com/notes"), open("/Volumes/main/gold/sales/out", "w")]; time.sleep(3)'
cd /local_disk0
$python -c "$job" &
# The same from no covered tree: nobody looks.
mkdir -p /srv/elsewhere && : > /srv/elsewhere/x
tail -f /srv/elsewhere/x &
beside=$!
record() { cat /var/lib/longhorn/log/*/seg-*; }
sampled() { record | grep '"event":"files.sampled"' | grep -q "$1"; }
until_true 5 sampled '"read /srv/models"'
until_true 5 sampled '"write /Volumes/main/gold/sales"'
sampled '"read /Workspace/Users"' || fail "a person's directory is not told as everybody's"
sampled '"read /usr"' || fail "what is mapped is not seen"
sampled '"stand /local_disk0"' || fail "where it stands is not seen"
sampled '"complete":false.*"sampled":true' || fail "samples are not marked as such"
! record | grep -q '/ada\|ada@\|private-name\|elsewhere' || fail "more than a rule names is on record"
# It owns nothing, holds two capabilities, and cannot get another one.
sampler=$(grep -l '^Uid:	65534' /proc/[0-9]*/status | head -n 1 | cut -d / -f 3)
for mark in 'CapEff:	0000000000080004' 'CapBnd:	0000000000080004' 'NoNewPrivs:	1' 'Seccomp:	2'; do
  grep -q "^$mark" "/proc/$sampler/status" || fail "the sampler is not $mark: $(cat "/proc/$sampler/status")"
done
# One that is gone is said to be gone; the node observes on.
kill -9 "$sampler"
until_true 5 sampled '"ended":true'
expect 0 'state *observing' $longhorn status
SMUGGLED=1 expect 0 '' $python -c pass
kill "$beside"
$longhorn uninstall
! grep -l '^Uid:	65534' /proc/[0-9]*/status 2> /dev/null || fail "the sampler outlives the keeper"
