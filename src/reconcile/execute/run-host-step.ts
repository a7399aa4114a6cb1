import { StowageError } from "../../errors/index.ts";
import { hostDirectories, hostLayout } from "../../model/index.ts";
import type { HostChange, Step } from "../../plan/index.ts";
import { trimHistory } from "../history/pod-histories.ts";
import { installUnit, removeUnit } from "./boot-steps.ts";
import { bringImage } from "./bring-image.ts";
import { type HostSession, sessionAt } from "./host-session.ts";
import type { ImageHooks } from "./image-bytes.ts";
import { removeRoster, writeRoster } from "./rosters.ts";

/** Runs one step of a host's own change; the lock was checked. */
export async function runHostStep(
  session: HostSession,
  change: HostChange,
  step: Step,
  hooks: ImageHooks,
): Promise<void> {
  const { engine, host, layout, signal, context } = session;
  const ownership = { owner: context.owner, fleet: context.fleet };
  const options = { signal };
  switch (step.kind) {
    case "import-image":
      return await bringImage(session, step, ownership, hooks);
    case "claim-image":
      return await engine.claimImage(step.image, ownership, options);
    case "release-image":
      return await (await sessionAt(session, step.engine)).engine.releaseImage(
        step.name,
        ownership,
        options,
      );
    case "remove-leftover":
      return await (await sessionAt(session, step.engine)).engine.removeLeftover(
        step.name,
        options,
      );
    case "remove-files":
      return await session.files.remove(step.from, step.name, options);
    case "write-roster":
      return await writeRoster(session, step.hosts);
    case "remove-roster":
      return await removeRoster(session);
    case "trim-history":
      return await trimHistory(host, layout, step.pod, step.keep, options);
    case "install-unit":
      return await installUnit(session, step.unit);
    case "remove-unit":
      return await removeUnit(session, step.name);
    case "move-fleet":
      return await host.moveDirectory(formerDir(session, step.from), layout.fleetDir, options);
    case "forget-fleet":
      return await host.removeFile(formerDir(session, step.from), options);
    default:
      throw new StowageError(
        `Cannot run step "${step.kind}" of ${change.id}: it is no step of a host`,
        { code: "internal" },
      );
  }
}

function formerDir(
  { spec }: HostSession,
  from: { readonly owner: string; readonly fleet: string },
): string {
  return hostLayout(hostDirectories(spec), from.owner, from.fleet).fleetDir;
}
