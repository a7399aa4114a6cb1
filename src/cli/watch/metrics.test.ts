import { expect, test } from "vitest";
import { WatchMetrics } from "./metrics.ts";
import { serveMetrics } from "./serve-metrics.ts";

const NOW = new Date("2026-01-01T00:00:00Z");

test("metrics count what happened, in Prometheus' form", () => {
  const metrics = new WatchMetrics("shop");
  const outcome = { id: "a/web", host: "a", pod: "web", action: "start", status: "done", ms: 1 };
  for (let each = 0; each < 2; each += 1)
    metrics.take({ type: "changed", outcome: outcome as never, isRestart: true }, NOW);
  metrics.take(
    { type: "pass", kind: "full", ms: 250, pods: { a: { running: 2, exited: 1 } } },
    NOW,
  );
  metrics.take({ type: "pass", kind: "restarts", ms: 50, pods: { a: { running: 3 } } }, NOW);
  metrics.take({ type: "unreachable", host: 'b"\n\\', reason: "x" }, NOW);
  const lines = metrics.render().split("\n");
  expect(lines).toContain('stowage_watch_restarts_total{fleet="shop",host="a",pod="web"} 2');
  expect(lines).toContain('stowage_watch_passes_total{fleet="shop",kind="full"} 1');
  expect(lines).toContain('stowage_watch_pass_seconds_total{fleet="shop",kind="full"} 0.25');
  expect(lines).toContain('stowage_pods{fleet="shop",host="a",state="running"} 3');
  expect(lines).toContain('stowage_watch_unreachable{fleet="shop",host="b\\"\\n\\\\"} 1');
  expect(lines.some((line) => line.includes('state="exited"'))).toBe(false);
  expect(lines).toContain("# TYPE stowage_watch_restarts_total counter");
  expect(lines.at(-1)).toBe("");
});

test("of a host that left the declaration nothing is known any more", () => {
  const metrics = new WatchMetrics("shop");
  for (const host of ["a", "gone"]) {
    metrics.take({ type: "listening", host, by: "events", restarts: false }, NOW);
    metrics.take({ type: "unreachable", host, reason: "x" }, NOW);
    metrics.take({ type: "backing-off", id: `${host}/web`, pauseMs: 1000, tries: 2 }, NOW);
    const probe = { container: "main", reason: "x", tries: 3, restarts: false };
    metrics.take({ type: "unhealthy", id: `${host}/web`, ...probe }, NOW);
  }
  metrics.take({ type: "declaration", pods: 1, hosts: ["a"] }, NOW);
  const text = metrics.render();
  expect(text).not.toContain('"gone');
  expect(text).toContain('stowage_watch_unreachable{fleet="shop",host="a"} 1');
  expect(text).toContain('stowage_watch_unhealthy{fleet="shop",pod="a/web",container="main"} 1');
});

test("the server answers on loopback alone, and ends when it is disposed of", async () => {
  let problem: string | undefined;
  const server = await serveMetrics({
    port: 0,
    metrics: () => "a 1\n",
    problem: () => problem,
  });
  const ask = async (path: string, method = "GET") => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return [answer.status, await answer.text()];
  };
  expect(await ask("/metrics")).toEqual([200, "a 1\n"]);
  expect(await ask("/healthz")).toEqual([200, "ok\n"]);
  problem = "the last pass was 900 s ago";
  expect(await ask("/healthz")).toEqual([503, "the last pass was 900 s ago\n"]);
  expect((await ask("/"))[0]).toBe(404);
  expect((await ask("/metrics", "POST"))[0]).toBe(405);
  const second = serveMetrics({ port: server.port, metrics: () => "", problem: () => undefined });
  await expect(second).rejects.toThrow(/^Cannot serve metrics on port \d+ of 127\.0\.0\.1/);
  await server[Symbol.asyncDispose]();
  await expect(ask("/healthz")).rejects.toThrow();
});
