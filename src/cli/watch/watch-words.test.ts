import { expect, test } from "vitest";
import type { WatchEvent } from "../../reconcile/index.ts";
import { watchWords } from "./watch-words.ts";

test("what is not mended names the pause of a rollout, also where something else comes first", () => {
  const state = "paused since 2026-01-02T03:04:05Z by ann@desk";
  const image = { id: "a/app:2", action: "import", reason: "import image app:2" };
  const waits = {
    id: "a/web",
    action: "replace",
    reason: `it waits: the rollout of web is ${state}`,
  };
  const pending = (...changes: readonly (typeof image)[]): WatchEvent => ({
    type: "pending",
    changes,
    paused: [{ service: "web", state, waits: 1 }],
  });
  expect(watchWords(pending(image, waits), false)).toBe(
    `not applied: a/app:2: import, because import image app:2, and 1 more change; the rollout of web is ${state}: 1 change of it waits for stowage rollout resume web`,
  );
  expect(watchWords(pending(waits, image), false)).toBe(
    `not applied: a/web: replace, because it waits: the rollout of web is ${state}, and 1 more change`,
  );
});
