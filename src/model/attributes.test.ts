import { expect, test } from "vitest";
import { attributesOf, diffAttributes, PodSpec } from "./index.ts";

const spec = (container: object, rest: object = {}) =>
  PodSpec.parse({ containers: { web: { image: "x", ...container } }, ...rest });

test("attributesOf() names every leaf with its verdict and its place in the schema", () => {
  const found = attributesOf(
    PodSpec,
    spec({ env: { "a.b": "1" }, resources: { pidsMax: 5 } }, { ports: [{ host: 80 }] }),
  );
  expect(
    [...found.values()].map(({ path, fieldPath, verdict }) => [path, fieldPath, verdict]),
  ).toEqual([
    ["containers.web.image", "containers.*.image", "replace"],
    ['containers.web.env["a.b"]', "containers.*.env.*", "replace"],
    ["containers.web.resources.pidsMax", "containers.*.resources.pidsMax", "live"],
    ["ports[80/tcp].host", "ports[*].host", "replace"],
  ]);
});

test("diffAttributes() shows a field that is not set any more", () => {
  expect(diffAttributes(PodSpec, spec({ oomScoreAdj: 5 }), spec({}))).toEqual([
    {
      path: "containers.web.oomScoreAdj",
      fieldPath: "containers.*.oomScoreAdj",
      before: 5,
      verdict: "restart",
    },
  ]);
});

test("diffAttributes() says live when a field is set to what applies anyway", () => {
  const [change] = diffAttributes(PodSpec, spec({}), spec({ shmBytes: 64 * 1024 * 1024 }));
  expect(change).toMatchObject({ path: "containers.web.shmBytes", verdict: "live" });
});

test("diffAttributes() names the item of a list that changed, not the list", () => {
  const mounts = (readOnly: boolean) => [
    { volume: "a", path: "/a" },
    { volume: "b", path: "/b", readOnly },
  ];
  expect(
    diffAttributes(PodSpec, spec({ mounts: mounts(true) }), spec({ mounts: mounts(false) })).map(
      ({ path }) => path,
    ),
  ).toEqual(["containers.web.mounts[/b].readOnly"]);
});
