import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeImage } from "../../scripts/lib/make-image.ts";
import { digestOf } from "../../src/model/index.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { nullProviderMirror } from "../support/null-provider-mirror.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const hasTerraform = spawnSync("terraform", ["version"]).status === 0;
const IMAGE = "localhost/hello:1";
const title = "terraform in a stack's folder";

describe.skipIf(!hasTerraform)(
  hasTerraform ? title : `${title} (skipped: terraform is not on PATH)`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "stw-terraform-"));
    const stack = join(folder, "cdktf.out/stacks/shop");
    const calls = join(folder, "calls");
    let env: NodeJS.ProcessEnv;
    let cli: string;

    beforeAll(async () => {
      cli = await buildOwnCli(folder);
      makeImage({ out: join(folder, "image"), reference: IMAGE, config: { cmd: ["/hello"] } });
      env = { ...process.env, ...(await nullProviderMirror(folder)) };
      env["PATH"] = [recordingStowage(folder, calls, cli), process.env["PATH"]].join(delimiter);
      writeFileSync(
        join(folder, "cdktf.json"),
        JSON.stringify({ language: "typescript", app: "tsx main.ts", projectId: "terraform-test" }),
      );
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    const run = (cwd: string, file: string, ...args: readonly string[]) => {
      const { status, stdout, stderr } = spawnSync(file, args, { cwd, env, encoding: "utf8" });
      return { status, output: `${stdout}${stderr}` };
    };
    const succeed = (cwd: string, file: string, ...args: readonly string[]) => {
      const { status, output } = run(cwd, file, ...args);
      expect(status, output).toBe(0);
      return output;
    };
    const synth = (declaration: string) => {
      writeFileSync(join(folder, "main.ts"), declaration);
      succeed(folder, join(ROOT, "node_modules/.bin/tsx"), "main.ts");
    };
    const newCalls = () => {
      const lines = existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
      rmSync(calls, { force: true });
      return lines;
    };
    const call = (verb: string) => `${stack} ${verb} --yes --lock-timeout 5m -f fleet.json`;
    /** That `apply` was called for the manifest that there is now. */
    const applied = () => {
      const manifest = JSON.parse(readFileSync(join(stack, "fleet.json"), "utf8"));
      return `${call("apply")} --manifest-digest ${digestOf(manifest)}`;
    };
    const planStatus = () => run(stack, process.execPath, cli, "plan", "-f", "fleet.json").status;

    test("init finds the provider in the mirror", () => {
      synth(declaration(folder, { greeting: "hello" }));
      expect(succeed(stack, "terraform", "init", "-no-color")).toContain(
        "successfully initialized",
      );
    });

    test("apply runs `stowage apply` of the manifest, in the stack's folder", () => {
      succeed(stack, "terraform", "apply", "-auto-approve", "-no-color");
      expect(newCalls()).toEqual([applied()]);
    });

    test("apply runs nothing while the manifest is the same", () => {
      synth(declaration(folder, { greeting: "hello" }));
      const output = succeed(stack, "terraform", "apply", "-auto-approve", "-no-color");
      expect(output).toContain("No changes");
      expect(newCalls()).toEqual([]);
    });

    test("apply of a changed manifest applies it and does not take the fleet down first", () => {
      synth(declaration(folder, { greeting: "good day" }));
      succeed(stack, "terraform", "apply", "-auto-approve", "-no-color");
      expect(newCalls()).toEqual([applied()]);
    });

    test("a fleet that could not be applied is applied again by the next apply", () => {
      synth(declaration(folder, { greeting: "bonjour" }));
      writeFileSync(join(folder, "refuse"), "");
      const { status, output } = run(stack, "terraform", "apply", "-auto-approve", "-no-color");
      rmSync(join(folder, "refuse"));
      expect(status, output).toBe(1);
      succeed(stack, "terraform", "apply", "-auto-approve", "-no-color");
      expect(newCalls()).toEqual([applied(), applied()]);
    });

    test("after apply the plan of the manifest is empty", () => {
      expect(succeed(stack, process.execPath, cli, "plan", "-f", "fleet.json")).not.toBe("");
    });

    test("a fleet that is replaced is applied again, and Terraform's plan says so", () => {
      newCalls();
      const replace = "-replace=null_resource.stowage_fleet";
      expect(succeed(stack, "terraform", "plan", "-no-color", replace)).toContain("2 to add");
      succeed(stack, "terraform", "apply", "-auto-approve", "-no-color", replace);
      expect(newCalls()).toEqual([call("destroy"), applied()]);
      expect(planStatus()).toBe(0);
      expect(succeed(stack, "terraform", "plan", "-no-color")).toContain("No changes");
    });

    test("a plan of Terraform's that was saved applies nothing but the manifest it was made from", () => {
      synth(declaration(folder, { greeting: "planned" }));
      succeed(stack, "terraform", "plan", "-no-color", "-out", "saved.tfplan");
      synth(declaration(folder, { greeting: "declared since" }));
      const { status, output } = run(stack, "terraform", "apply", "-no-color", "saved.tfplan");
      expect(status, output).toBe(1);
      expect(output.replace(/\s+/g, " ")).toContain("make a new plan");
      expect(readFileSync(join(folder, "sim.json"), "utf8")).not.toContain("declared since");
      succeed(stack, "terraform", "apply", "-auto-approve", "-no-color");
      expect(planStatus()).toBe(0);
      newCalls();
    });

    test("`${` and `%{` reach the manifest and the shell as they were written", () => {
      const { status, output } = run(stack, "terraform", "show", "-no-color");
      expect(status, output).toBe(0);
      synth(
        declaration(folder, { greeting: "${HOME} %{if}", command: 'PROBE="${PWD} %{x}" stowage' }),
      );
      expect(JSON.parse(readFileSync(join(stack, "fleet.json"), "utf8"))).toHaveProperty(
        "hosts.lab.pods.hello.containers.hello.env.GREETING",
        "${HOME} %{if}",
      );
      succeed(stack, "terraform", "apply", "-auto-approve", "-no-color");
      expect(newCalls()).toEqual([`${applied()} ${stack} %{x}`]);
    });

    test("destroy runs `stowage destroy`", () => {
      succeed(stack, "terraform", "destroy", "-auto-approve", "-no-color");
      expect(newCalls()).toEqual([`${call("destroy")} ${stack} %{x}`]);
    });
  },
);

/** A program `stowage` that notes how it was called, and runs the real one. */
function recordingStowage(folder: string, calls: string, cli: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const program = join(bin, "stowage");
  writeFileSync(
    program,
    `#!/bin/sh
echo "$PWD $*\${PROBE:+ }$PROBE" >> "${calls}"
[ -e "${folder}/refuse" ] && exit 1
exec "${process.execPath}" "${cli}" "$@"
`,
  );
  chmodSync(program, 0o755);
  return bin;
}

function declaration(
  folder: string,
  { greeting, command = "stowage" }: { readonly greeting: string; readonly command?: string },
): string {
  return `
import { App, Engine, Fleet, Host, Image, Pod } from ${JSON.stringify(join(ROOT, "src/index.ts"))};
const app = new App();
const fleet = new Fleet(app, "shop", { command: ${JSON.stringify(command)} });
const host = new Host(fleet, "lab", {
  address: "local",
  engine: Engine.sim({ file: ${JSON.stringify(join(folder, "sim.json"))} }),
  stateDir: ${JSON.stringify(join(folder, "state"))},
  runDir: ${JSON.stringify(join(folder, "run"))},
});
const image = new Image(fleet, "image", { reference: ${JSON.stringify(IMAGE)}, layout: "image" });
new Pod(host, "hello", {
  containers: { hello: { image, env: { GREETING: ${JSON.stringify(greeting)} } } },
});
app.synth();
`;
}
