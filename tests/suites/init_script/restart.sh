# A node starts again with the disk that it had: what the life before left there changes nothing, and its log is named.
. /mnt/host/code/bundle.sh
fresh
# One life: processes and mounts end with it, files stay.
life() {
  unshare --mount --pid --fork --kill-child --propagation private sh -eu -c \
    'mount -t proc proc /proc; mount -t tmpfs -o mode=0755 run /run; . /mnt/host/code/bundle.sh; '"$1"
}
life 'locks "first life" "$SHELL_UNDER_TEST" $script; $python -c pass'
[ -z "$(sidecar)" ] || fail "the first life goes on"
for place in /opt/longhorn /var/lib/longhorn /etc/longhorn; do
  [ -n "$(ls $place)" ] || fail "$place was not left"
done
first=$(ls /var/lib/longhorn/log)
# A script that was ended while it copied, too.
mkdir /opt/longhorn/bundle.stale && cp $bundle/longhorn /opt/longhorn/bundle.stale
life 'first='"$first"'
  ! '"$longhorn"' status > /dev/null || fail "a node that is not locked says that it is"
  locks "second life" "$SHELL_UNDER_TEST" $script
  expect 0 "state *locked" $longhorn status
  second=$(ls /var/lib/longhorn/log | grep -v "$first")
  head -n 1 /var/lib/longhorn/log/$second/seg-* | grep -q "\"prior\":{\"log\":\"$first\"" || fail "the log before is not named"
  LINE="^longhorn: already locked" locks "twice in one life" "$SHELL_UNDER_TEST" $script
  expect 0 "" "$SHELL_UNDER_TEST" $script --remove
  [ "$(SMUGGLED=1 $python -c "import os; print(os.environ[\"SMUGGLED\"])")" = 1 ] || fail "--remove left a cover"'
