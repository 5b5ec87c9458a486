# The cluster's own variables do no harm, except those by which a shell runs something else before the first line of a script.
. /mnt/host/code/bundle.sh
binary=$(sum /mnt/host/bundle/longhorn)
mkdir -p $elsewhere
for program in basename cat chmod cp cut dirname env id longhorn mkdir mktemp mv rm rmdir sh sha256sum; do
  trap_door $elsewhere/$program "exec /usr/bin/$program \"\$@\""
done
hostile() {
  env "PATH=$elsewhere" ENV=$elsewhere/sh IFS=/lo TMPDIR=/nowhere HOME=/nowhere CDPATH=$elsewhere GCONV_PATH=$elsewhere \
    LANGUAGE=xx "PS4=\$(touch /tmp/ran)" PS1=x MAIL=/x BASH=$elsewhere/sh SHELL=$elsewhere/sh \
    BINARY_SHA256=0 SETTINGS_SHA256=0 BUNDLE=$elsewhere copy=/etc script=$elsewhere/sh bundle=$elsewhere presented=0 status=0 \
    LONGHORN_SCOPE=admin LONGHORN_CONTEXT_FILE=/x SSL_CERT_FILE=/x http_proxy=http://127.0.0.1:1 HTTPS_PROXY=http://127.0.0.1:1 \
    "BASH_FUNC_set%%=() { /usr/bin/touch /tmp/ran; exit 0; }" "BASH_FUNC_exec%%=() { /usr/bin/touch /tmp/ran; exit 0; }" \
    "BASH_FUNC_shift%%=() { /usr/bin/touch /tmp/ran; exit 0; }" "BASH_FUNC_main%%=() { /usr/bin/touch /tmp/ran; exit 0; }" \
    "BASH_FUNC_[%%=() { /usr/bin/touch /tmp/ran; exit 0; }" "BASH_FUNC_sha256sum%%=() { echo $binary; }" \
    "BASH_FUNC_printf%%=() { exit 0; }" "BASH_FUNC_umask%%=() { exit 0; }" "BASH_FUNC_cp%%=() { exit 0; }" "$@"
}
fresh
locks "hostile variables" hostile "$SHELL_UNDER_TEST" $script
for process in "$(cat /run/longhorn/keeper)" "$(sidecar)"; do
  ! tr '\0' '\n' < "/proc/$process/environ" | grep -v '^DB_' || fail "process $process of ours has a variable of the cluster's"
done
unlock
trap_door $bundle/longhorn
stops "hostile variables, another program" 78 \
  "longhorn is not the pinned one: expected sha256 $binary, presented $(sum $bundle/longhorn)" hostile "$SHELL_UNDER_TEST" $script
fresh
# Options of the shell: what they make it print is no secret, and they do not go on.
for options in allexport:noclobber:noglob verbose:xtrace errexit:nounset:noglob:physical; do
  status=0
  env "SHELLOPTS=$options" "PS4=\$(touch /tmp/ran)+" "$SHELL_UNDER_TEST" $script > /tmp/stdout 2> /tmp/stderr || status=$?
  [ "$status" = 0 ] || fail "$options: ended with $status: $(cat /tmp/stdout /tmp/stderr)"
  grep -q '^longhorn: locked (full)' /tmp/stdout || fail "$options: said: $(cat /tmp/stdout)"
  ! grep -q 'agent-secret' /tmp/stdout /tmp/stderr || fail "$options: a secret is printed"
  not_executed "$options"
  unlock
done
# A library that is not there is none; the dynamic loader says so.
status=0
LD_PRELOAD=/nowhere/lib.so LD_LIBRARY_PATH=/nowhere "$SHELL_UNDER_TEST" $script > /tmp/stdout 2> /tmp/stderr || status=$?
[ "$status" = 0 ] || fail "LD_PRELOAD: ended with $status: $(cat /tmp/stdout /tmp/stderr)"
grep -q '^longhorn: locked (full)' /tmp/stdout || fail "LD_PRELOAD: said: $(cat /tmp/stdout)"
unlock
# What remains, tried so that SECURITY.md stays true: bash that is told not to execute anything ends with success, and runs what
# BASH_ENV names first. The compute policy forbids both variables; dash knows neither.
if [ "$SHELL_UNDER_TEST" = /bin/bash ]; then
  expect 0 '' env SHELLOPTS=noexec "$SHELL_UNDER_TEST" $script
  untouched "SHELLOPTS=noexec"
  trap_door $elsewhere/first
  expect 0 'locked (full)' env BASH_ENV=$elsewhere/first "$SHELL_UNDER_TEST" $script
  [ -e /tmp/ran ] || fail "bash no longer runs BASH_ENV: SECURITY.md says that it does"
fi
