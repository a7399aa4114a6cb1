import { expect, test } from "vitest";
import { digestFor, fleet, host, input, pod } from "../../test/support/plan-world.ts";
import { DiagnosticsError } from "../errors/index.ts";
import type { HostSpec, ObservedLeftover } from "../model/index.ts";
import { type Plan, type PlanOptions, plan } from "./index.ts";

const digest = digestFor("app:1");
const withoutBytes = new Map([
  ["app:1", { kind: "resolved", image: { reference: "app:1", digest }, available: false } as const],
]);

function refusal(images: readonly { readonly name: string; readonly digest: string }[]): string {
  const held = images.map((image) => ({ ...image, inUse: false }));
  const world = host({ engine: { pods: [], images: held, leftovers: [] } });
  const asked = input(fleet({ web: pod() }), world, { images: new Map([["a", withoutBytes]]) });
  try {
    plan(asked);
  } catch (error) {
    if (error instanceof DiagnosticsError) return error.message;
    throw error;
  }
  return "planned";
}

test("plan() says that an image is nowhere, and what to do", () => {
  expect(refusal([])).toContain(
    'image app:1 is neither on the host nor on disk; give it a layout or an archive in images["app:1"]',
  );
});

test("plan() says under which other name the host holds an image, and what to do", () => {
  const text = refusal([{ name: "app:1", digest }]);
  expect(text).toContain("the host has image app:1 only under the name app:1");
  expect(text).toContain(`name it app:1@${digest} in the engine as well, or give it a layout`);
});

const ofRegistry = new Map([
  [
    "app:1",
    {
      kind: "resolved",
      image: { reference: "app:1", digest },
      available: true,
      ofRegistry: true,
    } as const,
  ],
]);

/** The plan of a pod on a host over ssh. */
function planned(
  how: Partial<HostSpec>,
  leftovers: readonly ObservedLeftover[] = [],
  options: PlanOptions = {},
): Plan {
  const declared = fleet({ web: pod() });
  const { a } = declared.hosts;
  const hosts = { a: { ...(a as HostSpec), address: "ssh://edge-a", ...how } };
  const world = host({ engine: { pods: [], images: [], leftovers } });
  const given = { images: new Map([["a", ofRegistry]]), options };
  return plan(input({ ...declared, hosts }, world, given));
}

const importer = ({ hostChanges }: Plan) =>
  hostChanges.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "import-image" ? [step.by] : [])),
  );

test("plan() refuses what has to be there and is not, unless it is pushed", () => {
  expect(() => planned({ pull: "never" })).toThrow(/pull: never.*stowage push/s);
  expect(importer(planned({ pull: "never" }, [], { sendImages: true }))).toEqual(["controller"]);
});

test("plan() cleans nothing that an import goes on with", () => {
  const ours = { name: "stw-import-1", what: "lease", image: digest };
  const other = { name: "stw-import-2", what: "lease", image: digestFor("app:2") };
  const { hostChanges } = planned({}, [ours, other]);
  const cleaned = hostChanges.filter(({ action }) => action === "clean");
  expect(cleaned.flatMap(({ steps }) => steps)).toEqual([
    { kind: "remove-leftover", name: other.name },
  ]);
  expect(importer({ hostChanges } as Plan)).toEqual(["host"]);
});

test("plan() takes an image that has our name as well", () => {
  const ours = { name: `app:1@${digest}`, digest };
  expect(refusal([{ name: "app:1", digest }, ours])).toBe("planned");
});
