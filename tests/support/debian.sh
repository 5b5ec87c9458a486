#!/bin/sh
# debian.sh machine DIRECTORY ARCHITECTURE SUITE: Debian's kernel and its static busybox, as DIRECTORY/vmlinuz and
#   DIRECTORY/busybox.
# debian.sh base FILE SUITE: a root file system as a tar archive: what a container needs, a C compiler, Python.
# Asks the mirror that this machine's own apt is set up for. The machine's packages stay as they are.
set -eu

main() {
  [ "$#" -ge 3 ] || stop "usage: debian.sh machine DIRECTORY ARCHITECTURE SUITE | base FILE SUITE"
  # shellcheck disable=SC2016 # apt's own variables, not the shell's
  mirror=$(apt-get indextargets --format '$(ORIGIN)/$(LABEL) $(REPO_URI)' 'Created-By: Packages' | sed -n 's|^Debian/Debian ||p' | head -n 1)
  [ -n "$mirror" ] || stop "this machine's apt has no mirror of Debian, or no list of it yet (apt-get update)"
  keys=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -f "$keys" ] || stop "Debian's keys are not here: $keys"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"
  "$@"
}

machine() {
  directory=$1
  architecture=$2
  list "$3"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/root" "$directory"
  : > "$work/status"
  private apt-get update
  kernel=$(private apt-cache depends "linux-image-cloud-$architecture" | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  [ -n "$kernel" ] || stop "$3 has no kernel for clouds on $architecture"
  (cd "$work" && private apt-get download "$kernel" busybox-static)
  unpack "$kernel"_ './boot/vmlinuz-*'
  unpack busybox-static_ './*bin/busybox'
  cp "$work"/root/boot/vmlinuz-* "$directory/vmlinuz"
  find "$work/root" -name busybox -exec cp {} "$directory/busybox" \;
}

# unpack PACKAGE FILES
unpack() {
  dpkg-deb --fsys-tarfile "$work/$1"*.deb > "$work/files.tar"
  tar -x -f "$work/files.tar" -C "$work/root" --wildcards "$2"
}

# apt with nothing of this machine's but its mirror.
private() {
  tool=$1
  shift
  "$tool" -q -o Dir::State="$work" -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
    -o Dir::Cache="$work/cache" -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/parts" \
    -o APT::Architecture="$architecture" -o APT::Architectures::="$architecture" -o APT::Sandbox::User=root "$@"
}

base() {
  list "$2"
  mmdebstrap --quiet --variant=minbase --format=tar \
    --include=gcc,libc6-dev,musl-tools,git,sudo,iproute2,acl,procps,python3 "$2" "$1.part" "$work/sources.list"
  mv "$1.part" "$1"
}

list() {
  printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$mirror" "$1" > "$work/sources.list"
}

stop() {
  echo "debian.sh: $1" >&2
  exit 1
}

main "$@"
