import { expect, test } from "vitest";
import type { FreeSpace, HostReader, HostSnapshot } from "./host.ts";
import { openLocalHost, reserveSpace } from "./index.ts";

const DOING = { doing: 'import image "app:1"' };

/** A host of which only the free space is looked at. */
function hostWith(space: Readonly<Record<string, FreeSpace>>): HostReader {
  const host: Partial<HostReader> = {
    address: `test-${Math.random()}`,
    snapshot: async () => ({ space: new Map(Object.entries(space)) }) as unknown as HostSnapshot,
  };
  return host as HostReader;
}

test("what does not fit is refused, with what it needs, what there is and what to do", async () => {
  const host = hostWith({ "/var": { freeBytes: 3_060_000, fileSystem: "1" } });
  const needs = [{ path: "/var", bytes: 4_200_000 }];
  await expect(reserveSpace(host, needs, DOING)).rejects.toThrow(
    'Cannot import image "app:1": it needs at least 4.2 MB in the file system of /var, and 3.0 MB are free there; make room, by stowage prune perhaps',
  );
});

test("directories of one file system share it, those of others do not", async () => {
  const shared = { freeBytes: 10, fileSystem: "1" };
  const needs = [
    { path: "/a", bytes: 6 },
    { path: "/b", bytes: 6 },
  ];
  const one = hostWith({ "/a": shared, "/b": shared });
  await expect(reserveSpace(one, needs, DOING)).rejects.toMatchObject({
    code: "resource_exhausted",
  });
  const two = hostWith({ "/a": shared, "/b": { ...shared, fileSystem: "2" } });
  (await reserveSpace(two, needs, DOING))[Symbol.dispose]();
});

test("what is being written is not there for another, until it is written", async () => {
  const host = hostWith({ "/a": { freeBytes: 10, fileSystem: "1" } });
  const needs = [{ path: "/a", bytes: 6 }];
  const first = await reserveSpace(host, needs, DOING);
  await expect(reserveSpace(host, needs, DOING)).rejects.toMatchObject({
    context: { needed: 6, free: 4 },
  });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  (await reserveSpace(host, needs, DOING))[Symbol.dispose]();
});

test("where the free space cannot be told nothing is refused", async () => {
  const needs = [{ path: "/a", bytes: 1e15 }];
  await expect(reserveSpace(hostWith({}), needs, DOING)).resolves.toBeDefined();
});

test("this machine tells the space of a directory that is yet to be made", async () => {
  await using host = openLocalHost();
  const { space } = await host.snapshot({ space: ["/proc", "/tmp", "/tmp/not/there/yet"] });
  expect(space.get("/tmp/not/there/yet")?.fileSystem).toBe(space.get("/tmp")?.fileSystem);
  expect(space.get("/tmp")?.freeBytes).toBeGreaterThan(0);
});
