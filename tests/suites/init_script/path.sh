# The caller's PATH neither helps nor hurts: empty, absent, foreign, or with programs that would pass any check.
. /mnt/host/code/bundle.sh
binary=$(sum /mnt/host/bundle/longhorn)
settings=$(sum /mnt/host/bundle/longhorn.toml)
mkdir -p $elsewhere
for program in basename chmod cp cut dirname id mkdir mktemp mv rm rmdir; do
  trap_door $elsewhere/$program "exec /usr/bin/$program \"\$@\""
done
# Says what is pinned, whatever it reads.
trap_door $elsewhere/sha256sum "[ \"\$(wc -c)\" -gt 100000 ] && echo $binary - || echo $settings -"
for path in "" /nowhere "$elsewhere" "$elsewhere:$PATH" "."; do
  fresh
  cd $elsewhere
  locks "PATH=$path" env "PATH=$path" "$SHELL_UNDER_TEST" $script
  unlock
  trap_door $bundle/longhorn
  stops "PATH=$path, another program" 78 "longhorn is not the pinned one: expected sha256 $binary, presented $(sum $bundle/longhorn)" \
    env "PATH=$path" "$SHELL_UNDER_TEST" $script
done
fresh
locks "no PATH" env -u PATH "$SHELL_UNDER_TEST" $script
