import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openLocalHost } from "../../host/index.ts";
import { processAges } from "./process-ages.ts";

test("processAges() tells how long a process runs, whatever its name is", async () => {
  // a name with what ends the name in /proc
  const child = spawn("sh", [
    "-c",
    "printf 'a) R 1' > /proc/self/comm; echo on; exec 1>&-; read x",
  ]);
  try {
    await once(child.stdout, "data");
    await sleep(300);
    await using host = openLocalHost();
    const pid = child.pid ?? 0;
    const ages = await processAges(host, [pid, 2 ** 22 + 1], new AbortController().signal);
    expect([...ages.keys()]).toEqual([pid]);
    expect(ages.get(pid)).toBeGreaterThan(200);
    expect(ages.get(pid)).toBeLessThan(600_000);
  } finally {
    child.kill("SIGKILL");
  }
});
