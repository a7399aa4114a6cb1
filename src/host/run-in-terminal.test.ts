import { describe, expect, test } from "vitest";
import { openLocalHost, runInTerminal } from "./index.ts";

/** Input that is given when it is wanted. */
function typed() {
  const parts: Uint8Array[] = [];
  let wake = (): void => {};
  let isOver = false;
  return {
    type: (text: string) => {
      parts.push(Buffer.from(text));
      wake();
    },
    end: () => {
      isOver = true;
      wake();
    },
    async *read(): AsyncGenerator<Uint8Array> {
      for (;;) {
        const part = parts.shift();
        if (part !== undefined) yield part;
        else if (isOver) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

async function run(
  source: string,
  react: (
    said: string,
    keys: ReturnType<typeof typed>,
    resize: (c: number, r: number) => void,
  ) => void,
) {
  await using host = openLocalHost();
  const keys = typed();
  let said = "";
  let push: (size: { columns: number; rows: number }) => void = () => {};
  async function* resizes() {
    for (;;)
      yield await new Promise<{ columns: number; rows: number }>((resolve) => (push = resolve));
  }
  const exitCode = await runInTerminal(host, ["/bin/sh", "-c", source], {
    size: { columns: 91, rows: 31 },
    resizes: resizes(),
    stdin: keys.read(),
    output: (bytes) => {
      said += Buffer.from(bytes).toString();
      react(said, keys, (columns, rows) => push({ columns, rows }));
    },
  });
  return { exitCode, said };
}

describe("runInTerminal()", () => {
  test("gives a program a terminal of the wanted size, its exit code, and nothing of its own output", async () => {
    const { exitCode, said } = await run("test -t 0 && test -t 1 && stty size; exit 7", () => {});
    expect({ exitCode, said }).toEqual({ exitCode: 7, said: "31 91\r\n" });
  });

  test("a change of size reaches the program", async () => {
    let isAsked = false;
    // stty(1) sets rows and columns one after the other
    const { said } = await run(
      `trap 's=$(stty size); [ "\${s#* }" != 111 ] || { echo "$s"; exit; }' WINCH; echo ready; while :; do sleep 0.05; done`,
      (text, _, resize) => {
        if (isAsked || !text.includes("ready")) return;
        isAsked = true;
        resize(111, 41);
      },
    );
    expect(said).toContain("41 111");
  });

  test("Ctrl-C is a signal in it, and no more", async () => {
    let isTyped = false;
    const { exitCode, said } = await run(
      "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done",
      (text, keys) => {
        if (isTyped || !text.includes("ready")) return;
        isTyped = true;
        keys.type("\x03");
      },
    );
    expect({ exitCode, said }).toMatchObject({
      exitCode: 5,
      said: expect.stringContaining("caught"),
    });
  });
});
