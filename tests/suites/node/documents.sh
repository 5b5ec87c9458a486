# What `init` is given by people, missing, unreadable, too large, cut, or no text: refused before the node is touched.
. /mnt/host/code/prelude.sh
bundle=/tmp/bundle
fresh() {
  rm -rf $bundle
  cp -r /mnt/host/bundle $bundle
}
# NAME CODE
refused() {
  screen "init-$1" "$2" $bundle/longhorn init --settings $bundle/longhorn.toml
  [ ! -e /run/longhorn ] || fail "after $1 something is left: $(ls /run/longhorn)"
  [ -z "$(sidecar)" ] || fail "after $1 a sidecar is left"
  fresh
}
# NAME FILE EXIT-WHEN-CUT EXIT-WHEN-FOREIGN
document() {
  rm $bundle/$2
  refused "$1-missing" 66
  rm $bundle/$2
  mkdir $bundle/$2
  refused "$1-unreadable" 66
  rm $bundle/$2
  mkfifo $bundle/$2
  refused "$1-fifo" 66
  head -c 1048577 /dev/zero | tr '\0' '#' >> $bundle/$2
  refused "$1-oversized" 78
  head -c 100 /mnt/host/bundle/$2 > $bundle/$2
  refused "$1-truncated" 78
  : > $bundle/$2
  refused "$1-empty" 78
  printf '# \377\n' > $bundle/$2
  refused "$1-not-utf8" 78
}
fresh
# Whoever is not root starts nothing.
screen init-not-root 71 setpriv --reuid=1 --clear-groups /mnt/host/bundle/longhorn init --settings $bundle/longhorn.toml
document settings longhorn.toml
document policy policy.toml
document signature policy.toml.sig
# Two mistakes are two lines: an operator mends them in one go.
sed -i 's/^membership/membershp/; s/^min-serial/min-seral/' $bundle/longhorn.toml
refused settings-unknown-keys 78

# Secrets: the agent's, and the job's token.
secrets=/mnt/host/secrets
for secret in workspace token; do
  cp -p $secrets/$secret /tmp/kept
  rm $secrets/$secret
  refused "$secret-missing" 66
  mkdir $secrets/$secret
  refused "$secret-unreadable" 66
  rmdir $secrets/$secret
  mkfifo -m 600 $secrets/$secret
  refused "$secret-fifo" 66
  rm $secrets/$secret
  (umask 077 && head -c 65537 /dev/zero | tr '\0' x > $secrets/$secret)
  refused "$secret-oversized" 66
  cp -p /tmp/kept $secrets/$secret
  chmod 640 $secrets/$secret
  refused "$secret-of-a-group" 66
  chmod 600 $secrets/$secret
  chown 1 $secrets/$secret
  refused "$secret-of-another-owner" 66
  rm $secrets/$secret
  cp -p /tmp/kept $secrets/$secret
done
printf '\377\n' > $secrets/workspace
refused workspace-not-utf8 78
printf 'agent secret\n' > $secrets/workspace
refused workspace-with-a-blank 78
: > $secrets/workspace
refused workspace-empty 78

# What the platform sets, and the root certificates: asked for by the sidecar, told by init.
printf agent-secret > $secrets/workspace
cluster=$DB_CLUSTER_ID address=$DB_CONTAINER_IP
unset DB_CLUSTER_ID
refused cluster-unset 71
export DB_CLUSTER_ID=$cluster DB_CONTAINER_IP=here
refused address-malformed 71
export DB_CONTAINER_IP=$address
sed -i 's|^\[workspace\]|&\nca-file = "/tmp/roots.pem"|' $bundle/longhorn.toml
cp $bundle/longhorn.toml /tmp/with-roots.toml
refused roots-missing 78
cp /tmp/with-roots.toml $bundle/longhorn.toml
echo nothing > /tmp/roots.pem
refused roots-empty 78
