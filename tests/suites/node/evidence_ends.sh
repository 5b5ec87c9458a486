# Launches are allowed no longer than the evidence is good for, though the lease would be renewed until then.
. /mnt/host/code/prelude.sh
lock > /dev/null
expect 0 '' $python -c pass
ended() { ! $python -c pass; }
until_true 20 ended
[ "$(date +%s)" -ge "$(cat /mnt/host/ends)" ] || fail "the launches ended before the token"
expect 81 'reason: lease-ended' $python -c pass
sleep 3
expect 81 'reason: lease-ended' $python -c pass
