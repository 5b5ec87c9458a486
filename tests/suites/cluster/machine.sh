#!/bin/sh
# machine.sh DIRECTORY SHARE NAME ADDRESS DRIVER
# The first process of a node of a cluster, in namespaces of its own: makes the node's root file system, runs the init
# scripts as the platform does (in order, output into files, the first that fails ends the node), then starts Spark.
# SHARE holds: init_scripts (their destinations, in order), cluster and variables (the platform's and the cluster's own, as
# NAME=value lines), runtime/ (what the runtime has under /databricks), java (where it has its Java), hosts, state/, and
# volumes/ and workspace/ (what FUSE would show).
set -eu

main() {
  # shellcheck source=tests/support/root.sh
  . "$(dirname "$0")/../../support/root.sh"
  directory=$1
  share=$2
  name=$3
  address=$4
  driver=$5
  make_root "$directory" "$share"
  runtime "$directory/root" "$directory"
  enter_root "$directory"
  mount -t cgroup2 cgroup2 /sys/fs/cgroup 2> /dev/null || :
  hostname "$name"
  state starting
  platform=$(predefined)
  scripts || {
    state "failed $failed"
    exit 91
  }
  variables > /run/platform.env
  state ready
  trap 'exit 0' TERM
  spark
  while :; do
    sleep 3600 &
    wait $! || :
  done
}

# Whatever a test asks for is a file that it can read on the host, whether this node lives or not.
state() {
  printf '%s\n' "$1" > "/mnt/host/state/$name.new"
  mv "/mnt/host/state/$name.new" "/mnt/host/state/$name"
}

# What the runtime brings, each with a layer above it that belongs to this node.
runtime() {
  for part in spark python3; do
    [ -e "$share/runtime/$part" ] || continue
    mkdir -p "$1/databricks/$part" "$2/$part/upper" "$2/$part/work"
    mount -t overlay -o "lowerdir=$(readlink -f "$share/runtime/$part"),upperdir=$2/$part/upper,workdir=$2/$part/work" "$part" "$1/databricks/$part"
  done
  mkdir -p "$1/databricks/spark/conf" "$1/databricks/spark/work" "$1/databricks/driver/logs" "$1/databricks/driver/eventlogs" \
    "$1/databricks/kernel-connections" "$1/local_disk0/.ephemeral_nfs/envs" "$1/local_disk0/work"
  ln -s python3 "$1/databricks/python"
  cp "$share/spark-defaults.conf" "$1/databricks/spark/conf/" 2> /dev/null || :
  # Where the runtime has its Java, there is this machine's.
  while read -r path; do
    mkdir -p "$1$path"
    mount --bind "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" "$1$path"
  done < "$share/java"
  cat "$share/hosts" > "$1/etc/hosts"
  mount --bind "$share/volumes" "$1/Volumes"
  mount --bind "$share/workspace" "$1/Workspace"
}

# The variables that the documentation of init scripts names, and that nobody can override; nothing else is sure.
predefined() {
  cat /mnt/host/cluster
  printf 'DB_CONTAINER_IP=%s\nDB_DRIVER_IP=%s\n' "$address" "$driver"
  if [ "$address" = "$driver" ]; then echo DB_IS_DRIVER=TRUE; else echo DB_IS_DRIVER=FALSE; fi
}

scripts() {
  number=0
  while read -r destination; do
    log=/databricks/init_scripts/$(printf '%02d_%s' "$number" "$(basename "$destination")")
    status=0
    # The platform fetches a script and runs its copy: what lies beside it does not come along.
    cp "${destination#file:}" "/tmp/script-$number.sh"
    # One variable a line, no blanks in any: words are what is meant.
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root $platform \
      timeout -k 5 300 /bin/bash "/tmp/script-$number.sh" > "$log.stdout.log" 2> "$log.stderr.log" < /dev/null || status=$?
    cp "$log.stdout.log" "/mnt/host/state/$name.stdout"
    cp "$log.stderr.log" "/mnt/host/state/$name.stderr"
    failed="$(basename "$destination") $status"
    [ "$status" = 0 ] || return 1
    number=$((number + 1))
  done < /mnt/host/init_scripts
}

# What the platform's own processes start with, the engine's daemons among them, as lines for a shell.
variables() {
  printf 'export %s\n' $platform
  printf 'export %s\n' DB_HOME=/databricks SPARK_HOME=/databricks/spark SPARK_CONF_DIR=/databricks/spark/conf \
    PYSPARK_PYTHON=/databricks/python/bin/python JAVA_HOME="$(head -n 1 /mnt/host/java)" SPARK_LOCAL_IP="$address" \
    SPARK_LOCAL_DIRS=/local_disk0/tmp SPARK_LOCAL_HOSTNAME="$name" HOME=/root LANG=C.UTF-8 SPARK_DAEMON_MEMORY=256m \
    SPARK_WORKER_DIR=/local_disk0/work PATH=/databricks/python3/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  echo 'export SPARK_DAEMON_JAVA_OPTS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"'
  sed 's/^/export /' /mnt/host/variables
}

# The engine's own daemons, as root: the platform starts them through bash.
spark() {
  [ -e /databricks/spark/bin/spark-class ] || return 0
  if [ "$address" = "$driver" ]; then
    daemon org.apache.spark.deploy.master.Master --host "$address" --port 7077 --webui-port 8080 > /databricks/driver/logs/master.log 2>&1 &
  else
    # A worker that is up before its master asks again only after many seconds.
    until bash -c ': 3<> "/dev/tcp/$0/7077"' "$driver" 2> /dev/null; do sleep 0.05; done
    daemon org.apache.spark.deploy.worker.Worker --host "$address" --port 7078 --webui-port 8081 --cores 2 --memory 1g \
      "spark://$driver:7077" > /databricks/driver/logs/worker.log 2>&1 &
  fi
}

daemon() {
  . /run/platform.env
  exec /databricks/spark/bin/spark-class "$@"
}

main "$@"
