import { expect } from "vitest";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

const LISTEN = "trap 'exit 0' TERM; nc -l -p 9123 -e true & while :; do sleep 0.05; done";
const CONNECT = "nc -w 1 127.0.0.1 9123 </dev/null";

/** Several containers, several generations. */
export function podCases({ it }: Suite): void {
  it("containers of a pod reach each other over the loopback", async (test) => {
    const patient = `until ${CONNECT}; do sleep 0.05; done; echo reached`;
    const pod = await test.started({ server: script(LISTEN), client: script(patient) });
    await test.printed(pod, "reached", "client");
    expect(await test.ended(pod, "client")).toMatchObject({ exitCode: 0 });
  });

  it("another pod's loopback is not reached", async (test) => {
    const server = await test.started({ main: script(LISTEN) });
    const { exitCode } = await test.run(`sleep 0.3; ${CONNECT}`);
    expect(exitCode).not.toBe(0);
    expect((await test.observed(server))?.state).toBe("running");
  });

  it("each container has a file system of its own", async (test) => {
    const pod = await test.started({ first: SERVER, second: SERVER });
    expect(await test.exec(pod, "echo mine > /tmp/file", "first")).toBe(0);
    expect(await test.exec(pod, "[ -e /tmp/file ]", "first")).toBe(0);
    expect(await test.exec(pod, "[ -e /tmp/file ]", "second")).toBe(1);
  });

  it("a pod of which one container ended is degraded", async (test) => {
    const pod = await test.started({ main: SERVER, job: script("exit 5") });
    expect(await test.ended(pod, "job")).toMatchObject({ exitCode: 5 });
    expect(await test.observed(pod)).toMatchObject({
      state: "degraded",
      containers: { main: { state: "running" }, job: { state: "exited" } },
    });
  });

  it("containers of a pod are started in parts, and one that ended again before the others", async (test) => {
    const directory = await test.directory();
    const mounts = [{ volume: "data", path: "/data" }];
    const first = script("echo run >> /data/list", { init: true, mounts });
    const main = script("cat /data/list; trap 'exit 0' TERM; sleep 1000 & wait", { mounts });
    const restart = { policy: "always" as const };
    const volumes = { data: { kind: "bind" as const, path: directory } };
    const pod = await test.prepared({ first, main, side: SERVER }, { volumes, restart });
    await test.engine.start(pod, { containers: ["first"] });
    expect(await test.ended(pod, "first")).toMatchObject({ exitCode: 0 });
    expect((await test.container(pod, "main")).state).toBe("prepared");
    await test.engine.start(pod, { containers: ["main", "side"] });
    await test.printed(pod, "run", "main");
    // nobody starts it again, whatever the pod's policy says
    expect(await test.container(pod, "first")).toMatchObject({ state: "exited", exitCode: 0 });
    expect((await test.container(pod, "first")).restarts).toBeUndefined();
    const { pid } = await test.container(pod, "side");
    await test.engine.stop(pod.identity);
    await test.engine.start(pod, { containers: ["first"] });
    expect(await test.ended(pod, "first")).toMatchObject({ exitCode: 0 });
    await test.engine.start(pod, { containers: ["main", "side"] });
    const after = await test.observed(pod);
    expect(after?.containers["main"]?.state).toBe("running");
    expect(after?.containers["side"]?.state).toBe("running");
    expect(after?.containers["side"]?.pid).not.toBe(pid);
    await test.until(
      async () => (await test.fileText(`${directory}/list`)) === "run\nrun\n" || undefined,
    );
  });

  it("two generations of a pod live side by side", async (test) => {
    const old = await test.started({ main: script("echo old; sleep 1000") });
    const main = { ...script("echo new; sleep 1000"), image: test.base.reference };
    const next = test.again(old, { containers: { main } }, { generation: 2 });
    await test.engine.prepare(next);
    expect((await test.observed(old))?.state).toBe("running");
    expect((await test.observed(next))?.state).toBe("prepared");
    await test.engine.start(next);
    await test.printed(next, "new");
    expect(await test.lines(old)).toEqual(["old"]);
    await test.engine.remove(old.identity);
    expect(await test.observed(old)).toBeUndefined();
    expect((await test.observed(next))?.state).toBe("running");
  });

  it("pods of one name, of fleets of one name and different owners, are strangers", async (test) => {
    const mine = await test.started({ main: SERVER });
    const theirs = test.again(mine, { hostname: "theirs" }, { owner: "stranger" });
    await test.engine.prepare(theirs);
    await test.engine.start(theirs);
    expect(await test.observed(theirs)).toMatchObject({ ...theirs.identity, state: "running" });
    expect(await test.observed(mine)).toMatchObject({ ...mine.identity, state: "running" });
    await test.engine.remove(theirs.identity);
    expect(await test.observed(theirs)).toBeUndefined();
    expect((await test.observed(mine))?.state).toBe("running");
  });

  it("asked for some generations alone, an engine tells the same of them", async (test) => {
    const one = await test.started({ main: SERVER });
    const several = await test.started({ main: SERVER, job: script("exit 5") });
    await test.ended(several, "job");
    const { pods: all } = await test.engine.observe();
    for (const wanted of [[one], [several], [one, several]]) {
      const only = wanted.map(({ identity }) => identity);
      const { pods } = await test.engine.observe({ podsOnly: true, only });
      const find = (found: typeof pods) =>
        only.map(({ pod }) => found.find((each) => each.pod === pod));
      expect(find(pods)).toEqual(find(all));
      expect(find(pods)).not.toContain(undefined);
    }
  });

  it("names of any length and form come back as they were given", async (test) => {
    const pod = test.pod({ ["c".repeat(63)]: SERVER, "0": SERVER });
    const identity = {
      owner: `Owner.with_${"o".repeat(53)}`,
      fleet: "f".repeat(63),
      host: "h".repeat(63),
      pod: `p${"-".repeat(61)}p`,
      generation: 2_000_000_000,
    };
    const long = test.instance(identity, pod.spec);
    await test.engine.prepare(long);
    const observed = await test.observed(long);
    expect(observed).toMatchObject(identity);
    expect(Object.keys(observed?.containers ?? {}).sort()).toEqual(["0", "c".repeat(63)]);
  });
}
