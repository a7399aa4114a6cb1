import { afterEach, expect, test, vi } from "vitest";
import {
  type FakeHandler,
  fakeImage,
  fakeRegistry,
  serveImage,
} from "../../../test/support/registry/fake-registry.ts";
import { parseImageReference } from "../../model/index.ts";
import { onceARegistry, type Patience, type RegistryWait, tellingWait } from "./answer-waits.ts";
import { openRegistries } from "./index.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

/** Looks for the image app:1 of a registry that does as it is told. */
async function find(
  handlers: readonly FakeHandler[],
  patience: Patience,
  onWait?: (wait: RegistryWait) => void,
): Promise<{ readonly domain: string; readonly found: Promise<unknown> }> {
  const registry = await fakeRegistry(...handlers);
  opened.push(registry);
  const { domain } = registry;
  const registries = openRegistries({ env: { HOME: "/nowhere" }, patience });
  const found = registries.open(parseImageReference(`${domain}/app:1`), { onWait });
  found.then(
    (source) => opened.push(source),
    () => undefined,
  );
  return { domain, found };
}

const silent: FakeHandler = () => new Promise(() => undefined);

test("a wait is told of after some seconds, again and again, and no more when it is over", async () => {
  vi.useFakeTimers();
  const waits: RegistryWait[] = [];
  let answer = (): void => undefined;
  const work = () => new Promise<void>((resolve) => (answer = resolve));
  const asked = { domain: "r", doing: "read x" };
  const done = tellingWait(asked, undefined, (wait) => waits.push(wait), work);
  vi.advanceTimersByTime(4_999);
  expect(waits).toEqual([]);
  vi.advanceTimersByTime(40_001);
  const wait = { registry: "r", doing: "read x", givenUpMs: 60_000 };
  expect(waits).toEqual([5_000, 25_000, 45_000].map((ms) => ({ ...wait, ms })));
  answer();
  await done;
  vi.advanceTimersByTime(100_000);
  expect(waits).toHaveLength(3);
});

test("a registry that is long in answering is told of with what it was asked", async () => {
  let tell = (): void => undefined;
  const told = new Promise<void>((resolve) => (tell = resolve));
  const slow: FakeHandler = async () => {
    await told;
    return false;
  };
  const waits: RegistryWait[] = [];
  const { domain, found } = await find([slow, serveImage(fakeImage())], { tellMs: 1 }, (wait) => {
    waits.push(wait);
    tell();
  });
  await found;
  expect(waits[0]).toMatchObject({
    registry: domain,
    doing: `read manifest "1" of ${domain}/app`,
    givenUpMs: 60_000,
  });
});

test("a registry that never answers is named, with the time that it had and what to do", async () => {
  const { domain, found } = await find([silent], { answerMs: 200 });
  await expect(found).rejects.toMatchObject({
    code: "unavailable",
    message: `Cannot read manifest "1" of ${domain}/app: registry ${domain} accepted the request but did not answer for 0.2 s; check it with curl -v http://${domain}/v2/, and that no proxy or firewall blocks it, then try again`,
  });
});

test("a registry that stops in the midst of its answer is told of and named", async () => {
  const half: FakeHandler = (_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write("{");
    return true;
  };
  const doings: string[] = [];
  const { domain, found } = await find([half], { answerMs: 400, tellMs: 1 }, ({ doing }) =>
    doings.push(doing),
  );
  await expect(found).rejects.toThrow(
    `registry ${domain} stopped in the middle of its answer for 0.4 s`,
  );
  expect(doings).toContain(`read manifest "1" of ${domain}/app`);
});

test("waits for one registry are told of once, those for two each", () => {
  const told: string[] = [];
  const tell = onceARegistry(({ registry, doing }) => told.push(`${registry} ${doing}`));
  const wait = (registry: string, doing: string) =>
    tell({ registry, doing, ms: 5_000, givenUpMs: 60_000 });
  for (const doing of ["a", "b", "c"]) wait("one", doing);
  wait("two", "d");
  expect(told).toEqual(["one a", "two d"]);
});
