# MLflow's plugin: `init` places it for every covered Python, a locked job uses it and cannot change it, and it goes without a trace.
. /mnt/host/code/prelude.sh
mlflow=/mnt/host/mlflow
notebooks=/databricks/python3
planted=/local_disk0/planted
export HOME=/local_disk0

# As a runtime has it; and one whose packages somebody who is not root moved elsewhere.
$python -m venv --without-pip $notebooks
$python -m venv --without-pip $planted
site() { (cd "$1"/lib/python3.*/site-packages && pwd); }
chmod 777 "$(dirname "$(site $planted)")"
mkdir /local_disk0/elsewhere
link=$(site $planted)
rmdir "$link"
ln -s /local_disk0/elsewhere "$link"
minor=$($python -c 'import sys; print(sys.version_info[1])')
base=$(find "/usr/local/lib/python3.$minor/dist-packages" /usr/lib/python3/dist-packages -maxdepth 0 2> /dev/null | head -n 1)
[ -d "$base" ] || fail "this machine's Python has no directory of packages that this test knows"
sites="$base $(site $notebooks) $(site $mlflow)"

all() {
  # shellcheck disable=SC2086 # three directories
  find $sites /local_disk0 $mlflow /usr -name '*longhorn_mlflow*' | sort -u
}
listed() {
  # shellcheck disable=SC2086 # three directories
  find $sites | sort | sha256sum
}
gone() {
  [ -z "$(all)" ] || fail "$1: something is left: $(all)"
  [ "$(listed)" = "$before" ] || fail "$1: the packages are not what they were"
}
before=$(listed)
gone "before anything"

lock > /tmp/first 2>&1 || fail "it does not lock: $(cat /tmp/first)"
grep -q 'locked (full)' /tmp/first || fail "it is not locked: $(cat /tmp/first)"
grep -q "no MLflow plugin in $planted: $link is a symbolic link that others than root may have made" /tmp/first || fail "no line about the link: $(cat /tmp/first)"
[ "$(grep -c MLflow /tmp/first)" = 1 ] || fail "more than one line: $(cat /tmp/first)"
for place in $sites; do
  found=$(cd "$place" && find longhorn_mlflow* -printf '%y %m %u:%g %f\n' | LC_ALL=C sort | tr '\n' '|')
  wanted='d 755 root:root longhorn_mlflow|d 755 root:root longhorn_mlflow-VERSION.dist-info|f 644 root:root METADATA|f 644 root:root WHEEL|f 644 root:root __init__.py|f 644 root:root _socket.py|f 644 root:root entry_points.txt|'
  [ "$(echo "$found" | sed 's/mlflow-[0-9.]*\.dist/mlflow-VERSION.dist/')" = "$wanted" ] || fail "$place has $found"
done
[ "$(all | wc -l)" = 6 ] || fail "it is elsewhere, too: $(all)"

# The real context, by the real MLflow, in the lock; and what the job may do to what tells it.
expect 0 'told as the token says' $mlflow/bin/python -B /mnt/host/code/plugin_job.py
for place in $sites; do
  expect 0 'nothing could be changed' $python -B /mnt/host/code/plugin_hostile.py "$place"
done

# What root's own import leaves, outside of the lock.
real=$(find /var/lib/longhorn/real/1/bin -name "$(basename "$(readlink -f $python)")")
env -u PYTHONDONTWRITEBYTECODE PYTHONHOME=/usr "$real" -c 'import longhorn_mlflow' || fail "the plugin cannot be imported"
[ -n "$(find "$base/longhorn_mlflow" -name '*.pyc')" ] || fail "nothing was compiled"
lock > /tmp/out 2>&1
grep -q 'already locked' /tmp/out || fail "the second run: $(cat /tmp/out)"
! grep -q MLflow /tmp/out || fail "the second run says more: $(cat /tmp/out)"
expect 0 '' $longhorn uninstall
[ ! -s /tmp/out ] || fail "uninstall says $(cat /tmp/out)"
gone "uninstall"

# Killed in the middle of it, and taken away or run again.
for when in 1 2 3 5 9; do
  strace -qq -o /dev/null -e trace=linkat -e inject=linkat:signal=KILL:when=$when /mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml > /tmp/killed 2>&1 && fail "it was not killed: $(cat /tmp/killed)"
  [ -n "$(all)" ] || fail "it was killed before it placed anything"
  [ "$when" -lt 5 ] || lock > /dev/null 2>&1 || fail "it cannot be run again"
  expect 0 '' $longhorn uninstall
  gone "uninstall after a kill at $when"
  rm -f /mnt/host/published/*
done

# Somebody's own module stays, and the others have the plugin all the same. What was changed since stays, too; the same change could
# not be made from inside the lock.
mkdir "$base/longhorn_mlflow"
echo 'mine = True' > "$base/longhorn_mlflow/__init__.py"
expect 0 "no MLflow plugin in $base: $base/longhorn_mlflow/__init__.py is there already and is not ours" lock
grep -q 'locked (full)' /tmp/out || fail "it is not locked: $(cat /tmp/out)"
echo '# changed' >> "$(site $notebooks)/longhorn_mlflow/__init__.py"
expect 0 "left as it is: $(site $notebooks)/longhorn_mlflow/__init__.py was changed since it was placed" $longhorn uninstall
[ "$(cat "$base/longhorn_mlflow/__init__.py")" = 'mine = True' ] || fail "somebody's module is not what it was"
rm -r "$base/longhorn_mlflow" "$(site $notebooks)/longhorn_mlflow"
gone "uninstall beside somebody's"

# A read-only file system is a line.
mount --bind "$base" "$base"
mount -o remount,bind,ro "$base"
expect 0 "no MLflow plugin in $base: cannot write $base/longhorn_mlflow/__init__.py: Read-only file system" lock
grep -q 'locked (full)' /tmp/out || fail "it is not locked: $(cat /tmp/out)"
expect 0 '' $longhorn uninstall
umount "$base"
gone "uninstall of a read-only node"

# Not wanted.
cp -r /mnt/host/bundle /tmp/bundle
sed -i 's/^plugin = true$/plugin = false/' /tmp/bundle/longhorn.toml
expect 0 'locked (full)' /tmp/bundle/longhorn init --settings /tmp/bundle/longhorn.toml
gone "without the plugin"
