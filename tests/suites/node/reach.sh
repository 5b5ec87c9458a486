# Where nothing can be masked, a policy that grants the directory of a secret is refused; elsewhere the same secret is good.
. /mnt/host/code/prelude.sh
init="setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin /mnt/host/bundle/longhorn init --settings"
screen secret-within-reach 78 $init /mnt/host/bundle/longhorn.toml
[ ! -e /run/longhorn ] || fail "something is left: $(ls /run/longhorn)"
[ "$(SMUGGLED=1 $python -c 'import os; print(os.environ["SMUGGLED"])')" = 1 ] || fail "a cover is left"
cp -a /mnt/host/secrets /root/secrets
sed 's#/mnt/host/secrets/#/root/secrets/#' /mnt/host/bundle/longhorn.toml > /mnt/host/bundle/moved.toml
expect 0 'locked (degraded)' $init /mnt/host/bundle/moved.toml
expect 1 'Permission denied' $python -c 'open("/root/secrets/workspace")'
