import { expect, test } from "vitest";
import {
  emptyHistory,
  HISTORY_MAX,
  numberedRecords,
  type PodRecord,
  parseHistory,
  previousRecord,
  RECORD_VERSION,
  type RecordedGeneration,
  withPast,
} from "./index.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

function generation(number: number, tag: string): RecordedGeneration {
  const image = `example.test/app:${tag}`;
  return {
    generation: number,
    spec: { containers: { main: { image } } },
    images: { main: { reference: image, digest: DIGEST } },
    defaults: 1,
    secrets: { "containers.main.env.KEY": "hmac" },
  };
}

function record(current: RecordedGeneration): PodRecord {
  return {
    version: RECORD_VERSION,
    owner: "acme",
    fleet: "shop",
    host: "a",
    pod: "web",
    current: current.generation,
    generations: [current],
    appliedAt: "2026-01-01T00:00:00.000Z",
    appliedBy: "ann@desk",
  };
}

const tags = (records: readonly { readonly spec: RecordedGeneration["spec"] }[]) =>
  records.map(({ spec }) => spec.containers["main"]?.image.replace(/.*:/, ""));

test("the last ten are kept, their numbers only rise, and no hash of a secret is", () => {
  let history = emptyHistory("web");
  for (let at = 1; at <= HISTORY_MAX + 3; at += 1)
    history = withPast(history, record(generation(at, `v${at}`)));
  expect(history.records.map(({ number }) => number)).toEqual(
    Array.from({ length: HISTORY_MAX }, (_, at) => at + 4),
  );
  expect(history.next).toBe(HISTORY_MAX + 4);
  expect(JSON.stringify(history)).not.toContain("hmac");
  expect(parseHistory(JSON.stringify(history))).toEqual({ kind: "read", value: history });
  expect(parseHistory(JSON.stringify({ ...history, version: 9 })).kind).toBe("newer");
  expect(parseHistory('{"version":1').kind).toBe("unreadable");
});

test("an apply that was killed between the history and the record leaves neither a gap nor a double", () => {
  const first = record(generation(1, "v1"));
  const noted = withPast(emptyHistory("web"), first);
  expect(withPast(noted, first)).toBe(noted);
  const killed = numberedRecords(first, noted);
  expect(killed.map(({ number, isCurrent }) => [number, isCurrent])).toEqual([[1, true]]);
  const gone = numberedRecords(record(generation(2, "v2")), noted);
  expect(gone.map(({ number, isCurrent }) => [number, isCurrent])).toEqual([
    [2, true],
    [1, false],
  ]);
});

test("the previous record is the newest one that is something else than what runs", () => {
  let history = withPast(emptyHistory("web"), record(generation(1, "v1")));
  history = withPast(history, record(generation(2, "v2")));
  const again = numberedRecords(record(generation(3, "v2")), history);
  expect(tags(again)).toEqual(["v2", "v2", "v1"]);
  expect(previousRecord(again)?.number).toBe(1);
  expect(previousRecord(numberedRecords(record(generation(1, "v1")), undefined))).toBeUndefined();
  expect(previousRecord(numberedRecords(undefined, history))?.number).toBe(2);
});
