# The platform's variables, and nothing else: no PATH, no HOME. They are what standard access mode leaves of an environment.
. /mnt/host/code/bundle.sh
alone() {
  env -i DB_CLUSTER_ID="$DB_CLUSTER_ID" DB_CONTAINER_IP="$DB_CONTAINER_IP" DB_DRIVER_IP="$DB_DRIVER_IP" DB_IS_DRIVER="$DB_IS_DRIVER" \
    DB_IS_JOB_CLUSTER="$DB_IS_JOB_CLUSTER" DB_CLUSTER_NAME="$DB_CLUSTER_NAME" DB_INSTANCE_TYPE=m5.large "$@"
}
fresh
cd /
locks "nothing but the platform's variables" alone "$SHELL_UNDER_TEST" $script
expect 0 'state *locked' $longhorn status
# Of those, keeper and sidecar get the ones that say which node this is.
for process in "$(cat /run/longhorn/keeper)" "$(sidecar)"; do
  others=$(tr '\0' '\n' < "/proc/$process/environ" | grep -Ev '^DB_(CLUSTER_ID|CLUSTER_NAME|CONTAINER_IP|DRIVER_IP|INSTANCE_ID|IS_DRIVER|IS_JOB_CLUSTER)=' || :)
  [ -z "$others" ] || fail "process $process of ours has other variables: $others"
done
expect 0 '' alone "$SHELL_UNDER_TEST" $script --remove
[ ! -e /run/longhorn ] || fail "--remove left /run/longhorn"
# Without those that name the node there is no identity to attest.
expect 71 'not-a-cluster-node' env -i "$SHELL_UNDER_TEST" $script
[ -z "$(sidecar)" ] || fail "a sidecar is left"
