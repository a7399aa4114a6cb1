import { expect, test } from "vitest";
import type { ImageContent } from "../../engine/index.ts";
import { bringImage } from "./bring-image.ts";
import type { HostSession } from "./host-session.ts";

const origin = {
  repository: "docker.io/library/app",
  isPlain: false,
  env: {},
  credentials: async () => new Map(),
};

/** What an engine is given of an image of a registry, on a host at an address. */
async function given(address: string): Promise<ImageContent | undefined> {
  let got: ImageContent | undefined;
  const session = {
    host: { address },
    engine: {
      importImage: async (content: ImageContent) => {
        got = content;
      },
    },
    context: { store: { contentOf: async () => ({ reference: "app:1", registry: origin }) } },
    observation: { info: { platform: {} } },
    signal: new AbortController().signal,
  } as unknown as HostSession;
  const image = { reference: "app:1", digest: "sha256:a" };
  const step = { kind: "import-image", image } as Parameters<typeof bringImage>[1];
  await bringImage(session, step, { owner: "o", fleet: "f" }, () => {});
  return got;
}

test("an engine of this machine is told the registry, to pull by itself", async () => {
  expect((await given("local"))?.registry?.repository).toBe(origin.repository);
});

test("one of another machine is not: its registries are not known here", async () => {
  const content = await given("ssh://edge");
  expect(content?.reference).toBe("app:1");
  expect(content?.registry).toBeUndefined();
});
