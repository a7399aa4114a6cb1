import type { EngineKind } from "./engine-config.ts";
import type { Json } from "./field.ts";
import type { CniNetwork } from "./network.ts";

/**
 * State of a container as its engine reports it. `unknown`: the engine could not tell, which never
 * means gone.
 */
export type ContainerState = "missing" | "prepared" | "running" | "paused" | "exited" | "unknown";

/**
 * State of a generation of a pod. `incomplete`: prepare did not complete, or parts of it are
 * gone; `degraded`: some of its containers run and some do not.
 */
export type PodState = "incomplete" | "prepared" | "running" | "degraded" | "exited" | "unknown";

/** A container as its engine reports it. */
export interface ObservedContainer {
  /** Its id in the engine. */
  readonly id: string;
  readonly state: ContainerState;
  readonly pid?: number;
  readonly exitCode?: number;
  /** UTC, ISO 8601. */
  readonly exitedAt?: string;
  /** How often its restart policy had it started, since somebody else last did; absent: never. */
  readonly restarts?: number;
  readonly image: { readonly reference: string; readonly digest?: string };
  /**
   * What the engine reports of declared fields, by attribute path within the container
   * (`env.LOG`, `resources.memoryBytes`); null: it reports that nothing is set. Only what it can
   * tell for certain; a path that is absent was not compared.
   */
  readonly reported: Readonly<Record<string, Json>>;
  /** One sentence when the engine's object was altered by somebody else in a way no field names. */
  readonly altered?: string;
}

/** A generation of a pod that Stowage made, of any fleet, as the engine reports it. */
export interface ObservedPod {
  readonly owner: string;
  readonly fleet: string;
  /** Name that the host had in the manifest when it was made. */
  readonly host: string;
  readonly pod: string;
  readonly generation: number;
  /** Digest of what it was made of; absent where the engine lost it. */
  readonly recordDigest?: string;
  readonly state: PodState;
  readonly containers: Readonly<Record<string, ObservedContainer>>;
  /** Like {@link ObservedContainer.reported}, for fields of the pod itself (`hostname`). */
  readonly reported: Readonly<Record<string, Json>>;
  /** Its address in its network, while it has one of its own. */
  readonly address?: string;
  /** One sentence when it runs and its network is not as it was made: a `start` repairs that. */
  readonly detached?: string;
}

/** An image that the engine holds. */
export interface ObservedImage {
  /** Its name in the engine. */
  readonly name: string;
  /** Digest of the platform's manifest. */
  readonly digest: string;
  readonly configDigest?: string;
  readonly sizeBytes?: number;
  /** Fleets that use it, as `owner/fleet`; absent when Stowage did not make its record. */
  readonly fleets?: readonly string[];
  /** Whether a container of anyone uses it. */
  readonly inUse: boolean;
}

/** Something of Stowage's that belongs to no pod: what is left over from an interrupted apply. */
export interface ObservedLeftover {
  /** Its name in the engine, beginning with `stw-`. */
  readonly name: string;
  /** What it is, in the engine's word: for people. */
  readonly what: string;
  /** Digest of the manifest whose import left it, and which the next one of the same image continues with. */
  readonly image?: string;
}

/** Everything of interest in an engine, from one consistent pass. */
export interface ObservedEngine {
  readonly pods: readonly ObservedPod[];
  readonly images: readonly ObservedImage[];
  readonly leftovers: readonly ObservedLeftover[];
  /** Containers of Stowage's that belong to another state directory, by their names, where pods are known by that alone. */
  readonly elsewhere?: readonly string[];
  /** What of the host's network is taken, where that was asked for. */
  readonly network?: ObservedNetwork;
}

/** What of a host's network anyone has taken, whether or not somebody listens. */
export interface ObservedNetwork {
  /** Ports that rules lead elsewhere. */
  readonly forwards: readonly ForwardedPort[];
  /** Addresses of interfaces and routes. */
  readonly subnets: readonly TakenSubnet[];
  /** What the host has of the networks of its CNI configuration that were asked for. */
  readonly cni?: readonly ObservedCni[];
}

/** A network of a host's CNI configuration. */
export interface ObservedCni {
  /** What was asked for. */
  readonly wanted: CniNetwork;
  /** One sentence when no pod can be put in it. */
  readonly problem?: string;
  /** Whether one of its plugins maps host ports. */
  readonly publishes: boolean;
}

/** A port of the host that a rule leads elsewhere. */
export interface ForwardedPort {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** Absent: of every address of the host. */
  readonly hostIp?: string;
  /** Whose rule it is, for people. */
  readonly holder: string;
  /** The pod that it leads to, where it is one of Stowage's: `owner/fleet/pod`. */
  readonly pod?: string;
}

/** Addresses that the host has or reaches by an interface. */
export interface TakenSubnet {
  readonly subnet: string;
  /** For people: `interface eth0`. */
  readonly holder: string;
  /** The interface that leads to them. */
  readonly device?: string;
  /** The network that has them, where it is one of Stowage's: `owner/fleet/network`. */
  readonly network?: string;
}

/** What an engine is. */
export interface EngineInfo {
  readonly kind: EngineKind;
  readonly version: string;
  readonly platform: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
  };
}

/** A port of the host that somebody listens on. */
export interface TakenPort {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** The one address that it is of; absent: of all. */
  readonly hostIp?: string;
  /** Who: a process as `name (pid 12)`, if known. */
  readonly holder?: string;
  readonly pid?: number;
  /** Name of the pod of the fleet whose process that is. */
  readonly pod?: string;
}

/** State of a pod from those of its containers. */
export function podState(states: readonly ContainerState[]): PodState {
  if (states.length === 0 || states.includes("missing")) return "incomplete";
  if (states.includes("unknown")) return "unknown";
  for (const state of ["running", "prepared", "exited"] as const) {
    if (states.every((each) => each === state)) return state;
  }
  return states.includes("prepared") &&
    states.every((each) => each === "prepared" || each === "running")
    ? "prepared"
    : "degraded";
}
