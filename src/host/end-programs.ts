/** The variable that marks programs, and all that they start. */
export const PROGRAM_MARK = "STOWAGE_LOCK";

/**
 * Looks for marked programs every tenth of a second, kills them when their time is over, and prints those that are
 * still there five seconds after that. One whose session's first process is marked as well has gone into the background.
 * It goes by the clock: on a busy machine with many processes one look takes as long as ten.
 */
const SCRIPT = `
mark=$1
# in hundredths of a second; 1 before the fraction, which may begin with a 0
now() { read -r up _ </proc/uptime; at=$((\${up%.*} * 100 + 1\${up#*.} - 100)); }
now; end=$((at + $2)) killed=
marked() { tr '\\0' '\\n' <"/proc/$1/environ" | grep -Fqx -e "$mark"; } 2>/dev/null
session() { read -r stat <"/proc/$1/stat" && set -- \${stat##*) } && echo "$4"; } 2>/dev/null
left() {
  for file in $(grep -Fls -e "$mark" /proc/[0-9]*/environ); do
    pid=\${file#/proc/} pid=\${pid%/environ}
    marked "$pid" || continue
    leader=$(session "$pid") && ! marked "$leader" && echo "$pid"
  done
  true
}
# one that is just becoming another program has no environment for a moment
still() {
  for pid in $known; do
    read -r stat <"/proc/$pid/stat" || continue
    set -- \${stat##*) }
    [ "$1" = Z ] || [ "$4" = "$pid" ] || echo "$pid"
  done
} 2>/dev/null
none=0 known=
while [ $none -lt 2 ]; do
  pids=$({ left; still; } | sort -u)
  known=$pids
  [ -n "$pids" ] || { none=$((none + 1)); sleep 0.05; continue; }
  none=0; now
  if [ "$at" -ge "$end" ]; then
    killed=\${killed:-$at}
    [ "$at" -lt $((killed + 500)) ] || break
    kill -KILL $pids 2>/dev/null
  fi
  sleep 0.1
done
for pid in $pids; do
  read -r name <"/proc/$pid/comm" && echo "$pid $name"
done 2>/dev/null
exit 0`;

/** The command that ends marked programs and prints those that it cannot end. */
export function endProgramsCommand(mark: string, graceMs: number): readonly string[] {
  return ["sh", "-c", SCRIPT, "sh", `${PROGRAM_MARK}=${mark}`, String(Math.ceil(graceMs / 10))];
}
