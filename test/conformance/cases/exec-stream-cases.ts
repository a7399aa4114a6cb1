import { createHash, randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { ExecStreams, TerminalSize } from "../../../src/engine/index.ts";
import { type EngineUnderTest, SERVER } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** A busybox that is process 1 does not hear SIGTERM. */
const KILL = { containers: { main: { signal: "SIGKILL" } } };
const PIECE = 64 * 1024;

/** Commands that read and print. */
export function execStreamCases({ it, itWith }: Suite): void {
  it("exec() passes on what the command prints, each stream by itself, and its exit code", async (test) => {
    const pod = await test.started({ main: SERVER });
    const source = "echo to out; echo to err >&2; printf 'no end'; exit 3";
    expect(await streamed(test, pod, source)).toMatchObject({
      exitCode: 3,
      stdout: "to out\nno end",
      stderr: "to err\n",
    });
    // nothing is there to be read where nothing was given
    expect(await streamed(test, pod, "cat; echo over")).toMatchObject({ stdout: "over\n" });
  });

  it("several megabytes go in and come out byte for byte, however slowly they are taken", async (test) => {
    const pod = await test.started({ main: SERVER });
    const bytes = randomBytes(5 * 1024 * 1024 + 7);
    const hash = createHash("sha256");
    let count = 0;
    const { exitCode } = await test.engine.exec(pod.identity, "main", ["/bin/sh", "-c", "cat"], {
      timeoutMs: 120_000,
      streams: {
        stdin: pieces(bytes),
        stdout: async (part) => {
          hash.update(part);
          count += part.length;
          await new Promise((resolve) => setImmediate(resolve));
        },
        stderr: () => {},
      },
    });
    expect({ exitCode, count }).toEqual({ exitCode: 0, count: bytes.length });
    expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  it("a command may end before its input does", async (test) => {
    const pod = await test.started({ main: SERVER });
    // podman 4.3 may lose what a command says that ends within moments while its input is open
    const found = await streamed(
      test,
      pod,
      "echo enough; sleep 1; exit 4",
      pieces(randomBytes(1024 * 1024)),
    );
    expect(found).toMatchObject({ exitCode: 4, stdout: "enough\n" });
  });

  it("a command that is not there is failed_precondition, with streams too", async (test) => {
    const pod = await test.started({ main: SERVER });
    const running = test.engine.exec(pod.identity, "main", ["/nonexistent/program"], {
      timeoutMs: 60_000,
      streams: { stdin: pieces(Buffer.from("x")), stdout: () => {}, stderr: () => {} },
    });
    await expect(running).rejects.toMatchObject({ code: "failed_precondition" });
    expect((await test.observed(pod))?.state).toBe("running");
  });

  it("a command ends with the stop of its pod, and holds up no new start", async (test) => {
    const pod = await test.started({ main: SERVER });
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const running = test.engine.exec(
      pod.identity,
      "main",
      ["/bin/sh", "-c", "echo begun; sleep 1000"],
      { streams: { stdout: begin, stderr: () => {} } },
    );
    const ended = running.then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([begun, ended]);
    await test.engine.stop(pod.identity, KILL);
    await test.engine.start(pod);
    await ended;
    expect((await test.observed(pod))?.state).toBe("running");
  });

  it("an abort ends a command that prints, and what it began", async (test) => {
    const pod = await test.started({ main: SERVER });
    const abort = new AbortController();
    let seen = "";
    const running = test.engine.exec(
      pod.identity,
      "main",
      ["/bin/sh", "-c", "echo begun; sleep 1; echo late > /tmp/late; sleep 1000"],
      {
        signal: abort.signal,
        streams: {
          stdout: (part) => {
            seen += Buffer.from(part).toString();
            if (seen.includes("begun")) abort.abort(new Error("enough"));
          },
          stderr: () => {},
        },
      },
    );
    await expect(running).rejects.toThrow("enough");
    expect(await test.exec(pod, "sleep 1.5; [ -e /tmp/late ]")).toBe(1);
  });

  itWith(
    "kernel",
    "a command gets a terminal of the wanted size, which changes with it",
    async (test) => {
      const pod = await test.started({ main: SERVER });
      let said = "";
      let resize: (size: TerminalSize) => void = () => {};
      const next = new Promise<TerminalSize>((resolve) => {
        resize = resolve;
      });
      const sizes = async function* () {
        yield await next;
      };
      const source =
        "test -t 0 && stty size; trap 'stty size; exit 9' WINCH; echo ready; while :; do sleep 0.1; done";
      const { exitCode } = await test.engine.exec(pod.identity, "main", ["/bin/sh", "-c", source], {
        timeoutMs: 60_000,
        streams: {
          stdin: quiet(),
          stdout: (part) => {
            said += Buffer.from(part).toString();
            if (said.includes("ready")) resize({ columns: 101, rows: 42 });
          },
          stderr: () => {},
          terminal: { size: { columns: 93, rows: 33 }, resizes: sizes() },
        },
      });
      expect(said).toMatch(/33 93[\s\S]*42 101/);
      expect(exitCode).toBe(9);
    },
  );

  itWith("kernel", "Ctrl-C on a terminal is a signal to the command alone", async (test) => {
    const pod = await test.started({ main: SERVER });
    let said = "";
    let type: () => void = () => {};
    const typed = new Promise<void>((resolve) => {
      type = resolve;
    });
    const keys = async function* () {
      await typed;
      yield Buffer.from("\x03");
      yield* quiet();
    };
    const source = "trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.1; done";
    const { exitCode } = await test.engine.exec(pod.identity, "main", ["/bin/sh", "-c", source], {
      timeoutMs: 60_000,
      streams: {
        stdin: keys(),
        stdout: (part) => {
          said += Buffer.from(part).toString();
          if (said.includes("ready")) type();
        },
        stderr: () => {},
        terminal: { size: { columns: 80, rows: 24 } },
      },
    });
    expect({ exitCode, said }).toMatchObject({
      exitCode: 6,
      said: expect.stringContaining("caught"),
    });
    expect((await test.observed(pod))?.state).toBe("running");
  });
}

type Pod = Parameters<EngineUnderTest["exec"]>[0];

async function streamed(
  test: EngineUnderTest,
  pod: Pod,
  source: string,
  stdin?: ExecStreams["stdin"],
) {
  const texts = { stdout: "", stderr: "" };
  const put = (name: keyof typeof texts) => (part: Uint8Array) => {
    texts[name] += Buffer.from(part).toString();
  };
  const { exitCode } = await test.engine.exec(pod.identity, "main", ["/bin/sh", "-c", source], {
    timeoutMs: 60_000,
    streams: {
      stdout: put("stdout"),
      stderr: put("stderr"),
      ...(stdin === undefined ? {} : { stdin }),
    },
  });
  return { exitCode, ...texts };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

/** A keyboard that nobody touches. */
async function* quiet(): AsyncGenerator<Uint8Array> {
  await new Promise(() => {});
}
