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
# Each write of `init` by itself: what a person reads is collected once for each kind.
mkdir -p /mnt/host/screens
: > /mnt/host/screens/disk-full
for call in write mkdir mkdirat linkat fsync; do
  at=1
  denied=0
  lines=0
  while :; do
    if strace -qq -o /dev/null -e trace=$call -e inject=$call:error=ENOSPC:when=$at $init > /tmp/out 2>&1; then
      # What only MLflow's plugin needs is a line. Past the last call nothing is denied any more, and there is none.
      grep -q 'no MLflow plugin in .*No space left on device' /tmp/out || break
      [ -z "$(find /usr -name '*longhorn_mlflow*')" ] || fail "$call $at: half of the plugin is left"
      $longhorn uninstall || fail "$call $at: cannot uninstall without the plugin"
      lines=$((lines + 1))
    else
      grep -q '^longhorn: ' /tmp/out || fail "$call $at: no screen: $(cat /tmp/out)"
      [ ! -e /run/longhorn ] || fail "$call $at: left: $(ls /run/longhorn)"
      [ -z "$(find /etc/longhorn /opt/longhorn /var/lib/longhorn -name '*.new' 2> /dev/null)" ] || fail "$call $at: a half-written file is left"
      [ "$(SMUGGLED=1 $python -c 'import os; print(os.environ["SMUGGLED"])')" = 1 ] || fail "$call $at: a cover is left"
      grep -qxF "$(head -n 1 /tmp/out)" /mnt/host/screens/disk-full || cat /tmp/out >> /mnt/host/screens/disk-full
      denied=$((denied + 1))
    fi
    rm -rf /opt/longhorn /etc/longhorn /mnt/host/published/*
    at=$((at + 1))
  done
  echo "$call: denied $denied times, and $lines times to the plugin alone"
  case $call in
    mkdir) ;;
    *) [ "$lines" -gt 0 ] || fail "$call was not denied to the plugin" ;;
  esac
  $longhorn uninstall
  rm -rf /opt/longhorn /etc/longhorn /mnt/host/published/*
done
mkdir -p /var/lib/longhorn/log
mount -t tmpfs -o size=4k,mode=0700 small /var/lib/longhorn/log
screen disk-full-record 74 $init
umount -l /var/lib/longhorn/log
$init > /tmp/out 2>&1 || fail "with room again: $(cat /tmp/out)"
expect 0 fraud-training $python -c 'import os; print(os.environ["LONGHORN_SCOPE"])'
