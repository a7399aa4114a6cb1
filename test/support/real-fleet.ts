import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import { createConnector } from "../../src/cli/connector.ts";
import { openRegistries } from "../../src/image/registry/index.ts";
import { FleetManifest, MANIFEST_VERSION } from "../../src/model/index.ts";
import type { Plan } from "../../src/plan/index.ts";
import {
  type ApplyFleetRequest,
  type ApplyReport,
  applyFleet,
  type Connector,
  planFleet,
  pruneFleet,
} from "../../src/reconcile/index.ts";
import { type EngineLab, plainNames, type Traces } from "./engines/engine-lab.ts";
import { mountsNaming } from "./engines/look-around.ts";

/** Where a fleet's engines may keep what is theirs. */
export interface LabPlaces {
  /** A folder that goes with the fleet. */
  readonly folder: string;
  readonly stateDir: string;
}

/** A fleet of one host on real engines, each its own, in directories of its own. */
export class RealFleet<Lab extends EngineLab = EngineLab> implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "stw-it-"));
  /** The engines of the host; {@link host} has the first one. */
  readonly labs: readonly [Lab, ...Lab[]];
  /** Variables of whoever applies. */
  environment: Readonly<Record<string, string | undefined>> = process.env;
  /** How hosts are reached. */
  connect: () => Connector = createConnector;
  readonly #references = new Set<string>();

  constructor(open: (places: LabPlaces) => readonly [Lab, ...Lab[]]) {
    this.labs = open({ folder: this.folder, stateDir: join(this.folder, "state") });
  }

  /** Makes an image on disk; `bytes` of noise make its layer that large, `config` says how it is run. */
  image(
    reference: string,
    bytes = 0,
    config: NonNullable<Parameters<typeof busyboxImage>[0]["config"]> = {},
  ): void {
    busyboxImage({
      out: join(this.folder, "layout"),
      reference,
      files: new Map([
        ["/name", { content: reference }],
        ["/noise", { content: randomBytes(bytes) }],
      ]),
      config,
    });
    this.#references.add(reference);
  }

  /** A manifest with these pods on the host. */
  manifest(pods: Readonly<Record<string, object>>, rest: object = {}): FleetManifest {
    const images = [...this.#references].map((reference) => [reference, { layout: "layout" }]);
    return FleetManifest.parse({
      version: MANIFEST_VERSION,
      name: "shop",
      id: "owner-1",
      images: Object.fromEntries(images),
      hosts: { here: { ...this.host, pods } },
      ...rest,
    });
  }

  /** The same on another one of the engines. */
  manifestOn(lab: Lab, pods: Readonly<Record<string, object>>): FleetManifest {
    return this.manifest(pods, { hosts: { here: { ...this.host, engine: lab.config, pods } } });
  }

  get host() {
    return {
      address: "local",
      engine: this.labs[0].config as Lab["config"],
      stateDir: join(this.folder, "state"),
      runDir: join(this.folder, "run"),
    } as const;
  }

  /** Writes a manifest where a process of its own can read it. */
  write(name: string, manifest: FleetManifest): string {
    const path = join(this.folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(manifest));
    return path;
  }

  async plan(manifest: FleetManifest): Promise<Plan> {
    return (await planFleet({ ...this.requestOf(manifest), options: {} })).plan;
  }

  async apply(
    manifest: FleetManifest,
    change: Partial<
      Pick<
        ApplyFleetRequest,
        | "lockTimeoutMs"
        | "lockLifeMs"
        | "appliedBy"
        | "command"
        | "onEvent"
        | "narrow"
        | "settleMs"
        | "pins"
        | "options"
      >
    > = {},
  ): Promise<ApplyReport> {
    return await applyFleet({
      ...this.requestOf(manifest),
      options: {},
      confirm: async () => true,
      appliedBy: "test@desk",
      settleMs: 0,
      lockTimeoutMs: 10_000,
      allowRemovals: 1_000,
      onEvent: () => {},
      ...change,
    });
  }

  async prune(manifest: FleetManifest): Promise<ApplyReport> {
    return await pruneFleet({
      ...this.requestOf(manifest),
      retention: { keep: 1 },
      options: {},
      confirm: async () => true,
      appliedBy: "test@desk",
      lockTimeoutMs: 10_000,
      onEvent: () => {},
    });
  }

  /** The host's id of a container's process. */
  async pidOf(manifest: FleetManifest, pod: string, container: string): Promise<number> {
    await using reading = await this.connect().read(
      "here",
      manifest.hosts["here"] as FleetManifest["hosts"][string],
    );
    const { pods } = await reading.engine.observe();
    const found = pods.find((each) => each.pod === pod)?.containers[container]?.pid;
    if (found === undefined) throw new Error(`container ${container} of pod ${pod} does not run`);
    return found;
  }

  /** Everything that there is of the fleet: in its engines, in the kernel and on disk, but for what was once. */
  async traces(): Promise<Traces> {
    const ofLabs = await Promise.all(
      this.labs.map(async (lab, index) => {
        const prefix = index === 0 ? "" : `${lab.kind} ${index} `;
        const found = Object.entries(await lab.traces());
        return found.map(([name, lines]) => [`${prefix}${name}`, lines] as const);
      }),
    );
    const { stateDir, runDir } = this.host;
    return {
      ...Object.fromEntries(ofLabs.flat()),
      "mounts of the host": plainNames(
        mountsNaming(`${stateDir}/`, `${runDir}/`).map((path) => relative(this.folder, path)),
      ),
      files: plainNames(
        [stateDir, runDir]
          .flatMap((folder) => this.#files(folder))
          .filter((path) => !/^run\/lock\/|^state\/audit\.log|\/\.history(?:\/|$)/.test(path)),
      ),
    };
  }

  /** Ends and removes everything, whatever state it is in. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const lab of this.labs) await this.apply(this.manifestOn(lab, {})).catch(() => undefined);
    for (const lab of this.labs) await lab.close();
    await delay(50);
    // what a test that failed left mounted would keep its folder
    const left = mountsNaming(`${this.host.runDir}/`);
    for (const path of left.toReversed()) spawnSync("umount", [path]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What every way of working on it has in common. */
  requestOf(manifest: FleetManifest) {
    return {
      manifest,
      manifestDir: this.folder,
      connector: this.connect(),
      registries: openRegistries({ env: { HOME: this.folder } }),
      environment: this.environment,
    };
  }

  #files(folder: string): readonly string[] {
    if (!existsSync(folder)) return [];
    return readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      const inside = statSync(path).isDirectory() ? this.#files(path) : [];
      return [relative(this.folder, path), ...inside];
    });
  }
}
