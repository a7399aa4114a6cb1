import { join } from "node:path";
import { expect, test } from "vitest";
import { type FakeCli, fakeCli } from "../../../test/support/cli-context.ts";
import { writeService } from "../../../test/support/cli-service.ts";
import { SimMachine } from "../../engines/sim/index.ts";

/** Exit code, and each pod's state, of `rollout status`. */
async function status(cli: FakeCli, file: string) {
  const { exitCode, stdout } = await cli.run("rollout", "status", "-f", file, "--json");
  const made = JSON.parse(stdout);
  expect(made.exitCode).toBe(exitCode);
  const [{ pods, waves }] = made.services;
  return { exitCode, waves, states: pods.map((pod: { state: string }) => pod.state).join(" ") };
}

/** Where an undo sends each pod, and its report. */
async function undo(cli: FakeCli, file: string, ...more: readonly string[]) {
  const argv = ["rollout", "undo", "web", "-f", file, "--yes", "--json", ...more];
  const { exitCode, stdout } = await cli.run(...argv);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const of = (type: string) => lines.find((line) => line.type === type);
  const targets = of("undo").targets.map(
    (each: { host: string; goesBack: boolean; to: number }) =>
      `${each.host} ${each.goesBack ? "back to" : "stays"} ${each.to}`,
  );
  return { exitCode, targets, plan: of("plan")?.plan };
}

test("status tells how far a service is, and undo takes back what was rolled out of it, in waves", async () => {
  const cli = fakeCli({ answers: [false] });
  const file = writeService(cli, "1");
  expect(await status(cli, file)).toMatchObject({ exitCode: 2, states: "absent absent absent" });
  expect((await cli.run("apply", "-f", file, "--yes")).exitCode).toBe(0);
  expect(await status(cli, file)).toEqual({
    exitCode: 0,
    states: "declared declared declared",
    waves: [],
  });

  writeService(cli, "2", { pauseMs: 1 });
  expect((await cli.run("apply", "-f", file, "--yes", "--host", "a")).exitCode).toBe(0);
  expect(await status(cli, file)).toEqual({
    exitCode: 2,
    states: "declared old old",
    waves: [
      { kind: "wave", changes: ["b/web"] },
      { kind: "wave", changes: ["c/web"] },
    ],
  });
  const shown = await cli.run("rollout", "status", "web", "-f", file);
  expect(shown.stdout).toMatch(
    /^service web {2}3 pods, 1 as declared\n {2}a\/web +as declared +localhost\/hello:1 sha256:\S+ +applied \S+Z by ann@desk\n {2}b\/web +old /,
  );
  expect(shown.stdout).toContain("rollout of web  2 pods in 2 waves; 1 already as declared");

  const declined = await cli.run("rollout", "undo", "web", "-f", file);
  expect(declined).toMatchObject({ exitCode: 1, questions: ["Go back to this? Type yes:"] });
  expect(declined.stdout).toMatch(/^a\/web goes from record 2 back to record 1, applied /);
  expect(declined.stdout).toContain("b/web stays with record 1,");
  expect(declined.stdout).toContain("the next apply goes forward again");

  expect(await undo(cli, file)).toMatchObject({
    exitCode: 0,
    targets: ["a back to 1", "b stays 1", "c stays 1"],
    plan: { pods: expect.arrayContaining([expect.objectContaining({ id: "a/web" })]) },
  });
  expect((await status(cli, file)).states).toBe("old old old");
  const again = await cli.run("rollout", "undo", "web", "-f", file, "--yes");
  expect(again).toMatchObject({ exitCode: 1 });
  expect(again.stderr).toContain("none of its pods runs what is declared now; see stowage rollout");

  expect((await cli.run("apply", "-f", file, "--yes")).exitCode).toBe(0);
  expect(await undo(cli, file, "--host", "c")).toMatchObject({ targets: ["c back to 2"] });
  expect((await status(cli, file)).states).toBe("declared declared old");
  const whole = await undo(cli, file);
  expect(whole.plan.rollouts[0].waves.map(({ changes }: { changes: string[] }) => changes)).toEqual(
    [["a/web"], ["b/web"]],
  );
  expect((await status(cli, file)).states).toBe("old old old");
  const audit = await cli.run("history", "--audit", "-f", file, "--host", "b");
  expect(audit.stdout).toContain("rollout undo");
});

test("a pod that went back and is gone since comes back as that, and goes no further", async () => {
  const cli = fakeCli();
  const file = writeService(cli, "1");
  for (const log of ["1", "2", "3"]) {
    writeService(cli, log);
    expect((await cli.run("apply", "-f", file, "--yes")).exitCode).toBe(0);
  }
  expect(await undo(cli, file)).toMatchObject({
    targets: ["a back to 2", "b back to 2", "c back to 2"],
  });
  const machine = new SimMachine({ file: join(cli.directory, "a.json") });
  const [gone] = machine.read(({ pods }) => Object.values(pods));
  if (gone === undefined) throw new Error("Nothing runs");
  await machine.deletePod(gone.identity);
  expect((await status(cli, file)).states).toBe("down old old");
  const again = await cli.run("rollout", "undo", "web", "-f", file, "--yes");
  expect(again).toMatchObject({ exitCode: 1 });
  expect(again.stderr).toContain("none of its pods runs what is declared now");
});

test("a host that cannot be looked at is told, and nothing is undone anywhere", async () => {
  const cli = fakeCli();
  const file = writeService(cli, "1");
  await cli.run("apply", "-f", file, "--yes");
  writeService(cli, "2");
  await cli.run("apply", "-f", file, "--yes");
  // another policy is a record of its own, and nothing that anybody wants to go back to
  writeService(cli, "2", { abortAfter: 2 });
  await cli.run("apply", "-f", file, "--yes");
  cli.write("c.json", "no state of a simulation");
  const seen = await status(cli, file);
  expect(seen).toMatchObject({ exitCode: 1, states: "declared declared unreachable" });
  const { exitCode, stderr } = await cli.run("rollout", "undo", "web", "-f", file, "--yes");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("hosts.c");
  expect(stderr).toContain("name the hosts that can go back with --host");
  expect((await status(cli, file)).states).toBe("declared declared unreachable");
  expect(await undo(cli, file, "--host", "a")).toMatchObject({ targets: ["a back to 1"] });
});

test("what cannot be done is told with what can", async () => {
  const cli = fakeCli();
  const file = writeService(cli, "1");
  const fails = async (...argv: readonly string[]): Promise<string> => {
    const { exitCode, stderr } = await cli.run("rollout", ...argv, "-f", file);
    expect(exitCode).toBe(1);
    return stderr;
  };
  expect(await fails("stauts")).toContain("did you mean status");
  expect(await fails("status", "wbe")).toContain("did you mean web");
  expect(await fails("status", "--yes")).toContain("leave --yes out");
  expect(await fails("pause")).toContain("write stowage rollout pause SERVICE");
  expect(await fails("pause", "wbe")).toContain("did you mean web");
  expect(await fails("pause", "web", "--host", "a")).toContain(
    "all hosts of the service: they pause together",
  );
  expect(await fails("resume", "web", "--yes")).toContain("never asks; leave --yes out");
  writeService(cli, "1", null);
  expect(await fails("pause", "web")).toContain("declare rollout: { maxUnavailable: 1 }");
  writeService(cli, "1");
  expect(await fails("undo", "--yes")).toContain("write stowage rollout undo SERVICE");
  expect(await fails("undo", "web")).toContain("look at stowage rollout status, then use --yes");
  await cli.run("apply", "-f", file, "--yes");
  expect(await fails("undo", "web", "--yes")).toContain("keep no older record of a/web, b/web");
});
