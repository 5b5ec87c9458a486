#!/bin/sh
# One node of the demo: unlocked | locked | refused. Runs inside tests/support/node.sh.
set -eu

export DB_CLUSTER_ID=1001-234039-abcde739 DB_CONTAINER_IP=127.0.0.1 DB_DRIVER_IP=127.0.0.1 DB_IS_DRIVER=TRUE DB_IS_JOB_CLUSTER=TRUE
export DB_CLUSTER_NAME=job-605777310657626-run-1020337925419295-main

sidecar() {
  for process in /proc/[0-9]*; do
    if grep -q '^Uid:	64222' "$process/status" 2> /dev/null; then
      basename "$process"
    fi
  done
}

case $1 in
unlocked)
  sh /mnt/host/bundle/longhorn-init.sh > /dev/null
  real=$(echo /var/lib/longhorn/real/1/bin/python3.*[0-9])
  AWS_SECRET_ACCESS_KEY=from-a-laptop "$real" /mnt/host/code/attempts.py node "$(sidecar)" > /mnt/host/unlocked.tsv
  ;;
locked)
  echo '$ sh longhorn-init.sh'
  sh /mnt/host/bundle/longhorn-init.sh
  echo
  echo '$ /usr/bin/python3 train.py'
  /usr/bin/python3 /mnt/host/code/train.py
  AWS_SECRET_ACCESS_KEY=from-a-laptop /usr/bin/python3 /mnt/host/code/attempts.py node "$(sidecar)" > /mnt/host/locked.tsv
  # The keeper ends, and has the sidecar seal its record.
  /opt/longhorn/bin/longhorn uninstall
  cp /var/lib/longhorn/log/*/* /mnt/host/log
  ;;
refused)
  echo '$ /usr/bin/python3 train.py'
  /usr/bin/python3 /mnt/host/code/train.py
  echo
  echo '$ sh longhorn-init.sh'
  status=0
  sh /mnt/host/bundle-other/longhorn-init.sh 2>&1 || status=$?
  echo "exit $status: the cluster does not start"
  [ "$status" = 77 ]
  ;;
esac
