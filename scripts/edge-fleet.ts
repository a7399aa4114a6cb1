import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { StowageError } from "../src/errors/index.ts";
import { startContainerd, startSshd } from "../test/hosts/services.ts";
import type { TestHost } from "../test/hosts/test-host.ts";
import { TestHosts, whyNoTestHosts } from "../test/hosts/test-hosts.ts";
import { ensureBuild } from "./lib/ensure-build.ts";
import { PROJECT_ROOT } from "./lib/project-root.ts";
import { makeHelloImage } from "./lib/quickstart/hello-image.ts";
import { Stage } from "./lib/quickstart/stage.ts";
import { runMain } from "./lib/run-main.ts";

const USAGE = `Usage: npm run edge-fleet [-- --hosts N] [-- --stay]

Makes hosts on this machine and applies examples/edge-fleet to them over SSH. Needs root.

  --hosts N  so many (default 4)
  --stay     leaves them up until Ctrl-C
`;
const EXAMPLE = join(PROJECT_ROOT, "examples/edge-fleet");
const MAIN = join(PROJECT_ROOT, "dist/cli/main.cjs");
const HOSTS_MAX = 50;

await runMain(() => main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      hosts: { type: "string", default: "4" },
      stay: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  const count = countOf(values.hosts);
  const reason = whyNoTestHosts();
  if (reason !== undefined) throw refused(reason);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  await ensureBuild(PROJECT_ROOT, () => console.log("Building Stowage …"));
  makeHelloImage();
  console.log(`Making ${count} hosts …`);
  await using hosts = await TestHosts.make();
  const all = await makeHosts(hosts, count);
  const env = {
    EDGE_HOSTS: all.map(({ name, address }) => `${name}=root@${address}`).join(" "),
    STOWAGE_SSH_CONFIG: hosts.keys.config,
  };
  try {
    await tell(new Stage({ main: MAIN, env, signal: stop.signal, folder: EXAMPLE }), all);
    if (values.stay === true) await stay(env, stop.signal);
    return 0;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return 130;
  }
}

async function makeHosts(hosts: TestHosts, count: number): Promise<readonly TestHost[]> {
  const names = Array.from({ length: count }, (_, nth) => `edge-${nth + 1}`);
  const all = await Promise.all(names.map((name) => hosts.add(name)));
  for (const host of all) await startSshd(host, hosts.keys);
  await Promise.all(all.filter((_, nth) => nth % 2 === 0).map(startContainerd));
  return all;
}

async function tell(stage: Stage, all: readonly TestHost[]): Promise<void> {
  const [first, second = first] = all as [TestHost, TestHost?];
  stage.say("What would be done. Nothing is touched: a plan has no way to write.");
  await stage.stowage(["plan"], [2]);
  stage.say("Do it: every host over one connection, images with it.");
  await stage.stowage(["apply", "--yes"]);
  await stage.stowage(["ps"]);
  await readPage(stage, second);
  stage.say("Nothing is left to do.");
  await stage.stowage(["plan"]);
  stage.say(`A new release, while somebody pulls the plug of ${second.name}.`);
  await second.link.cut();
  const changed = stage.with({ EDGE_RELEASE: "2" });
  await changed.stowage(["apply", "--yes"], [1]);
  stage.say(`${second.name} is back. What is done is not done twice.`);
  await second.link.mend();
  await changed.stowage(["apply", "--yes"]);
  await changed.stowage(["plan"]);
}

async function readPage(stage: Stage, { name, address }: TestHost): Promise<void> {
  stage.say(`What ${name} serves.`);
  const page = await fetch(`http://${address}:8080/`);
  console.log((await page.text()).trim());
}

async function stay(env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
  const words = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
  console.log(`
To go on by hand, in another terminal:

  cd ${EXAMPLE} && export ${words.join(" ")}
  node ${MAIN} ps

Ctrl-C here ends the hosts.`);
  // a timer keeps the process; nothing else would
  const timer = setInterval(() => {}, 60_000);
  if (!signal.aborted) await once(signal, "abort");
  clearInterval(timer);
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= HOSTS_MAX) return count;
  throw refused(`--hosts ${text} is no number from 1 to ${HOSTS_MAX}`);
}

function refused(reason: string): StowageError {
  return new StowageError(`Cannot make the hosts of the example: ${reason}`, {
    code: "failed_precondition",
  });
}
