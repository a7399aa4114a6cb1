import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { HostReader, HostSnapshot } from "../host.ts";
import { openLocalHost } from "../local/local-host.ts";
import type { LogMoment } from "./log-moment.ts";
import { readLogs } from "./read-logs.ts";

interface Kept {
  readonly text: string;
  /** Offset and second. */
  readonly times?: readonly (readonly [number, number])[];
}

/** Output in numbered files of a folder. */
function kept(...files: readonly Kept[]) {
  const directory = mkdtempSync(join(tmpdir(), "stw-times-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const write = (at: number, { text, times }: Kept): void => {
    const name = join(directory, `0000000${at + 1}`);
    writeFileSync(`${name}.log`, text);
    if (times !== undefined)
      writeFileSync(`${name}.times`, times.map((mark) => `${mark.join(" ")}\n`).join(""));
  };
  for (const [at, file] of files.entries()) write(at, file);
  return { directory, write };
}

async function linesSince(
  directory: string,
  since: LogMoment,
  { tail, host }: { readonly tail?: number; readonly host?: HostReader } = {},
): Promise<readonly string[]> {
  await using local = openLocalHost();
  const found: string[] = [];
  const options = { since, ...(tail === undefined ? {} : { tail }) };
  const lines = readLogs(host ?? local, [{ container: "main", directory }], options);
  for await (const { text } of lines) found.push(text);
  return found;
}

const at = (second: number): LogMoment => ({ atMs: second * 1000 });

describe("output since a moment", () => {
  const rotated = [
    {
      text: "a\nb\n",
      times: [
        [0, 100],
        [2, 110],
      ],
    },
    {
      text: "c\nd\ne\n",
      times: [
        [0, 110],
        [2, 120],
        [4, 130],
      ],
    },
  ] as const satisfies readonly Kept[];

  test("begins in the file and at the line where it was first written", async () => {
    const { directory } = kept(...rotated);
    const since = (second: number) => linesSince(directory, at(second));
    expect(await since(90)).toEqual(["a", "b", "c", "d", "e"]);
    expect(await since(110)).toEqual(["b", "c", "d", "e"]);
    expect(await since(111)).toEqual(["d", "e"]);
    expect(await since(130)).toEqual(["e"]);
    expect(await since(131)).toEqual([]);
  });

  test("leaves out the rest of a line that began before, also over the end of a file", async () => {
    const { directory } = kept(
      { text: "old\nbeg", times: [[0, 100]] },
      { text: "un\nnew\nha", times: [[0, 120]] },
    );
    expect(await linesSince(directory, at(120))).toEqual(["new", "ha"]);
    const { directory: within } = kept({
      text: "begun\nnew\n",
      times: [
        [0, 100],
        [3, 120],
      ],
    });
    expect(await linesSince(within, at(120))).toEqual(["new"]);
  });

  test("counts the tail within it", async () => {
    const { directory } = kept(...rotated);
    expect(await linesSince(directory, at(120), { tail: 1 })).toEqual(["e"]);
    expect(await linesSince(directory, at(120), { tail: 9 })).toEqual(["d", "e"]);
  });

  test("holds nothing back of which the time is not known", async () => {
    const { directory } = kept({ text: "a\n" }, { text: "b\n" });
    expect(await linesSince(directory, at(100))).toEqual(["a", "b"]);
  });

  test("is found where there are more times than are looked at first", async () => {
    const text = Array.from({ length: 3000 }, (_, line) => `${line}`.padStart(7)).join("\n");
    const times = Array.from({ length: 3000 }, (_, line) => [line * 8, 1000 + line] as const);
    const { directory } = kept({ text: `${text}\n`, times });
    for (const second of [1000, 1001, 2500, 3200, 3990, 3999]) {
      const lines = await linesSince(directory, at(second));
      expect(lines[0]?.trim(), String(second)).toBe(String(second - 1000));
      expect(lines).toHaveLength(4000 - second);
    }
  });

  test("is followed from its first line on, which may be yet to come", async () => {
    const { directory, write } = kept({ text: "old\n", times: [[0, 100]] });
    await using host = openLocalHost();
    const stop = new AbortController();
    const found: string[] = [];
    const options = { since: at(150), follow: true, signal: stop.signal };
    setTimeout(() => {
      appendFileSync(join(directory, "00000001.log"), "older\n");
      appendFileSync(join(directory, "00000001.times"), "4 120\n");
    }, 200);
    setTimeout(() => write(1, { text: "new\n", times: [[0, 160]] }), 600);
    try {
      for await (const { text } of readLogs(host, [{ container: "main", directory }], options)) {
        found.push(text);
        stop.abort();
      }
    } catch (error) {
      if (error !== stop.signal.reason) throw error;
    }
    expect(found).toEqual(["new"]);
  });

  test("so long ago is by the clock of the host, though it is a day ahead", async () => {
    const now = Math.floor(Date.now() / 1000) + 86_400;
    const { directory } = kept({
      text: "old\nnew\n",
      times: [
        [0, now - 700],
        [4, now - 500],
      ],
    });
    await using local = openLocalHost();
    const files = new Map([
      ["/proc/stat", `cpu  1 2 3\nbtime ${now - 5000}\nprocesses 7\n`],
      ["/proc/uptime", "5000.00 1.00\n"],
    ]);
    const host = Object.create(local, {
      snapshot: {
        value: async (...words: Parameters<HostReader["snapshot"]>): Promise<HostSnapshot> =>
          words[0].files === undefined
            ? await local.snapshot(...words)
            : ({ files } as unknown as HostSnapshot),
      },
      readFileFrom: { value: local.readFileFrom.bind(local) },
      inspect: { value: local.inspect.bind(local) },
    }) as HostReader;
    const since = { agoMs: 600_000 };
    expect(await linesSince(directory, since, { host })).toEqual(["new"]);
    // by this machine's own clock all of it is still to come
    expect(await linesSince(directory, since)).toEqual(["old", "new"]);
  });
});
