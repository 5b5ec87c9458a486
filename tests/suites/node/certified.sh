. /mnt/host/code/prelude.sh
lock | grep -q 'locked (full)' || fail "init did not say that the node is locked"
expect 0 'issuer  .*127.0.0.1:8443: answers' $longhorn doctor --settings /mnt/host/bundle/longhorn.toml
token=/run/longhorn/context.jwt
expect 0 '^VALID' $longhorn context verify --issuer-keys /mnt/host/keys.json $token
# The certificate is not there for the asking: other keys do not vouch.
echo '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}' > /tmp/other.json
expect 65 'reason: context-not-certified' $longhorn context verify --issuer-keys /tmp/other.json $token
# A sidecar that is started again has the certificate of the one before.
old=$(sidecar)
kill -9 "$old"
back() { [ -n "$(sidecar)" ] && [ "$(sidecar)" != "$old" ] && $longhorn status | grep -q '^state *locked'; }
until_true 10 back
first=$(cat $token)
renewed() { [ "$(cat $token)" != "$first" ]; }
until_true 10 renewed
expect 0 '^VALID' $longhorn context verify --issuer-keys /mnt/host/keys.json $token
