import { describe, expect, test } from "vitest";
import {
  type HostPlan,
  OTHER_NAME,
  type Plan,
  type PodChange,
  type Reason,
} from "../../plan/index.ts";
import { paintOf } from "../text/paint.ts";
import { renderPlan, summaryLine } from "./render-plan.ts";

const NOW = new Date("2026-01-01T12:00:00Z");
const DIGEST = (letter: string): string => `sha256:${letter.repeat(64)}`;
const OPTIONS = { paint: paintOf(false), columns: undefined, now: NOW };

const spec = { containers: { web: { image: "ghcr.io/acme/shop:1.8.2" } } };
const generation = (number: number, over: object = {}) => ({
  generation: number,
  spec: { ...spec, ...over },
  images: {},
  defaults: 1,
});

function podChange(over: Partial<PodChange>): PodChange {
  const host = over.host ?? "edge-a";
  const pod = over.pod ?? "web";
  return {
    id: `${host}/${pod}`,
    host,
    pod,
    action: "create",
    origin: { owner: "me", fleet: "shop", host },
    reasons: [],
    steps: [],
    after: [],
    interrupts: false,
    notes: [],
    ...over,
  };
}

function hostPlan(host: string, over: Partial<HostPlan> = {}): HostPlan {
  return {
    host,
    address: "local",
    engine: { kind: "containerd" },
    directories: { stateDir: "/var/lib/stowage", runDir: "/run/stowage" },
    info: {
      kind: "containerd",
      version: "1.7.24",
      platform: { os: "linux", architecture: "amd64" },
    },
    declared: true,
    running: 0,
    kept: [],
    ...over,
  };
}

function planOf(pods: readonly PodChange[], over: Partial<Plan> = {}): Plan {
  return {
    version: "stowage/plan/v1",
    owner: "me",
    fleet: "shop",
    hosts: [hostPlan("edge-a")],
    pods,
    hostChanges: [],
    warnings: [],
    partial: false,
    ...over,
  };
}

function reason(over: Partial<Reason>): Reason {
  return { kind: "declared", path: "", verdict: "replace", ...over };
}

const render = (plan: Plan, columns?: number): string => renderPlan(plan, { ...OPTIONS, columns });

describe("a plan for people", () => {
  test("a replacement says why, which bytes, and its steps in words", () => {
    const change = podChange({
      action: "replace",
      reasons: [
        reason({
          path: "containers.web.image",
          before: "ghcr.io/acme/shop:1.8.1",
          after: "ghcr.io/acme/shop:1.8.2",
        }),
        reason({
          path: "containers.web.image",
          before: `ghcr.io/acme/shop:1.8.1 (${DIGEST("3")})`,
          after: `ghcr.io/acme/shop:1.8.2 (${DIGEST("9")})`,
        }),
      ],
      steps: [
        { kind: "prepare", generation: 2 },
        { kind: "stop", generation: 1 },
        { kind: "start", generation: 2 },
        { kind: "wait-healthy", generation: 2 },
        { kind: "commit", generation: 2 },
        { kind: "remove", generation: 1 },
      ],
      to: generation(2, {
        containers: { web: { image: "x", health: { kind: "http", port: 8080, path: "/healthz" } } },
      }),
      interrupts: true,
    });
    expect(renderPlan(planOf([change]), { ...OPTIONS, declaredPods: 3 })).toBe(`\
fleet shop · 1 host · 3 pods

edge-a  containerd 1.7.24
  ~ web   replace, because the image changed   down for a moment
      containers.web.image   ghcr.io/acme/shop:1.8.1 (sha256:3333…) → 1.8.2 (sha256:9999…)
      prepare · stop the old · start · wait for :8080/healthz · remove the old

1 pod to change: 1 replace. Nothing has been touched yet.
`);
  });

  test("a new name of the same image is not called a new image", () => {
    const renamed = reason({
      path: "containers.web.image",
      before: "ghcr.io/acme/shop:latest",
      after: "ghcr.io/acme/shop:1.8.2",
      text: OTHER_NAME,
    });
    const change = podChange({ action: "replace", reasons: [renamed] });
    const shown = render(planOf([change]));
    expect(shown).toContain("~ web   replace, because the image's name changed\n");
    expect(shown).toContain(
      "ghcr.io/acme/shop:latest → 1.8.2   (the same image by another name)\n",
    );
  });

  test("units, unset values and lists are written out, and mixed verdicts are named", () => {
    const change = podChange({
      action: "restart",
      reasons: [
        reason({
          path: "containers.web.resources.memoryBytes",
          before: 268_435_456,
          verdict: "live",
        }),
        reason({
          path: "containers.web.stopGracePeriodMs",
          before: 10_000,
          after: 1500,
          verdict: "live",
        }),
        reason({ path: "containers.web.resources.cpuMillis", after: 1500, verdict: "live" }),
        reason({
          path: "containers.web.ulimits.nofile.soft",
          before: 1,
          after: 2,
          verdict: "restart",
        }),
        reason({
          path: "containers.web.args",
          before: ["a"],
          after: ["a", "b c"],
          verdict: "live",
        }),
      ],
    });
    const text = render(planOf([change]));
    expect(text).toContain("restart, because the limits changed");
    expect(text).toMatch(/memoryBytes +256 MiB → \(not set\) {3}\(live\)/);
    expect(text).toMatch(/stopGracePeriodMs +10 s → 1\.5 s/);
    expect(text).toMatch(/cpuMillis +\(not set\) → 1\.5 CPUs/);
    expect(text).toMatch(/nofile\.soft +1 → 2 {3}\(needs a restart\)/);
    expect(text).toContain('["a"] → ["a","b c"]');
  });

  test("a pod that was killed is marked and says when", () => {
    const text = "it was killed by signal 9 (exit 137) at 2026-01-01T11:56:00.000Z";
    const change = podChange({
      action: "start",
      reasons: [reason({ kind: "state", path: "containers.web", verdict: "none", text })],
      steps: [{ kind: "start", generation: 1 }],
      to: generation(1),
    });
    expect(render(planOf([change]))).toContain(
      "  ! web   start, because it was killed by signal 9 (exit 137) 4 min ago\n      start\n",
    );
  });

  test("a drifted field is told apart from one that was declared anew", () => {
    const change = podChange({
      action: "update",
      reasons: [
        reason({
          kind: "drift",
          path: "containers.web.resources.pidsMax",
          before: 5,
          after: 10,
          verdict: "live",
        }),
      ],
    });
    const text = render(planOf([change]));
    expect(text).toContain(
      "! web   update while it runs, because the limits changed behind Stowage's back",
    );
    expect(text).toContain("5 → 10   (found changed on the host)");
  });

  test("a drift that says in words what was found does not say it twice", () => {
    const path = 'containers.web.files["/run/secrets/db"]';
    const text = "the file is gone from the host's memory";
    const change = podChange({
      action: "restart",
      reasons: [reason({ kind: "drift", path, text, verdict: "restart" })],
    });
    expect(render(planOf([change]))).toContain(`      ${path}   ${text}\n`);
  });

  test("a secret says that it changed and nothing of what it is", () => {
    const change = podChange({
      action: "replace",
      reasons: [reason({ path: "containers.web.env.DB_PASSWORD", secret: true })],
    });
    expect(render(planOf([change]))).toContain("      containers.web.env.DB_PASSWORD   changed\n");
  });

  test("containers that come and go are named", () => {
    const change = podChange({
      action: "replace",
      reasons: [
        reason({ path: "containers.side.image", after: "a:1" }),
        reason({ path: "containers.side.env.A", after: "1" }),
      ],
    });
    expect(render(planOf([change]))).toContain("replace, because container side is new");
  });

  test.each([
    [{ path: "containers.web.env.A", after: "1" }, "the environment changed"],
    [{ path: "containers.web.resources.memoryBytes", before: 1024 }, "the limits changed"],
  ])("a field that is set, or set no more, makes no container new: %o", (field, words) => {
    const change = podChange({ action: "replace", reasons: [reason(field)] });
    expect(render(planOf([change]))).toContain(`replace, because ${words}\n`);
  });

  test("of a pod with several containers the one that is meant is named", () => {
    const text = "it was killed by signal 9 (exit 137)";
    const reasons = [reason({ kind: "state", path: "containers.side", verdict: "none", text })];
    const to = (names: readonly string[]) => ({
      to: {
        generation: 1,
        spec: { containers: Object.fromEntries(names.map((name) => [name, { image: "a:1" }])) },
        images: {},
        defaults: 1,
      } as NonNullable<PodChange["to"]>,
    });
    const shown = (names: readonly string[]) =>
      render(planOf([podChange({ action: "start", reasons, ...to(names) })]));
    expect(shown(["web", "side"])).toContain(`start, because side: ${text}\n`);
    expect(shown(["side"])).toContain(`start, because ${text}\n`);
  });

  test("changes are counted in the words that they are told in", () => {
    const text = "its record is missing; it is rewritten";
    const adopted = podChange({ action: "adopt", reasons: [reason({ kind: "drift", text })] });
    expect(render(planOf([adopted]))).toContain("1 pod to change: 1 finish. ");
  });

  test("what a pod waits for is named, but not its images", () => {
    const change = podChange({ pod: "web", after: ["edge-a/image:x", "edge-a/db"] });
    const text = render(planOf([podChange({ pod: "db" }), change]));
    expect(text).toContain("      after edge-a/db\n");
    expect(text).not.toContain("image:x");
  });

  test("a note that holds for many pods is said once, and kept volumes with their size", () => {
    const notes = ["secrets in env are kept by the engine"];
    const hosts = [
      hostPlan("edge-a", { kept: [{ volume: "data", path: "/v/data", sizeBytes: 1536 }] }),
    ];
    const text = render(
      planOf([podChange({ pod: "a", notes }), podChange({ pod: "b", notes })], { hosts }),
    );
    expect(text.match(/note: secrets/g)).toHaveLength(1);
    expect(text).toContain("    kept: volume data (1.5 KiB) at /v/data\n");
  });

  test("hosts that leave and changes beside the pods have their line; warnings come last", () => {
    const text = render(
      planOf(
        [
          podChange({
            host: "old",
            action: "remove",
            reasons: [reason({ text: "it is not declared" })],
          }),
        ],
        {
          hosts: [hostPlan("edge-a"), hostPlan("old", { declared: false })],
          hostChanges: [
            {
              id: "edge-a/image:x",
              host: "edge-a",
              action: "import",
              text: `import image shop@${DIGEST("a")}`,
              steps: [
                {
                  kind: "import-image",
                  image: { reference: "shop", digest: DIGEST("a") },
                  sizeBytes: 12_400_000,
                },
              ],
              after: [],
            },
          ],
          warnings: ["hosts.edge-a: beware"],
        },
      ),
    );
    expect(text).toBe(`\
fleet shop · 2 hosts

edge-a  containerd 1.7.24
  + import image shop@sha256:aaaa… (12.4 MB)
old     containerd 1.7.24, leaves the fleet
  - web   remove, because it is not declared

warning: hosts.edge-a: beware

1 pod to change: 1 remove; 1 host to change beside its pods. Nothing has been touched yet.
`);
  });

  test("a pod that moves to another host is told on both, and in the sum", () => {
    const gone = podChange({
      action: "remove",
      movesTo: "edge-b",
      interrupts: true,
      reasons: [reason({ path: "", text: "it is declared on edge-b now" })],
    });
    const comes = podChange({ host: "edge-b", movesFrom: "edge-a" });
    const moved = planOf([gone, comes]);
    expect(render(moved)).toMatch(/- web {3}move to edge-b\n(?! *it is declared)/);
    expect(render({ ...moved, pods: [{ ...comes, host: "edge-a" }] })).toContain(
      "+ web   create, moves here from edge-a\n",
    );
    expect(summaryLine(moved)).toBe(
      "2 pods to change: 1 remove, 1 create (1 pod moves to another host). Nothing has been touched yet.",
    );
  });

  test("a host that is not reached is no host to change", () => {
    const lost = { action: "unreachable", text: "it is away", steps: [], after: [] } as const;
    const hostChanges = ["b", "c"].map((host) => ({ ...lost, id: `${host}/lost`, host }));
    const roster = { ...lost, id: "a/roster", host: "a", action: "roster" } as const;
    expect(summaryLine({ ...planOf([]), hostChanges })).toBe(
      "2 hosts not reached. Nothing has been touched yet.",
    );
    expect(summaryLine({ ...planOf([podChange({})]), hostChanges: [roster, ...hostChanges] })).toBe(
      "1 pod to change: 1 create; 1 host to change beside its pods; 2 hosts not reached. Nothing has been touched yet.",
    );
  });

  test("an empty plan says so in one sentence", () => {
    expect(render(planOf([]))).toBe(
      "fleet shop · 1 host\n\nNothing to do: all hosts match the manifest.\n",
    );
    expect(summaryLine(planOf([podChange({}), podChange({ pod: "b" })]))).toBe(
      "2 pods to change: 2 create. Nothing has been touched yet.",
    );
  });

  test("on a narrow terminal no line is wider than it, but for words that cannot be broken", () => {
    const change = podChange({
      action: "replace",
      reasons: [
        reason({
          path: "containers.web.env.GREETING",
          before: "good morning",
          after: "good evening to you all",
        }),
      ],
      steps: [
        { kind: "prepare", generation: 2 },
        { kind: "start", generation: 2 },
        { kind: "remove", generation: 1 },
      ],
      to: generation(2),
    });
    const lines = render(planOf([change]), 40).split("\n");
    expect(lines.filter((line) => line.length > 40)).toEqual([]);
    expect(lines.length).toBeGreaterThan(8);
  });

  test("text of hosts and manifests cannot steer the terminal", () => {
    const change = podChange({
      action: "replace",
      reasons: [
        reason({ path: "containers.web.env.A", before: "x\u001b[2Jy", after: "\u202ez\r" }),
      ],
      notes: ["a\u0007b"],
    });
    const text = render(planOf([change], { warnings: ["w\u009b31m"] }));
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u{202e}]/u);
    expect(text).toContain("\\u001b[2J");
  });
});
