import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import type { ProvidedEngine } from "../set-up/describe-with-engine.ts";
import { openLab } from "./engines/open-lab.ts";
import { NetworkMachine } from "./network-machine.ts";

/** A fleet of one host whose network is a namespace of the test's. */
export class NetworkFleet implements AsyncDisposable {
  readonly machine = new NetworkMachine();
  readonly folder = mkdtempSync(join(tmpdir(), "stw-it-"));
  readonly stateDir = join(this.folder, "state");
  readonly lab;
  readonly #cli: string;

  /** @param cli the built command line */
  constructor(cli: string, kind: "containerd" | "podman" | "rkt", engine: ProvidedEngine) {
    this.#cli = cli;
    this.lab = openLab(kind, engine, { folder: this.folder, stateDir: this.stateDir });
    busyboxImage({ out: join(this.folder, "layout"), reference: "app:1", files: new Map() });
  }

  declare(pods: object, networks: object = { front: {} }): void {
    const manifest = {
      version: "stowage/v1",
      name: "shop",
      id: "owner-1",
      images: { "app:1": { layout: "layout" } },
      networks,
      hosts: {
        here: {
          address: "local",
          engine: this.lab.config,
          stateDir: this.stateDir,
          runDir: join(this.folder, "run"),
          pods,
        },
      },
    };
    writeFileSync(join(this.folder, "fleet.json"), JSON.stringify(manifest));
  }

  run(...words: readonly string[]): { readonly status: number | null; readonly said: string } {
    const args = [process.execPath, this.#cli, ...words, "-f", join(this.folder, "fleet.json")];
    const { status, stdout, stderr } = this.machine.spawn(args);
    return { status, said: `${stdout}${stderr}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // what a test declared last may be what is refused
    this.declare({}, {});
    this.run("destroy", "--yes");
    await this.lab.close();
    this.machine.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
