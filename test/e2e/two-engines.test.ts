import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeHelloImage, PAGE_FIRST_LINE } from "../../scripts/lib/quickstart/hello-image.ts";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import { buildOwnCli } from "../support/built-cli.ts";
import { PodmanLab } from "../support/engines/podman-lab.ts";
import { runInExample } from "../support/example-cli.ts";
import { freePort } from "../support/free-port.ts";

describeWithEngine("containerd", "the example two-engines", (containerd) => {
  describeWithEngine("podman", "on containerd and podman", (podman) => {
    const folder = mkdtempSync(join(tmpdir(), "stw-two-"));
    let [main, ports] = ["", [0, 0]];

    beforeAll(async () => {
      main = await buildOwnCli(folder);
      makeHelloImage();
      const port = await freePort();
      ports = [port, port + 1];
    });
    afterAll(async () => {
      stowage("as it is", "destroy", "--yes");
      for (const host of ["left", "right"])
        await new PodmanLab(podman.address, join(folder, "podman", host)).close();
      rmSync(folder, { recursive: true, force: true });
    });

    function stowage(order: "as it is" | "swapped", ...words: readonly string[]) {
      const env = {
        ...(order === "swapped" ? { STOWAGE_SWAP_ENGINES: "1" } : {}),
        CDKTF_OUTDIR: join(folder, "out"),
        STOWAGE_PAGE_PORT: String(ports[0]),
        STOWAGE_STATE_DIR: join(folder, "lib"),
        STOWAGE_RUN_DIR: join(folder, "run"),
        STOWAGE_CONTAINERD_SOCKET: containerd.address,
        STOWAGE_PODMAN_DIR: join(folder, "podman"),
      };
      return runInExample(main, "two-engines", env, words);
    }

    async function expectApplied(order: "as it is" | "swapped"): Promise<void> {
      const applied = stowage(order, "apply", "--yes");
      expect(applied.status, applied.said).toBe(0);
      const again = stowage(order, "plan");
      expect(again.status, again.said).toBe(0);
      for (const port of ports) {
        const page = await fetch(`http://127.0.0.1:${port}/`);
        expect(await page.text()).toContain(PAGE_FIRST_LINE);
      }
    }

    test("both hosts serve, and exchange their engines in one apply", async () => {
      await expectApplied("as it is");
      const planned = stowage("swapped", "plan");
      expect(planned.status, planned.said).toBe(2);
      for (const pod of ["web", "heartbeat"]) {
        expect(planned.stdout).toMatch(new RegExp(`> ${pod} +move from containerd`));
        expect(planned.stdout).toMatch(new RegExp(`> ${pod} +move from podman`));
      }
      await expectApplied("swapped");
      await expectApplied("as it is");
    }, 300_000);
  });
});
