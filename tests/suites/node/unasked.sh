# The sidecar is killed while the workspace cannot be asked: the new one serves at once, tells why, and is well again later.
. /mnt/host/code/prelude.sh
lock > /dev/null
old=$(sidecar)
touch /mnt/host/ready
until_true 10 test -e /mnt/host/down
kill -9 "$old"
until_true 5 eval '$longhorn status | grep -q "^last failure *workspace-"'
[ "$(sidecar)" != "$old" ] || fail "the sidecar was not killed"
[ "$(find /var/lib/longhorn/log -mindepth 1 -maxdepth 1 | wc -l)" = 2 ] || fail "one log for each sidecar"
touch /mnt/host/again
until_true 10 eval '$longhorn status | grep -q "^state *locked"'
until_true 5 $python -c pass
expect 0 '' $python -c pass
