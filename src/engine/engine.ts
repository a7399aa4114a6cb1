import type {
  AppliedImage,
  CapabilityTable,
  CniNetwork,
  EngineInfo,
  EngineKind,
  ObservedEngine,
  PodIdentity,
  PodSpec,
} from "../model/index.ts";
import type { CallOptions } from "./call-options.ts";
import type { EngineEvent } from "./engine-event.ts";
import type { ExecOptions, ExecResult } from "./exec.ts";
import type { ExportedImage, ImageContent, ImageDefaults } from "./image-content.ts";

/** A generation of a pod with everything that an engine needs to make and run it. */
export interface PodInstance {
  readonly identity: PodIdentity;
  readonly spec: PodSpec;
  /** What each container's image leads to, by container; the image is in the engine already. */
  readonly images: Readonly<Record<string, AppliedImage>>;
  /** Digest to put on the engine's objects as their record label. */
  readonly recordDigest: string;
  /** Host directory of each named volume, by the pod's name for it; they exist. */
  readonly volumeDirs: Readonly<Record<string, string>>;
  /**
   * Environment of each container with secrets in clear, in place of `spec`'s. Absent when the
   * secrets are not available: an engine that needs them then fails with `failed_precondition`.
   */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What was made for a pod in a network of the fleet; there with `prepare` and `start`. */
  readonly network?: PodNetwork;
}

/** A network that is no engine's: its engine runs the containers of the pod in it. */
export interface PodNetwork {
  /** File that a network namespace is mounted on, which all containers of the pod are to join. */
  readonly namespace: string;
  /** Files of the host that they are to see, read-only, by path in the container; written in place. */
  readonly files: Readonly<Record<string, string>>;
}

/** How to prepare a generation. */
export interface PrepareOptions extends CallOptions {
  /**
   * The start comes next, with nothing to end before it: what would only shorten the time until the
   * processes run may be left to it.
   *
   * @defaultValue false
   */
  readonly startsNext?: boolean;
}

/** Which processes of a generation to run, and why. */
export interface StartOptions extends CallOptions {
  /** Only these containers; all that do not run when absent. */
  readonly containers?: readonly string[];
  /**
   * The restart policy wants it, and nobody else: it is counted in
   * {@link ObservedContainer.restarts}, before anything runs. Any other start resets the count.
   *
   * @defaultValue false
   */
  readonly again?: boolean;
  /**
   * Another generation of the pod keeps the ports of the host for now, where it is in the same network of the
   * fleet. A later start without it takes them over, in one instant for whoever asks; with no containers it
   * does nothing else.
   *
   * @defaultValue false
   */
  readonly aside?: boolean;
}

/** How to ask the processes of a pod to end, by container; {@link STOP_DEFAULTS} for those not named. */
export interface StopOptions extends CallOptions {
  readonly containers?: Readonly<
    Record<string, { readonly signal?: string; readonly gracePeriodMs?: number }>
  >;
}

/** What asks a container to end when nobody says anything else, not even its image. */
export const STOP_DEFAULTS = { signal: "SIGTERM", gracePeriodMs: 10_000 } as const;

/** A moment: so long ago by the clock of the engine's host, whatever it says, or milliseconds since 1970. */
export type LogMoment = { readonly agoMs: number } | { readonly atMs: number };

/** Which log lines to read. */
export interface LogOptions extends CallOptions {
  /** Lines of the past, newest ones; all that are kept when absent. */
  readonly tail?: number;
  /** Lines that were written earlier, to the second, are left out, before `tail` counts. */
  readonly since?: LogMoment;
  /** Goes on with new lines until the signal is aborted, or the generation was removed. */
  readonly follow?: boolean;
  /** With `follow`: aborted when the containers have ended; what is on its way is read, and that is the end. */
  readonly ended?: AbortSignal;
}

/** One line of a container's output, without its line end. */
export interface LogLine {
  readonly container: string;
  readonly text: string;
}

/** Options of {@link EngineReader.observe}. */
export interface ObserveOptions extends CallOptions {
  /** Images and leftovers are of no interest: an engine that is asked for them apart leaves them out. */
  readonly podsOnly?: boolean;
  /** Of interest are these generations alone: an engine that is asked for each apart leaves all else out. */
  readonly only?: readonly PodIdentity[];
  /**
   * Of interest is how the containers' processes are, and nothing that is reported of declared fields: an
   * engine that has to be asked for those leaves them out.
   */
  readonly statesOnly?: boolean;
  /** Of interest is also what of the host's network anyone has taken. */
  readonly network?: boolean;
  /** With `network`: only ports of the host are wanted, so that what is kept back from a user may be left out. */
  readonly portsOnly?: boolean;
  /** With `network`: networks of the host's CNI configuration that pods want. */
  readonly cni?: readonly CniNetwork[];
}

/** How to ask an engine for its version. */
export interface InfoOptions extends CallOptions {
  /** The engine itself has to answer, also where its version is known to be what it was. */
  readonly afresh?: boolean;
}

/** A use of an image by a fleet. */
export interface ImageOwnership {
  readonly owner: string;
  readonly fleet: string;
}

/**
 * The half of an engine that cannot change anything: planning has no other.
 *
 * Every method takes an `AbortSignal` and fails only with StowageError, or with the signal's own
 * reason when it was aborted.
 */
export interface EngineReader extends AsyncDisposable {
  readonly kind: EngineKind;
  /**
   * @throws StowageError `not_found` when the host has no such engine (its socket or its program is
   *   not there), `unavailable` when it does not answer, `permission_denied` when it may not be asked
   */
  info(options?: InfoOptions): Promise<EngineInfo>;
  /** What this engine, in its version, can do with each field. */
  capabilities(options?: CallOptions): Promise<CapabilityTable>;
  /**
   * Pods and images in one consistent pass: a number of calls that does not depend on how many there
   * are. Pods of every fleet and owner are returned; objects that Stowage did not make are not.
   * Looking at an engine that was never used makes nothing.
   */
  observe(options?: ObserveOptions): Promise<ObservedEngine>;
  /**
   * Output of a pod's containers, each container's lines in order; stdout and stderr are one.
   *
   * @param container all of the pod's when absent
   * @throws StowageError `not_found` when the engine has no such generation
   */
  logs(
    identity: PodIdentity,
    container: string | undefined,
    options?: LogOptions,
  ): AsyncIterable<LogLine>;
  /**
   * What happens to pods from now on, of every fleet and owner, until the signal is aborted or the loop
   * is left. The first one is `listening`: everything that happens after it is reported. Events may be
   * lost, told twice, or late: they are reasons to look, and never the truth.
   *
   * @returns undefined when the engine tells of nothing: whoever wants to know has to look
   * @throws StowageError from the loop, `unavailable` when the engine went away; then ask again
   */
  events(options?: CallOptions): AsyncIterable<EngineEvent> | undefined;
}

/** Something that stays in an engine, and why; for people. */
export interface EngineRest {
  readonly what: string;
  readonly why: string;
}

/**
 * An engine: what makes and runs pods on one host.
 *
 *     absent ──prepare──▶ prepared ──start──▶ running ──(exit | stop)──▶ exited ──start──▶ running
 *                                                                        exited ──remove──▶ absent
 *
 * Two generations of a pod can exist at once, distinguished by the identity's generation. Every method
 * is idempotent: where the state that it leads to is there, it does nothing. A call that was cut
 * short, by an abort or by the end of the process, leaves something that `observe` reports (as
 * `incomplete`, or as a leftover) and that `remove` removes entirely.
 *
 * test/conformance/ defines this interface and runs, unchanged, on every engine.
 */
export interface Engine extends EngineReader {
  /**
   * Brings an image into the engine and puts the fleet's ownership on it. Bytes are verified.
   *
   * @throws StowageError `invalid_argument` when the bytes are not what their digests say; nothing is left
   */
  importImage(
    content: ImageContent,
    ownership: ImageOwnership,
    options?: CallOptions,
  ): Promise<void>;
  /**
   * Puts a fleet's ownership on an image that is there already.
   *
   * @throws StowageError `not_found` when it is not
   */
  claimImage(image: AppliedImage, ownership: ImageOwnership, options?: CallOptions): Promise<void>;
  /**
   * Takes one fleet's ownership off an image. The image itself goes when that was the last, no
   * container of anyone uses it, and Stowage made its record. Absent: nothing happens.
   */
  releaseImage(name: string, ownership: ImageOwnership, options?: CallOptions): Promise<void>;
  /**
   * How an image that the engine holds has its processes run.
   *
   * @throws StowageError `not_found` when it is not there
   */
  imageDefaults(image: AppliedImage, options?: CallOptions): Promise<ImageDefaults>;
  /**
   * Bytes of an image that the engine holds, without a registry. The manifest may differ from the one
   * that was imported where the engine keeps layers in another form; the config, and so the config
   * digest, is always the same.
   *
   * @returns undefined when the engine does not hold the image, or not all of its bytes any more
   */
  exportImage(image: AppliedImage, options?: CallOptions): Promise<ExportedImage | undefined>;
  /**
   * Makes all of a generation that can be made before its first process runs.
   *
   * @throws StowageError `not_found` when an image is not in the engine
   * @throws StowageError `already_exists` when the generation exists with another record digest
   * @throws StowageError `resource_exhausted` when the host cannot hold it
   */
  prepare(pod: PodInstance, options?: PrepareOptions): Promise<void>;
  /**
   * Runs the processes of a prepared or exited generation; those that run already are left alone.
   * On an exited one it takes again what is exclusive.
   *
   * @throws StowageError `not_found` when the generation does not exist
   * @throws StowageError `failed_precondition` when a process cannot be run (no such command, no right)
   */
  start(pod: PodInstance, options?: StartOptions): Promise<void>;
  /**
   * Ends the processes of a generation (signal, grace period, SIGKILL), all containers at once, and
   * gives up everything exclusive; the rest is kept. Returns when no process of it is left. Absent or
   * exited: nothing happens. A prepared one becomes `exited`.
   */
  stop(identity: PodIdentity, options?: StopOptions): Promise<void>;
  /**
   * Gives a generation its new specification, with no field changed that this engine declares
   * `replace`. Its images are the same, and may have another name where the engine declares `otherName`. On a
   * running pod the `live` fields are in force when it returns; `restart` fields come into force with the next
   * start. The record digest on its objects is changed last.
   *
   * @throws StowageError `not_found` when the generation does not exist
   */
  update(pod: PodInstance, options?: CallOptions): Promise<void>;
  /** Removes everything of a generation, whatever its state; running processes are killed. Absent: nothing happens. */
  remove(identity: PodIdentity, options?: CallOptions): Promise<void>;
  /** Removes a leftover by the name that `observe` gave it. Absent: nothing happens. */
  removeLeftover(name: string, options?: CallOptions): Promise<void>;
  /**
   * Removes what the engine holds of Stowage's beside pods, images and leftovers, when none of these is
   * there any more. What others use, and what only the engine's own tools remove, stays.
   *
   * @returns what stays, and why
   */
  vacate(options?: CallOptions): Promise<readonly EngineRest[]>;
  /**
   * Runs a command in a running container to its end. An abort kills it.
   *
   * @throws StowageError `not_found` when the container does not run
   * @throws StowageError `failed_precondition` when the command cannot be run: {@link notBegun} when it is not there, or
   *   may not be run, of which nothing comes on the command's streams
   * @throws StowageError `deadline_exceeded` after `timeoutMs`; the command is killed
   */
  exec(
    identity: PodIdentity,
    container: string,
    command: readonly string[],
    options: ExecOptions,
  ): Promise<ExecResult>;
}
