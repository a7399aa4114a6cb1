import { StowageError } from "../../../errors/index.ts";

/** How often something is listed while parts of it go. */
const LIST_TRIES = 5;
const GONE =
  /no such (?:container|pod|object)|no container with (?:ID|name)|(?:container|image|layer) not known/i;

/** Lists again where one was removed meanwhile: podman looks at each once more, and fails for all. */
export async function listAgain<T>(list: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await list();
    } catch (error) {
      if (tries === LIST_TRIES || !StowageError.is(error) || !GONE.test(error.message)) throw error;
    }
  }
}
