#!/bin/sh
# Sourced: the root file system of a simulated node. A copy-on-write view of this machine, with the Databricks layout.

# make_root NODE SHARE: mounts it at NODE/root, over the root file system NODE_ROOT (this machine's own). The host directory SHARE
# is seen there as /mnt/host.
make_root() {
  mount -t tmpfs -o mode=0755 node "$1"
  mkdir "$1/upper" "$1/work" "$1/root"
  mount -t overlay -o "lowerdir=${NODE_ROOT:-/},upperdir=$1/upper,workdir=$1/work" node "$1/root"
  mount -t proc proc "$1/root/proc"
  mount -t sysfs -o ro sysfs "$1/root/sys"
  make_devices "$1/root/dev"
  mount -t tmpfs -o mode=0755 run "$1/root/run"
  mount -t tmpfs -o mode=1777 tmp "$1/root/tmp"
  make_layout "$1/root"
  mount --bind "$2" "$1/root/mnt/host"
}

# enter_root NODE: the old root goes; only what was just made stays reachable.
enter_root() {
  mkdir "$1/root/oldroot"
  cd "$1/root" || exit
  pivot_root . oldroot
  cd /
  umount -l /oldroot
  rmdir /oldroot
}

make_devices() {
  mount -t tmpfs -o mode=0755 dev "$1"
  for device in null zero full random urandom tty; do
    : > "$1/$device"
    mount --bind "/dev/$device" "$1/$device"
  done
  mkdir "$1/pts" "$1/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$1/pts"
  ln -s pts/ptmx "$1/ptmx"
  ln -s /proc/self/fd "$1/fd"
  ln -s /proc/self/fd/0 "$1/stdin"
  ln -s /proc/self/fd/1 "$1/stdout"
  ln -s /proc/self/fd/2 "$1/stderr"
  mount -t tmpfs -o mode=1777 shm "$1/shm"
}

make_layout() {
  mkdir -p "$1/databricks/driver/conf" "$1/databricks/init_scripts" "$1/databricks/spark/conf" "$1/databricks/jars" \
    "$1/local_disk0/tmp" "$1/Volumes" "$1/Workspace" "$1/mnt/host" "$1/var/lib"
  echo 16.4 > "$1/databricks/DBR_VERSION"
  chmod 1777 "$1/local_disk0" "$1/local_disk0/tmp"
}
