/** How much of a container's output is kept, and where. */
export interface LogFiles {
  /** Directory of the container's log files; it exists. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/**
 * Value of a task's stdout that makes its shim keep a container's output in numbered files, of which
 * the newest `maxFiles` stay and none is larger than `maxBytes`.
 *
 * The shim runs it as `/bin/sh -c TEXT` with the container's stdout as descriptor 3, its stderr as 4,
 * and 5 to be closed when it is ready. It outlives Stowage. It is short, since each list of tasks
 * carries it for every task.
 *
 * @param script file with the text of LOG_WRITER_SCRIPT
 */
export function logWriterUri(files: LogFiles, script: string): string {
  const { directory, maxBytes, maxFiles } = files;
  const text = [
    // the shim ends its logger by SIGTERM while output may still be in the pipe
    "trap '' TERM HUP INT",
    // a child that held 5 would keep the shim waiting for ever
    "exec 5>&-",
    `[ -r ${quote(script)} ] && exec /bin/sh ${quote(script)} ${quote(directory)} ${maxBytes} ${maxFiles}`,
    "cat <&4 >/dev/null & exec cat <&3 >/dev/null",
  ].join("; ");
  // one key only: the shim passes several in a random order
  return `binary:///bin/sh?-c=${encodeURIComponent(text)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
