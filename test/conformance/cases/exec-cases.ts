import { expect } from "vitest";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

const TERMINAL = { terminal: { size: { columns: 80, rows: 24 } } };

/** Commands in a running container. */
export function execCases({ it, itWith }: Suite): void {
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

  itWith(
    "kernel",
    "a command that cannot be begun is one clear error, with the exit code that shells give it",
    async (test) => {
      const pod = await test.started({ main: SERVER });
      await test.exec(pod, "echo plain > /tmp/plain");
      for (const [program, exitCode, why] of [
        ["/nonexistent/program", 127, "there is no such program"],
        ["nonexistent", 127, "there is no such program"],
        ["/tmp/plain", 126, "it cannot be executed there"],
        ["/tmp", 126, "it cannot be executed there"],
      ] as const) {
        for (const streams of [undefined, {}, TERMINAL]) {
          let said = "";
          const put = (bytes: Uint8Array): void => {
            said += Buffer.from(bytes).toString();
          };
          const running = test.engine.exec(pod.identity, "main", [program], {
            timeoutMs: 60_000,
            ...(streams && { streams: { stdout: put, stderr: put, ...streams } }),
          });
          await expect(running).rejects.toMatchObject({
            code: "failed_precondition",
            message: expect.stringContaining(`Cannot run "${program}" in container "main": ${why}`),
            context: { container: "main", exitCode },
          });
          expect(said).toBe("");
        }
      }
    },
  );

  itWith(
    "kernel",
    "an error of the command's own is passed on, whatever it looks like",
    async (test) => {
      const pod = await test.started({ main: SERVER });
      let said = "";
      const put = (bytes: Uint8Array): void => {
        said += Buffer.from(bytes).toString();
      };
      const own = "Error: sh: no: OCI runtime";
      const source = `echo "${own}" >&2; echo "Error: x: y" >&2; echo "${own}" >&2; exit 3`;
      const { exitCode } = await test.engine.exec(pod.identity, "main", ["/bin/sh", "-c", source], {
        timeoutMs: 60_000,
        streams: { stdout: put, stderr: put },
      });
      expect({ exitCode, said }).toEqual({ exitCode: 3, said: `${own}\nError: x: y\n${own}\n` });
    },
  );

  it("a command ends with its process, whatever that leaves behind", async (test) => {
    const pod = await test.started({ main: SERVER });
    const command = ["/bin/sh", "-c", "echo said >&2; sleep 1000 & exit 7"];
    const running = test.engine.exec(pod.identity, "main", command, { timeoutMs: 5000 });
    expect(await running).toEqual({ exitCode: 7 });
  });

  it("a command that takes too long is deadline_exceeded and killed, with what it began", async (test) => {
    const pod = await test.started({ main: SERVER });
    const late = "sleep 1.2; echo late > /tmp/late";
    // longer than a test may take: it is not waited for
    const command = ["/bin/sh", "-c", `/bin/sh -c '${late}' & ${late}; sleep 1000`];
    const running = test.engine.exec(pod.identity, "main", command, { timeoutMs: 300 });
    await expect(running).rejects.toMatchObject({ code: "deadline_exceeded" });
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
