import { systemdWord } from "../../../model/index.ts";

/** Time that a supervisor may take to write down an end, on a host that is shutting down. */
const SUPERVISOR_MS = 5000;

/**
 * The systemd unit of one run of a container, for hosts whose first process is systemd: it keeps the
 * supervisor, and what it runs, out of the session that started it. A pod of rkt runs once, so nothing
 * restarts it here: a new start is a new prepare.
 *
 * KillMode=mixed: systemd's SIGTERM goes to the supervisor alone, which gives the container its own stop
 * signal; SIGKILL goes to all that is left when the time of the container, and some more, is over.
 */
export function unitText(app: string, scriptFile: string, gracePeriodMs: number): string {
  const stopMs = gracePeriodMs + SUPERVISOR_MS;
  return `[Unit]
Description=Stowage container ${app} on rkt
CollectMode=inactive-or-failed

[Service]
Type=exec
Slice=system.slice
Delegate=yes
KillMode=mixed
TasksMax=infinity
TimeoutStopSec=${stopMs}ms
ExecStart=/bin/sh ${systemdWord(scriptFile)}
`;
}
