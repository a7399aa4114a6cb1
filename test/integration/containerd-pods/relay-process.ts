import { ExecRelay } from "../../../src/engines/containerd/pods/exec-streams.ts";
import { openLocalHost } from "../../../src/host/index.ts";

/** Makes the pipes of a command in a folder, says so, and is to be killed from outside. */
async function main(): Promise<void> {
  const streams = { stdout: () => {}, stderr: () => {} };
  await new ExecRelay(openLocalHost(), process.argv[2] ?? "", streams).open();
  process.stdout.write("open\n");
  setInterval(() => {}, 1_000);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error}\n`);
  process.exitCode = 1;
});
