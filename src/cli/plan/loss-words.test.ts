import { expect, test } from "vitest";
import { lossWords } from "./loss-words.ts";

test("limits that are lost are told apart from those that stay", () => {
  const change = { before: "restart", after: "replace" } as const;
  const losses = [
    { path: "containers.web.ulimits.nofile", change },
    { path: "containers.web.resources.pidsMax", change },
  ];
  expect(lossWords(losses, { kind: "podman" })).toEqual([
    "lost on podman: changing ulimits, pids max without losing the writable layer",
  ]);
});
