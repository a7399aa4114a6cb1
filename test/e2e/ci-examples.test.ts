import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { makeImage } from "../../scripts/lib/make-image.ts";
import { buildOwnCli } from "../support/built-cli.ts";

const EXAMPLES = resolve(import.meta.dirname, "../../examples/ci");
const IMAGE = "localhost/hello:1";
const folder = mkdtempSync(join(tmpdir(), "stw-ci-"));
const project = join(folder, "project");
const bin = join(folder, "bin");

beforeAll(async () => {
  const main = await buildOwnCli(folder);
  mkdirSync(bin);
  // as npm finds the program of a dependency
  const npx = `#!/bin/sh\n[ "$1" = stowage ] || { echo "npx $1" >&2; exit 9; }\nshift\nexec "${process.execPath}" "${main}" "$@"\n`;
  writeFileSync(join(bin, "npx"), npx);
  chmodSync(join(bin, "npx"), 0o755);
  makeImage({ out: join(folder, "image"), reference: IMAGE, config: { cmd: ["sleep", "1000"] } });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A project whose app declares one pod on a simulated host. */
beforeEach(() => {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(join(project, "cdktf.out/stacks/shop"), { recursive: true });
  const write = (name: string, value: unknown) =>
    writeFileSync(join(project, name), JSON.stringify(value));
  write("cdktf.json", { language: "typescript", app: "cp -r app/. cdktf.out/", projectId: "acme" });
  mkdirSync(join(project, "app/stacks/shop"), { recursive: true });
  write("app/manifest.json", { stacks: { shop: { workingDirectory: "stacks/shop" } } });
  const engine = { kind: "sim", file: join(project, "sim.json") };
  write("app/stacks/shop/fleet.json", {
    version: "stowage/v1",
    name: "shop",
    id: "acme",
    images: { [IMAGE]: { layout: join(folder, "image") } },
    hosts: {
      here: { address: "local", engine, pods: { web: { containers: { web: { image: IMAGE } } } } },
    },
  });
});

interface Job {
  readonly steps?: readonly { readonly run?: string }[];
  readonly script?: readonly string[];
  readonly after_script?: readonly string[];
}

/** What a job runs of Stowage, as one script after the other. */
function scripts({ steps = [], script = [], after_script = [] }: Job): readonly string[] {
  const all = [...steps.flatMap(({ run }) => run ?? []), ...script, ...after_script];
  return all.filter((text) => text.includes("stowage"));
}

/** Runs scripts as a runner does: bash, which ends with the first failure. */
function run(list: readonly string[]): { readonly status: number; readonly said: string } {
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env["PATH"]}`,
    GITHUB_OUTPUT: join(project, "output"),
  };
  let said = "";
  for (const text of list) {
    const { status, stdout, stderr } = spawnSync("bash", ["-e", "-c", text], {
      cwd: project,
      env,
      encoding: "utf8",
    });
    said += `${stdout}${stderr}`;
    if (status !== 0) return { status: status ?? -1, said };
  }
  return { status: 0, said };
}

describe.each([
  ["github-actions.yml", (file: Record<string, unknown>) => file["jobs"] as Record<string, Job>],
  ["gitlab-ci.yml", (file: Record<string, unknown>) => file as Record<string, Job>],
] as const)("%s", (name, jobsOf) => {
  const jobs = jobsOf(parse(readFileSync(join(EXAMPLES, name), "utf8")));
  const [plan, apply] = [scripts(jobs["plan"] ?? {}), scripts(jobs["apply"] ?? {})];

  test("plans, applies exactly that plan, and has nothing to do after that", () => {
    expect([plan.length, apply.length]).toEqual([2, expect.any(Number)]);
    const planned = run(plan);
    expect(planned).toMatchObject({ status: 0, said: expect.stringContaining("+ web") });
    const applied = run(apply);
    expect(applied.said).toMatch(/Done: 1 pod changed.*here +web +sim +running.*apply +done/s);
    expect(applied.status).toBe(0);
    expect(run(plan)).toMatchObject({ status: 0, said: expect.stringContaining("Nothing to do") });
    if (name.startsWith("github"))
      expect(readFileSync(join(project, "output"), "utf8")).toBe("changes=true\nchanges=false\n");
  });

  test("refuses the plan where the host has moved on, and a declaration that is wrong", () => {
    expect(run(plan).status).toBe(0);
    expect(run(["npx stowage apply --yes"]).status).toBe(0);
    const late = run(apply);
    expect(late.status).toBe(1);
    expect(late.said).toContain("it changed since the plan was made");
    writeFileSync(join(project, "app/stacks/shop/fleet.json"), "{}");
    expect(run(plan).status).toBe(1);
  });
});
