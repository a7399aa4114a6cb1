import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CONTAINERD_CAPABILITIES } from "../src/engines/containerd/capabilities.ts";
import { podmanCapabilities } from "../src/engines/podman/capabilities.ts";
import { simCapabilities } from "../src/engines/sim/index.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { referencePages } from "./lib/reference/pages.ts";
import { runMain } from "./lib/run-main.ts";

await runMain(async () => {
  const { values } = parseArgs({ options: { out: { type: "string" } } });
  const out = values.out === undefined ? join(PROJECT_ROOT, "docs/reference") : resolve(values.out);
  mkdirSync(out, { recursive: true });
  const pages = referencePages([
    { name: "containerd", table: CONTAINERD_CAPABILITIES },
    { name: "podman", table: podmanCapabilities("4.3") },
    { name: "sim", table: simCapabilities(false) },
  ]);
  for (const [file, text] of pages) writeFileSync(join(out, file), text);
  return 0;
});
