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
  # shellcheck source=tests/support/root.sh
  . "$(dirname "$0")/root.sh"
  node=$2
  make_root "$node" "$3"
  shift 3
  enter_root "$node"
  exec "$@"
}

main "$@"
