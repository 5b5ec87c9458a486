#!/bin/sh
# PID 1 of a machine whose only disk is its memory. Says on the console what each part of it printed and how it ended.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /tmp /run /etc /usr /local_disk0 /protected /var/lib /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
# What a program types into the console would stand among its lines.
stty -echo
echo treasure > /protected/secret

# part NAME COMMAND…
part() {
  name=$1
  shift
  echo "== $name"
  status=0
  "$@" 2>&1 || status=$?
  echo "== ended $status"
}

export SMUGGLED=1 TZ=Mars FEATURE_A=2
part kernel uname -rm
part doctor longhorn doctor --json
part floor longhorn doctor --policy /policy.toml
part unlocked /bin/probe
part locked longhorn try --policy /policy.toml --environment machine -- /bin/probe
part launcher longhorn-launch
poweroff -f
