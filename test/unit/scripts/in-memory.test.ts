import { expect, test, vi } from "vitest";
import { whyOnDisk } from "../../../scripts/lib/in-memory.ts";

const PLENTY = "MemTotal:       24684084 kB\nMemAvailable:   20684084 kB\n";

test("temporary files of tests stay on disk where somebody wants it, memory is short, or nobody is root", () => {
  const getuid = vi.spyOn(process, "getuid").mockReturnValue(0);
  expect(whyOnDisk({ STOWAGE_TEST_TMP: "disk" }, PLENTY)).toBe("STOWAGE_TEST_TMP is disk");
  expect(whyOnDisk({ TMPDIR: "/var/tmp" }, PLENTY)).toBe("TMPDIR is set");
  expect(whyOnDisk({}, "MemAvailable: 4000000 kB\n")).toBe("too little memory is free");
  getuid.mockReturnValue(1000);
  expect(whyOnDisk({}, PLENTY)).toBe("this is not root");
});
