# A program that a package upgrade replaced while it was covered by rename: what stands there now is left as it is.
. /mnt/host/code/prelude.sh
target=$(readlink -f $python)
before=$(sha256sum < "$target")
limit='setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin'
init="$limit /mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml"
program=/opt/runtime/bin/program
mkdir -p /opt/runtime/bin
cp /bin/true $program
upgrade() {
  cp "$1" $program.dpkg-new
  mv $program.dpkg-new $program
}
left() {
  grep -q "left as it is: $program was replaced" /tmp/out || fail "it does not say what it left: $(cat /tmp/out)"
  ! grep -q "$target" /tmp/out || fail "it names what it put back: $(cat /tmp/out)"
}
expect 0 'locked (degraded)' $init
upgrade /bin/false
expect 0 '' $longhorn uninstall
left
cmp -s /bin/false $program || fail "the upgraded program was overwritten"
[ "$(ls -A /opt/runtime/bin)" = program ] || fail "something is left: $(ls -A /opt/runtime/bin)"
[ "$(sha256sum < "$target")" = "$before" ] || fail "the interpreter is not restored"
# The next run says so as well, and covers what is there now.
expect 0 'locked (degraded)' $init
upgrade /bin/echo
kill -9 "$(cat /run/longhorn/keeper)"
until_true 10 eval '[ -z "$(sidecar)" ]'
expect 0 'locked (degraded)' $init
left
[ "$($limit $program covered)" = covered ] || fail "the upgraded program is not what runs"
expect 0 '' $longhorn uninstall
cmp -s /bin/echo $program || fail "the upgraded program is not restored"
