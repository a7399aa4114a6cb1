import { CGROUP_ROOT } from "../../../engine/index.ts";
import { SYSTEMD_RUNNING } from "../../../model/index.ts";
import { callOptions, type RktContext } from "../context.ts";
import type { CgroupHome } from "./cgroups.ts";

const CONTROLLERS_V2 = `${CGROUP_ROOT}/cgroup.controllers`;

const known = new WeakMap<RktContext, CgroupHome>();

/** Where cgroups of ours are on a host; asked once, since it does not change while the host is up. */
export async function cgroupHome(
  context: RktContext,
  signal: AbortSignal | undefined,
): Promise<CgroupHome> {
  const found = known.get(context);
  if (found !== undefined) return found;
  const { existing } = await context.host.snapshot(
    { exist: [CONTROLLERS_V2, SYSTEMD_RUNNING] },
    callOptions(signal),
  );
  const home = {
    version: existing.has(CONTROLLERS_V2) ? 2 : 1,
    systemd: existing.has(SYSTEMD_RUNNING),
    scope: context.layout.scope,
  } as const;
  known.set(context, home);
  return home;
}
