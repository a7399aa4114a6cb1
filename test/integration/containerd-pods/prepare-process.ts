import type { PodInstance } from "../../../src/engine/index.ts";
import { openContainerd } from "../../../src/engines/containerd/index.ts";
import { openLocalHost } from "../../../src/host/index.ts";
import type { HostDirectories } from "../../../src/model/index.ts";

/** What {@link main} is told, as JSON in its one argument. */
export interface PrepareOrder {
  readonly socket: string;
  readonly namespace: string;
  readonly directories: HostDirectories;
  readonly pod: PodInstance;
}

/** Prepares one pod in a process of its own, to be killed from outside; prints `ready`, then `done`. */
async function main(): Promise<void> {
  const { socket, namespace, directories, pod } = JSON.parse(process.argv[2] ?? "") as PrepareOrder;
  const config = { kind: "containerd", socket, namespace } as const;
  await using engine = await openContainerd(config, openLocalHost(), directories);
  await engine.info();
  process.stdout.write("ready\n");
  await engine.prepare(pod);
  process.stdout.write("done\n");
}

main().catch((error: unknown) => {
  process.stderr.write(`${error}\n`);
  process.exitCode = 1;
});
