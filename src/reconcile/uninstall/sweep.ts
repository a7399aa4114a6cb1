import type { Engine } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import {
  type EngineConfig,
  engineName,
  type HostSpec,
  type ObservedImage,
} from "../../model/index.ts";
import type { HostAccess } from "../connector.ts";
import { removeUnit } from "../execute/boot-steps.ts";
import type { HostLock } from "../lock/held-lock.ts";
import { bootWanted, observeBoot } from "../observe/observe-boot.ts";
import { ownFiles } from "./own-files.ts";
import type { Leaving } from "./survey-host.ts";

/** What a sweep removed and what it did not. */
export interface Sweep {
  readonly removed: string[];
  readonly leaves: Leaving[];
  /** What of Stowage's could not be removed, and why. */
  readonly problems: string[];
}

/** A host that is swept, locked. */
export interface SweepParts {
  readonly access: HostAccess;
  readonly lock: HostLock;
  readonly spec: HostSpec;
  readonly signal: AbortSignal | undefined;
  readonly sweep: Sweep;
}

/** Takes leftovers, images that Stowage brought, and what engines keep beside these. One that is gone holds nothing. */
export async function sweepEngines(
  parts: SweepParts,
  engines: readonly EngineConfig[],
): Promise<void> {
  const { access, signal, sweep, spec } = parts;
  for (const config of engines) {
    const name = engineName(config, config === spec.engine ? undefined : spec.engine);
    try {
      await sweepEngine(parts, await access.engineAt(config), name);
    } catch (error) {
      signal?.throwIfAborted();
      if (!StowageError.is(error)) throw error;
      if (error.code === "not_found") {
        sweep.leaves.push({
          what: `engine ${name}`,
          why: `it is not on the host any more: ${error.message}`,
        });
      } else sweep.problems.push(error.message);
    }
  }
}

/** Removes units of any fleet. */
export async function sweepUnits({ access, lock, signal, sweep }: SweepParts): Promise<void> {
  const { host } = access;
  const options = callOptions(signal);
  const snapshot = await host.snapshot(bootWanted(host), options);
  const boot = await observeBoot(host, snapshot, options);
  for (const name of boot?.units.keys() ?? []) {
    await lock.check();
    await removeUnit({ host, signal: signal ?? new AbortController().signal }, name);
    sweep.removed.push(`unit ${name}`);
  }
}

/** Removes what of the host's directories is Stowage's, but for the lock and what fleets kept. */
export async function sweepFiles(parts: SweepParts): Promise<void> {
  const { access, lock, spec, signal, sweep } = parts;
  const { host } = access;
  const options = callOptions(signal);
  const { taken } = await ownFiles(host, spec, signal);
  for (const path of taken) {
    await lock.check();
    const found = await host.inspect(path, options);
    try {
      if (found?.kind === "directory") await host.removeDirectory(path, options);
      else await host.removeFile(path, options);
      sweep.removed.push(path);
    } catch (error) {
      signal?.throwIfAborted();
      if (!StowageError.is(error)) throw error;
      sweep.problems.push(error.message);
    }
  }
}

async function sweepEngine(parts: SweepParts, engine: Engine, name: string): Promise<void> {
  const { lock, signal, sweep } = parts;
  const options = callOptions(signal);
  const { pods, images, leftovers } = await engine.observe(options);
  for (const { owner, fleet, pod } of pods)
    sweep.problems.push(`pod ${pod} of fleet ${fleet} (${owner}) appeared during the uninstall`);
  if (pods.length > 0) return;
  for (const { name: left, what } of leftovers) {
    await lock.check();
    await engine.removeLeftover(left, options);
    sweep.removed.push(`${what} ${left} of ${name}`);
  }
  for (const image of images.filter(({ fleets }) => fleets !== undefined))
    await releaseImage(parts, engine, name, image);
  await lock.check();
  sweep.leaves.push(
    ...(await engine.vacate(options)),
    ...(await keptImages(engine, images, name, options)),
  );
}

async function releaseImage(
  { lock, signal, sweep }: SweepParts,
  engine: Engine,
  engineWord: string,
  { name, fleets = [] }: ObservedImage,
): Promise<void> {
  for (const ownership of fleets.length === 0 ? ["nobody/none"] : fleets) {
    const [owner = "", fleet = ""] = ownership.split("/");
    await lock.check();
    await engine.releaseImage(name, { owner, fleet }, callOptions(signal));
  }
  sweep.removed.push(`image ${name} of ${engineWord}`);
}

/** Images that Stowage brought, or used, and that are still there. */
async function keptImages(
  engine: Engine,
  before: readonly ObservedImage[],
  engineWord: string,
  options: { readonly signal?: AbortSignal },
): Promise<readonly Leaving[]> {
  const ours = new Set(before.filter(({ fleets }) => fleets !== undefined).map(({ name }) => name));
  if (ours.size === 0) return [];
  const { images } = await engine.observe(options);
  return images
    .filter(({ name }) => ours.has(name))
    .map(({ name, inUse }) => ({
      what: `image ${name} of ${engineWord}`,
      why: inUse ? "somebody else's container uses it" : "Stowage did not bring it",
    }));
}

function callOptions(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
