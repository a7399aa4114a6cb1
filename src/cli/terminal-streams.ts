import { once } from "node:events";
import type { Writable } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import type { TerminalSize } from "../engine/index.ts";
import type { ByteStreams } from "./context.ts";

/** The streams of this program, byte for byte. */
export const processStreams: ByteStreams = {
  stdin: () => process.stdin,
  stdout: (bytes) => put(process.stdout, bytes),
  stderr: (bytes) => put(process.stderr, bytes),
  isTerminal: () => process.stdin.isTTY === true && process.stdout.isTTY === true,
  openTerminal: () => openTerminal(process.stdin, process.stdout),
  close: () => void process.stdin.destroy(),
};

/** Hands every key through, and tells each size of the window. */
function openTerminal(
  input: ReadStream,
  output: WriteStream,
): ReturnType<ByteStreams["openTerminal"]> {
  const over = new AbortController();
  const size = (): TerminalSize => ({ columns: output.columns || 80, rows: output.rows || 24 });
  async function* resizes(): AsyncGenerator<TerminalSize> {
    while (!over.signal.aborted) {
      try {
        await once(output, "resize", { signal: over.signal });
      } catch {
        return;
      }
      yield size();
    }
  }
  input.setRawMode(true);
  return {
    size: size(),
    resizes: resizes(),
    [Symbol.dispose]: () => {
      over.abort();
      input.setRawMode(false);
    },
  };
}

async function put(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, "drain");
}
