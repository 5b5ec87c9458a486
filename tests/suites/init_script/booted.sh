#!/bin/sh
# booted.sh SHARE: a node whose process 1 is systemd, as in the platform's containers. A oneshot unit runs the init script and
# ends, with all that is left in its control group; then checks run from another unit. Prints what failed; ends with 0 for none.
set -eu

main() {
  if [ "${1:-}" != --inside ]; then
    node=$(mktemp -d /tmp/longhorn-booted.XXXXXX)
    status=0
    unshare --mount --fork --kill-child --propagation private "$0" --inside "$node" "$1" || status=$?
    rmdir "$node"
    exit "$status"
  fi
  node=$2
  share=$3
  mount -t tmpfs -o mode=0755 node "$node"
  mkdir "$node/upper" "$node/work" "$node/root"
  mount -t overlay -o "lowerdir=/,upperdir=$node/upper,workdir=$node/work" node "$node/root"
  units=$node/root/etc/systemd/system
  # Nothing of this machine's own services: the target that is booted asks for these two alone.
  rm -rf "$units"
  mkdir -p "$units" "$node/root/mnt/host" "$node/root/local_disk0" "$node/root/databricks/init_scripts"
  chmod 1777 "$node/root/local_disk0"
  cp "$(dirname "$0")"/booted-*.service "$(dirname "$0")/booted.target" "$units"
  # Each container from a control group of its own: they would meet at the root otherwise.
  group=/sys/fs/cgroup/$(basename "$node")
  mkdir "$group"
  echo $$ > "$group/cgroup.procs"
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout 90 systemd-nspawn --quiet --boot --register=no --keep-unit --console=pipe \
    --capability=all --system-call-filter=@known --bind="$share:/mnt/host" --bind="$share/code:/mnt/host/code" \
    --setenv="SHELL_UNDER_TEST=$SHELL_UNDER_TEST" --directory="$node/root" systemd.unit=booted.target > "$share/console" 2>&1 || :
  echo $$ > /sys/fs/cgroup/cgroup.procs
  find "$group" -depth -type d -exec rmdir {} + 2> /dev/null || :
  cat "$share/console" "$share/outcome" 2> /dev/null || :
  grep -q '^held$' "$share/outcome"
}

main "$@"
