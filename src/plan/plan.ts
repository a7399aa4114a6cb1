import type {
  AppliedImage,
  BootUnit,
  ChangeVerdict,
  EngineConfig,
  EngineInfo,
  HostDirectories,
  Json,
  KeptGeneration,
  PodIdentity,
  PodSpec,
  RecordedGeneration,
  Rollout,
  Roster,
} from "../model/index.ts";

/** What a plan says where a reference was changed and leads to what it led to. */
export const OTHER_NAME = "the same image by another name";

/** Version of the form in which plans are saved. */
export const PLAN_VERSION = "stowage/plan/v1";

/** What happens to a pod. */
export type Action =
  | "create"
  | "start"
  | "update"
  | "restart"
  | "replace"
  | "move-engine"
  | "remove"
  | "adopt"
  | "clean";

/** Why something is to be done. */
export interface Reason {
  /**
   * declared: the declaration changed since the last apply. drift: something changed behind
   * Stowage's back. state: it does not run as it should. leftover: an apply was interrupted. asked:
   * somebody wants it, though nothing is wrong.
   */
  readonly kind: "declared" | "drift" | "state" | "leftover" | "asked";
  /** Attribute path in the pod (`containers.web.image`); empty where it is about the pod itself. */
  readonly path: string;
  /** Absent: not set. For drift: what was found. */
  readonly before?: Json;
  /** Absent: not set. */
  readonly after?: Json;
  /** The value is a secret: neither side says it. */
  readonly secret?: boolean;
  readonly verdict: ChangeVerdict | "none";
  /** One sentence, where before and after do not say it. */
  readonly text?: string;
}

/**
 * One thing that apply does; each is idempotent. They are run in order, and nothing else is.
 *
 * `prepare` writes the generation into the record before it makes it, its files first; `remove` takes
 * these away with it; `write-files` writes those of one that exists again. `commit` makes a generation
 * the record's current one and drops the others from it, but for those that are kept in another
 * engine; `forget` deletes the record. `engine` names another engine of the host than the declared
 * one.
 */
export type Step =
  | {
      readonly kind: "import-image";
      readonly image: AppliedImage;
      readonly sizeBytes?: number;
      /** Who gets it, where the host is another machine: itself, or the one that Stowage runs on. */
      readonly by?: "host" | "controller";
      /** What the host cannot get is sent to it. */
      readonly orSent?: true;
      /** Another engine that hands it over, and its digest there; from disk where that lacks bytes of it. */
      readonly from?: { readonly engine: EngineConfig; readonly digest: string };
    }
  | { readonly kind: "claim-image"; readonly image: AppliedImage }
  | {
      readonly kind: "release-image";
      readonly name: string;
      readonly engine?: EngineConfig;
      /** What is freed at most, as others may share layers of it. */
      readonly sizeBytes?: number;
    }
  | {
      readonly kind: "create-volume";
      readonly volume: string;
      readonly mode: string;
      readonly uid?: number;
      readonly gid?: number;
    }
  | { readonly kind: "prepare"; readonly generation: number }
  | { readonly kind: "write-files"; readonly generation: number }
  /** Removes files of a generation that is gone; without a name, what is empty. */
  | { readonly kind: "remove-files"; readonly from: FleetIdentity; readonly name?: string }
  /** Before a stop: what its containers want done while they still run. */
  | { readonly kind: "drain"; readonly generation: number; readonly engine?: EngineConfig }
  | { readonly kind: "stop"; readonly generation: number; readonly engine?: EngineConfig }
  | {
      readonly kind: "start";
      readonly generation: number;
      readonly engine?: EngineConfig;
      /** Only these; absent: all that do not run. */
      readonly containers?: readonly string[];
      /** The restart policy wants it, and nobody else. */
      readonly again?: boolean;
      /** The ports of the host stay with the old generation for now. */
      readonly aside?: boolean;
    }
  /** Lets the ports of the host lead to a generation that was started aside, in one instant. */
  | { readonly kind: "take-ports"; readonly generation: number }
  | { readonly kind: "update"; readonly generation: number; readonly paths: readonly string[] }
  | {
      readonly kind: "wait-healthy";
      readonly generation: number;
      readonly engine?: EngineConfig;
      /** It has to stay healthy for so long. */
      readonly forMs?: number;
    }
  /** Waits until each of its containers has ended with exit code 0. */
  | { readonly kind: "wait-completed"; readonly generation: number; readonly engine?: EngineConfig }
  | {
      readonly kind: "commit";
      readonly generation: number;
      readonly keep?: readonly KeptGeneration[];
    }
  | { readonly kind: "remove"; readonly generation: number; readonly engine?: EngineConfig }
  | { readonly kind: "remove-leftover"; readonly name: string; readonly engine?: EngineConfig }
  /** Gives what was applied to the pod on a host that it leaves to the one that it comes to. */
  | { readonly kind: "hand-records"; readonly from: string; readonly to: string }
  | { readonly kind: "forget" }
  | { readonly kind: "write-roster"; readonly hosts: Roster["hosts"] }
  | { readonly kind: "remove-roster" }
  /** Leaves only so many of a pod's old records, the newest ones. */
  | { readonly kind: "trim-history"; readonly pod: string; readonly keep: number }
  /** Puts a unit where the host's systemd starts it at boot. */
  | { readonly kind: "install-unit"; readonly unit: BootUnit }
  | { readonly kind: "remove-unit"; readonly name: string }
  /** Renames the directory of a former fleet to that of this one and leaves a link behind it. */
  | { readonly kind: "move-fleet"; readonly from: FleetIdentity }
  /** Removes that link. */
  | { readonly kind: "forget-fleet"; readonly from: FleetIdentity };

/** Name and owner of a fleet: what tells it apart on a host. */
export interface FleetIdentity {
  readonly owner: string;
  readonly fleet: string;
}

/** A field of a pod with which its new engine can do less than its old one. */
export interface Loss {
  /** Attribute path in the pod. */
  readonly path: string;
  /** How a change of it was applied, and how it is from now on. */
  readonly change?: { readonly before: ChangeVerdict; readonly after: ChangeVerdict };
  /** How it is emulated where it was native. */
  readonly emulated?: string;
}

/** What is to be done to one pod, why, and how. */
export interface PodChange {
  /** `host/pod`: names it within the plan. */
  readonly id: string;
  readonly host: string;
  readonly pod: string;
  readonly action: Action;
  /** The generation that this change makes; every other one of its steps exists already. */
  readonly fresh?: number;
  /** Identity under which the existing generations were made: the declared one, or a former one of fleet or host. */
  readonly origin: Omit<PodIdentity, "generation" | "pod">;
  readonly reasons: readonly Reason[];
  readonly steps: readonly Step[];
  /** Ids of changes that must have succeeded before this one begins. */
  readonly after: readonly string[];
  /** Those of `after` whose processes only need to have been started. */
  readonly afterStart?: readonly string[];
  /** Those of `after` that it follows in its service's rollout, which may stand some failures. */
  readonly afterWave?: readonly string[];
  /** The pod does not answer for a moment, between its stop and its start. */
  readonly interrupts: boolean;
  /** The generation that is to run when it is done; absent for a removal. */
  readonly to?: RecordedGeneration;
  /** The generation that is gone back to when the new one fails, in the engine that it names. */
  readonly from?: RecordedGeneration;
  /** The host that it moves to: this removes it here, and that host has the change that makes it there. */
  readonly movesTo?: string;
  /** The host that it comes from. */
  readonly movesFrom?: string;
  /** What a move to another engine costs. */
  readonly losses?: readonly Loss[];
  readonly notes: readonly string[];
}

/** What is to be done to a host beside its pods. */
export interface HostChange {
  readonly id: string;
  readonly host: string;
  readonly action:
    | "import"
    | "claim"
    | "release"
    | "clean"
    | "roster"
    | "boot"
    | "rename"
    | "leave"
    | "unreachable";
  /** One sentence for people: what, and why. */
  readonly text: string;
  readonly steps: readonly Step[];
  readonly after: readonly string[];
}

/** A volume that no pod uses any more; it is never removed by an apply. */
export interface KeptVolume {
  readonly volume: string;
  readonly path: string;
  readonly sizeBytes?: number;
}

/** One host's part of a plan. */
export interface HostPlan {
  readonly host: string;
  readonly address: string;
  readonly engine: EngineConfig;
  readonly directories: HostDirectories;
  readonly info?: EngineInfo;
  /** Engines that pods move away from. */
  readonly was?: readonly EngineConfig[];
  /** Digest of everything that was observed and matters; a saved plan is refused when it has moved on. */
  readonly fingerprint?: string;
  /** Declared; false while it leaves the fleet. */
  readonly declared: boolean;
  /** Pods of the fleet that run on it now. */
  readonly running: number;
  readonly kept: readonly KeptVolume[];
  /** Containers that ended and, by their restart policy, have done their work; `pod/container`. */
  readonly ended?: readonly string[];
}

/** Changes of a rollout that are made at the same time. */
export interface RolloutWave {
  readonly kind: "canary" | "wave";
  /** Ids of the changes. */
  readonly changes: readonly string[];
}

/** Why the rollout of a service goes no further: a mark on a host says so, or cannot be understood. */
export interface RolloutPause {
  /** The host of the mark. */
  readonly host: string;
  readonly by?: string;
  readonly at?: string;
  /** Why the mark cannot be understood, where it is taken for a pause. */
  readonly problem?: string;
}

/** How the pods of a service follow each other in a plan. */
export interface RolloutPlan {
  readonly service: string;
  readonly policy: Rollout;
  /** Each begins when the one before it has ended; none is empty. */
  readonly waves: readonly RolloutWave[];
  /** Pods of it that are what is declared already, on the hosts that were observed. */
  readonly done: number;
  /** Absent: it continues. */
  readonly paused?: RolloutPause & {
    /** Ids of its changes that are not made before it is resumed; the others repair what was applied already. */
    readonly waits: readonly string[];
  };
}

/** What would be done to make the hosts what the manifest says; converged when there are no changes. */
export interface Plan {
  readonly version: typeof PLAN_VERSION;
  readonly owner: string;
  readonly fleet: string;
  /** Digest of the manifest, in a plan that is to be saved. */
  readonly manifest?: string;
  readonly hosts: readonly HostPlan[];
  readonly pods: readonly PodChange[];
  readonly hostChanges: readonly HostChange[];
  /** Of services that say how their pods follow each other, where any of them changes. */
  readonly rollouts?: readonly RolloutPlan[];
  /** For people; each a sentence with its place. */
  readonly warnings: readonly string[];
  /** Whether only a part was planned (`--host`, `--pod`): the roster is then never shortened. */
  readonly partial: boolean;
}

/** A pod as it is declared, its images resolved. */
export interface ResolvedPod {
  readonly spec: PodSpec;
  readonly images: Readonly<Record<string, AppliedImage>>;
}
