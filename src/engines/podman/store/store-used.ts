import * as z from "zod";
import type { HostReader } from "../../../host/index.ts";
import { OBJECT_PREFIX } from "../../../model/index.ts";
import { callOptions } from "../context.ts";
import { MAKING_SUFFIX } from "./own-files.ts";

/** Databases that podman makes with its first use of a store: that of 4.3, and that of 5. */
const DATABASES = ["libpod/bolt_state.db", "db.sql"];

/** Whether podman has ever been used with a store; asking podman itself would make one. */
export async function storeUsed(
  host: HostReader,
  graphRoot: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const exist = DATABASES.map((name) => `${graphRoot}/${name}`);
  const { existing } = await host.snapshot({ exist }, callOptions(signal));
  return existing.size > 0;
}

/** What a store's files tell before podman is asked. */
export interface StoreGlance {
  readonly isUsed: boolean;
  /** Ids of containers with names of Stowage's, and of those that hold pods. Only a guess, to save time by. */
  readonly guess: readonly string[];
  /** Names of podman pods that were being made when somebody ended, or are now. */
  readonly making: readonly string[];
}

/** The list that containers/storage keeps of what it holds for podman. */
const Stored = z.array(z.object({ id: z.string(), names: z.array(z.string()).nullish() }));
const INFRA = /^[0-9a-f]{12}-infra$/;

/** Looks at a store's files, in one look. */
export async function glanceAtStore(
  host: HostReader,
  { graphRoot, podsDir }: { readonly graphRoot: string; readonly podsDir: string },
  signal: AbortSignal | undefined,
): Promise<StoreGlance> {
  const { existing, files, entries } = await host.snapshot(
    {
      exist: DATABASES.map((name) => `${graphRoot}/${name}`),
      files: [`${graphRoot}/*-containers/containers.json`],
      list: [podsDir],
    },
    callOptions(signal),
  );
  return {
    isUsed: existing.size > 0,
    guess: [...files.values()].flatMap((text) => (typeof text === "string" ? idsIn(text) : [])),
    making: (entries.get(podsDir) ?? [])
      .filter((name) => name.endsWith(MAKING_SUFFIX))
      .map((name) => name.slice(0, -MAKING_SUFFIX.length)),
  };
}

function idsIn(text: string): readonly string[] {
  try {
    const stored = Stored.safeParse(JSON.parse(text)).data ?? [];
    return stored
      .filter(({ names }) =>
        names?.some((name) => name.startsWith(OBJECT_PREFIX) || INFRA.test(name)),
      )
      .map(({ id }) => id);
  } catch {
    return [];
  }
}
