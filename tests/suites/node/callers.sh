# The platform's own callers come from outside of every locked tree: what they call is untouched, whatever became of the lease,
# and on record. sudo, the library installer, monit and apt's hooks are the real ones.
. /mnt/host/code/prelude.sh
mkdir -p /opt/platform/package/DEBIAN /tmp/seen /opt/engine/bin
cp /usr/bin/env /opt/engine/bin/engine
cat > /opt/platform/probe.py <<'P'
import os, sys
marks = dict(line.split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
words = [os.environ.get("PLATFORM_MARK"), marks["NoNewPrivs"].strip(), marks["Seccomp"].strip(), os.environ.get("LONGHORN_SCOPE"), os.geteuid()]
open(sys.argv[1], "a").write(" ".join(map(str, words)) + "\n")
P
probe="$python /opt/platform/probe.py"
useradd --system --no-create-home libraries
usermod -L libraries
install -d -o libraries /local_disk0/.ephemeral_nfs/cluster_libraries
install -m 666 /dev/null /tmp/seen/libraries
printf 'Package: platform-probe\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: runs a hook\n' > /opt/platform/package/DEBIAN/control
printf '#!/bin/sh\nPLATFORM_MARK=postinst exec %s /tmp/seen/apt\n' "$probe" > /opt/platform/package/DEBIAN/postinst
chmod 755 /opt/platform/package/DEBIAN/postinst
dpkg-deb --build /opt/platform/package /opt/platform/probe.deb > /dev/null
printf 'DPkg::Post-Invoke { "PLATFORM_MARK=hook %s /tmp/seen/apt"; };\n' "$probe" > /etc/apt/apt.conf.d/99probe
cat > /opt/platform/monitrc <<P
set daemon 1
set pidfile /run/monit.pid
set idfile /run/monit.id
set statefile /run/monit.state
check program probe with path "/usr/bin/env PLATFORM_MARK=monit $probe /tmp/seen/monit"
  if status != 0 then alert
P
chmod 600 /opt/platform/monitrc

callers() {
  rm -f /tmp/seen/sudo /tmp/seen/apt /tmp/seen/monit
  : > /tmp/seen/libraries
  PLATFORM_MARK=sudo sudo -n --preserve-env=PLATFORM_MARK $probe /tmp/seen/sudo
  place=/local_disk0/.ephemeral_nfs/cluster_libraries/$1
  sudo -n -u libraries $python -m venv "$place"
  sudo -n -u libraries "$place/bin/python" -m pip install --quiet --no-cache-dir --no-index --find-links /mnt/host/wheels distlib
  sudo -n -u libraries PLATFORM_MARK=libraries "$place/bin/python" /opt/platform/probe.py /tmp/seen/libraries
  [ -n "$(find "$place" -name distlib -type d)" ] || fail "$1: the library installer installed nothing"
  apt-get install -y -q --reinstall /opt/platform/probe.deb > /tmp/apt 2>&1 || fail "$1: $(cat /tmp/apt)"
  monit -I -c /opt/platform/monitrc > /tmp/monit 2>&1 &
  until_true 20 test -s /tmp/seen/monit
  kill $!
  wait $! || :
  [ "$(cat /tmp/seen/sudo)" = "sudo 0 0 None 0" ] || fail "$1: sudo: $(cat /tmp/seen/sudo)"
  [ "$(cat /tmp/seen/libraries)" = "libraries 0 0 None $(id -u libraries)" ] || fail "$1: $(cat /tmp/seen/libraries)"
  [ "$(cat /tmp/seen/apt)" = "$(printf 'postinst 0 0 None 0\nhook 0 0 None 0')" ] || fail "$1: apt: $(cat /tmp/seen/apt)"
  [ "$(head -n 1 /tmp/seen/monit)" = "monit 0 0 None 0" ] || fail "$1: monit: $(cat /tmp/seen/monit)"
}

passed() { grep -rh '"outcome":"passed"' /var/lib/longhorn/log | grep -c '"corroborated":true'; }
more_than() { [ "$(passed)" -gt "$1" ]; }

lock > /dev/null
expect 0 '^LONGHORN_SCOPE=' /opt/engine/bin/engine
callers before
until_true 5 more_than 6
# The engine starts no more; the platform goes on, and is recorded, as it was.
touch /mnt/host/ready
until_true 10 eval '! /opt/engine/bin/engine'
expect 81 'reason: lease-ended' /opt/engine/bin/engine
count=$(passed)
callers after
until_true 5 more_than $((count + 6))
