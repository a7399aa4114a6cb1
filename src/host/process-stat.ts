/** Place of a process's start among its fields, proc_pid_stat(5). */
const START_FIELD = 19;

/** What follows a process's name in its /proc/PID/stat: its state, its parent's number, and so on. */
export function statFields(stat: string): readonly string[] {
  // the name, in brackets, may hold spaces and brackets itself
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/**
 * When a process began, by its /proc/PID/stat: in hundredths of a second after the machine's start, which with
 * its number names it for as long as the machine runs.
 *
 * @returns undefined for one that runs no more, and where the text is not that of one
 */
export function startTicks(stat: string): string | undefined {
  const fields = statFields(stat);
  // a zombie, or what is about to be gone
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[START_FIELD];
}
