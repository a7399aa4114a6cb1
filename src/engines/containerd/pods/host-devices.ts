import { StowageError } from "../../../errors/index.ts";
import type { Host } from "../../../host/index.ts";
import type { ContainerSpec } from "../../../model/index.ts";
import type { HostDevice } from "../spec/devices.ts";

/**
 * Looks up declared devices on their host.
 *
 * @throws StowageError `failed_precondition` when one is not there or is no device
 */
export async function hostDevices(
  host: Host,
  declared: ContainerSpec["devices"] = [],
): Promise<readonly HostDevice[]> {
  if (declared.length === 0) return [];
  const { exitCode, stdout, stderr } = await host.run([
    "stat",
    "-L",
    "--printf=%f %t %T %u %g\\n",
    "--",
    ...declared.map(({ path }) => path),
  ]);
  const lines = stdout.trimEnd().split("\n");
  if (exitCode !== 0 || lines.length !== declared.length) {
    throw new StowageError(
      `Cannot give devices: ${stderr.trim().split("\n")[0] ?? "they are not there"}`,
      {
        code: "failed_precondition",
      },
    );
  }
  return declared.map((device, at) => toHostDevice(device, lines[at] ?? ""));
}

/** Kinds in the mode of a file by inode(7). */
const KIND_MASK = 0o170_000;
const KINDS: Readonly<Record<number, "c" | "b">> = { [0o020_000]: "c", [0o060_000]: "b" };

function toHostDevice(
  { path, containerPath, permissions }: NonNullable<ContainerSpec["devices"]>[number],
  line: string,
): HostDevice {
  const [mode = 0, major = 0, minor = 0] = line
    .split(" ")
    .slice(0, 3)
    .map((word) => Number.parseInt(word, 16));
  const [uid = 0, gid = 0] = line.split(" ").slice(3).map(Number);
  const type = KINDS[mode & KIND_MASK];
  if (type === undefined) {
    throw new StowageError(`Cannot give device "${path}": it is not a device; correct its path`, {
      code: "failed_precondition",
      context: { path },
    });
  }
  return {
    containerPath: containerPath ?? path,
    type,
    major,
    minor,
    // of a device's mode a runtime spec takes the permissions alone
    fileMode: mode & 0o777,
    uid,
    gid,
    permissions: permissions ?? "rwm",
  };
}
