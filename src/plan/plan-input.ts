import type {
  AppliedImage,
  BootUnit,
  CapabilityTable,
  EngineConfig,
  EngineInfo,
  FleetManifest,
  HostSpec,
  Json,
  ObservedEngine,
  RecordReading,
  RolloutMarkReading,
  RosterReading,
  TakenPort,
} from "../model/index.ts";
import type { FleetIdentity } from "./plan.ts";

/** An engine of a host, not the declared one, that holds something of the fleet or held it last. */
export type OtherEngine = { readonly config: EngineConfig } & (
  | {
      readonly kind: "observed";
      readonly info: EngineInfo;
      readonly capabilities: CapabilityTable;
      readonly engine: ObservedEngine;
    }
  /** `gone`: the host has it no more; `silent`: it is there and cannot be asked. */
  | { readonly kind: "gone" | "silent"; readonly reason: string }
);

/** What one host looked like, from one pass over its engine and its files. */
export interface HostObservation {
  readonly kind: "observed";
  /** The engine as it is declared. */
  readonly config: EngineConfig;
  readonly info: EngineInfo;
  readonly capabilities: CapabilityTable;
  readonly engine: ObservedEngine;
  /** Engines that records and rosters of the host name beside the declared one. */
  readonly others: readonly OtherEngine[];
  /**
   * Records by `owner/fleet/pod`: of this fleet under any owner (`<stateDir>/<any>/<fleet>/*.json`), and
   * of its former name.
   */
  readonly records: ReadonlyMap<string, RecordReading>;
  /** Rosters of every owner and fleet that has one on the host, by `owner/fleet`. */
  readonly rosters: ReadonlyMap<string, RosterReading>;
  /** State directory that has the fleet's files for this host, which is declared with another one that has none. */
  readonly formerStateDir?: string;
  /**
   * Whether rollouts are paused, by `owner/fleet/service`, under the fleet's name and its former one; absent
   * where nobody ever said so under its name now.
   */
  readonly marks?: ReadonlyMap<string, RolloutMarkReading>;
  /** Volumes of this fleet that exist, with their size where it was asked for. */
  readonly volumes: ReadonlyMap<string, { readonly path: string; readonly sizeBytes?: number }>;
  /** Ports that are listened on. */
  readonly taken: readonly TakenPort[];
  /** Files of the fleet's pods; absent where it has none. */
  readonly files?: FilesObservation;
  /** What starts at boot; absent where systemd does not run, or nothing may be put there. */
  readonly boot?: BootObservation;
  /** Paths of bind volumes and devices that do not exist. */
  readonly missingPaths: ReadonlySet<string>;
  /** Who is at work on the host now and since when, where that was asked. */
  readonly busy?: string;
  /** Paths that Stowage writes to where something of the wrong kind is; absent if there are none. */
  readonly wrongPlaces?: readonly {
    readonly path: string;
    readonly wanted: "directory" | "file";
    /** Whether it is a symbolic link to what is not there. */
    readonly isDangling?: boolean;
  }[];
}

/** What somebody else changed of a file that Stowage wrote. */
export interface FileDrift {
  /** Attribute path in the pod. */
  readonly path: string;
  /** What was found, for people where it may be long; absent of a file that is gone. */
  readonly before?: Json;
  readonly after?: Json;
  readonly secret?: boolean;
  readonly text?: string;
}

/** Files of a fleet's pods on a host. */
export interface FilesObservation {
  /** What is wrong with those of a generation, by its object name. */
  readonly drift: ReadonlyMap<string, readonly FileDrift[]>;
  /** Directories with files of a generation, each once, under the identity of the fleet that they lie with. */
  readonly directories: readonly (FleetIdentity & { readonly name: string })[];
  /** Fleets with only empty directories left. */
  readonly emptied: readonly FleetIdentity[];
}

/** Units of Stowage's on a host that runs systemd. */
export interface BootObservation {
  /** Command that runs this Stowage there. */
  readonly program: readonly string[];
  /** Those of any fleet, by name. */
  readonly units: ReadonlyMap<string, ObservedUnit>;
}

/** A unit as it was found. */
export interface ObservedUnit {
  readonly text: string;
  /** What it says of itself, where that can be read. */
  readonly says?: BootUnit;
  /** Whether systemd starts it at boot. */
  readonly enabled: boolean;
  /** Whether the program that it names is there. */
  readonly runs: boolean;
}

/** A host that could not be observed. */
export interface HostUnreachable {
  readonly kind: "unreachable";
  /** Why, for people. */
  readonly reason: string;
}

/** What a reference led to on a platform. */
export type ImageResolution =
  | {
      readonly kind: "resolved";
      readonly image: AppliedImage;
      /** Whether its bytes can be read from disk if the engine lacks it. */
      readonly available: boolean;
      /** Another engine of the host that holds it, and its digest there. */
      readonly from?: { readonly engine: EngineConfig; readonly digest: string };
      readonly sizeBytes?: number;
      /** Its bytes are in a registry that other machines may ask as well. */
      readonly ofRegistry?: boolean;
      /** Whom it has its processes run as, where it says so and its config was read. */
      readonly user?: string;
    }
  | { readonly kind: "unresolved"; readonly reason: string };

/** How a secret compares with what was last applied. */
export interface SecretComparison {
  readonly state: "unchanged" | "changed" | "not-compared";
  /** Why it was not compared. */
  readonly why?: string;
}

/** Everything that a plan is made of. */
export interface PlanInput {
  readonly manifest: FleetManifest;
  readonly hosts: ReadonlyMap<string, HostObservation | HostUnreachable>;
  /** Hosts of rosters that the manifest does not declare any more. */
  readonly leaving: ReadonlyMap<string, HostSpec>;
  /** By host, then by reference as written. */
  readonly images: ReadonlyMap<string, ReadonlyMap<string, ImageResolution>>;
  /** By `host/pod`, then by attribute path. */
  readonly secrets: ReadonlyMap<string, ReadonlyMap<string, SecretComparison>>;
  readonly options: PlanOptions;
}

/** What the user asked of a plan. */
export interface PlanOptions {
  /** Only these hosts. */
  readonly hosts?: readonly string[];
  /** Only these pods, by name. */
  readonly pods?: readonly string[];
  /** Plans over hosts that hold the fleet under another owner. */
  readonly takeOver?: boolean;
  /** Hosts to strike from the roster without reaching them. */
  readonly forgetHosts?: readonly string[];
  /** Adds what a saved plan is checked by: digests of the manifest and of what was observed. */
  readonly fingerprints?: boolean;
  /** Leaves the old generation of a pod that moves to another engine there, stopped. */
  readonly keepOld?: boolean;
  /** Kinds of engines that are taken for gone though they only do not answer. */
  readonly forgetEngines?: readonly string[];
  /** Fields whose drift is of no interest, as in the reference (`containers.*.env`), with all below them. */
  readonly ignoreFields?: readonly string[];
  /** Images are sent from this machine, whatever hosts declare of who gets them. */
  readonly sendImages?: boolean;
  /** Rollouts go on though they are paused. */
  readonly despitePauses?: boolean;
  /** Plans that these pods are started again, by `host/pod`, and nothing else. */
  readonly restart?: readonly string[];
  /** Plans the removal of everything. */
  readonly destroy?: boolean;
}
