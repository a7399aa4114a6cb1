import { expect } from "vitest";
import { findCgroups, readStats } from "../../../src/reconcile/stats/read-stats.ts";
import { script } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

/** What the kernel counts of a container, whatever its engine is. */
export function usageCases({ itWith }: Suite): void {
  itWith("kernel", "what a container uses is told by the cgroups of its process", async (test) => {
    const resources = { memoryBytes: 64 * 1024 * 1024, pidsMax: 50 };
    const pod = await test.started({ main: script("while :; do :; done", { resources }) });
    const { pid = 0 } = await test.container(pod);
    const targets = [{ pid, hasNetwork: true }];
    const { signal } = new AbortController();
    const cgroups = await findCgroups(test.host, targets, signal);
    const look = async () => (await readStats(test.host, targets, cgroups, signal)).stats.get(pid);
    const first = await look();
    expect(first).toMatchObject({
      memoryLimitBytes: resources.memoryBytes,
      pidsLimit: 50,
      receivedBytes: 0,
      sentBytes: 0,
    });
    expect(first?.memoryBytes).toBeGreaterThan(0);
    expect(first?.memoryBytes).toBeLessThan(resources.memoryBytes);
    expect(first?.pids).toBeGreaterThan(0);
    const before = first?.cpuUs ?? Number.POSITIVE_INFINITY;
    await test.until(async () => ((await look())?.cpuUs ?? 0) > before + 50_000 || undefined);
  });
}
