import { expect } from "vitest";
import { SERVER, script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

const MOUNT = [{ volume: "data", path: "/data" }];
const READ_ONLY = [{ volume: "data", path: "/data", readOnly: true }];

const SETTINGS = [{ volume: "data", path: "/etc/settings", readOnly: true }];
const SHOW_AND_WAIT = "cat /etc/settings; sleep 1000 & wait";
const oneFile = (path: string) => ({ volumes: { data: { kind: "bind", path } as const } });

/** Volumes: what outlives the pod, and what does not. */
export function volumeCases({ it }: Suite): void {
  it("a named volume is the host's directory that was given, and outlives the pod", async (test) => {
    const directory = await test.directory();
    const pod = {
      ...test.pod(
        { main: script("echo written > /data/file", { mounts: MOUNT }) },
        { volumes: { data: { kind: "named", name: "shop-data" } } },
      ),
      volumeDirs: { data: directory },
    };
    await test.engine.prepare(pod);
    await test.engine.start(pod);
    await test.ended(pod);
    await test.engine.remove(pod.identity);
    expect(await test.fileText(`${directory}/file`)).toBe("written\n");
  });

  it("a bind volume shows the host's directory, both ways", async (test) => {
    const directory = await test.directory();
    await test.host.writeFile(`${directory}/from-host`, "hello\n");
    const { lines } = await test.run(
      "cat /data/from-host; echo back > /data/from-container",
      { mounts: MOUNT },
      { volumes: { data: { kind: "bind", path: directory } } },
    );
    expect(lines).toEqual(["hello"]);
    expect(await test.fileText(`${directory}/from-container`)).toBe("back\n");
  });

  it("a bind volume can be one file", async (test) => {
    const file = `${await test.directory()}/settings`;
    await test.host.writeFile(file, "colour=green\n");
    const { lines } = await test.run(
      "cat /etc/settings",
      { mounts: [{ volume: "data", path: "/etc/settings", readOnly: true }] },
      { volumes: { data: { kind: "bind", path: file } } },
    );
    expect(lines).toEqual(["colour=green"]);
  });

  it("a file that another one took the place of while the pod was down is seen at its next start", async (test) => {
    const file = `${await test.directory()}/settings`;
    await test.host.placeFile(file, Buffer.from("colour=green\n"), { mode: 0o444 });
    const pod = await test.started(
      { main: script(SHOW_AND_WAIT, { mounts: SETTINGS }) },
      oneFile(file),
    );
    await test.printed(pod, "colour=green");
    await test.engine.stop(pod.identity, { containers: { main: { gracePeriodMs: 0 } } });
    await test.host.placeFile(file, Buffer.from("colour=blue\n"), { mode: 0o444 });
    await test.engine.start(pod);
    await test.printed(pod, "colour=blue");
    expect(await test.lines(pod)).toContain("colour=blue");
  });

  it("an exited pod whose file of the host is gone does not start, and does when it is there again", async (test) => {
    const file = `${await test.directory()}/settings`;
    await test.host.placeFile(file, Buffer.from("colour=green\n"), { mode: 0o400 });
    const pod = await test.started(
      { main: script(SHOW_AND_WAIT, { mounts: SETTINGS }) },
      oneFile(file),
    );
    await test.printed(pod, "colour=green");
    await test.engine.stop(pod.identity, { containers: { main: { gracePeriodMs: 0 } } });
    await test.host.removeFile(file);
    await expect(test.engine.start(pod)).rejects.toMatchObject({ code: "failed_precondition" });
    expect(await test.container(pod)).not.toMatchObject({ state: "running" });
    await test.host.placeFile(file, Buffer.from("colour=blue\n"), { mode: 0o400 });
    await test.engine.start(pod);
    await test.printed(pod, "colour=blue");
  });

  it("a bind volume whose path does not exist is failed_precondition", async (test) => {
    const pod = test.pod(
      { main: { ...SERVER, mounts: MOUNT } },
      { volumes: { data: { kind: "bind", path: "/nonexistent/path" } } },
    );
    const running = async (): Promise<void> => {
      await test.engine.prepare(pod);
      await test.engine.start(pod);
    };
    await expect(running()).rejects.toMatchObject({ code: "failed_precondition" });
  });

  it("a volume that is mounted read-only refuses writes", async (test) => {
    const directory = await test.directory();
    await test.host.writeFile(`${directory}/file`, "kept\n");
    const { lines } = await test.run(
      "cat /data/file; echo x > /data/file || echo refused",
      { mounts: READ_ONLY },
      { volumes: { data: { kind: "bind", path: directory } } },
    );
    expect(lines).toContain("kept");
    expect(lines).toContain("refused");
    expect(await test.fileText(`${directory}/file`)).toBe("kept\n");
  });

  it("a tmpfs volume can be written, and is empty after a stop and a new start", async (test) => {
    const source = "cat /data/file 2>/dev/null || echo empty; echo x > /data/file; sleep 1000";
    const pod = await test.started(
      { main: script(source, { mounts: MOUNT }) },
      { volumes: { data: { kind: "tmpfs", sizeBytes: 1024 * 1024 } } },
    );
    await test.until(async () => (await test.exec(pod, "[ -s /data/file ]")) === 0 || undefined);
    await test.engine.stop(pod.identity, { containers: { main: { gracePeriodMs: 0 } } });
    await test.engine.start(pod);
    await test.until(async () => (await test.lines(pod)).length === 2 || undefined);
    expect(await test.lines(pod)).toEqual(["empty", "empty"]);
  });

  it("containers of a pod share its volumes", async (test) => {
    const directory = await test.directory();
    const pod = await test.started(
      {
        writer: script("echo shared > /data/file", { mounts: MOUNT }),
        reader: script("until [ -s /in/file ]; do sleep 0.05; done; cat /in/file", {
          mounts: [{ volume: "data", path: "/in", readOnly: true }],
        }),
      },
      { volumes: { data: { kind: "bind", path: directory } } },
    );
    await test.printed(pod, "shared", "reader");
    expect(await test.ended(pod, "reader")).toMatchObject({ exitCode: 0 });
  });
}
