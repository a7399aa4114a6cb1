import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPodman } from "../../src/engines/podman/index.ts";
import { EngineUnderTest, SERVER } from "../conformance/support/engine-under-test.ts";
import {
  openPodmanInFolder,
  type PodmanInFolder,
  podmanFixture,
} from "../conformance/support/podman-fixture.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";

describeWithEngine("podman", "the version of podman", (podman) => {
  let folder: string;
  let program: string;
  let opened: PodmanInFolder;
  let engine: EngineUnderTest;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "stw-version-"));
    program = join(folder, "podman");
    copyFileSync(podman.address, program);
    opened = await openPodmanInFolder(program);
    const fixture = podmanFixture(() => program);
    engine = await EngineUnderTest.open({ ...fixture, open: async () => opened });
  });
  afterAll(async () => {
    await engine.cleanUp();
    await opened.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** As another Stowage would be told it. */
  const version = async (afresh = false): Promise<string> => {
    const config = { kind: "podman", program, root: join(opened.folder, "root") } as const;
    await using again = await openPodman(config, opened.host, opened.directories);
    return (await again.info({ afresh })).version;
  };
  const kept = (): string | undefined => {
    const files = readdirSync(opened.directories.stateDir, { recursive: true, encoding: "utf8" });
    const file = files.find((each) => each.endsWith("/version.json"));
    return file && join(opened.directories.stateDir, file);
  };
  const replaceProgram = (write: (path: string) => void): void => {
    write(join(folder, "new"));
    renameSync(join(folder, "new"), program);
  };

  test("is kept by the first change, and asked for again where another program is by then", async () => {
    const real = await version();
    expect(kept()).toBeUndefined();
    await engine.engine.info();
    await engine.prepared({ main: SERVER });
    const file = kept() ?? "";
    const text = readFileSync(file, "utf8");
    expect(text).toContain(real);
    writeFileSync(file, text.replace(real, "99.1.2"));
    expect(await version()).toBe("99.1.2");
    expect(await version(true)).toBe(real);
    for (const bad of ["{", "null", "[]", '{"said":3}', text.replace(/:\d+"/, '"')]) {
      writeFileSync(file, bad.replace(real, "99.1.2"));
      expect(await version(), bad).toBe(real);
    }
    writeFileSync(file, text.replace(real, "99.1.2"));
    replaceProgram((path) => copyFileSync(podman.address, path));
    expect(await version()).toBe(real);
    replaceProgram((path) =>
      writeFileSync(path, "#!/bin/sh\necho podman version 98.7\n", { mode: 0o755 }),
    );
    expect(await version()).toBe("98.7");
    replaceProgram((path) => copyFileSync(podman.address, path));
  });
});
