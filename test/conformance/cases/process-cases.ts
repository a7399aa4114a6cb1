import { expect } from "vitest";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** What a process is given, and what becomes of it. */
export function processCases({ it, itWith }: Suite): void {
  it("args follow the command, each as one word", async (test) => {
    const container = { args: ["first", "two words", ""] };
    const source = 'echo "$#:$1:$2:$3"';
    const command = ["/bin/sh", "-c", source, "sh"];
    const pod = await test.started({ main: { ...container, command } });
    await test.ended(pod);
    expect(await test.output(pod, 1)).toEqual(["3:first:two words:"]);
  });

  it("args alone stand in place of the image's command", async (test) => {
    const pod = await test.started({ main: { args: ["/bin/echo", "from args"] } });
    await test.ended(pod);
    expect(await test.output(pod, 1)).toEqual(["from args"]);
  });

  it("the declared environment is added to the image's and wins over it", async (test) => {
    const env = { BOTH: "declared", OWN: 'with "quotes" and = signs', EMPTY: "" };
    const source = 'echo "$IMAGE_ONLY|$BOTH|$OWN|${EMPTY-unset}|${ABSENT-unset}"';
    const { lines } = await test.run(source, { env });
    expect(lines).toEqual(['image|declared|with "quotes" and = signs||unset']);
  });

  it("variables that the engine's own programs are run with do not reach it", async (test) => {
    const { lines } = await test.run("env");
    expect(lines.some((line) => line.startsWith("PATH="))).toBe(true);
    expect(lines.filter((line) => /^(?:GO|STOWAGE|STW|PODMAN)/.test(line))).toEqual([]);
  });

  it("a secret's value reaches the process and is not reported", async (test) => {
    const env = { TOKEN: { secret: { fromEnv: "TOKEN" } }, PLAIN: "seen" };
    const pod = test.pod({ main: script('echo "$TOKEN"', { env }) });
    const environment = { main: { TOKEN: "hunter2", PLAIN: "seen" } };
    await test.engine.prepare({ ...pod, environment });
    await test.engine.start({ ...pod, environment });
    await test.ended(pod);
    expect(await test.output(pod, 1)).toEqual(["hunter2"]);
    expect(JSON.stringify(await test.observed(pod))).not.toContain("hunter2");
  });

  it("it starts in the declared directory, else in the root", async (test) => {
    expect((await test.run("pwd", { workingDir: "/tmp" })).lines).toEqual(["/tmp"]);
    expect((await test.run("pwd")).lines).toEqual(["/"]);
  });

  it("it runs as the declared user and group, else as root", async (test) => {
    const source = "id -u; id -g";
    expect((await test.run(source)).lines).toEqual(["0", "0"]);
    expect((await test.run(source, { user: "1717:1818" })).lines).toEqual(["1717", "1818"]);
  });

  itWith("imageFiles", "a user's name is looked up in the image, with its groups", async (test) => {
    const { lines } = await test.run("id -u; id -g; id -G", { user: "app" });
    expect(lines.slice(0, 2)).toEqual(["1234", "4321"]);
    expect(lines[2]?.split(" ").sort()).toEqual(["4321", "777"]);
  });

  itWith(
    "imageFiles",
    "a user that the image does not know is failed_precondition",
    async (test) => {
      const pod = test.pod({ main: { ...SERVER, user: "nobody-knows" } });
      const running = async (): Promise<void> => {
        await test.engine.prepare(pod);
        await test.engine.start(pod);
      };
      await expect(running()).rejects.toMatchObject({ code: "failed_precondition" });
    },
  );

  it("the host name is the declared one, else the pod's name", async (test) => {
    expect((await test.run("hostname", {}, { hostname: "told" })).lines).toEqual(["told"]);
    const pod = await test.started({ main: script("hostname") });
    await test.ended(pod);
    expect(await test.output(pod, 1)).toEqual([pod.identity.pod]);
  });

  it("its exit code is reported, with the time", async (test) => {
    const before = Date.now();
    const pod = await test.started({ main: script("exit 3") });
    const { exitCode, exitedAt, pid } = await test.ended(pod);
    expect(exitCode).toBe(3);
    expect(pid).toBeUndefined();
    const at = Date.parse(exitedAt ?? "");
    expect(at).toBeGreaterThan(before - 5000);
    expect(at).toBeLessThan(Date.now() + 5000);
    expect((await test.observed(pod))?.state).toBe("exited");
  });

  it("one that is killed behind the engine's back is exited with 137", async (test) => {
    const pod = await test.started({ main: SERVER });
    await test.opened.killContainer(pod.identity, "main");
    expect(await test.ended(pod)).toMatchObject({ exitCode: 137 });
  });

  itWith(
    "readOnlyRoot",
    "its root file system is read-only where that is declared",
    async (test) => {
      const source = "echo x > /tmp/file || echo refused";
      const { lines } = await test.run(source, { readOnlyRootFilesystem: true });
      expect(lines).toContain("refused");
    },
  );

  itWith("softLimits", "its limit of open files is the declared one", async (test) => {
    const { lines } = await test.run("ulimit -n", {
      ulimits: { nofile: { soft: 333, hard: 444 } },
    });
    expect(lines).toEqual(["333"]);
  });
}
