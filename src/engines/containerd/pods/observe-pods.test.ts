import { describe, expect, test } from "vitest";
import { LABEL_RECORD, type ObservedPod } from "../../../model/index.ts";
import { NOTES_ANNOTATION, type Notes } from "../spec/notes.ts";
import { parseStoredSpec, specBytes } from "../spec/stored-spec.ts";
import { observePods, type SeenContainer } from "./observe-pods.ts";
import type { Task } from "./tasks.ts";

const RECORD = "sha256:1";
const MANIFEST = `sha256:${"a".repeat(64)}`;

function seen(
  container: string,
  task: Partial<Task> | undefined,
  { record = RECORD as string | null, all = ["web"], own = true, rooted = true } = {},
): SeenContainer {
  const notes: Notes = {
    containers: all,
    declared: [],
    podDeclared: [],
    commandWords: 1,
    userHasGroup: false,
    volumes: {},
    logging: { mode: "none", maxBytes: 1, maxFiles: 1 },
  };
  const bytes = specBytes({
    process: { user: { uid: 0, gid: 0 }, args: ["x"], cwd: "/" },
    annotations: { [NOTES_ANNOTATION]: JSON.stringify(notes) },
    linux: {},
  });
  const id = `stw-${container}`;
  return {
    record: {
      id,
      labels: {
        ...(record === null ? {} : { [LABEL_RECORD]: record }),
      },
      image: `localhost/web:1@${MANIFEST}`,
      snapshotKey: id,
      snapshotter: "overlayfs",
      specBytes: bytes,
    },
    labels: { owner: "o", fleet: "f", host: "h", pod: "shop", container, generation: 1 },
    own,
    rooted,
    spec: parseStoredSpec(bytes),
    notes,
    task: task === undefined ? undefined : { id, state: "running", pid: 7, ...task },
  };
}

function observe(
  containers: readonly SeenContainer[],
  bundles: readonly string[] = [],
): ObservedPod {
  const [pod] = observePods(containers, new Map(), new Set(bundles));
  if (pod === undefined) throw new Error("No pod was put together");
  return pod;
}

describe("observePods()", () => {
  test("a running container is told with its process and image", () => {
    expect(observe([seen("web", {})])).toMatchObject({
      owner: "o",
      fleet: "f",
      host: "h",
      pod: "shop",
      generation: 1,
      recordDigest: RECORD,
      state: "running",
      containers: {
        web: {
          state: "running",
          pid: 7,
          image: { reference: "localhost/web:1", digest: MANIFEST },
        },
      },
    });
  });

  test("a shim that does not answer is unknown, never gone", () => {
    expect(observe([seen("web", { state: "unknown", pid: 0 })]).state).toBe("unknown");
  });

  test("a pod without its record label was not made to its end", () => {
    expect(observe([seen("web", { state: "prepared" }, { record: null })]).state).toBe(
      "incomplete",
    );
  });

  test("a container whose record is gone is missed", () => {
    const pod = observe([seen("web", {}, { all: ["web", "job"] })]);
    expect(pod.containers["job"]?.state).toBe("missing");
    expect(pod.state).toBe("incomplete");
  });

  test("a made container without a task has ended, nobody knows how", () => {
    const pod = observe([seen("web", undefined)]);
    expect(pod.state).toBe("exited");
    expect(pod.containers["web"]).not.toHaveProperty("exitCode");
  });

  test("a bundle without a task is what a create that was cut short left", () => {
    expect(observe([seen("web", undefined)], ["stw-web"]).state).toBe("incomplete");
  });

  test("different record digests are an update that did not come to its end", () => {
    const all = ["web", "job"];
    const pod = observe([seen("web", {}, { all }), seen("job", {}, { all, record: "sha256:2" })]);
    expect(pod).not.toHaveProperty("recordDigest");
    expect(pod.state).toBe("running");
  });

  test("a container whose snapshot was deleted is told so, running or not", () => {
    for (const task of [{}, { state: "exited" }, undefined] as const) {
      const { state, containers } = observe([seen("web", task, { rooted: false })]);
      expect(state).not.toBe("incomplete");
      expect(containers["web"]?.altered).toMatch(/somebody deleted its snapshot/);
    }
  });

  test("a spec with another digest was changed by somebody else", () => {
    expect(observe([seen("web", {})]).containers["web"]).not.toHaveProperty("altered");
    expect(observe([seen("web", {}, { own: false })]).containers["web"]?.altered).toMatch(
      /somebody else/,
    );
  });
});
