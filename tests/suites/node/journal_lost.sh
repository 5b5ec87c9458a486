# The journal of covers is gone: `uninstall` says so and changes nothing; nor does `init` cover what is covered. LIMIT: a
# command that narrows what `init` may do.
. /mnt/host/code/prelude.sh
target=$(readlink -f $python)
before=$(sha256sum < "$target")
mkdir -p /opt/runtime/bin
cp /bin/echo /opt/runtime/bin/program
init="${LIMIT:-} /mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml"
expect 0 'locked (' $init
rm /var/lib/longhorn/covers
covered=$(sha256sum < "$target")
expect 66 'reason: covers-unknown' $longhorn uninstall
[ "$(sha256sum < "$target")" = "$covered" ] || fail "the refused uninstall changed something"
expect 0 '^state *locked' $longhorn status
kill -9 "$(cat /run/longhorn/keeper)"
until_true 10 eval '[ -z "$(sidecar)" ]'
expect 66 'reason: covers-unknown' $init
# What it says to do: a command for each cover.
sed -n 's,^  /[^ ]* *\(umount\|mv\) ,\1 ,p' /tmp/out > /tmp/commands
[ "$(wc -l < /tmp/commands)" = 2 ] || fail "not a command for each cover: $(cat /tmp/out)"
sh -eu /tmp/commands
expect 0 '' $longhorn uninstall
[ "$(sha256sum < "$target")" = "$before" ] || fail "the interpreter is not restored"
[ "$(ls -A /opt/runtime/bin)" = program ] || fail "something is left: $(ls -A /opt/runtime/bin)"
cmp -s /bin/echo /opt/runtime/bin/program || fail "the program is not restored"
expect 0 'locked (' $init
expect 0 '' $longhorn uninstall
