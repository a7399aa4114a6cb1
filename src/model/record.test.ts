import { expect, test } from "vitest";
import { generationDigest, PodSpec, parseRecord, RECORD_VERSION } from "./index.ts";

const digest = `sha256:${"a".repeat(64)}`;
const generation = {
  generation: 1,
  spec: PodSpec.parse({ containers: { web: { image: "x" } } }),
  images: { web: { reference: "x", digest } },
  defaults: 1,
};
const record = {
  version: RECORD_VERSION,
  owner: "o",
  fleet: "f",
  host: "h",
  pod: "p",
  current: 1,
  generations: [generation],
  appliedAt: "2026-01-01T00:00:00Z",
  appliedBy: "a@b",
};

test("parseRecord() reads what was written", () => {
  expect(parseRecord(JSON.stringify(record))).toEqual({ kind: "record", record });
});

test("parseRecord() migrates an older record: nothing of it is another pod", () => {
  const reading = parseRecord(JSON.stringify({ ...record, version: 1 }));
  expect(reading).toEqual({ kind: "record", record });
});

test("generationDigest() does not depend on the engine", () => {
  const elsewhere = { ...generation, engine: { kind: "sim" } as const };
  expect(generationDigest(elsewhere)).toBe(generationDigest(generation));
});

test("parseRecord() tells a newer record from one that cannot be read", () => {
  expect(parseRecord(JSON.stringify({ ...record, version: 99, more: 1 }))).toEqual({
    kind: "newer",
    version: 99,
  });
  expect(parseRecord("{")).toMatchObject({
    kind: "unreadable",
    reason: expect.stringContaining("not valid JSON"),
  });
  expect(parseRecord(JSON.stringify({ ...record, pod: 5 }))).toMatchObject({
    kind: "unreadable",
    reason: expect.stringContaining("pod"),
  });
});

test("generationDigest() is of what a pod is made of, not of its number or its tag's wording", () => {
  const other = { ...generation, generation: 9, images: { web: { reference: "y", digest } } };
  expect(generationDigest(other)).toBe(generationDigest(generation));
  const moved = {
    ...generation,
    images: { web: { reference: "x", digest: digest.replace("a", "b") } },
  };
  expect(generationDigest(moved)).not.toBe(generationDigest(generation));
});

const engine = { kind: "containerd", socket: "/run/a.sock" } as const;
const recordInEngine = { ...record, generations: [{ ...generation, engine }] };

test("parseRecord() reads the same whether or not its pod is declared as it was applied", () => {
  const { spec } = generation;
  const text = JSON.stringify(recordInEngine);
  const read = { kind: "record", record: recordInEngine };
  expect(parseRecord(text, { spec, engine })).toEqual(read);
  expect(parseRecord(text, { spec: { ...spec, hostname: "other" }, engine })).toEqual(read);
  expect(parseRecord(text, { spec, engine: { kind: "sim" } })).toEqual(read);
});

test("parseRecord() checks what is not as declared", () => {
  const broken = { ...generation, spec: { ...generation.spec, nonsense: 1 } };
  const text = JSON.stringify({ ...record, generations: [generation, broken] });
  const { spec } = generation;
  expect(parseRecord(text, { spec, engine })).toMatchObject({ kind: "unreadable" });
});

test("parseRecord() reads a value that is refused by now as it was written, and nothing of another form", () => {
  const withSpec = (change: object) => {
    const [name, container] = Object.entries(generation.spec.containers)[0] ?? ["", {}];
    const spec = { ...generation.spec, containers: { [name]: { ...container, ...change } } };
    return { ...record, generations: [{ ...generation, spec }] };
  };
  const written = withSpec({ stopGracePeriodMs: 2 ** 40, stopSignal: "SIGNONE" });
  const reading = parseRecord(JSON.stringify(written));
  expect(reading).toEqual({ kind: "record", record: written });
  expect(
    reading.kind === "record" && generationDigest(reading.record.generations[0] as never),
  ).toMatch(/^sha256:/);
  for (const broken of [
    withSpec({ stopGracePeriodMs: "soon" }),
    withSpec({ nonsense: 1 }),
    withSpec({ workingDir: "/a/../../b" }),
    { ...written, pod: "../../etc" },
    { ...written, generations: [{ ...written.generations[0], generation: 0 }] },
  ])
    expect(parseRecord(JSON.stringify(broken))).toMatchObject({ kind: "unreadable" });
});
