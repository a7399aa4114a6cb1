import { StowageError } from "../../errors/index.ts";
import { openRegistries } from "../../image/registry/index.ts";
import { fieldPathsOf, PodSpec } from "../../model/index.ts";
import type { PlanOptions } from "../../plan/index.ts";
import { type Connector, type PlanFleetRequest, readFleetLock } from "../../reconcile/index.ts";
import type { Arguments } from "../command-line/arguments.ts";
import type { OptionSpec } from "../command-line/command.ts";
import type { CommandContext } from "../context.ts";
import { readPodName } from "../pods/pod-names.ts";
import { didYouMean } from "../text/suggest.ts";
import type { LoadedFleet } from "./load-fleet.ts";

/** Where containerd and its clients look for how registries are reached. */
export const HOSTS_DIRECTORY = "/etc/containerd/certs.d";

/** Options of commands that plan. */
export const PLAN_OPTIONS = {
  host: { value: "HOST", multiple: true, description: "Only this host" },
  pod: { value: "POD", multiple: true, description: "Only pods of this name" },
  "take-over": {
    description: "Take over a fleet of this name that the hosts hold under another owner",
  },
  "forget-host": {
    value: "HOST",
    multiple: true,
    description: "Drop a host that is gone for good, without contacting it",
  },
  "keep-old": {
    description: "Keep the stopped old generation of a pod that moves to another engine",
  },
  "forget-engine": {
    value: "KIND",
    multiple: true,
    description: "Treat an old engine that does not answer as gone, with all that ran in it",
  },
  "ignore-field": {
    value: "FIELD",
    multiple: true,
    description: "Ignore drift of this field and of the fields below it",
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** What the user asked of a plan. */
export function planOptions(args: Arguments): PlanOptions {
  const [hosts, pods, forgetHosts, forgetEngines] = [
    args.list("host"),
    args.list("pod")?.map(onlyPod),
    args.list("forget-host"),
    args.list("forget-engine"),
  ];
  return {
    ...(hosts === undefined ? {} : { hosts }),
    ...(pods === undefined ? {} : { pods }),
    ...(forgetHosts === undefined ? {} : { forgetHosts }),
    ...(forgetEngines === undefined ? {} : { forgetEngines }),
    ...ignoredFields(args),
    ...(args.flag("keep-old") ? { keepOld: true } : {}),
    ...(args.flag("take-over") ? { takeOver: true } : {}),
  };
}

/** @throws StowageError `invalid_argument` for one that is written with its host */
function onlyPod(text: string): string {
  const { host, pod } = readPodName(text);
  if (host === undefined) return pod;
  throw new StowageError(
    `Cannot use --pod ${JSON.stringify(text)}: it takes only the pod's name; write --pod ${pod} --host ${host}`,
    { code: "invalid_argument" },
  );
}

/** @throws StowageError `invalid_argument` for one that no pod has */
function ignoredFields(args: Arguments): Pick<PlanOptions, "ignoreFields"> {
  const ignoreFields = args.list("ignore-field");
  if (ignoreFields === undefined) return {};
  const known = fieldPathsOf(PodSpec);
  for (const field of ignoreFields) {
    const isKnown = known.some(
      (path) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`),
    );
    if (isKnown) continue;
    throw new StowageError(
      `Cannot ignore field ${JSON.stringify(field)}: no pod has it; ${didYouMean(field, known, "see the fields in stowage engines")}`,
      { code: "invalid_argument" },
    );
  }
  return { ignoreFields };
}

/** What planning and applying a fleet have in common. */
export async function fleetRequest(
  fleet: Pick<LoadedFleet, "manifest" | "baseDir"> & Partial<Pick<LoadedFleet, "lockFile">>,
  args: Arguments,
  context: CommandContext,
): Promise<
  Omit<PlanFleetRequest, "options" | "signal" | "onProgress" | "connector"> & {
    readonly connector: Connector;
  }
> {
  const lockFile = fleet.lockFile === undefined ? undefined : await readFleetLock(fleet.lockFile);
  return {
    manifest: fleet.manifest,
    manifestDir: fleet.baseDir,
    connector: context.connector,
    environment: context.env,
    registries: openRegistries({
      env: context.env,
      declared: fleet.manifest.registries,
      hostsDirectory: HOSTS_DIRECTORY,
      readsRegistriesConf: true,
    }),
    ...(lockFile === undefined ? {} : { lockFile }),
    parallelism: args.count("parallelism", 1),
  };
}
