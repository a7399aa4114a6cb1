import { expect, test } from "vitest";
import { paintOf } from "../text/paint.ts";
import { type AuditRow, renderAudit } from "./render-history.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;

function audit(changes: AuditRow["changes"]): string {
  const row = {
    host: "edge-a",
    run: "1",
    fleet: "shop",
    command: "apply",
    by: "ann",
    from: "desk",
  };
  return renderAudit([{ ...row, beganAt: "2026-01-31T12:00:00Z", result: "done", changes }], {
    paint: paintOf(false),
  });
}

test.each<[action: string, id: string, words: string]>([
  ["adopt", "edge-a/web", "finish web"],
  ["move-engine", "edge-a/web", "move web"],
  ["clean", "edge-a/web", "clean up web"],
  ["create", "edge-a/web", "create web"],
  ["import", `edge-a/image:shop:1@${DIGEST}`, "import image shop:1@sha256:abab…"],
  ["claim", `edge-a/image:shop:1@${DIGEST}`, "share image shop:1@sha256:abab…"],
  ["release", `edge-a/podman:x/image:shop:1@${DIGEST}`, "release image shop:1@sha256:abab…"],
  ["roster", "edge-a/roster", "write the roster"],
  ["boot", "edge-a/boot", "set up for the next boot"],
  ["leave", "edge-a/roster", "leave the fleet"],
  ["rename", "edge-a/rename:me/old", "rename me/old"],
  ["pause", "web", "pause web"],
])("a run's changes are told in the words of plans: %s", (action, id, words) => {
  expect(audit([{ id, action, status: "done" }])).toMatch(new RegExp(`  ${words}\n$`));
});

test("what came of a change is told where it was not done, and of many how many there are", () => {
  const change = (pod: string, status: string) => ({
    id: `edge-a/${pod}`,
    action: "start",
    status,
  });
  const changes = [change("a", "failed"), change("b", "done"), change("c", "done")];
  expect(audit([...changes, change("d", "done")])).toMatch(
    / {2}start a \(failed\), start b, start c, 1 more\n$/,
  );
});
