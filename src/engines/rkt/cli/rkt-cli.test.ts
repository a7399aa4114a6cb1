import { describe, expect, test } from "vitest";
import { answeringHost } from "../../../../test/support/rkt/recording-host.ts";
import { transcript } from "../../../../test/support/rkt/transcript.ts";
import type { CommandResult } from "../../../host/index.ts";
import { parseImageList, parseUuid, parseVersion } from "./parse-output.ts";
import { RktCli } from "./rkt-cli.ts";

const STAGE1 = "coreos.com/rkt/stage1-fly:1.30.0";
const UUID = "1ad623e0-0c16-4b91-953a-d0a2c12991a8";

function cli(answer: (command: readonly string[]) => CommandResult, existing?: readonly string[]) {
  const { host, commands } = answeringHost(answer, existing);
  return { rkt: new RktCli(host, { dir: "/data", stage1: STAGE1 }), commands };
}

/** The pod of which the transcript of a prepare tells. */
const MADE = "/data/pods/prepared/1c5157b9-54cf-43c8-9543-f8baf56ec227/pod";

const subcommand = (command: readonly string[]): string =>
  command.filter((word) => !word.startsWith("-"))[1] ?? "";

describe("what rkt prints", () => {
  test("no images are null", () => {
    expect(parseImageList(transcript("image-list-empty.json").stdout)).toEqual([]);
  });

  test("times beyond what a number can hold are not read", () => {
    const [first] = parseImageList(transcript("image-list2.json").stdout);
    expect(first).toEqual({
      id: "sha512-f80c2d09ff4682f2101dbac240a4dcf9cc5870853942ff14d6494da9c7ec45c9",
      name: STAGE1,
      sizeBytes: 34_691_686,
    });
  });

  test("text before the JSON is passed over, and JSON that was cut off is an error", () => {
    const { stdout } = transcript("image-list2.json");
    expect(parseImageList(`some warning\n${stdout}`)).toHaveLength(8);
    expect(() => parseImageList(stdout.slice(0, 300))).toThrow(/Cannot read what rkt says/);
    expect(() => parseImageList("")).toThrow(/Cannot read what rkt says/);
  });

  test("a usage text on stdout is no UUID", () => {
    expect(() => parseUuid(transcript("fetch-badflag.txt").stdout)).toThrow(/UUID of a pod/);
    expect(() => parseUuid(`"${UUID}"`)).toThrow(/UUID of a pod/);
    expect(parseUuid(`Downloading something\n${UUID}\n`)).toBe(UUID);
  });

  test("its version and platform", () => {
    expect(parseVersion(transcript("version.txt").stdout)).toEqual({
      version: "1.30.0",
      os: "linux",
      architecture: "amd64",
    });
    expect(() => parseVersion("rkt Version: 1")).toThrow(/its version/);
  });
});

describe("RktCli", () => {
  test("removing an image that is not there succeeds, as rkt says", async () => {
    const { rkt, commands } = cli((command) =>
      transcript(command.includes("rm") ? "image-rm-missing.txt" : "image-list-empty.json"),
    );
    await rkt.removeImage("sha512-00");
    expect(commands[0]).toEqual(["rkt", "--dir=/data", "image", "rm", "sha512-00"]);
  });

  test("a pod that is gone is removed; one that runs is an error", async () => {
    await expect(cli(() => transcript("rm-again.txt")).rkt.removePods([UUID])).resolves.toBe(
      undefined,
    );
    const runs = cli(() => transcript("rm-running.txt"), [`/data/pods/run/${UUID}`]);
    await expect(runs.rkt.removePods([UUID])).rejects.toThrow(/is currently running/);
  });

  test("a UUID comes from prepare's stdout, without --uuid-file-save, which it does not know", async () => {
    const { rkt, commands } = cli(() => transcript("prepare-first-in-fresh-store.txt"), [MADE]);
    expect(await rkt.prepare("/m.json")).toMatch(/^[0-9a-f-]{36}$/);
    expect(commands.at(-1)).toContain("--quiet");
    expect(commands.flat().join(" ")).not.toContain("uuid-file");
  });

  test("a stage1 image is named only where the store has it: any other is looked for on the network", async () => {
    const answer = (command: readonly string[]) =>
      subcommand(command) === "image"
        ? transcript("image-list2.json")
        : transcript("prepare-first-in-fresh-store.txt");
    const unused = cli(answer, [MADE]);
    await unused.rkt.prepare("/m.json");
    expect(unused.commands[0]).toContain("--stage1-from-dir=stage1-fly.aci");
    await unused.rkt.prepare("/m.json");
    expect(unused.commands[1]).toContain(`--stage1-name=${STAGE1}`);
    const used = cli(answer, ["/data/cas/db", MADE]);
    await used.rkt.prepare("/m.json");
    expect(used.commands.at(-1)).toContain(`--stage1-name=${STAGE1}`);
  });

  test.each([
    ["an image that is not in the store", "prepare-bad-imageid.txt", "not_found"],
    ["somebody who is not root", "nonroot-prepare.txt", "permission_denied"],
    ["a configuration file that is broken", "config-badjson.txt", "failed_precondition"],
    ["a file that is no image", "fetch-garbage-file.txt", "failed_precondition"],
  ])("%s is told by rkt's text alone: every error has status 254", async (_, name, code) => {
    const { rkt } = cli(() => transcript(name));
    await expect(rkt.prepare("/m.json")).rejects.toMatchObject({ code });
  });

  test("an error has the last of what rkt says, not megabytes of it", async () => {
    const stderr = `${"noise\n".repeat(500_000)}prepare: invalid character 'b'\n`;
    const { rkt } = cli(() => ({ exitCode: 254, stdout: "", stderr }));
    const failure = await rkt.prepare("/m.json").catch((error: unknown) => error);
    expect((failure as Error).message).toContain("invalid character");
    expect((failure as Error).message.length).toBeLessThan(700);
  });

  test("success with nothing done is an error", async () => {
    const { rkt } = cli(() => ({ exitCode: 0, stdout: "", stderr: "" }));
    await expect(rkt.prepare("/m.json")).rejects.toThrow(/Cannot read what rkt says/);
    await expect(rkt.fetch("/x.aci")).rejects.toThrow(/Cannot read what rkt says/);
  });

  test("nor is a word of rkt's believed: what is there afterwards decides", async () => {
    const nothing = { exitCode: 0, stdout: "null", stderr: "" };
    const prepared = cli(() => transcript("prepare-first-in-fresh-store.txt"));
    await expect(prepared.rkt.prepare("/m.json")).rejects.toThrow(
      /"rkt prepare" succeeded, but there is no pod/,
    );
    const removed = cli(() => nothing, [`/data/pods/run/${UUID}`]);
    await expect(removed.rkt.removePods([UUID])).rejects.toThrow(
      /"rkt rm" succeeded, but pod .* is there still/,
    );
    const fetched = cli((command) =>
      command.includes("fetch") ? transcript("fetch-file-full.txt") : nothing,
    );
    await expect(fetched.rkt.fetch("/x.aci")).rejects.toThrow(
      /"rkt fetch" succeeded, but image .* is not in its store/,
    );
    const kept = cli((command) =>
      command.includes("rm") ? nothing : transcript("image-list2.json"),
    );
    const [image] = parseImageList(transcript("image-list2.json").stdout);
    await expect(kept.rkt.removeImage(image?.id ?? "")).rejects.toThrow(
      /"rkt image rm" succeeded, but the image is in its store still/,
    );
  });
});
