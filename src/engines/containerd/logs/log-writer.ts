/** How much of a container's output is kept, and where. */
export interface LogFiles {
  /** Directory of the container's log files; it exists. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** Digits of a log file's number, so that names sort as numbers do. */
export const LOG_NUMBER_DIGITS = 8;

/**
 * Value of a task's stdout that makes the shim keep a container's output in numbered files, of which
 * the newest `maxFiles` stay and none is larger than `maxBytes`.
 *
 * The shim runs it as `/bin/sh -c SCRIPT` with the container's stdout as descriptor 3, its stderr as 4,
 * and 5 to be closed when it is ready. It ends by itself at the end of both, and outlives Stowage.
 */
export function logWriterUri(files: LogFiles): string {
  // one key only: the shim passes several in a random order
  return `binary:///bin/sh?-c=${encodeURIComponent(logWriterScript(files))}`;
}

/**
 * Nothing is lost and nothing waits: `dd` writes what it read at once, and what one `dd` leaves unread
 * stays in the pipe for the next. stderr goes into the pipe of stdout, by its name in /proc, so that
 * one reader has both in order; as on a terminal, what both write at once may meet within a line. Where nothing can be written output is dropped, since a full pipe
 * would stop the container.
 */
export function logWriterScript({ directory, maxBytes, maxFiles }: LogFiles): string {
  const read = "dd status=none 2>/dev/null <&3";
  return [
    // the shim ends its logger by SIGTERM while output may still be in the pipe
    "trap '' TERM HUP INT",
    "umask 077",
    // a child that held 5 would keep the shim waiting for ever
    // and writes of 4096 bytes go into a pipe as one
    "(exec 5>&-; exec dd status=none bs=4096 <&4 >/proc/self/fd/3 2>/dev/null) &",
    "exec 4<&- 5>&-",
    `cd ${quote(directory)} || exec cat <&3 >/dev/null`,
    'n=0; for f in *.log; do [ -e "$f" ] && n=${f%.log}; done',
    'n=${n#"${n%%[!0]*}"}; n=${n:-0}',
    "s=-1",
    "while :; do",
    // a new file: none yet, or this one is full
    `if [ $s -lt 0 ] || [ $s -ge ${maxBytes} ]; then`,
    `if [ $s -ge 0 ] || [ $n -eq 0 ]; then n=$((n+1)); fi`,
    `f=$(printf '%0${LOG_NUMBER_DIGITS}d.log' $n)`,
    `o=$((n-${maxFiles})); [ $o -gt 0 ] && rm -f $(printf '%0${LOG_NUMBER_DIGITS}d.log' $o)`,
    ": >>$f; s=$(($(wc -c <$f)))",
    `[ $s -ge ${maxBytes} ] && continue`,
    "fi",
    // few large reads where there is room, the last ones exactly as large as what is left
    `l=$((${maxBytes}-s)); b=65536; [ $l -lt 1048576 ] && b=4096; [ $l -lt $b ] && b=$l`,
    "c=$((l/b)); [ $c -gt 64 ] && c=64",
    `if ${read} bs=$b count=$c >>$f; then`,
    "t=$s; s=$(($(wc -c <$f))); [ $s -eq $t ] && break",
    `else ${read} bs=65536 count=1 >/dev/null; fi`,
    "done",
  ].join("\n");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
