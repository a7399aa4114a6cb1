import { join } from "node:path";
import { type FakeCli, simManifest } from "./cli-context.ts";

const HOSTS = ["a", "b", "c"];

/** Declares a service `web` of three pods, one at a time after its canary; on hosts of their own. */
export function writeService(
  cli: FakeCli,
  log: string,
  policy: object | null = {},
  more: object = {},
): string {
  const { hosts, ...fleet } = simManifest(cli.directory, { env: { LOG: log } });
  // null: it says none
  const rollout = { canary: 1, maxUnavailable: 1, ...policy };
  const service = { service: "web", ...(policy === null ? {} : { rollout }) };
  const made = HOSTS.map((name) => [
    name,
    {
      address: "local",
      engine: { kind: "sim", file: join(cli.directory, `${name}.json`) },
      pods: { web: { ...hosts.here.pods.web, ...service }, ...more },
    },
  ]);
  return cli.write("fleet.json", { ...fleet, hosts: Object.fromEntries(made) });
}
