import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type FakeCli, fakeCli, simManifest } from "../../../test/support/cli-context.ts";

/** A project whose app writes these fleets, as cdktf would, without cdktf. */
function project(cli: FakeCli, fleets: readonly string[], end = "", after = ""): void {
  const manifest = { ...simManifest(cli.directory), images: undefined };
  const script = `
    import { mkdirSync, writeFileSync } from "node:fs";
    import { join } from "node:path";
    const out = process.env.CDKTF_OUTDIR;
    console.log("hello from the app", JSON.parse(process.env.CDKTF_CONTEXT_JSON).projectId);
    const stacks = {};
    for (const name of ${JSON.stringify(fleets)}) {
      const workingDirectory = join("stacks", name);
      stacks[name] = { name, workingDirectory };
      mkdirSync(join(out, workingDirectory), { recursive: true });
      const manifest = { ...${JSON.stringify(manifest)}, name };
      writeFileSync(join(out, workingDirectory, "fleet.json"), JSON.stringify(manifest));
    }
    ${end}
    writeFileSync(join(out, "manifest.json"), JSON.stringify({ version: "0.21.0", stacks }));
    ${after}
  `;
  cli.write("app.mjs", script);
  const node = JSON.stringify(process.execPath);
  cli.write("cdktf.json", { app: `${node} app.mjs`, projectId: "p-1", language: "typescript" });
}

describe("the app of cdktf.json", () => {
  const env = { PATH: process.env["PATH"] };

  test("is run when no manifest is named, and keeps quiet when all is well", async () => {
    const cli = fakeCli({ env });
    project(cli, ["shop"]);
    expect(await cli.run("validate")).toMatchObject({
      exitCode: 0,
      stdout: "fleet shop is valid: 1 host, 1 pod\n",
      stderr: "",
    });
    expect((await cli.run("synth")).stdout).toBe("fleet shop  cdktf.out/stacks/shop/fleet.json\n");
    expect((await cli.run("synth", "--verbose")).stderr).toBe("hello from the app p-1\n");
  });

  test("may declare several fleets: then one has to be named", async () => {
    const cli = fakeCli({ env });
    project(cli, ["shop", "blog"]);
    const unnamed = await cli.run("validate");
    expect(unnamed.exitCode).toBe(1);
    expect(unnamed.stderr).toContain("the app declares shop, blog; name one with --fleet");
    expect((await cli.run("validate", "--fleet", "blog")).stdout).toContain("fleet blog is valid");
    expect((await cli.run("validate", "--fleet", "blgo")).stderr).toContain("did you mean blog?");
  });

  test("that fails is shown with what it said, and no stack of ours", async () => {
    const cli = fakeCli({ env });
    project(cli, ["shop"], 'console.error("no such host"); process.exit(3);');
    const { exitCode, stderr } = await cli.run("plan");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "it ended with exit code 3; it said:\nhello from the app p-1\nno such host",
    );
  });

  test("that lacks a package is told to be installed first", async () => {
    const cli = fakeCli({ env });
    project(cli, ["shop"], 'await import("not-installed-here");');
    const { exitCode, stderr } = await cli.run("plan");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "The package not-installed-here is not installed in the project: run npm install there first",
    );
  });

  test("that forgets app.synth() is told so, though an earlier synthesis is still there", async () => {
    const cli = fakeCli({ env });
    project(cli, ["shop"]);
    await cli.run("synth");
    project(cli, ["shop"], "process.exit(0);");
    const { exitCode, stderr } = await cli.run("plan");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("ended without app.synth(); call it at its end");
  });

  test("of two commands at once is run by each, and neither takes away what the other is to read", async () => {
    const cli = fakeCli({ env });
    const there = (name: string): boolean => existsSync(join(cli.directory, name));
    const until = (name: string): string =>
      `const { existsSync } = await import("node:fs"); while (!existsSync("${name}")) await new Promise((go) => setTimeout(go, 5));`;
    project(cli, ["shop"], "", `writeFileSync("written", ""); ${until("other")}`);
    const first = cli.run("validate");
    await expect.poll(() => there("written"), { timeout: 20_000 }).toBe(true);
    project(cli, ["shop"], `writeFileSync("other", ""); ${until("read")}`);
    const second = cli.run("validate");
    expect(await first).toMatchObject({ exitCode: 0, stderr: "" });
    cli.write("read", "");
    expect(await second).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("without a project the remedy is named", async () => {
    const { exitCode, stderr } = await fakeCli().run("plan");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /Cannot read project ".*cdktf\.json": there is no such file; name a manifest with -f/,
    );
  });
});
