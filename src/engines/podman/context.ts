import { type Host, ProgramVersion } from "../../host/index.ts";
import { type Batch, Gate, Turns } from "../../internal/index.ts";
import type { HostDirectories, PodIdentity } from "../../model/index.ts";
import type { InspectedContainer } from "./cli/answers.ts";
import { initializing, inspecting, starting } from "./cli/container-batches.ts";
import { PodmanCli } from "./cli/podman-cli.ts";
import { ImageDetailsReader } from "./images/image-details.ts";
import { globalArguments, type PodmanSettings } from "./podman-settings.ts";
import type { FreshPod } from "./pods/fresh-pod.ts";
import type { PlannedContainer } from "./pods/planned-container.ts";
import { type MachineFacts, readMachineFacts } from "./store/machine-facts.ts";
import { type OwnFiles, ownFiles } from "./store/own-files.ts";

const COMMAND_ENV = {
  // its complaint about the kernel's older cgroups would be the last line of every failure
  PODMAN_IGNORE_CGROUPSV1_WARNING: "1",
  // collecting garbage is a sixth of what a command costs that ends before it has made any worth it
  GOGC: "400",
};

export const ASK_VERSION = "ask podman for its version";

/** What every operation works with. */
export interface PodmanContext {
  readonly cli: PodmanCli;
  readonly host: Host;
  readonly files: OwnFiles;
  readonly facts: MachineFacts;
  readonly version: ProgramVersion;
  readonly images: ImageDetailsReader;
  /** What brings images in goes together; what removes what is left of an import, alone. */
  readonly imports: Gate;
  /** Folders that images are sent into: those of one digest have the same one. */
  readonly stages: Turns;
  /** Containers by name or id, in all their detail. */
  readonly inspect: Batch<readonly InspectedContainer[]>;
  readonly init: Batch<string>;
  readonly start: Batch<string>;
  /** Pods of one container that their start makes, by object name. */
  readonly deferred: Map<string, DeferredPod>;
  /** Pods of one container that were run a moment ago, by object name. */
  readonly fresh: Map<string, FreshPod>;
}

/** A pod that was prepared for a start that follows at once: podman makes and runs it in one command. */
export interface DeferredPod {
  readonly plan: PlannedContainer;
  readonly recordDigest: string;
}

/** Puts together what operations need; changes nothing on the host. */
export async function openContext(
  settings: PodmanSettings,
  host: Host,
  directories: HostDirectories,
): Promise<PodmanContext> {
  const files = ownFiles(directories, settings);
  const facts = await readMachineFacts(host, settings);
  const program = settings.program ?? "podman";
  const cli = new PodmanCli(host, {
    program,
    globalArgs: globalArguments(settings),
    env: { ...COMMAND_ENV, ...facts.env },
  });
  return {
    cli,
    host,
    files,
    facts,
    // of the two ways to ask for it this is the one that makes no store
    version: new ProgramVersion(host, {
      program,
      file: files.versionFile,
      ask: async (signal) =>
        await cli.read(["--version"], { doing: ASK_VERSION, ...callOptions(signal) }),
    }),
    images: new ImageDetailsReader({ cli, host, facts, scope: files.scope }),
    imports: new Gate(),
    stages: new Turns(),
    inspect: inspecting(cli),
    init: initializing(cli),
    start: starting(cli),
    deferred: new Map(),
    fresh: new Map(),
  };
}

/** For messages: `pod "web" (generation 3)`. */
export function describePod({ pod, generation }: PodIdentity): string {
  return `pod "${pod}" (generation ${generation})`;
}

/** Options of a look at the host. */
export function callOptions(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
