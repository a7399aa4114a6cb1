import { expect, test } from "vitest";
import { unitText } from "./unit.ts";

test("a unit delegates its cgroup, ends mixed, and restarts nothing: a pod of rkt's runs once", () => {
  const text = unitText("stw-web-main-1-abc", "/var/lib/stowage/rkt/pods/x/main.run");
  expect(text).toContain("\nDelegate=yes\n");
  expect(text).toContain("\nKillMode=mixed\n");
  expect(text).toContain("\nExecStart=/bin/sh /var/lib/stowage/rkt/pods/x/main.run\n");
  expect(text).not.toMatch(/Restart=|ExecStop=/);
});
