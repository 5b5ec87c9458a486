# The binary in the bundle is exchanged after it was copied and before it is run: what is checked and run is the copy.
. /mnt/host/code/bundle.sh
fresh
trap_door $elsewhere
# As soon as the next file is there, the binary has been copied.
exchange() {
  until ls /opt/longhorn/bundle.*/longhorn.toml > /dev/null 2>&1; do :; done
  stat -c '%a %u' /opt/longhorn/bundle.* > /tmp/mode
  mv $elsewhere $bundle/longhorn
  touch /tmp/exchanged
} 2> /dev/null
exchange &
locks "exchanged once" "$SHELL_UNDER_TEST" $script
wait
[ -e /tmp/exchanged ] || fail "nothing was exchanged"
[ ! -s /tmp/mode ] || [ "$(cat /tmp/mode)" = "700 0" ] || fail "the copy is open to others: $(cat /tmp/mode)"
unlock

# Exchanged back and forth all the time: refused or locked, and never a byte of the other program executed.
fresh
(
  while [ ! -e /tmp/enough ]; do
    trap_door $bundle/new
    mv -f $bundle/new $bundle/longhorn
    cp /mnt/host/bundle/longhorn $bundle/new
    mv -f $bundle/new $bundle/longhorn
  done
) &
for round in 1 2 3 4 5 6 7 8; do
  status=0
  "$SHELL_UNDER_TEST" $script > /tmp/out 2>&1 || status=$?
  not_executed "round $round"
  case $status in
    0)
      grep -q '^longhorn: locked (full)' /tmp/out || fail "round $round: $(cat /tmp/out)"
      unlock
      ;;
    78)
      grep -q '^longhorn-init: longhorn is not the pinned one' /tmp/out || fail "round $round: $(cat /tmp/out)"
      untouched "round $round"
      ;;
    *) fail "round $round ended with $status: $(cat /tmp/out)" ;;
  esac
  echo "round $round: $status"
done
touch /tmp/enough
wait
