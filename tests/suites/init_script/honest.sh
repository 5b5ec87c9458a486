. /mnt/host/code/bundle.sh
fresh
locks "beside the script" "$SHELL_UNDER_TEST" "$script"
expect 0 'state *locked' $longhorn status
grep -q "\"script_sha256\":\"$(sum "$script")\"" /var/lib/longhorn/log/*/seg-* || fail "the record does not name the script"
unlock
# The bundle may lie elsewhere, and its path may hold blanks.
mv "$bundle" "/local_disk0/a bundle"
locks "named" "$SHELL_UNDER_TEST" "/local_disk0/a bundle/longhorn-init.sh" "/local_disk0/a bundle"
unlock
cd "/local_disk0/a bundle"
locks "from its own directory" "$SHELL_UNDER_TEST" longhorn-init.sh
