import { expect, test } from "vitest";
import { digestFor, fleet, host, input, pod } from "../../test/support/plan-world.ts";
import { DiagnosticsError } from "../errors/index.ts";
import { plan } from "./index.ts";

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
  expect(text).toContain("the host holds image app:1 under the name app:1 alone");
  expect(text).toContain(`name it app:1@${digest} in the engine as well, or give it a layout`);
});

test("plan() takes an image that has our name as well", () => {
  const ours = { name: `app:1@${digest}`, digest };
  expect(refusal([{ name: "app:1", digest }, ours])).toBe("planned");
});
