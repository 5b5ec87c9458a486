# R acts within the engine's tree. Its own front end is a shell script that tells it where it lies.
. /mnt/host/code/prelude.sh
mkdir -p /opt/engine/bin
cp /usr/bin/env /opt/engine/bin/engine
printf '%s\n' 'cat("hook\n")' > /local_disk0/hook.R
lock > /dev/null
show='cat(Sys.getenv(c("SMUGGLED", "LONGHORN_SCOPE", "TZ"), "none"), sum(lm(y ~ x, data.frame(x = 1:3, y = 2 * 1:3))$fitted.values), "\n")'
hostile="SMUGGLED=1 LONGHORN_SCOPE=admin TZ=Mars R_PROFILE_USER=/local_disk0/hook.R"
[ "$(env $hostile Rscript -e "$show")" = "$(printf 'hook\n1 admin Mars 12 ')" ] || fail "outside of the tree R is not itself: $(env $hostile Rscript -e "$show")"
expect 0 '^none fraud-training UTC 12 $' /opt/engine/bin/engine $hostile Rscript -e "$show"
! grep -q hook /tmp/out || fail "the job's profile ran before R"
expect 0 '^Seccomp:.2$' /opt/engine/bin/engine Rscript -e 'writeLines(readLines("/proc/self/status"))'
expect 1 'cannot open file' /opt/engine/bin/engine Rscript -e 'writeLines("mine", "/etc/attack")'
