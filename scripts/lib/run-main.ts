import { StowageError } from "../../src/errors/index.ts";

/**
 * Runs a script's body and sets the exit code: what it returns, or 0.
 *
 * A StowageError is told by its message alone, and the exit code is 1; anything else keeps its stack.
 */
export async function runMain(body: () => Promise<number | undefined>): Promise<void> {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    console.error(StowageError.is(error) ? error.message : error);
    process.exitCode = 1;
  }
}
