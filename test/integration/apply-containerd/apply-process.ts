import fs from "node:fs";
import { readFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { dirname } from "node:path";
import { createConnector } from "../../../src/cli/connector.ts";
import type { Engine } from "../../../src/engine/index.ts";
import type { Host } from "../../../src/host/index.ts";
import { parseFleet } from "../../../src/model/index.ts";
import { applyFleet, type Connector } from "../../../src/reconcile/index.ts";

/** What {@link main} is told, as JSON in its one argument. */
export interface ApplyOrder {
  readonly manifest: string;
  /**
   * Kills this process at a moment of its nth writing call, counted from 1; or where its nth file of the
   * host is written and has not its place yet.
   */
  readonly kill?: { readonly nth: number; readonly phase: "before" | "after" | "unplaced" };
  readonly appliedBy?: string;
  readonly lockTimeoutMs?: number;
  readonly lockLifeMs?: number;
}

const READS = new Set([
  ...["info", "capabilities", "observe", "logs", "snapshot", "holders", "diskUsage", "probe"],
  ...["markPrograms", "endPrograms", "readRange", "readFileFrom"],
  ...["inspect", "reachSocket", "kind", "address"],
]);

/** Applies a manifest in a process of its own, to be killed; prints each event as a line of JSON. */
async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? "") as ApplyOrder;
  if (order.kill?.phase === "unplaced") dieAtPlacing(order.kill.nth);
  const manifest = parseFleet(JSON.parse(await readFile(order.manifest, "utf8")), order.manifest);
  const report = await applyFleet({
    manifest,
    manifestDir: dirname(order.manifest),
    connector: deadly(
      createConnector({ sshConfig: process.env["STOWAGE_SSH_CONFIG"] }),
      order.kill,
    ),
    environment: process.env,
    options: {},
    confirm: async () => true,
    appliedBy: order.appliedBy ?? "test@desk",
    settleMs: 0,
    lockTimeoutMs: order.lockTimeoutMs ?? 10_000,
    lockLifeMs: order.lockLifeMs,
    allowRemovals: 1_000,
    onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  });
  process.exitCode = report.status === "done" || report.status === "converged" ? 0 : 1;
}

/** Has the process end where a file that is written beside its place would get it. */
function dieAtPlacing(nth: number): void {
  let count = 0;
  const watch = <Call extends (from: string, ...rest: never[]) => unknown>(call: Call): Call =>
    ((from: string, ...rest: never[]) => {
      if (/\/\.[^/]+\.tmp$/.test(from)) count += 1;
      if (count === nth) process.kill(process.pid, "SIGKILL");
      return call(from, ...rest);
    }) as Call;
  Object.assign(fs, { renameSync: watch(fs.renameSync as (from: string) => void) });
  const { rename, link } = fs.promises as unknown as Record<
    "rename" | "link",
    (from: string) => unknown
  >;
  Object.assign(fs.promises, { rename: watch(rename), link: watch(link) });
  syncBuiltinESMExports();
}

/** A way to hosts on which the nth writing call is the last thing that this process does. */
function deadly(connector: Connector, kill: ApplyOrder["kill"]): Connector {
  let count = 0;
  const die = (phase: "before" | "after", nth: number): void => {
    if (kill?.nth === nth && kill.phase === phase) process.kill(process.pid, "SIGKILL");
  };
  const watch = <T extends Host | Engine>(target: T): T =>
    new Proxy(target, {
      get(object, key) {
        const member = Reflect.get(object, key) as unknown;
        if (typeof member !== "function") return member;
        const call = member.bind(object) as (...args: unknown[]) => unknown;
        if (typeof key !== "string" || READS.has(key)) return call;
        return async (...args: unknown[]) => {
          count += 1;
          const nth = count;
          die("before", nth);
          const result = await call(...args);
          die("after", nth);
          return result;
        };
      },
    });
  return {
    read: connector.read,
    open: async (...args) => {
      const opened = await connector.open(...args);
      const dispose = async () => await opened[Symbol.asyncDispose]();
      return {
        host: watch(opened.host),
        engine: watch(opened.engine),
        engineAt: async (config) => watch(await opened.engineAt(config)),
        [Symbol.asyncDispose]: dispose,
      };
    },
  };
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
