import { createServer } from "node:net";
import { StowageError } from "../../../src/errors/index.ts";
import { PAGE_FIRST_LINE } from "./hello-image.ts";

/** Port of the page unless it is taken. */
export const USUAL_PORT = 18_080;
const TRIES = 50;
const ANSWER_TIMEOUT_MS = 3000;

/** A port for the page, and whether a port that was wanted is taken by others. */
export interface ChosenPort {
  readonly port: number;
  readonly taken: readonly number[];
}

/**
 * Finds a port for the page: the wanted one when it is free or answers with the page already, else the
 * next free one.
 *
 * @throws StowageError `failed_precondition` when many in a row are taken
 */
export async function choosePort(wanted: number): Promise<ChosenPort> {
  const taken: number[] = [];
  for (let port = wanted; port < wanted + TRIES; port += 1) {
    if ((await isFree(port)) || (await pageLine(port)) === PAGE_FIRST_LINE) return { port, taken };
    taken.push(port);
  }
  throw new StowageError(
    `Cannot find a port for the page: ${wanted} to ${wanted + TRIES - 1} are all taken; free one of them`,
    { code: "failed_precondition" },
  );
}

/** First line of what a port of this machine answers over HTTP; undefined when it does not. */
export async function pageLine(port: number): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal });
    return (await answer.text()).split("\n")[0]?.trim();
  } catch {
    return undefined;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
