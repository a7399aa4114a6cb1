import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { DiagnosticsError } from "../../src/errors/index.ts";
import { App, Engine, Fleet, type FleetProps } from "../../src/index.ts";
import type { FleetManifest } from "../../src/model/index.ts";

/** What an app wrote for its fleet `shop`. */
export interface SynthesizedFleet {
  readonly text: string;
  readonly manifest: FleetManifest;
  /** The stack's Terraform JSON. */
  readonly terraform: Readonly<Record<string, unknown>>;
  readonly folder: string;
}

/** An app whose output goes when the test ends. */
export function temporaryApp(): App {
  const outdir = mkdtempSync(join(tmpdir(), "stw-synth-"));
  onTestFinished(() => rmSync(outdir, { recursive: true, force: true }));
  return new App({ outdir });
}

/** Declares a fleet `shop` on sim engines, synthesizes it and reads what was written. */
export function synthFleet(
  declare: (fleet: Fleet) => void,
  props: FleetProps = {},
): SynthesizedFleet {
  const app = temporaryApp();
  declare(new Fleet(app, "shop", { id: "tester", defaults: { engine: Engine.sim() }, ...props }));
  app.synth();
  const folder = join(app.outdir, "stacks/shop");
  const text = readFileSync(join(folder, "fleet.json"), "utf8");
  const terraform = JSON.parse(readFileSync(join(folder, "cdk.tf.json"), "utf8"));
  return { text, manifest: JSON.parse(text) as FleetManifest, terraform, folder };
}

/** Each mistake of a declaration as `path: text`. */
export function mistakesOf(declare: (fleet: Fleet) => void, props?: FleetProps): readonly string[] {
  try {
    synthFleet(declare, props);
  } catch (error) {
    const { diagnostics } = error as DiagnosticsError;
    return diagnostics.map(({ path, summary }) => `${path}: ${summary}`);
  }
  return [];
}
