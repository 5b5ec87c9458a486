# A covered program's own tree shows a second time, so that it finds its neighbours. What is masked is masked there too.
. /mnt/host/code/prelude.sh
mkdir -p /usr/share/masked /opt/engine/deep/bin
echo hidden > /usr/share/masked/file
cp /usr/bin/env /opt/engine/deep/bin/engine
lock > /dev/null
again=$(ls -d /var/lib/longhorn/real/*/share/masked) || fail "the tree does not show a second time: nothing is tried here"
[ "$(cat "$again/file")" = hidden ] || fail "outside of the lock it cannot be read either"
expect 0 '' $python -c "open('${again%masked}doc/base-files/copyright')"
expect 1 PermissionError $python -c "open('$again/file')"
expect 1 PermissionError $python -c "import os; os.listdir('$again')"
# A program whose tree lies deep below what the policy lets execute is executed all the same.
expect 0 '^LONGHORN_SCOPE=' /opt/engine/deep/bin/engine
