import { afterEach, describe, expect, test } from "vitest";
import {
  type FakeHandler,
  type FakeRegistry,
  fakeImage,
  fakeRegistry,
  serveImage,
} from "../../../test/support/registry/fake-registry.ts";
import { parseImageReference, type RegistrySpec } from "../../model/index.ts";
import { openRegistries } from "./index.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function registry(...handlers: FakeHandler[]): Promise<FakeRegistry> {
  const made = await fakeRegistry(...handlers);
  opened.push(made);
  return made;
}

async function open(reference: string, declared: Readonly<Record<string, RegistrySpec>>) {
  const registries = openRegistries({ env: { HOME: "/nowhere" }, declared });
  const source = await registries.open(parseImageReference(reference));
  opened.push(source);
  return source;
}

const image = fakeImage();
const serving = () => registry(serveImage(image));
const away: FakeHandler = (_, response) => {
  response.writeHead(403).end();
  return true;
};

describe("mirrors", () => {
  test("the first that has the image is read from, and the registry itself not asked", async () => {
    const [origin, without, refusing, mirror] = await Promise.all([
      serving(),
      registry(),
      registry(away),
      serving(),
    ]);
    const mirrors = [without.domain, refusing.domain, mirror.domain];
    const source = await open(`${origin.domain}/app:1`, { [origin.domain]: { mirrors } });
    expect(source.entries).toMatchObject([{ digest: image.manifest.digest }]);
    expect(source.location).toBe(`${mirror.domain}/app`);
    expect(origin.asked).toEqual([]);
    expect(without.asked.length).toBeGreaterThan(0);
  });

  test("where none has it the registry is asked", async () => {
    const [origin, without] = await Promise.all([serving(), registry()]);
    const source = await open(`${origin.domain}/app:1`, {
      [origin.domain]: { mirrors: [without.domain] },
    });
    expect(source.location).toBe(`${origin.domain}/app`);
  });

  test("where nobody has it the error is the registry's, and tells of the mirrors", async () => {
    const [origin, mirror] = await Promise.all([registry(), registry(away)]);
    const declared = { [origin.domain]: { mirrors: [mirror.domain] } };
    const error = await open(`${origin.domain}/app:1`, declared).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "StowageError", code: "not_found" });
    const { message } = error as Error;
    expect(message).toMatch(
      new RegExp(
        `registry ${origin.domain} does not have it.*mirrors.*${mirror.domain} denies access`,
      ),
    );
  });
});

describe("HTTP without TLS", () => {
  /** Loopback in a form that does not look so. */
  const disguised = ({ domain }: FakeRegistry): string => domain.replace("127.0.0.1", "2130706433");

  test("is spoken where that is declared", async () => {
    const domain = disguised(await serving());
    const source = await open(`${domain}/app:1`, { [domain]: { plainHttp: true } });
    expect(source.entries).toMatchObject([{ digest: image.manifest.digest }]);
  });

  test("is not spoken else, and not on loopback where that is declared not to", async () => {
    const made = await serving();
    const domain = disguised(made);
    await expect(open(`${domain}/app:1`, {})).rejects.toMatchObject({ code: "unavailable" });
    const declared = { [made.domain]: { plainHttp: false } };
    await expect(open(`${made.domain}/app:1`, declared)).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(made.asked).toEqual([]);
  });
});
