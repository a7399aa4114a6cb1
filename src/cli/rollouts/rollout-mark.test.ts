import { expect, test } from "vitest";
import { fakeCli } from "../../../test/support/cli-context.ts";
import { writeService } from "../../../test/support/cli-service.ts";

const HELD = "rollout of web  paused since 2026-01-02T03:04:05Z by ann@desk; ";

test("pause and resume are told by the plan, the apply, the watch and the status, with exit code 2 for what waits", async () => {
  const cli = fakeCli({ now: () => new Date("2026-01-02T03:04:05Z"), answers: [] });
  const file = writeService(cli, "1");
  const run = async (line: string) => await cli.run(...line.split(" "), "-f", file);
  const json = async (line: string) => {
    const { exitCode, stdout } = await run(`${line} --json`);
    const lines = stdout.trim().split("\n");
    return { exitCode, ...JSON.parse(lines.at(-1) ?? "") };
  };
  await run("apply --yes --settle 0s");
  const paused = await run("rollout pause web");
  expect(paused).toMatchObject({ exitCode: 0, stderr: "", questions: [] });
  expect(paused.stdout).toContain("is paused, by a mark on 3 hosts: no further wave begins");
  const again = await run("rollout pause web");
  expect(again).toMatchObject({ exitCode: 0 });
  expect(again.stdout).toBe(
    "The rollout of web is already paused since 2026-01-02T03:04:05Z by ann@desk.\n",
  );
  // nothing waits yet
  expect((await run("plan")).exitCode).toBe(0);
  expect(await json("rollout status")).toMatchObject({
    exitCode: 0,
    services: [{ paused: { by: "ann@desk", waits: [] } }],
  });

  writeService(cli, "2");
  const plan = await run("plan");
  expect(plan.exitCode).toBe(2);
  expect(plan.stdout).toContain(`${HELD}3 changes wait for stowage rollout resume web\n`);
  expect(plan.stdout).toContain("replace, because the environment changed   waits\n");
  expect(plan.stdout).toContain("  wave 2     b/web, waits\n");
  expect(plan.stdout).toContain(
    "Nothing to do for now: 3 pods to change after stowage rollout resume web.",
  );
  const waits = ["a/web", "b/web", "c/web"];
  expect(await json("plan")).toMatchObject({ plan: { rollouts: [{ paused: { waits } }] } });
  const applied = await run("apply --yes");
  expect(applied).toMatchObject({ exitCode: 2, questions: [] });
  expect(applied.stdout).toContain("all remaining changes wait for a rollout to be resumed");
  expect(await json("apply --yes")).toMatchObject({ exitCode: 2, status: "paused" });
  expect(await json("rollout status")).toMatchObject({
    exitCode: 2,
    services: [{ paused: { waits } }],
  });
  const watched = await run("watch --once");
  expect(watched.exitCode).toBe(2);
  expect(watched.stdout).toContain(
    "not applied: a/web: replace, because it waits: the rollout of web",
  );

  expect(await json("rollout resume web")).toMatchObject({
    exitCode: 0,
    changed: true,
    revision: 2,
  });
  expect((await run("rollout resume web")).stdout).toBe("The rollout of web is not paused.\n");
  expect((await run("apply --yes --settle 0s")).exitCode).toBe(0);

  // an undo goes on in spite of a pause, which stays
  await run("rollout pause web");
  const undone = await run("rollout undo web --yes --settle 0s");
  expect(undone.exitCode).toBe(0);
  expect(undone.stdout).toContain("the rollout of web stays paused since 2026-01-02T03:04:05Z");
  expect(await json("rollout status")).toMatchObject({
    exitCode: 2,
    services: [{ paused: { waits }, pods: [{ state: "old" }, { state: "old" }, { state: "old" }] }],
  });
  const back = await run("rollback web --host a --yes --settle 0s");
  expect(back.exitCode).toBe(0);
  expect(back.stdout).toContain("stays paused");
  const audit = await run("history --audit --host b");
  expect(audit.stdout).toMatch(/rollout pause +done +pause web/);
});

test("a host that cannot be told is named, and the others are told", async () => {
  const cli = fakeCli();
  const file = writeService(cli, "1");
  cli.write("c.json", "no state of a simulation");
  const { exitCode, stdout, stderr } = await cli.run("rollout", "pause", "web", "-f", file);
  expect(exitCode).toBe(1);
  expect(stdout).toContain("by a mark on 2 hosts");
  expect(stderr).toContain("Error: host c could not be marked: ");
  const resumed = await cli.run("rollout", "resume", "web", "-f", file, "--json");
  expect(resumed.exitCode).toBe(1);
  expect(JSON.parse(resumed.stdout)).toMatchObject({
    paused: false,
    hosts: [{ host: "a" }, { host: "b" }, { host: "c", message: expect.any(String) }],
  });
  for (const host of ["a", "b"]) cli.write(`${host}.json`, "no state either");
  const none = await cli.run("rollout", "pause", "web", "-f", file);
  expect(none).toMatchObject({ exitCode: 1 });
  expect(none.stdout).toContain("Nothing was paused: no host of web could be marked.");
});
