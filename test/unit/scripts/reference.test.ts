import { describe, expect, test } from "vitest";
import type { EngineColumn } from "../../../scripts/lib/reference/engine-support.ts";
import { referencePages } from "../../../scripts/lib/reference/pages.ts";
import { attributesOf, ContainerSpec, fieldMeta, PodSpec } from "../../../src/model/index.ts";
import { EVERY_FIELD } from "../../support/docs/every-field.ts";

const ENGINE: EngineColumn = {
  name: "tried",
  table: {
    hostname: { support: "emulated", reason: "it does it itself", change: "restart" },
    ports: [
      { support: "native", values: ["tcp"] },
      { support: "unsupported", reason: "it cannot", instead: "tcp" },
    ],
    containers: { support: "native" },
  },
};
const pages = referencePages([ENGINE]);

describe("the field reference", () => {
  test("has a row for every field that a pod can set", () => {
    const container = EVERY_FIELD.containers["every"] ?? {};
    const { containers: _, ...pod } = EVERY_FIELD;
    expect(missing("pod.md", attributesOf(PodSpec, pod))).toEqual([]);
    expect(missing("container.md", attributesOf(ContainerSpec, container))).toEqual([]);
  });

  test("says type, unit, default, change and description as the schema has them", () => {
    expect(row("container.md", "stopGracePeriodMs")).toEqual(
      expect.arrayContaining(["integer", "ms", "`10000`", "live", "no"]),
    );
    expect(row("container.md", "image")).toContain("**required**");
    expect(row("container.md", "env")).toContain("may be");
    expect(row("container.md", "ulimits.*.soft")).toContain("restart");
    expect(row("container.md", "shmBytes").join(" ")).toContain("(64 MiB)");
    const { description } = fieldMeta(PodSpec.shape.hostname) ?? { description: "none" };
    expect(row("pod.md", "hostname").join(" ")).toContain(description);
  });

  test("says what an engine can do, and why not where it cannot", () => {
    expect(row("pod.md", "hostname")).toContain("emulated");
    expect(row("pod.md", "ports[*].host")).toContain("some values");
    expect(row("pod.md", "labels")).toContain("unsupported");
    expect(row("container.md", "resources.memoryBytes")).toContain("native");
    expect(pages.get("pod.md")).toContain(
      "tried, `hostname`: emulated; it does it itself; a change is a restart.",
    );
    expect(pages.get("pod.md")).toContain("tried, `ports`: `tcp`: native.");
    expect(pages.get("pod.md")).toContain(
      "tried, `ports`: other values: unsupported; it cannot; instead: tcp.",
    );
  });

  test("is the same each time", () => {
    expect(referencePages([ENGINE])).toEqual(pages);
  });
});

function row(page: string, path: string): readonly string[] {
  const lines = (pages.get(page) ?? "").split("\n");
  const line = lines.find((each) => each.startsWith(`| \`${path}\` |`)) ?? "";
  return line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, "").trim());
}

function missing(page: string, attributes: ReturnType<typeof attributesOf>): readonly string[] {
  return (
    [...attributes.values()]
      // values of a map are said in the map's own row
      .map(({ fieldPath }) => fieldPath.replace(/\.\*$/, ""))
      .filter((path) => row(page, path).length < 2)
  );
}
