import { describe, expect, test } from "vitest";
import { bestPlatform, formatPlatform, normalizePlatform, platformRank } from "./platform.ts";

function platform(text: string) {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

describe("platformRank()", () => {
  test.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["linux/amd64", "linux/amd64/v3"],
    ["linux/amd64/v2", "linux/amd64/v3"],
    ["linux/arm64", "linux/arm64/v8"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/aarch64", "linux/arm64"],
    ["linux/arm64/8", "linux/arm64"],
    ["linux/arm/v6", "linux/arm/v7"],
    ["linux/arm/v7", "linux/arm"],
    ["linux/riscv64", "linux/riscv64"],
  ])("lets %s run on %s", (built, wanted) => {
    expect(platformRank(platform(built), platform(wanted))).toBeGreaterThan(0);
  });

  test.each([
    ["linux/arm64", "linux/amd64"],
    ["windows/amd64", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64"],
    ["linux/arm/v7", "linux/arm/v6"],
    ["linux/arm64/v9", "linux/arm64"],
    ["linux/riscv64/rva22", "linux/riscv64"],
    ["unknown/unknown", "linux/amd64"],
  ])("does not let %s run on %s", (built, wanted) => {
    expect(platformRank(platform(built), platform(wanted))).toBeUndefined();
  });
});

test("bestPlatform() takes the same variant, else the highest below", () => {
  const candidates = ["linux/arm/v5", "linux/arm/v7", "linux/arm/v6", "linux/arm64"].map(
    (text) => ({
      platform: platform(text),
    }),
  );
  const best = (text: string) => bestPlatform(candidates, platform(text))?.platform.variant;
  expect(best("linux/arm/v6")).toBe("v6");
  expect(best("linux/arm")).toBe("v7");
  expect(best("linux/arm/v8")).toBe("v7");
  expect(bestPlatform(candidates, platform("linux/s390x"))).toBeUndefined();
});

test("normalizePlatform() writes the variant out", () => {
  expect(formatPlatform(normalizePlatform(platform("Linux/aarch64")))).toBe("linux/arm64/v8");
  expect(formatPlatform(normalizePlatform(platform("linux/riscv64")))).toBe("linux/riscv64");
});
