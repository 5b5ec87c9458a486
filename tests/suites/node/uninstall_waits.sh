# An uninstall beside an `init` that still builds waits for it: neither takes the other's ground away.
. /mnt/host/code/prelude.sh
count() { set -- /usr/bin/*; echo $#; }
# Of the node's own: the tree that this was built in may be called longhorn, too.
mounted() { grep -Eq ' /(run|opt|var/lib)/longhorn/' /proc/self/mountinfo; }
before=$(count)
# The third mount is the bind of the program's own tree; `init` stands still right behind it.
strace -qq -f -o /dev/null -e trace=mount -e inject=mount:delay_exit=2000000:when=3 \
  /mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml > /tmp/init 2>&1 &
init=$!
# Not before it is alone at work: who comes first goes first.
until_true 20 mounted
/mnt/host/bundle/longhorn uninstall || fail "uninstall ended with $?"
wait $init || fail "init ended with $?: $(cat /tmp/init)"
[ "$(count)" = "$before" ] || fail "of $before programs in /usr/bin $(count) are left"
expect 0 '' $python -c pass
! mounted || fail "something is still mounted"
