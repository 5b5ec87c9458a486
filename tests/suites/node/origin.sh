# A program that finds its library beside itself ($ORIGIN) works covered. LIMIT: a command that narrows what `init` may do.
. /mnt/host/code/prelude.sh
mkdir -p /opt/runtime/bin /opt/runtime/lib
cat > /tmp/value.c <<'C'
int value(void) { return 42; }
C
cat > /tmp/program.c <<'C'
#include <stdio.h>
#include <stdlib.h>
int value(void);
int main(int count, char **words) {
  char *scope = getenv("LONGHORN_SCOPE"), *smuggled = getenv("SMUGGLED");
  printf("%d %s %s %d %s\n", value(), scope ? scope : "none", smuggled ? smuggled : "none", count, words[0]);
  return 0;
}
C
cc -shared -fPIC -o /opt/runtime/lib/libvalue.so /tmp/value.c
cc -o /opt/runtime/bin/program /tmp/program.c -L/opt/runtime/lib -lvalue '-Wl,-rpath,$ORIGIN/../lib'
sum=$(sha256sum < /opt/runtime/bin/program)
${LIMIT:-} /mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml > /tmp/init || fail "$(cat /tmp/init)"
grep -q "$STRENGTH" /tmp/init || fail "$(cat /tmp/init)"
[ "$(SMUGGLED=1 ${LIMIT:-} /opt/runtime/bin/program a b)" = "42 fraud-training none 3 /opt/runtime/bin/program" ] \
  || fail "the covered program does not work: $(SMUGGLED=1 ${LIMIT:-} /opt/runtime/bin/program a b 2>&1)"
expect 0 "^fraud-training None" ${LIMIT:-} $python -c 'import os; print(os.environ["LONGHORN_SCOPE"], os.environ.get("SMUGGLED"))'
# Made again by a second run, after a kill, and taken away whole.
$longhorn uninstall
[ "$(sha256sum < /opt/runtime/bin/program)" = "$sum" ] || fail "uninstall did not restore the program"
[ "$(ls -A /opt/runtime/bin)" = program ] || fail "uninstall left something: $(ls -A /opt/runtime/bin)"
[ "$(/opt/runtime/bin/program)" = "42 none none 1 /opt/runtime/bin/program" ] || fail "the program does not work any more"
