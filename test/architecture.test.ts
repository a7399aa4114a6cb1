import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { assertSoundTree, cruiseTree } from "./set-up/cruise-tree.ts";

const PROJECT_ROOT = resolve(import.meta.dirname, "..");
const MIN_MODULES = 20;

describe("the layers", () => {
  test("folders import only downwards, and the whole tree was seen", async () => {
    const summary = await cruiseTree(PROJECT_ROOT);
    expect(() => assertSoundTree(summary, MIN_MODULES)).not.toThrow();
  });

  test("a graph without modules fails the guard", () => {
    const empty = { modules: 0, violations: [] };
    expect(() => assertSoundTree(empty, MIN_MODULES)).toThrow("Only 0 modules");
  });

  test("a graph with a violation fails the guard", () => {
    const wrong = { modules: MIN_MODULES, violations: ["layer-model: a -> b"] };
    expect(() => assertSoundTree(wrong, MIN_MODULES)).toThrow("layer-model: a -> b");
  });
});

test("beside its own folder an engine is named in three files", () => {
  const named = (kind: string) =>
    readdirSync(join(PROJECT_ROOT, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
      .filter((path) => !path.startsWith(`engines/${kind}/`))
      .filter((path) => {
        const text = readFileSync(join(PROJECT_ROOT, "src", path), "utf8");
        return new RegExp(`["'\`/]${kind}["'\`/]`).test(text);
      })
      .sort();
  const places = ["cli/engine-kinds.ts", "constructs/engine.ts", "model/engine-config.ts"];
  for (const kind of ["podman", "rkt"]) expect(named(kind)).toEqual(places);
});

describe("each rule bites on a planted import", () => {
  const planted: readonly [rule: string, from: string, imported: string][] = [
    ["layer-errors", "src/errors/x.ts", "../model/index.ts"],
    ["layer-internal", "src/internal/x.ts", "../model/index.ts"],
    ["layer-model", "src/model/x.ts", "../plan/index.ts"],
    ["layer-constructs", "src/constructs/x.ts", "../plan/index.ts"],
    ["layer-inventory", "src/inventory/x.ts", "../plan/index.ts"],
    ["layer-plan", "src/plan/x.ts", "../host/index.ts"],
    ["layer-host", "src/host/x.ts", "../model/index.ts"],
    ["layer-image", "src/image/x.ts", "../host/index.ts"],
    ["layer-engine", "src/engine/x.ts", "../host/index.ts"],
    ["layer-network", "src/network/x.ts", "../plan/index.ts"],
    ["layer-engines", "src/engines/sim/x.ts", "../../reconcile/index.ts"],
    ["layer-reconcile", "src/reconcile/x.ts", "../cli/index.ts"],
    ["layer-gen", "src/gen/api/x.ts", "../../model/index.ts"],
    ["engines-are-islands", "src/engines/sim/x.ts", "../containerd/index.ts"],
    ["engines-only-from-the-composition-root", "src/reconcile/x.ts", "../engines/sim/index.ts"],
    ["through-the-index", "src/plan/x.ts", "../model/inner.ts"],
    ["engines-through-the-index", "src/cli/x.ts", "../engines/sim/inner.ts"],
    ["pure-folders-do-no-io", "src/plan/x.ts", "node:fs"],
    ["pure-folders-do-no-io", "src/constructs/x.ts", "node:fs"],
    ["the-synth-hook-only-writes-files", "src/constructs/cdk.ts", "node:child_process"],
    ["the-start-loads-no-schemas", "src/cli/main.ts", "../model/index.ts"],
    ["the-start-loads-no-schemas", "src/cli/run-cli.ts", "../reconcile/index.ts"],
    ["vendor-packages-stay-in-their-adapter", "src/cli/x.ts", "@grpc/grpc-js"],
    ["vendor-packages-stay-in-their-adapter", "src/engine/x.ts", "@bufbuild/protobuf/wkt"],
    ["cdktf-stays-in-one-file", "src/constructs/x.ts", "cdktf"],
    ["no-unresolvable", "src/plan/x.ts", "./nowhere.ts"],
  ];

  test.each(planted)("%s: %s may not import %s", async (rule, from, imported) => {
    const { violations } = await cruiseTree(plantTree({ [from]: `import "${imported}";\n` }));
    expect(violations).toContainEqual(expect.stringMatching(`^${rule}: ${from} -> `));
  });

  test("no-circular: two files may not import each other", async () => {
    const root = plantTree({
      "src/model/x.ts": 'import "./y.ts";\n',
      "src/model/y.ts": 'import "./x.ts";\n',
    });
    const { violations } = await cruiseTree(root);
    expect(violations).toContainEqual(expect.stringContaining("no-circular: "));
  });

  test("every-folder-has-a-layer: a new folder has to be given its place first", async () => {
    const root = plantTree({
      "src/helpers/index.ts": "export {};\n",
      "src/cli/x.ts": 'import "../helpers/index.ts";\n',
    });
    const { violations } = await cruiseTree(root);
    expect(violations).toEqual(["every-folder-has-a-layer: src/cli/x.ts -> src/helpers/index.ts"]);
  });

  test("a type-only import counts as well", async () => {
    const root = plantTree({
      "src/model/x.ts": 'import type { Inner } from "../plan/index.ts";\nexport type X = Inner;\n',
    });
    const { violations } = await cruiseTree(root);
    expect(violations).toContainEqual(expect.stringContaining("layer-model: "));
  });

  test("an import that is allowed is none", async () => {
    const root = plantTree({
      "src/plan/x.ts": 'import "node:crypto";\nimport "../model/index.ts";\n',
      "src/engines/containerd/x.ts": 'import "@grpc/grpc-js";\nimport "../../host/index.ts";\n',
      "src/constructs/cdk.ts": 'import "cdktf";\nimport "node:fs";\n',
      "src/cli/x.ts": 'import "../engines/sim/index.ts";\n',
    });
    expect(await cruiseTree(root)).toMatchObject({ violations: [] });
  });
});

/** A tree with an index in every folder, and these files. */
function plantTree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "stw-layers-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folders =
    "errors internal model constructs inventory plan host image engine network engines/sim engines/containerd reconcile cli gen/api";
  const skeleton = folders.split(" ").flatMap((folder) => [
    [`src/${folder}/index.ts`, 'export type { Inner } from "./inner.ts";\n'],
    [`src/${folder}/inner.ts`, "export type Inner = string;\n"],
  ]);
  for (const [path, text] of [...skeleton, ...Object.entries(files)]) {
    const file = join(root, path ?? "");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text ?? "");
  }
  symlinkSync(join(PROJECT_ROOT, "node_modules"), join(root, "node_modules"));
  return root;
}
