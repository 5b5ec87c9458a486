#!/bin/sh
# node.sh SHARE COMMAND…
# Runs COMMAND on a node of its own: mount, pid, uts and ipc namespaces over a copy-on-write view of this machine, with
# the Databricks layout. The host's files and mounts stay as they are; when COMMAND ends, every process of the node ends.
# NODE_ROOT names another root file system than this machine's. SHARE is a host directory that the node sees as /mnt/host.
# The network is the host's, so loopback servers are reachable.
set -eu

main() {
  if [ "${1:-}" != --inside ]; then
    node=$(mktemp -d /tmp/longhorn-node.XXXXXX)
    status=0
    unshare --mount --pid --uts --ipc --fork --kill-child --propagation private "$0" --inside "$node" "$@" || status=$?
    rmdir "$node"
    exit "$status"
  fi
  node=$2
  share=$3
  shift 3
  mount -t tmpfs -o mode=0755 node "$node"
  mkdir "$node/upper" "$node/work" "$node/root"
  mount -t overlay -o "lowerdir=${NODE_ROOT:-/},upperdir=$node/upper,workdir=$node/work" node "$node/root"
  root=$node/root
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  devices "$root/dev"
  mount -t tmpfs -o mode=0755 run "$root/run"
  mount -t tmpfs -o mode=1777 tmp "$root/tmp"
  layout "$root"
  mount --bind "$share" "$root/mnt/host"
  # The old root goes; only what was just made stays reachable.
  mkdir "$root/oldroot"
  cd "$root"
  pivot_root . oldroot
  cd /
  umount -l /oldroot
  rmdir /oldroot
  exec "$@"
}

devices() {
  mount -t tmpfs -o mode=0755 dev "$1"
  for name in null zero full random urandom tty; do
    : > "$1/$name"
    mount --bind "/dev/$name" "$1/$name"
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

layout() {
  mkdir -p "$1/databricks/driver/conf" "$1/databricks/init_scripts" "$1/databricks/spark/conf" "$1/databricks/jars" \
    "$1/local_disk0/tmp" "$1/Volumes" "$1/Workspace" "$1/mnt/host" "$1/var/lib"
  echo 16.4 > "$1/databricks/DBR_VERSION"
  chmod 1777 "$1/local_disk0" "$1/local_disk0/tmp"
}

main "$@"
