import { StowageError } from "../../errors/index.ts";
import {
  ENGINE_KINDS,
  EngineConfig,
  type EngineKind,
  type FleetManifest,
  type HostSpec,
  MANIFEST_VERSION,
  type Roster,
} from "../../model/index.ts";
import { observeFleet } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { CommandContext } from "../context.ts";
import { engineEntry } from "../engine-kinds.ts";

const STRAY_HOST = "stray";

/** A fleet on a host that no manifest is available for. */
export interface StrayFleet {
  readonly manifest: FleetManifest;
  /** Hosts that its roster names beside this one; they are left alone. */
  readonly others: readonly string[];
}

/** Whether a value of `--host` is an address and not a name. */
export function isAddress(host: string): boolean {
  return host === "local" || host.startsWith("ssh://");
}

/**
 * What a host's own files say of a fleet: who owns it and what the host is named in it.
 *
 * @throws StowageError `not_found` when the host holds no such fleet, `invalid_argument` when several
 *   owners have one there and none is named
 */
export async function findStrayFleet(
  args: Arguments,
  context: CommandContext,
): Promise<StrayFleet> {
  const [address, fleet] = [args.text("host") ?? "", args.text("fleet")];
  if (fleet === undefined) {
    throw new StowageError(`Cannot destroy on ${address}: no fleet is named; add --fleet NAME`, {
      code: "invalid_argument",
    });
  }
  const spec = strayHost(address, args);
  const rosters = await readRosters(spec, fleet, context);
  const owner = chooseOwner([...rosters.keys()], fleet, address, args.text("owner"));
  const hosts = rosters.get(owner)?.hosts ?? {};
  const here = Object.keys(hosts).filter((name) => hosts[name]?.address === address);
  // one that was declared with another engine is this host all the same
  const own = here.find((name) => hosts[name]?.engine === spec.engine.kind) ?? here[0];
  const name = own ?? STRAY_HOST;
  return {
    manifest: { version: MANIFEST_VERSION, name: fleet, id: owner, hosts: { [name]: spec } },
    others: Object.keys(hosts).filter((each) => each !== name),
  };
}

async function readRosters(
  spec: HostSpec,
  fleet: string,
  context: CommandContext,
): Promise<ReadonlyMap<string, Roster | undefined>> {
  await using reading = await context.connector.read(STRAY_HOST, spec, context.drain);
  const { hosts } = await observeFleet({
    manifest: {
      version: MANIFEST_VERSION,
      name: fleet,
      id: "nobody",
      hosts: { [STRAY_HOST]: spec },
    },
    options: {},
    reach: async () => reading,
    signal: context.drain,
  });
  const found = hosts.get(STRAY_HOST);
  if (found?.kind !== "observed") {
    throw new StowageError(
      `Cannot destroy on ${spec.address}: ${found?.reason ?? "it was not reached"}`,
      {
        code: "unavailable",
      },
    );
  }
  const owners = new Map<string, Roster | undefined>();
  for (const { owner, fleet: name } of found.engine.pods)
    if (name === fleet) owners.set(owner, undefined);
  for (const [key, roster] of found.rosters) {
    const [owner = "", name] = key.split("/");
    if (name === fleet) owners.set(owner, roster.kind === "roster" ? roster.roster : undefined);
  }
  return owners;
}

function chooseOwner(
  owners: readonly string[],
  fleet: string,
  address: string,
  wanted: string | undefined,
): string {
  const [only] = owners;
  if (wanted !== undefined ? owners.includes(wanted) : owners.length === 1)
    return wanted ?? only ?? "";
  const what = `Cannot destroy fleet "${fleet}" on ${address}`;
  if (owners.length === 0) {
    throw new StowageError(
      `${what}: the host holds no fleet of that name; check --engine and --state-dir`,
      {
        code: "not_found",
      },
    );
  }
  throw new StowageError(
    `${what}: the host holds it for owner ${owners.join(" and for owner ")}; name one with --owner`,
    {
      code: "invalid_argument",
    },
  );
}

/** A host that no manifest declares, as the options describe it. */
export function strayHost(address: string, args: Arguments): HostSpec {
  const [stateDir, runDir] = [args.text("state-dir"), args.text("run-dir")];
  return {
    address,
    engine: engineConfig(args.text("engine") ?? "containerd"),
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(runDir === undefined ? {} : { runDir }),
  };
}

function isKind(text: string): text is EngineKind {
  return ENGINE_KINDS.some((kind) => kind === text);
}

/** Reads `containerd`, `containerd:/run/containerd/containerd.sock` or `sim:/path/of/its/file`. */
function engineConfig(text: string): EngineConfig {
  const colon = text.indexOf(":");
  const [kind, path] =
    colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
  const place = kind !== undefined && isKind(kind) ? engineEntry(kind).place : "";
  const result = EngineConfig.safeParse({ kind, ...(path === undefined ? {} : { [place]: path }) });
  if (result.success) return result.data;
  throw new StowageError(
    `Cannot use --engine ${JSON.stringify(text)}: it is not a kind of engine with a path; write containerd:/run/containerd/containerd.sock`,
    { code: "invalid_argument", cause: result.error },
  );
}
