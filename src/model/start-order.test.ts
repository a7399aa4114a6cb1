import { describe, expect, test } from "vitest";
import { FleetManifest, MANIFEST_VERSION, startStages, validateFleet } from "./index.ts";

const image = "app:1";

/** What is wrong with a fleet of these pods, as `place: summary`. */
function mistakes(pods: Readonly<Record<string, object>>): readonly string[] {
  const manifest = FleetManifest.parse({
    version: MANIFEST_VERSION,
    name: "shop",
    id: "owner-1",
    hosts: { a: { address: "local", engine: { kind: "sim" }, pods } },
  });
  return validateFleet(manifest).map(({ path, summary }) => `${path}: ${summary}`);
}

function mistakesIn(containers: Readonly<Record<string, object>>): readonly string[] {
  const named = Object.entries(containers).map(([name, more]) => [name, { image, ...more }]);
  return mistakes({ web: { containers: Object.fromEntries(named) } }).map((text) =>
    text.replace("hosts.a.pods.web.", ""),
  );
}

describe("startStages()", () => {
  test("is one stage where nothing waits", () => {
    expect(startStages({ containers: { b: { image }, a: { image } } })).toEqual([["a", "b"]]);
  });

  test("runs init containers one by one in their order, then the others as they wait", () => {
    const containers = {
      a: { image, init: true, dependsOn: { z: "completed" as const } },
      app: { image, dependsOn: { db: "healthy" as const } },
      b: { image, init: true },
      db: { image },
      side: { image },
      z: { image, init: true },
    };
    expect(startStages({ containers })).toEqual([["b"], ["z"], ["a"], ["db", "side"], ["app"]]);
  });
});

describe("order of containers", () => {
  test("a circle, a wrong name and itself are refused with the place", () => {
    expect(
      mistakesIn({
        a: { dependsOn: { b: "started" } },
        b: { dependsOn: { a: "started" } },
        c: { dependsOn: { c: "started", wbe: "started" } },
        web: {},
      }),
    ).toEqual([
      "containers.c.dependsOn.c: it would wait for itself",
      'containers.c.dependsOn.wbe: there is no container "wbe" in this pod',
      "containers.a.dependsOn: containers wait for each other in a circle: a -> b -> a",
    ]);
  });

  test("what no engine could fulfil is refused", () => {
    const probe = { kind: "exec", command: ["true"] };
    expect(mistakesIn({ a: { init: true } })).toEqual([
      "containers: all of its containers are init containers: nothing would run after them",
    ]);
    expect(mistakesIn({ a: { dependsOn: { b: "healthy" } }, b: {} })).toEqual([
      'containers.a.dependsOn.b: "b" has no probe to tell whether it is healthy',
    ]);
    expect(mistakesIn({ a: { dependsOn: { b: "healthy" } }, b: { init: true } })).toEqual([
      'containers.a.dependsOn.b: "b" runs to completion and never counts as healthy',
    ]);
    expect(mistakesIn({ a: { init: true, dependsOn: { b: "started" } }, b: {} })).toEqual([
      'containers.a.dependsOn.b: an init container cannot wait for "b", which is not one',
    ]);
    expect(mistakesIn({ a: { init: true, health: probe }, b: {} })).toEqual([
      "containers.a.health: the others wait for it to complete, so its health is never checked",
    ]);
    expect(mistakesIn({ a: { completeWithinMs: 1000 } })).toEqual([
      "containers.a.completeWithinMs: no container waits for this one to complete",
    ]);
  });

  test("a pod that is to be completed must be let end", () => {
    const containers = { main: { image } };
    const web = { containers, dependsOn: ["job:completed"] };
    expect(mistakes({ job: { containers }, web })).toEqual([
      'hosts.a.pods.web.dependsOn: pod "job" must complete, and its restart policy is no',
    ]);
    expect(mistakes({ job: { containers, restart: { policy: "on-failure" } }, web })).toEqual([]);
    expect(mistakes({ web: { containers, dependsOn: ["a/jbo:started"] } })).toEqual([
      'hosts.a.pods.web.dependsOn: there is no pod "a/jbo"',
    ]);
  });
});
