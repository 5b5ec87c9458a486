# Each false bundle stops the node with its own line; nothing of it is executed and nothing is left.
. /mnt/host/code/bundle.sh
binary=$(sum /mnt/host/bundle/longhorn)
settings=$(sum /mnt/host/bundle/longhorn.toml)
pinned="is not the pinned one: expected sha256"

fresh
printf x >> $bundle/longhorn
stops "one byte more" 78 "longhorn $pinned $binary, presented $(sum $bundle/longhorn)" "$SHELL_UNDER_TEST" $script
trap_door $bundle/longhorn
stops "another program" 78 "longhorn $pinned $binary, presented $(sum $bundle/longhorn)" "$SHELL_UNDER_TEST" $script
: > $bundle/longhorn
stops "an empty program" 78 "longhorn $pinned $binary, presented $(sum $bundle/longhorn)" "$SHELL_UNDER_TEST" $script

fresh
echo '# a comment' >> $bundle/longhorn.toml
stops "edited settings" 78 "longhorn.toml $pinned $settings, presented $(sum $bundle/longhorn.toml)" "$SHELL_UNDER_TEST" $script

for file in longhorn longhorn.toml policy.toml policy.toml.sig; do
  fresh
  rm $bundle/$file
  stops "no $file" 66 "the bundle has no $file in $bundle" "$SHELL_UNDER_TEST" $script
  mkdir $bundle/$file
  stops "a directory $file" 66 "the bundle has no $file in $bundle" "$SHELL_UNDER_TEST" $script
  rmdir $bundle/$file
  ln -s /nowhere $bundle/$file
  stops "a dangling $file" 66 "the bundle has no $file in $bundle" "$SHELL_UNDER_TEST" $script
done
stops "no such bundle" 66 "the bundle has no longhorn in /nowhere" "$SHELL_UNDER_TEST" $script /nowhere

zeros=$(printf '%064d' 0)
fresh
sed -i "s/^BINARY_SHA256=.*/BINARY_SHA256=$zeros/" $script
stops "another binary pinned" 78 "longhorn $pinned $zeros, presented $binary" "$SHELL_UNDER_TEST" $script
fresh
sed -i "s/^SETTINGS_SHA256=.*/SETTINGS_SHA256=$zeros/" $script
stops "other settings pinned" 78 "longhorn.toml $pinned $zeros, presented $settings" "$SHELL_UNDER_TEST" $script
fresh
sed -i 's/^BINARY_SHA256=.*/BINARY_SHA256=/' $script
stops "nothing pinned" 78 "longhorn $pinned , presented $binary" "$SHELL_UNDER_TEST" $script
sed -i 's/^BINARY_SHA256=.*/BINARY_SHA256=@BINARY_SHA256@/' $script
stops "never pinned" 78 "longhorn $pinned @BINARY_SHA256@, presented $binary" "$SHELL_UNDER_TEST" $script
fresh
sed -i '/^BINARY_SHA256=/d' $script
status=0
"$SHELL_UNDER_TEST" $script > /tmp/out 2>&1 || status=$?
[ "$status" != 0 ] || fail "a script without a pin went on"
untouched "no pin at all"

fresh
stops "not root" 71 "must run as root" setpriv --reuid 65534 --regid 65534 --clear-groups "$SHELL_UNDER_TEST" $script

# What the script does not pin, the signature does: `init` itself refuses, in its own words.
fresh
sed -i 's/run.write/model.promote/' $bundle/policy.toml
expect 78 'reason: policy-signature-invalid ' "$SHELL_UNDER_TEST" $script
[ "$(ls /opt/longhorn)" = bin ] || fail "a refused policy left $(ls /opt/longhorn)"
[ ! -e /run/longhorn ] || fail "a refused policy left /run/longhorn"
[ -z "$(sidecar)" ] || fail "a refused policy left a sidecar"

# An honest node does not become another one by a false second bundle.
fresh
locks "honest after all" "$SHELL_UNDER_TEST" $script
trap_door $bundle/longhorn
says "false second bundle" 78 "longhorn $pinned $binary, presented $(sum $bundle/longhorn)" "$SHELL_UNDER_TEST" $script
not_executed "false second bundle"
[ "$(sum /opt/longhorn/bin/longhorn)" = "$binary" ] || fail "a false second bundle replaced the binary"
expect 0 'state *locked' $longhorn status
