# No secret lies anywhere: the workspace is asked with a token that the cloud gives this machine.
. /mnt/host/code/prelude.sh
[ "$(ls /mnt/host/secrets)" = signer ] || fail "a secret is there: $(ls /mnt/host/secrets)"
# What the agent will get, anybody gets before the lock.
url='http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=api%3A%2F%2Flonghorn'
ask="import json, urllib.request as r; print(json.load(r.urlopen(r.Request('$url', headers={'Metadata': 'true'})))['access_token'])"
token=$($python -c "$ask")
[ "${#token}" -gt 100 ] || fail "the metadata service does not answer before the lock"
lock | grep -q 'locked (full)' || fail "init did not say that the node is locked"
expect 0 'proof *databricks by .* (for the job, with a cloud.s token)' $longhorn context
expect 0 '"got_with": "cloud-token"' cat /run/longhorn/context.json
grep -rq "with a cloud's word on the agent" /var/lib/longhorn/log || fail "the record does not say by whose word"
# Neither the cloud's token nor what it was exchanged for is anywhere that stays.
for secret in "$token" simulated-access-token; do
  kept=$(grep -srlF -- "$secret" /var/lib/longhorn/log /run/longhorn /etc/longhorn || true)
  [ -z "$kept" ] || fail "a token was written down: $kept"
done
first=$(cat /run/longhorn/context.jwt)
renewed() { [ "$(cat /run/longhorn/context.jwt)" != "$first" ]; }
until_true 10 renewed
expect 0 'state *locked' $longhorn status
[ "$($python -c 'import socket; print(socket.socket().connect_ex(("169.254.169.254", 80)))')" = 13 ] || fail "a job reaches the metadata service"
