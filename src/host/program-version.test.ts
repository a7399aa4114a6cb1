import { expect, test } from "vitest";
import type { Host, HostSnapshot } from "./host.ts";
import { ProgramVersion } from "./program-version.ts";

const FILE = "/state/version.json";

/** A host with one program, which is in the state of the moment, and files. */
class OneProgram {
  readonly files = new Map<string, string>();
  stamp: string | undefined = "first";
  says = "engine 1.0";
  asked = 0;
  isFull = false;
  readonly host = {
    snapshot: async () =>
      ({
        files: this.files,
        programs: new Map(this.stamp === undefined ? [] : [["engine", this.stamp]]),
      }) as Partial<HostSnapshot>,
    writeFile: async (path: string, text: string) => {
      if (this.isFull) throw new Error("no space");
      this.files.set(path, text);
    },
  } as Partial<Host> as Host;

  /** As a new Stowage has it. */
  version(): ProgramVersion {
    const ask = async (): Promise<string> => {
      this.asked += 1;
      return this.says;
    };
    return new ProgramVersion(this.host, { program: "engine", file: FILE, ask });
  }

  async readAndKept(): Promise<void> {
    const version = this.version();
    await version.read();
    await version.keep();
  }
}

test("a program is asked once, and never again while it is the same", async () => {
  const machine = new OneProgram();
  const version = machine.version();
  expect(await Promise.all([version.read(), version.read()])).toEqual(["engine 1.0", "engine 1.0"]);
  await machine.version().keep();
  expect(machine.files.size).toBe(0);
  await Promise.all([version.keep(), version.keep()]);
  expect(await machine.version().read()).toBe("engine 1.0");
  expect(machine.asked).toBe(1);
});

test("another one in its place, whoever wants to know, and a script are asked", async () => {
  const machine = new OneProgram();
  await machine.readAndKept();
  machine.says = "engine 2.0";
  expect(await machine.version().read({ afresh: true })).toBe("engine 2.0");
  expect(await machine.version().read()).toBe("engine 1.0");
  machine.stamp = "second";
  const version = machine.version();
  expect(await version.read()).toBe("engine 2.0");
  // it goes with the program that said it, whatever came into its place since
  machine.stamp = "third";
  await version.keep();
  machine.says = "engine 3.0";
  expect(await machine.version().read()).toBe("engine 3.0");
  machine.stamp = undefined;
  machine.files.clear();
  await machine.readAndKept();
  expect(machine.files.size).toBe(0);
});

test("where it cannot be kept, or what is kept is no answer, it is asked", async () => {
  const machine = new OneProgram();
  machine.isFull = true;
  await machine.readAndKept();
  for (const text of [
    "",
    "{",
    "null",
    "[]",
    '{"program":"first"}',
    '{"program":"first","said":1}',
  ]) {
    machine.files.set(FILE, text);
    expect(await machine.version().read(), text).toBe("engine 1.0");
  }
  machine.files.set(FILE, '{"program":"first","said":"engine 0.9"}');
  expect(await machine.version().read()).toBe("engine 0.9");
});

test("a failure to ask is not kept in mind", async () => {
  const machine = new OneProgram();
  let works = false;
  const ask = async (): Promise<string> => {
    if (!works) throw new Error("not now");
    return "engine 1.0";
  };
  const version = new ProgramVersion(machine.host, { program: "engine", file: FILE, ask });
  await expect(version.read()).rejects.toThrow("not now");
  works = true;
  expect(await version.read()).toBe("engine 1.0");
});
