import { expect, test } from "vitest";
import type { ImageContent } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { createPace } from "../../internal/index.ts";
import { bringImage } from "./bring-image.ts";
import type { HostSession } from "./host-session.ts";

const origin = {
  repository: "docker.io/library/app",
  isPlain: false,
  env: {},
  credentials: async () => new Map(),
};

type ImportStep = Parameters<typeof bringImage>[1];
/** What an engine was given, and what was said of it. */
interface Told {
  readonly given: ImageContent[];
  readonly notes: string[];
}

/** Brings an image of a registry. @param fails what the engine comes to that is to pull by itself */
async function bring(step: Partial<ImportStep>, fails?: unknown): Promise<Told> {
  const told: Told = { given: [], notes: [] };
  const session = {
    engine: {
      importImage: async (content: ImageContent) => {
        told.given.push(content);
        if (content.registry !== undefined && fails !== undefined) throw fails;
        for await (const _ of content.open("sha256:b", 0));
      },
    },
    context: {
      store: {
        contentOf: async (_: string, __: unknown, ___: string, puller?: string) => ({
          reference: "app:1",
          open: async function* () {
            yield new Uint8Array(100_000);
          },
          ...(puller === "nobody" ? {} : { registry: { ...origin, repository: puller } }),
        }),
      },
    },
    observation: { info: { platform: {} } },
    signal: new AbortController().signal,
    pace: createPace(1_000_000),
  } as unknown as HostSession;
  const image = { reference: "app:1", digest: "sha256:a" };
  const whole = { kind: "import-image", image, ...step } as ImportStep;
  await bringImage(
    session,
    whole,
    { owner: "o", fleet: "f" },
    {
      onBytes: () => {},
      onNote: (text) => told.notes.push(text),
    },
  );
  return told;
}

test("an engine of this machine is told the registry, as this machine reaches it", async () => {
  const { given } = await bring({});
  expect(given.map(({ registry }) => registry?.repository)).toEqual(["here"]);
});

test("one of another machine is told how to ask the registry itself", async () => {
  const { given } = await bring({ by: "host" });
  expect(given.map(({ registry }) => registry?.repository)).toEqual(["elsewhere"]);
});

test("what is sent names no registry, and is no faster than declared", async () => {
  const beganAt = performance.now();
  const { given } = await bring({ by: "controller" });
  expect(given.map(({ registry }) => registry)).toEqual([undefined]);
  // 100 000 bytes at a million a second, the first 64 KiB of them at once
  expect(performance.now() - beganAt).toBeGreaterThanOrEqual(64);
});

const away = new StowageError("Cannot pull: no route to host; mend it", { code: "unavailable" });
const barred = new StowageError("Cannot pull: log in", { code: "unauthenticated" });

test("what a host cannot reach is sent, with a word, where nobody declared who gets it", async () => {
  const { given, notes } = await bring({ by: "host", orSent: true }, away);
  expect(given.map(({ registry }) => registry?.repository)).toEqual(["elsewhere", undefined]);
  expect(notes).toEqual([expect.stringContaining("no route to host")]);
});

test("it is not where the host is declared to get it, nor where a registry refuses", async () => {
  await expect(bring({ by: "host" }, away)).rejects.toBe(away);
  await expect(bring({ by: "host", orSent: true }, barred)).rejects.toBe(barred);
});
