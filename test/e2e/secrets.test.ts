import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { ContainerdLab } from "../support/engines/containerd-lab.ts";
import { openLab } from "../support/engines/open-lab.ts";
import { RealFleet } from "../support/real-fleet.ts";
import { watchForSecrets } from "../support/secret-watch.ts";

const folder = mkdtempSync(join(tmpdir(), "stw-canary-"));
let main: string;

beforeAll(async () => {
  main = await buildOwnCli(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SOURCES = ["env", "file", "command"] as const;
const USES = ["variable", "mounted"] as const;

/** A value for each source and use, by `env variable`. */
type Secrets = Readonly<Record<string, string>>;

/** Where an engine, or its adapter where it has none, keeps the environment of its containers. */
const DATABASES = {
  containerd: /^$/,
  podman: /^podman\//,
  rkt: /^(?:rkt\/|state\/\.rkt\/)/,
};

for (const kind of ["containerd", "podman", "rkt"] as const) {
  describeWithEngine(kind, `a secret on ${kind}`, (engine) => {
    test("is in its container, in the engine's database where it is a variable, and nowhere else", async () => {
      await using fleet = new RealFleet((places) => [openLab(kind, engine, places)]);
      fleet.image("app:1");
      const values = makeSecrets(join(fleet.folder, "given"));
      const manifest = fleet.manifest({ web: podOf("sleep 100000") });
      const file = fleet.write("fleet", manifest);
      let environment = environmentOf(values);
      const said: string[] = [];
      const stowage = async (...argv: readonly string[]) => {
        const run = await runStowage(argv, { cwd: fleet.folder, env: environment });
        said.push(run.said);
        return run.status;
      };
      // whoever applies was given the secrets, and so is what gives them
      const stop = await watchForSecrets(values, [main, "/given/"]);

      expect(await stowage("plan", "--file", file, "--out", "saved.plan")).toBe(2);
      expect(await stowage("apply", "--yes", "saved.plan"), said.at(-1)).toBe(0);
      expect(await stowage("plan", "--file", file, "--json"), said.at(-1)).toBe(0);
      expect(await stowage("ps", "--file", file, "--json"), said.at(-1)).toBe(0);
      expect(await stowage("logs", "--file", file, "web"), said.at(-1)).toBe(0);
      const pid = await fleet.pidOf(manifest, "web", "one");
      expect(insideOf(pid, values)).toEqual(Object.keys(values).sort());
      const found = placesOf(fleet.folder, values);
      expect(found.filter(({ name, path }) => !isAllowed(kind, name, path))).toEqual([]);
      expect(found.filter(({ path }) => path.startsWith("run/"))).toHaveLength(3);
      expect(labelsAndSpecs(fleet).filter((text) => holdsMounted(text, values))).toEqual([]);

      // a pod that shows all of them and dies; its probe never passes, however soon it is asked
      const probe = { kind: "exec", command: ["false"], intervalMs: 200, retries: 100 };
      const loud = fleet.manifest({ web: podOf("env; cat /run/secrets/*; exit 3", probe) });
      expect(await stowage("apply", "--yes", "--file", fleet.write("loud", loud))).toBe(1);
      expect(said.at(-1)).toContain("(secret)");
      environment = { ...environment, ENV_MOUNTED: "0ther-value" };
      expect(await stowage("plan", "--file", file)).toBe(2);
      expect(said.at(-1)).toMatch(/files\["\/run\/secrets\/env"\]\s+changed/);
      rmSync(join(fleet.folder, "given/mounted"));
      expect(await stowage("apply", "--yes", "--file", file)).toBe(1);
      expect(said.at(-1)).toContain("file given/mounted is not here");

      const { rounds, found: listed } = await stop();
      // the double of rkt hands variables on through the programs that it starts a process with
      const own = engine.isDouble
        ? / variable in (?:cmdline|environ) of (?:\/bin\/sh -c set -e|\/usr\/bin\/(?:env -i|unshare|setpriv) )/
        : /^$/;
      expect(listed.filter((each) => !own.test(each))).toEqual([]);
      expect(rounds).toBeGreaterThan(20);
      for (const value of [...Object.values(values), "0ther-value"]) {
        expect(said.filter((text) => text.includes(value))).toEqual([]);
      }
    });
  });
}

/** Makes a secret for each source and use, and what gives those that no variable does. */
function makeSecrets(given: string): Secrets {
  const values: Record<string, string> = {};
  mkdirSync(given);
  for (const use of USES) {
    for (const source of SOURCES)
      values[`${source} ${use}`] = `c4nary-${randomBytes(9).toString("hex")}`;
    writeFileSync(join(given, use), `${values[`file ${use}`]}\n`);
    writeFileSync(join(given, `of-${use}`), `${values[`command ${use}`]}\n`);
  }
  const program = join(given, "give");
  writeFileSync(program, '#!/bin/sh\nexec cat "$0/../of-$1"\n'.replace("$0/..", given));
  chmodSync(program, 0o755);
  return values;
}

function environmentOf(values: Secrets): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ENV_VARIABLE: values["env variable"],
    ENV_MOUNTED: values["env mounted"],
  };
}

/** A pod with a secret of each source in a variable and in a file. */
function podOf(script: string, health?: object): object {
  const sources = (use: (typeof USES)[number]) =>
    [
      ["env", { fromEnv: `ENV_${use.toUpperCase()}` }],
      ["file", { fromFile: `given/${use}` }],
      ["command", { fromCommand: ["given/give", use] }],
    ] as const;
  const env = sources("variable").map(([name, secret]) => [name.toUpperCase(), { secret }]);
  const files = sources("mounted").map(([name, secret]) => [`/run/secrets/${name}`, { secret }]);
  const one = {
    image: "app:1",
    command: ["sh", "-c", script],
    stopSignal: "SIGKILL",
    env: Object.fromEntries(env),
    files: Object.fromEntries(files),
    ...(health === undefined ? {} : { health }),
  };
  return { containers: { one } };
}

async function runStowage(
  argv: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ readonly status: number | null; readonly said: string }> {
  const child = spawn(process.execPath, [main, ...argv], options);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      said += part.toString();
    });
  }
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, said };
}

/** Names of the secrets that a container's process has. */
function insideOf(pid: number, values: Secrets): readonly string[] {
  const environ = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return Object.entries(values)
    .filter(([name, value]) => {
      const [source = "", use] = name.split(" ");
      if (use === "variable") return environ.includes(`${source.toUpperCase()}=${value}`);
      const text = readFileSync(`/proc/${pid}/root/run/secrets/${source}`, "utf8");
      return text.replace(/\n$/, "") === value;
    })
    .map(([name]) => name)
    .sort();
}

function isAllowed(kind: keyof typeof DATABASES, name: string, path: string): boolean {
  if (path.startsWith("given/")) return true;
  return name.endsWith("mounted")
    ? path.startsWith("run/stw-secrets/")
    : DATABASES[kind].test(path);
}

/** The files below a folder that hold a secret, those in memory included. */
function placesOf(root: string, values: Secrets, at = root) {
  const own = [root, join(root, "run/stw-secrets")].map((path) => lstatSync(path).dev);
  return readdirSync(at, { withFileTypes: true }).flatMap(
    (entry): { readonly name: string; readonly path: string }[] => {
      const path = join(at, entry.name);
      // what an engine mounts there is the container's own
      if (entry.isDirectory())
        return own.includes(lstatSync(path).dev) ? placesOf(root, values, path) : [];
      if (!entry.isFile()) return [];
      const text = readFileSync(path, "latin1");
      const held = Object.entries(values).filter(([, value]) => text.includes(value));
      return held.map(([name]) => ({ name, path: relative(root, path) }));
    },
  );
}

/** All that containerd says of its containers: its database is not below the fleet's folder. */
function labelsAndSpecs({ labs: [lab] }: RealFleet): readonly string[] {
  if (!(lab instanceof ContainerdLab)) return [];
  const ids = lab.ctr("containers", "ls", "-q").split("\n").filter(Boolean);
  return ids.map((id) => lab.ctr("containers", "info", id));
}

function holdsMounted(text: string, values: Secrets): boolean {
  return Object.entries(values).some(
    ([name, value]) => name.endsWith("mounted") && text.includes(value),
  );
}
