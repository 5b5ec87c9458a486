. /mnt/host/code/prelude.sh
lock | grep -q 'locked (full)' || fail "init did not say that the node is locked"
grep -rq '"node by aws:123456789012/us-west-2 sha256 [0-9a-f]*"' /var/lib/longhorn/log || fail "the record does not name the cloud's word"
# The sidecar, which has descended by now, asks again for each renewal.
first=$(cat /run/longhorn/context.jwt)
renewed() { [ "$(cat /run/longhorn/context.jwt)" != "$first" ]; }
until_true 10 renewed
expect 0 'state *locked' $longhorn status
expect 0 '"kind": "node"' cat /run/longhorn/context.json
