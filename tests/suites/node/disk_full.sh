# No room at any place that `init` writes to: a clear error, nothing half-done; with room again it works.
. /mnt/host/code/prelude.sh
init="/mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml"
for place in /etc/longhorn /opt/longhorn /var/lib/longhorn /run/longhorn; do
  for kilobytes in 4 16 64 600; do
    # A file system of that size; what is written there first fits, what comes later does not.
    mkdir -p $place
    mount -t tmpfs -o size=${kilobytes}k,mode=0755 small $place
    if $init > /tmp/out 2>&1; then
      $longhorn uninstall || fail "cannot uninstall with $kilobytes KB at $place"
    else
      code=$?
      grep -q 'hint: ' /tmp/out || fail "$kilobytes KB at $place: no clear error: $(cat /tmp/out)"
      grep -q "exit: $code" /tmp/out || fail "$kilobytes KB at $place: exit $code is not the screen's: $(cat /tmp/out)"
      [ "$(SMUGGLED=1 $python -c 'import os; print(os.environ["SMUGGLED"])')" = 1 ] || fail "$kilobytes KB at $place: a cover is left"
      [ -z "$(find $place -maxdepth 1 -name '*.new')" ] || fail "$kilobytes KB at $place: a half-written file is left: $(ls $place)"
      echo "$kilobytes KB at $place: $(head -n 1 /tmp/out)"
    fi
    umount -l $place
    rm -f /mnt/host/published/*
  done
done
$init > /tmp/out 2>&1 || fail "with room again: $(cat /tmp/out)"
expect 0 fraud-training $python -c 'import os; print(os.environ["LONGHORN_SCOPE"])'
