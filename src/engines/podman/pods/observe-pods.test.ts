import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { identityLabels } from "../../../engine/index.ts";
import { objectName } from "../../../model/index.ts";
import { InspectAnswer, type InspectedContainer, PsAnswer } from "../cli/answers.ts";
import type { Life } from "./life.ts";
import { ownName } from "./lists.ts";
import { LABEL_NOTES } from "./notes.ts";
import { observePod, type SeenContainer } from "./observe-pods.ts";

const FIXTURES = join(import.meta.dirname, "../../../../test/fixtures/podman/4.3.1");
const read = (file: string): unknown => JSON.parse(readFileSync(join(FIXTURES, file), "utf8"));

const IDENTITY = { owner: "me", fleet: "shop", host: "here", pod: "web", generation: 1 };
const LIVES: Life = { alive: true, waiting: false, watched: true, cgroupPath: "/x" };
const NOTES = {
  containers: ["main", "other"],
  declared: [],
  podDeclared: [],
  commandWords: 1,
  volumes: {},
  logging: { mode: "file", maxBytes: 1, maxFiles: 1 },
  image: { reference: "x", digest: "sha256:1", id: "1" },
  resources: {},
  sysctls: {},
  absent: [],
} as const;

/** The container that runs, as it was recorded, but with the labels of a pod. */
function running(container: string): InspectedContainer {
  const found = InspectAnswer.parse(read("inspect.json")).find(({ Name }) => Name === "stw-run");
  if (found === undefined) throw new Error("Nothing was recorded");
  const Labels = {
    ...identityLabels(IDENTITY, container),
    [LABEL_NOTES]: JSON.stringify(NOTES),
  };
  return { ...found, Name: objectName(IDENTITY, container), Config: { ...found.Config, Labels } };
}

function seen(container: string, life: Partial<Life> = {}): SeenContainer {
  return {
    labels: { ...IDENTITY, container },
    found: running(container),
    life: { ...LIVES, ...life },
    notes: { ...NOTES, containers: ["main", "other"] } as unknown as SeenContainer["notes"],
  };
}

const observe = (members: readonly SeenContainer[], infra?: Parameters<typeof observePod>[1]) =>
  observePod(members, infra, { changes: undefined, restarts: {} }, new Map());

describe("observePod()", () => {
  test("a container that the pod was made with and that is not there is missing", () => {
    const { containers, state } = observe([seen("main")]);
    expect(containers["other"]?.state).toBe("missing");
    expect(state).toBe("incomplete");
  });

  test("a container whose conmon is dead runs, and is altered", () => {
    const { containers } = observe([seen("main", { watched: false }), seen("other")]);
    expect(containers["main"]).toMatchObject({
      state: "running",
      altered: expect.stringContaining("conmon"),
    });
    expect(containers["other"]).not.toHaveProperty("altered");
  });

  test("a container that began before the pod's own is in a network that is gone", () => {
    const infra = { ...running("main"), IsInfra: true };
    const begun = (StartedAt: string) => ({
      found: { ...infra, State: { ...infra.State, StartedAt } },
      life: LIVES,
    });
    const members = [seen("main"), seen("other")];
    const before = observe(members, begun("2020-01-01T00:00:00Z"));
    expect(before.containers["main"]).not.toHaveProperty("altered");
    const after = observe(members, begun("2040-01-01T00:00:00Z"));
    expect(after.containers["main"]?.altered).toContain("network");
    const gone = observe(members, {
      ...begun("2020-01-01T00:00:00Z"),
      life: { ...LIVES, alive: false },
    });
    expect(gone.containers["main"]?.altered).toContain("network");
  });

  test("labels that somebody made unreadable are told", () => {
    const { notes: _, ...rest } = seen("main");
    const { containers } = observe([{ ...rest, notes: undefined }]);
    expect(containers["main"]?.altered).toContain("labels");
  });
});

describe("ownName()", () => {
  const [listed] = PsAnswer.parse(read("ps.json"));
  const container = (Names: readonly string[], more: object = {}) =>
    ({
      ...listed,
      IsInfra: false,
      Labels: identityLabels(IDENTITY, "main"),
      Names: [...Names],
      ...more,
    }) as Parameters<typeof ownName>[0];

  test("labels and the name that goes with them make a container one of a pod", () => {
    expect(ownName(container([objectName(IDENTITY)]))).toBe("main");
    expect(ownName(container([objectName(IDENTITY, "main")]))).toBe("main");
  });

  test("a container with a pod's labels and another name is somebody else's", () => {
    expect(ownName(container(["stw-web"]))).toBeUndefined();
    expect(ownName(container([objectName({ ...IDENTITY, generation: 2 })]))).toBeUndefined();
    expect(ownName(container([]))).toBeUndefined();
  });

  test("a pod's own container, which has its labels, is none of its containers", () => {
    expect(ownName(container([objectName(IDENTITY)], { IsInfra: true }))).toBeUndefined();
  });
});
