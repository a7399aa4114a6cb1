import type { OciDevice, OciDeviceRule } from "./oci-spec.ts";

/** A declared device with what the host says of it. */
export interface HostDevice {
  readonly containerPath: string;
  readonly type: "c" | "b";
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
  /** r, w, m. */
  readonly permissions: string;
}

/** Every container has these: null, zero, full, random, urandom, tty, console, ptmx, terminals. */
const STANDARD: readonly (readonly [major: number, minor?: number])[] = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 1],
  [5, 2],
  [136],
];

/** What may be done with devices: nothing but the standard and the declared ones; nodes may be made. */
export function deviceRules(
  declared: readonly HostDevice[],
  privileged: boolean,
): readonly OciDeviceRule[] {
  if (privileged) return [{ allow: true, access: "rwm" }];
  return [
    { allow: false, access: "rwm" },
    { allow: true, type: "c", access: "m" },
    { allow: true, type: "b", access: "m" },
    ...STANDARD.map(
      ([major, minor]): OciDeviceRule => ({
        allow: true,
        type: "c",
        major,
        ...(minor === undefined ? {} : { minor }),
        access: "rwm",
      }),
    ),
    ...declared.map(
      ({ type, major, minor, permissions }): OciDeviceRule => ({
        allow: true,
        type,
        major,
        minor,
        access: permissions,
      }),
    ),
  ];
}

/** The nodes of declared devices. */
export function deviceNodes(declared: readonly HostDevice[]): readonly OciDevice[] {
  return declared.map(({ containerPath, permissions: _, ...device }) => ({
    path: containerPath,
    ...device,
  }));
}
