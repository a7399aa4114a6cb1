import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type {
  ImageContent,
  ImageOwnership,
  LogLine,
  LogOptions,
  PodInstance,
} from "../../../src/engine/index.ts";
import {
  type AppliedImage,
  type ContainerSpec,
  generationDigest,
  imageName,
  type ObservedContainer,
  type ObservedImage,
  type ObservedPod,
  type PodIdentity,
  type PodSpec,
} from "../../../src/model/index.ts";
import type { EngineFixture, OpenedEngine } from "./engine-fixture.ts";

const POLL_MS = 20;
const WAIT_MS = 20_000;
/** What a script prints to both streams when it is done. */
const END = "end-of-script";

/** A container of a case: everything but its image, which is the base one. */
export type CaseContainer = Omit<ContainerSpec, "image">;

/** A pod of a case. */
export interface CasePod extends Omit<PodSpec, "containers"> {
  readonly containers: Readonly<Record<string, CaseContainer>>;
}

/** A shell script as a container. */
export function script(source: string, more: CaseContainer = {}): CaseContainer {
  return { command: ["/bin/sh", "-c", source], ...more };
}

/** A process that runs until it is asked to end. */
export const SERVER: CaseContainer = script("trap 'exit 0' TERM; sleep 1000 & wait");

/** One opened engine and what the cases made in it. */
export class EngineUnderTest {
  readonly opened: OpenedEngine;
  readonly base: ImageContent;
  readonly other: ImageContent;
  readonly ownership: ImageOwnership;
  readonly #made: PodIdentity[] = [];
  readonly #directories: string[] = [];
  #count = 0;

  constructor(opened: OpenedEngine, base: ImageContent, other: ImageContent, owner: string) {
    this.opened = opened;
    this.base = base;
    this.other = other;
    this.ownership = { owner, fleet: "suite" };
  }

  static async open(fixture: EngineFixture): Promise<EngineUnderTest> {
    const opened = await fixture.open();
    const [base, other] = [await fixture.image("base"), await fixture.image("other")];
    // the kernel's names are made of it: two suites at once must not meet in them
    const owner = `conformance-${randomBytes(4).toString("hex")}`;
    const made = new EngineUnderTest(opened, base, other, owner);
    await made.engine.importImage(base, made.ownership);
    return made;
  }

  get engine(): OpenedEngine["engine"] {
    return this.opened.engine;
  }

  get host(): OpenedEngine["host"] {
    return this.opened.host;
  }

  /** A name that no other case has. */
  name(prefix = "pod"): string {
    this.#count += 1;
    return `${prefix}-${this.#count}`;
  }

  /** A pod that does not exist yet; it is removed after the case. */
  pod(containers: CasePod["containers"], more: Omit<CasePod, "containers"> = {}): PodInstance {
    const identity = { ...this.ownership, host: "here", pod: this.name(), generation: 1 };
    return this.instance(identity, { ...more, containers });
  }

  /** The same pod, made of something else. */
  again(
    pod: PodInstance,
    spec: Partial<PodSpec>,
    identity: Partial<PodIdentity> = {},
  ): PodInstance {
    const next = this.instance({ ...pod.identity, ...identity }, { ...pod.spec, ...spec });
    return { ...next, volumeDirs: pod.volumeDirs };
  }

  instance(identity: PodIdentity, pod: CasePod): PodInstance {
    this.#made.push(identity);
    const named = Object.entries(pod.containers);
    const containers = Object.fromEntries(
      named.map(([name, container]) => [name, { ...container, image: this.base.reference }]),
    );
    const images = Object.fromEntries(named.map(([name]) => [name, applied(this.base)]));
    const spec: PodSpec = { ...pod, containers };
    const recordDigest = generationDigest({ spec, images });
    return { identity, spec, images, recordDigest, volumeDirs: {} };
  }

  async prepared(
    containers: CasePod["containers"],
    more: Omit<CasePod, "containers"> = {},
  ): Promise<PodInstance> {
    const pod = this.pod(containers, more);
    await this.engine.prepare(pod);
    return pod;
  }

  async started(
    containers: CasePod["containers"],
    more: Omit<CasePod, "containers"> = {},
  ): Promise<PodInstance> {
    const pod = await this.prepared(containers, more);
    await this.engine.start(pod);
    return pod;
  }

  /** Runs a script, which must not exit, in a container of its own; @returns its status and output. */
  async run(
    source: string,
    container: CaseContainer = {},
    more: Omit<CasePod, "containers"> = {},
  ): Promise<{ readonly exitCode: number | undefined; readonly lines: readonly string[] }> {
    const wrapped = `${source}\ncode=$?\necho ${END}\necho ${END} >&2\nexit $code`;
    const pod = await this.started({ main: script(wrapped, container) }, more);
    const { exitCode } = await this.ended(pod);
    const lines = await this.until(async () => {
      const found = await this.lines(pod);
      return found.filter((line) => line === END).length === 2 ? found : undefined;
    });
    return { exitCode, lines: lines.filter((line) => line !== END) };
  }

  async exec(pod: PodInstance, source: string, container = "main"): Promise<number> {
    const command = ["/bin/sh", "-c", source];
    const { exitCode } = await this.engine.exec(pod.identity, container, command, {
      timeoutMs: WAIT_MS,
    });
    return exitCode;
  }

  async observed(pod: Pick<PodInstance, "identity">): Promise<ObservedPod | undefined> {
    const { pods } = await this.engine.observe();
    return pods.find((each) => sameIdentity(each, pod.identity));
  }

  async container(pod: Pick<PodInstance, "identity">, name = "main"): Promise<ObservedContainer> {
    const found = (await this.observed(pod))?.containers[name];
    if (found === undefined) throw new Error(`The engine does not report container "${name}"`);
    return found;
  }

  async image(content: ImageContent): Promise<ObservedImage | undefined> {
    const { images } = await this.engine.observe();
    return images.find(({ name }) => name === nameOf(content));
  }

  async ended(pod: Pick<PodInstance, "identity">, name = "main"): Promise<ObservedContainer> {
    return await this.until(async () => {
      const container = await this.container(pod, name);
      return container.state === "exited" ? container : undefined;
    });
  }

  /** Output of a container, as it is now. */
  async lines(
    pod: Pick<PodInstance, "identity">,
    name?: string,
    options: Pick<LogOptions, "tail" | "since"> = {},
  ): Promise<readonly string[]> {
    const found: LogLine[] = [];
    for await (const line of this.engine.logs(pod.identity, name, options)) found.push(line);
    return found.map(({ text }) => text);
  }

  /** Output of a container once it has so many lines: they may come a moment after the process ended. */
  async output(
    pod: Pick<PodInstance, "identity">,
    count: number,
    name?: string,
  ): Promise<readonly string[]> {
    return await this.until(async () => {
      const lines = await this.lines(pod, name);
      return lines.length >= count ? lines : undefined;
    });
  }

  /** Waits for a line of output. */
  async printed(pod: Pick<PodInstance, "identity">, text: string, name?: string): Promise<void> {
    await this.until(async () => (await this.lines(pod, name)).includes(text) || undefined);
  }

  /** Asks until there is an answer. */
  async until<T>(ask: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (Date.now() > deadline) throw new Error(`It did not happen within ${WAIT_MS} ms`);
      await delay(POLL_MS);
    }
  }

  /** A directory of the host that is removed after the case. */
  async directory(mode = 0o777): Promise<string> {
    const path = `${this.opened.directories.stateDir}/conformance/${this.name("dir")}`;
    this.#directories.push(path);
    await this.host.makeDirectory(path, { mode });
    return path;
  }

  async fileText(path: string): Promise<string | undefined> {
    const { files } = await this.host.snapshot({ files: [path] });
    const text = files.get(path);
    return typeof text === "string" ? text : undefined;
  }

  /** Takes away what a case made; afterwards nothing of it is left. */
  async cleanUp(): Promise<void> {
    const made = this.#made.splice(0);
    for (const identity of made) await this.engine.remove(identity);
    for (const path of this.#directories.splice(0)) await this.host.removeDirectory(path);
    const { pods, leftovers } = await this.engine.observe();
    expect(leftovers).toEqual([]);
    expect(pods.filter((pod) => made.some((identity) => sameIdentity(pod, identity)))).toEqual([]);
  }
}

/** The image of a content as records name it. */
export function applied({ reference, manifest, config }: ImageContent): AppliedImage {
  return { reference, digest: manifest.digest, configDigest: config.digest };
}

/** Name of a content's image in an engine. */
export function nameOf({ reference, manifest }: ImageContent): string {
  return imageName(reference, manifest.digest);
}

function sameIdentity(pod: ObservedPod, identity: PodIdentity): boolean {
  return (
    pod.owner === identity.owner &&
    pod.fleet === identity.fleet &&
    pod.pod === identity.pod &&
    pod.generation === identity.generation
  );
}
