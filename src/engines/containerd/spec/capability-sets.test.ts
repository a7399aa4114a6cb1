import { describe, expect, test } from "vitest";
import { DEFAULT_CAPABILITIES } from "../../../engine/index.ts";
import { boundingSetOf, capabilitiesOf } from "./capability-sets.ts";

const HOST = ["CAP_CHOWN", "CAP_NET_ADMIN", "CAP_SYS_ADMIN"];
const without = (...names: string[]) =>
  DEFAULT_CAPABILITIES.filter((name) => !names.includes(name));

describe("capabilitiesOf()", () => {
  test.each([
    ["nothing said", undefined, DEFAULT_CAPABILITIES],
    [
      "one added",
      { capabilitiesAdd: ["CAP_NET_ADMIN"] },
      [...DEFAULT_CAPABILITIES, "CAP_NET_ADMIN"],
    ],
    ["one dropped", { capabilitiesDrop: ["CAP_CHOWN"] }, without("CAP_CHOWN")],
    ["all dropped", { capabilitiesDrop: ["ALL"] }, []],
    [
      "all dropped, one added",
      { capabilitiesDrop: ["ALL"], capabilitiesAdd: ["CAP_KILL"] },
      ["CAP_KILL"],
    ],
    [
      "all added, one dropped",
      { capabilitiesAdd: ["ALL"], capabilitiesDrop: ["CAP_CHOWN"] },
      [...without("CAP_CHOWN"), "CAP_NET_ADMIN", "CAP_SYS_ADMIN"],
    ],
    ["privileged", { privileged: true, capabilitiesDrop: ["ALL"] }, HOST],
  ])("%s", (_, security, expected) => {
    expect(capabilitiesOf(security, HOST)).toEqual([...expected].sort());
  });
});

describe("boundingSetOf()", () => {
  test("reads the host's bounding set by the numbers of capabilities", () => {
    expect(boundingSetOf("CapBnd:\t0000000000001001\n")).toEqual(["CAP_CHOWN", "CAP_NET_ADMIN"]);
  });

  test("takes all that are known where the kernel does not say", () => {
    expect(boundingSetOf(undefined)).toHaveLength(41);
  });
});
