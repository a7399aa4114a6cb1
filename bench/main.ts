import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureBuild } from "../scripts/lib/ensure-build.ts";
import { PROJECT_ROOT } from "../scripts/lib/project-root.ts";
import { runMain } from "../scripts/lib/run-main.ts";
import { ansiblePods } from "./benchmarks/ansible-pods.ts";
import { applyPods } from "./benchmarks/apply-pods.ts";
import { bridgePods } from "./benchmarks/bridge-pods.ts";
import { composePods } from "./benchmarks/compose-pods.ts";
import { movePods } from "./benchmarks/move-pods.ts";
import { networkPods } from "./benchmarks/network-pods.ts";
import { noopPlan } from "./benchmarks/noop-plan.ts";
import { planLatency } from "./benchmarks/plan-latency.ts";
import { planSim } from "./benchmarks/plan-sim.ts";
import { podmanPods } from "./benchmarks/podman-pods.ts";
import { pull } from "./benchmarks/pull.ts";
import { rktPods } from "./benchmarks/rkt-pods.ts";
import { sshPlan } from "./benchmarks/ssh-plan.ts";
import { watchPods } from "./benchmarks/watch-pods.ts";
import { runBenchmarks } from "./lib/run-benchmarks.ts";

const RESULTS = join(import.meta.dirname, "results/latest.json");
const USAGE = `Usage: npm run bench -- [--only NAME]... [--pairs N] [--check] [--quick]

  --only NAME   only this benchmark; may be given several times
  --pairs N     times that each pair is measured (default 5)
  --check       exit code 1 when a bound is broken, or could not be measured
  --quick       a tenth of the pods, to see whether it works; bounds are not judged
  --list        names what there is
`;

const BENCHMARKS = [
  noopPlan,
  applyPods,
  planSim,
  podmanPods,
  rktPods,
  movePods,
  pull,
  watchPods,
  networkPods,
  bridgePods,
  composePods,
  sshPlan,
  ansiblePods,
  planLatency,
];

// certificates of the machine's own, which every Node would read at its start
delete process.env["NODE_EXTRA_CA_CERTS"];
await runMain(() => main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: "string", multiple: true },
      pairs: { type: "string", default: "5" },
      check: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.list) {
    for (const { name, title } of BENCHMARKS) console.log(`${name.padEnd(14)} ${title}`);
    return 0;
  }
  const unknown = values.only?.filter((name) => BENCHMARKS.every((each) => each.name !== name));
  if (unknown !== undefined && unknown.length > 0) {
    console.error(`Cannot run benchmark "${unknown.join(", ")}": there is none; see --list`);
    return 1;
  }
  const chosen = BENCHMARKS.filter(({ name }) => values.only?.includes(name) ?? true);
  await ensureBuild(PROJECT_ROOT, () => console.log("Building Stowage …"));
  const pairs = Math.max(1, Math.trunc(Number(values.pairs)) || 1);
  const run = await runBenchmarks(chosen, { pairs, divisor: values.quick ? 10 : 1 });
  mkdirSync(join(RESULTS, ".."), { recursive: true });
  writeFileSync(RESULTS, `${JSON.stringify(run.report, undefined, 2)}\n`);
  console.log(`Written to ${RESULTS}`);
  return run.hasFailed || (values.check && !run.isHeld) ? 1 : 0;
}
