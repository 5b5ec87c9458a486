#!/bin/sh
# Puts Longhorn on this node: copies the bundle to a root-only directory, compares the copy's digests with the two pinned
# here, and runs `longhorn init`. Anything but a locked node ends non-zero, and the cluster does not start. Holds no secret
# and prints none.

# The cluster's own variables stand in this environment; none of them may decide anything here. First of all bash is told to
# find its special builtins before functions that the environment brings (POSIX mode); `case`, `shift` and `exec` then are what
# they seem. The script starts anew with the platform's variables alone, which the cluster cannot override.
POSIXLY_CORRECT=1
case ${1-} in
  --clean) shift ;;
  *)
    exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      ${DB_CLUSTER_ID+"DB_CLUSTER_ID=$DB_CLUSTER_ID"} \
      ${DB_CLUSTER_NAME+"DB_CLUSTER_NAME=$DB_CLUSTER_NAME"} \
      ${DB_CONTAINER_IP+"DB_CONTAINER_IP=$DB_CONTAINER_IP"} \
      ${DB_DRIVER_IP+"DB_DRIVER_IP=$DB_DRIVER_IP"} \
      ${DB_INSTANCE_ID+"DB_INSTANCE_ID=$DB_INSTANCE_ID"} \
      ${DB_IS_DRIVER+"DB_IS_DRIVER=$DB_IS_DRIVER"} \
      ${DB_IS_JOB_CLUSTER+"DB_IS_JOB_CLUSTER=$DB_IS_JOB_CLUSTER"} \
      /bin/sh "$0" --clean "$@"
    ;;
esac
set -eu

# Filled in by `cargo xtask pin DIRECTORY [PLACE]`; reviewed and stored together with the bundle.
BINARY_SHA256=@BINARY_SHA256@
SETTINGS_SHA256=@SETTINGS_SHA256@
# Where nodes find the bundle: a volume, a workspace folder, a directory of the image. The platform may run a copy of this
# script from elsewhere. Empty: beside the script.
BUNDLE='@BUNDLE@'

stop() {
  printf 'longhorn-init: %s\n' "$2" >&2
  exit "$1"
}

digest() {
  sha256sum < "$1" | cut -d ' ' -f 1
}

main() {
  [ "$(id -u)" = 0 ] || stop 71 "must run as root"
  script=$0
  if [ "${1:-}" = --remove ]; then
    exec /opt/longhorn/bin/longhorn uninstall
  fi
  bundle=${1:-${BUNDLE:-$(dirname "$script")}}
  umask 077
  copy=
  # The copy goes in any case, and the directories if nothing was placed in them.
  trap 'rm -rf ${copy:+"$copy"}; rmdir /opt/longhorn/bin /opt/longhorn 2> /dev/null || :' EXIT
  trap 'exit 71' HUP INT TERM
  mkdir -p /opt/longhorn/bin || stop 71 "cannot make /opt/longhorn/bin"
  chmod 755 /opt/longhorn /opt/longhorn/bin
  # What a run left that was killed, or that the node did not survive; its name begins with its process.
  for stale in /opt/longhorn/bundle.*; do
    owner=${stale#/opt/longhorn/bundle.}
    [ -e "/proc/${owner%%.*}" ] || rm -rf "$stale"
  done
  copy=$(mktemp -d "/opt/longhorn/bundle.$$.XXXXXX") || stop 71 "cannot make a directory under /opt/longhorn"
  for file in longhorn longhorn.toml policy.toml policy.toml.sig; do
    [ -f "$bundle/$file" ] || stop 66 "the bundle has no $file in $bundle"
    cp "$bundle/$file" "$copy/$file" || stop 66 "cannot copy $file from $bundle"
  done
  # The copy is what is hashed and what is run: nobody but root can change it in between.
  check "$copy/longhorn" "$BINARY_SHA256"
  check "$copy/longhorn.toml" "$SETTINGS_SHA256"
  chmod 555 "$copy/longhorn"
  mv -f "$copy/longhorn" /opt/longhorn/bin/longhorn || stop 71 "cannot place the binary"
  status=0
  /opt/longhorn/bin/longhorn init --settings "$copy/longhorn.toml" --script-digest "$(digest "$script")" || status=$?
  exit "$status"
}

check() {
  presented=$(digest "$1")
  [ "$presented" = "$2" ] || stop 78 "$(basename "$1") is not the pinned one: expected sha256 $2, presented $presented"
}

main "$@"
