import { expect } from "vitest";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** Commands in a running container. */
export function execCases({ it }: Suite): void {
  it("exec() gives the command's exit code", async (test) => {
    const pod = await test.started({ main: SERVER });
    expect(await test.exec(pod, "true")).toBe(0);
    expect(await test.exec(pod, "exit 42")).toBe(42);
  });

  it("the command has the container's environment, directory and user", async (test) => {
    const directory = await test.directory();
    const pod = await test.started(
      {
        main: {
          ...SERVER,
          env: { OWN: "x y" },
          workingDir: "/tmp",
          user: "1717:1818",
          mounts: [{ volume: "data", path: "/data" }],
        },
      },
      { volumes: { data: { kind: "bind", path: directory } } },
    );
    expect(
      await test.exec(
        pod,
        'pwd > /data/seen; id -u >> /data/seen; id -g >> /data/seen; echo "$OWN$BOTH" >> /data/seen',
      ),
    ).toBe(0);
    expect(await test.fileText(`${directory}/seen`)).toBe("/tmp\n1717\n1818\nx yimage\n");
  });

  it("a command that does not exist is failed_precondition", async (test) => {
    const pod = await test.started({ main: SERVER });
    const running = test.engine.exec(pod.identity, "main", ["/nonexistent/program"], {
      timeoutMs: 10_000,
    });
    await expect(running).rejects.toMatchObject({ code: "failed_precondition" });
    expect((await test.observed(pod))?.state).toBe("running");
  });

  it("a command ends with its process, whatever that leaves behind", async (test) => {
    const pod = await test.started({ main: SERVER });
    const command = ["/bin/sh", "-c", "echo said >&2; sleep 1000 & exit 7"];
    const running = test.engine.exec(pod.identity, "main", command, { timeoutMs: 5000 });
    expect(await running).toEqual({ exitCode: 7 });
  });

  it("a command that takes too long is deadline_exceeded and killed, with what it began", async (test) => {
    const pod = await test.started({ main: SERVER });
    const late = "sleep 1.2; echo late > /tmp/late";
    const command = ["/bin/sh", "-c", `/bin/sh -c '${late}' & ${late}`];
    const before = performance.now();
    const running = test.engine.exec(pod.identity, "main", command, { timeoutMs: 300 });
    await expect(running).rejects.toMatchObject({ code: "deadline_exceeded" });
    expect(performance.now() - before).toBeLessThan(5000);
    expect(await test.exec(pod, "sleep 1.5; [ -e /tmp/late ]")).toBe(1);
  });

  it("running a command in a container that does not run is not_found", async (test) => {
    const pod = await test.started({ main: script("exit 0") });
    await test.ended(pod);
    for (const [identity, name] of [
      [pod.identity, "main"],
      [pod.identity, "absent"],
      [test.pod({ main: SERVER }).identity, "main"],
    ] as const) {
      const running = test.engine.exec(identity, name, ["/bin/true"], { timeoutMs: 10_000 });
      await expect(running).rejects.toMatchObject({ code: "not_found" });
    }
  });

  it("what a command prints does not get into the container's output", async (test) => {
    const pod = await test.started({
      main: script("echo ready; trap 'exit 0' TERM; sleep 1000 & wait"),
    });
    await test.printed(pod, "ready");
    await test.exec(pod, "echo from exec; echo and stderr >&2");
    expect(await test.lines(pod)).toEqual(["ready"]);
  });
}
