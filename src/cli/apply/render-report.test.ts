import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Plan } from "../../plan/index.ts";
import type { ApplyReport, ChangeOutcome } from "../../reconcile/index.ts";
import type { Output } from "../context.ts";
import { paintOf } from "../text/paint.ts";
import { PeopleProgress } from "./progress.ts";
import { renderReport } from "./render-report.ts";

const OPTIONS = { paint: paintOf(false), columns: undefined };

const outcome = (over: Partial<ChangeOutcome>): ChangeOutcome => ({
  id: "a/web",
  host: "a",
  pod: "web",
  action: "replace",
  status: "done",
  ms: 1200,
  ...over,
});

function reportOf(
  status: ApplyReport["status"],
  outcomes: readonly ChangeOutcome[] = [],
): ApplyReport {
  return { plan: {} as Plan, status, outcomes, deletedVolumes: [], ms: 4100 };
}

describe("the report of an apply", () => {
  test("a success is one line", () => {
    expect(renderReport(reportOf("done", [outcome({})]), OPTIONS)).toBe(
      "Done: 1 pod changed in 4.1 s.\n",
    );
  });

  test("what was done and not taken back with others is told with the reason, and counts as changed", () => {
    const stays = outcome({ action: "create", reason: "there is nothing before it to go back to" });
    const failed = outcome({ id: "b/web", host: "b", status: "failed", action: "create" });
    expect(renderReport(reportOf("failed", [stays, failed]), OPTIONS)).toBe(
      [
        "a/web  created in 1.2 s",
        "  why: there is nothing before it to go back to",
        "",
        "b/web  failed: create",
        "",
        "Not everything was done: 1 pod changed in 4.1 s, 1 change not done. Fix the cause and run it again; completed changes are not repeated.\n",
      ].join("\n"),
    );
  });

  test("what waits for a paused rollout is told once, and is no failure", () => {
    const waits = ["b", "c"].map((host) =>
      outcome({
        id: `${host}/web`,
        host,
        status: "not-run",
        waits: true,
        reason: "the rollout of web is paused since then by ann@desk",
        remedy: "stowage rollout resume web, then apply again",
      }),
    );
    expect(renderReport(reportOf("paused", [outcome({}), ...waits]), OPTIONS)).toBe(
      [
        "2 pods waiting  b/web, c/web",
        "  why: the rollout of web is paused since then by ann@desk",
        "  what to do: stowage rollout resume web, then apply again",
        "",
        "Paused: 1 pod changed in 4.1 s, 2 changes left for when the rollout is resumed.",
        "",
      ].join("\n"),
    );
  });

  test("a failure says why, what to do, and the last lines of its log", () => {
    const failed = outcome({
      status: "rolled-back",
      failedStep: "wait-healthy",
      reason: "container web is not healthy",
      remedy: "look at its logs",
      logs: [{ container: "web", text: "cannot open\u001b[2J /data" }],
    });
    const skipped = outcome({
      id: "a/b",
      pod: "b",
      status: "skipped",
      reason: "it comes after a/web",
    });
    expect(renderReport(reportOf("failed", [failed, skipped]), OPTIONS)).toBe(`\
a/web  rolled back: replace (wait-healthy)
  why: container web is not healthy
  what to do: look at its logs
  web | cannot open\\u001b[2J /data

a/b  skipped: replace
  why: it comes after a/web

Not everything was done: 0 pods changed in 4.1 s, 2 changes not done. Fix the cause and run it again; completed changes are not repeated.
`);
  });

  test.each([
    ["adopt", "a/web  failed: finish (prepare)\n"],
    ["move-engine", "a/web  failed: move (prepare)\n"],
  ] as const)("what failed of %s has the word that the plan had for it", (action, line) => {
    const failed = outcome({ action, status: "failed", failedStep: "prepare" });
    expect(renderReport(reportOf("failed", [failed]), OPTIONS)).toContain(line);
  });

  test.each([
    ["converged", /^Nothing to do/],
    ["declined", /^Nothing has been touched/],
    ["interrupted", /^Stopped before the end: .* Run it again to continue\.$/m],
    ["incomplete", /^Some hosts could not be reached/],
  ] as const)("%s has a sentence of its own", (status, sentence) => {
    expect(renderReport(reportOf(status), OPTIONS)).toMatch(sentence);
  });
});

describe("progress", () => {
  const events = (progress: PeopleProgress): void => {
    const step = { kind: "start", generation: 2 } as const;
    progress.show({ type: "change-started", id: "a/web" });
    progress.show({ type: "step-started", id: "a/web", step, index: 0, count: 2 });
    progress.show({ type: "change-done", id: "a/web", outcome: outcome({}) });
    progress.end();
  };

  test("elsewhere than on a terminal only what is done is a line", () => {
    const written = output(undefined);
    events(new PeopleProgress(written, paintOf(false), false));
    expect(written.text()).toBe("done  a/web  replaced in 1.2 s\n");
  });

  test("elsewhere a step that takes long is named again and again, until it ends", () => {
    vi.useFakeTimers({ toFake: ["performance", "setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const written = output(undefined);
    const progress = new PeopleProgress(written, paintOf(false), false);
    const step = {
      kind: "import-image",
      image: { reference: "app:1", digest: "sha256:1" },
    } as const;
    progress.show({ type: "change-started", id: "a/image" });
    vi.advanceTimersByTime(20_000);
    progress.show({ type: "step-started", id: "a/image", step, index: 0, count: 1 });
    vi.advanceTimersByTime(15_000);
    expect(written.text()).toBe("");
    vi.advanceTimersByTime(25_000);
    progress.show({ type: "step-progress", id: "a/image", bytes: 5e6, ofBytes: 9e6 });
    vi.advanceTimersByTime(30_000);
    expect(written.text()).toMatch(
      /^ {2}\.\.\. {2}a\/image {2}.*\(1 of 1\), for 40 s so far\n {2}\.\.\. {2}a\/image {2}.* {2}5(?:\.0)? MB of 9(?:\.0)? MB, for 70 s so far\n$/,
    );
    progress.show({ type: "change-done", id: "a/image", outcome: outcome({}) });
    const before = written.text();
    vi.advanceTimersByTime(60_000);
    expect(written.text()).toBe(before);
    progress.end();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("on a terminal the running step is shown and taken away again", () => {
    const written = output(30);
    events(new PeopleProgress(written, paintOf(false), true));
    expect(written.text()).toContain("  ...  a/web  start (1 of 2)\n");
    expect(screenOf(written.text())).toEqual(["done  a/web  replaced in 1.2 s"]);
  });

  test("a line is never wider than the terminal", () => {
    const written = output(16);
    const progress = new PeopleProgress(written, paintOf(false), true);
    progress.show({ type: "change-started", id: "a-host-with-a-long-name/web" });
    expect(
      written
        .text()
        .split("\n")[0]
        ?.replaceAll(/\p{Cc}\[?J?/gu, "").length,
    ).toBeLessThan(16);
  });
});

function output(columns: number | undefined): Output & { text(): string } {
  let text = "";
  return {
    isTerminal: columns !== undefined,
    columns,
    write: (more) => {
      text += more;
    },
    ready: async () => {},
    text: () => text,
  };
}

/** What stays on a screen that knows "up" and "clear to the end". */
function screenOf(text: string): readonly string[] {
  const lines: string[] = [];
  for (const part of text.split(/\r/)) {
    const [, up, rest] = /^(?:\p{Cc}\[(\d+)A)?\p{Cc}\[J([\s\S]*)$/u.exec(part) ?? [];
    lines.length -= Number(up ?? 0);
    lines.push(...(rest ?? "").split("\n").slice(0, -1));
  }
  return lines;
}
