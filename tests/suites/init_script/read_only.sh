. /mnt/host/code/bundle.sh
mkdir -p $bundle
mount --bind /mnt/host/bundle $bundle
mount -o remount,ro,bind $bundle
! touch $bundle/x 2> /dev/null || fail "the bundle can be written"
locks "read-only bundle" "$SHELL_UNDER_TEST" $script
