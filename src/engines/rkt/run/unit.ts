import { systemdWord } from "../../../model/index.ts";

/**
 * The systemd unit of one run of a container, for hosts whose first process is systemd: it keeps the
 * supervisor, and what it runs, out of the session that started it. A pod of rkt runs once, so nothing
 * restarts it here: a new start is a new prepare.
 *
 * KillMode=mixed: systemd's SIGTERM goes to the supervisor alone, SIGKILL later to all that is left.
 */
export function unitText(app: string, scriptFile: string): string {
  return `[Unit]
Description=Stowage container ${app} on rkt
CollectMode=inactive-or-failed

[Service]
Type=exec
Slice=system.slice
Delegate=yes
KillMode=mixed
TasksMax=infinity
ExecStart=/bin/sh ${systemdWord(scriptFile)}
`;
}
