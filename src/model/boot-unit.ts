import * as z from "zod";
import { type HostDirectories, hostDirectories } from "./host.ts";
import { hostLayout } from "./host-layout.ts";
import { AbsolutePath, Name, OwnerId } from "./names.ts";
import { OBJECT_PREFIX, objectCode } from "./object-name.ts";
import { systemdText, systemdWord } from "./systemd.ts";

const PREFIX = `${OBJECT_PREFIX}boot-`;
/** Names of all units of {@link bootUnitText}, for a look into their directory. */
export const BOOT_UNIT_PATTERN = `${PREFIX}*.service`;
const FIRST_WORDS = "# Made by Stowage, which removes it with the fleet: ";

/** Whose pods a unit brings back, and by which program. */
export const BootUnit = z.lazy(() =>
  z.strictObject({
    owner: OwnerId,
    fleet: Name,
    host: Name,
    stateDir: AbsolutePath,
    runDir: AbsolutePath,
    /** Command that runs Stowage on the host. */
    program: z.array(AbsolutePath).min(1).max(4).readonly(),
  }),
);
/** See the schema of the same name. */
export type BootUnit = z.infer<typeof BootUnit>;

/** Name of a fleet's unit on a host. */
export function bootUnitName(unit: Omit<BootUnit, "program">): string {
  const { owner, fleet, host, stateDir, runDir } = unit;
  return `${PREFIX}${fleet.slice(0, 24)}-${objectCode([owner, fleet, host, stateDir, runDir])}.service`;
}

/**
 * The unit that brings networks and pods of a fleet back at boot. It is of no life of its own: what it
 * starts continues without it, and `KillMode=process` leaves that alone.
 *
 * The command itself tries again, as `Restart=` is refused with `Type=oneshot` before systemd 244.
 */
export function bootUnitText(unit: BootUnit): string {
  const { owner, fleet, host, program, ...directories } = unit;
  const { stateDir, runDir }: HostDirectories = hostDirectories(directories);
  const { rosterFile } = hostLayout(directories, owner, fleet);
  const told = { owner, fleet, host, stateDir, runDir, program };
  const command = [
    ...program,
    "boot",
    ...["--owner", owner, "--fleet", fleet, "--host", host],
    ...["--state-dir", stateDir, "--run-dir", runDir],
  ];
  return `${FIRST_WORDS}${JSON.stringify(told)}
[Unit]
Description=Stowage: networks and pods of fleet ${fleet} on host ${host}, after a boot
Wants=network-online.target
After=network-online.target containerd.service
RequiresMountsFor=${systemdWord(stateDir)}
ConditionPathExists=${systemdText(rosterFile)}

[Service]
Type=oneshot
ExecStart=${command.map(systemdWord).join(" ")}
KillMode=process
TimeoutStartSec=30min

[Install]
WantedBy=multi-user.target
`;
}

/** What a unit says of itself; undefined when it is none of Stowage's. */
export function readBootUnit(text: string): BootUnit | undefined {
  const [first = ""] = text.split("\n", 1);
  if (!first.startsWith(FIRST_WORDS)) return undefined;
  try {
    return BootUnit.safeParse(JSON.parse(first.slice(FIRST_WORDS.length))).data;
  } catch {
    return undefined;
  }
}
