import { rmSync } from "node:fs";
import { processMark } from "../../scripts/lib/process-table.ts";
import { LEAVE } from "./host-scripts.ts";
import { run } from "./run.ts";

/** Names of everything that test hosts have on the machine; a crashed run's are found by it. */
const PREFIX = "stwh";

const BRIDGE = /^stwh\d+$/;
const FOLDER = /\/stw-hosts-\w+$/;

/** Networks 10.213.N.0/24: enough for as many test files at once. */
const NETWORKS = 250;

/** A bridge of the machine that hosts hang on, and the machine's own address on it. */
export interface Bridge {
  readonly name: string;
  /** The first three parts of the addresses of its hosts. */
  readonly network: string;
}

interface Link {
  readonly ifname: string;
  readonly ifalias?: string;
}

/** Makes a bridge of this process, on a network that no other has. @param folder goes with it after a crash */
export async function makeBridge(folder: string): Promise<Bridge> {
  await removeLeftovers();
  for (let number = 1; number <= NETWORKS; number += 1) {
    const name = `${PREFIX}${number}`;
    const network = `10.213.${number}`;
    try {
      // whoever comes second fails
      await run("ip", ["link", "add", "name", name, "type", "bridge"]);
    } catch (error) {
      if (/File exists/.test(String((error as { stderr?: string }).stderr))) continue;
      throw error;
    }
    await run("ip", ["link", "set", name, "alias", `${processMark(process.pid)} ${folder}`]);
    await run("ip", ["address", "add", `${network}.1/24`, "dev", name]);
    await run("ip", ["link", "set", name, "up"]);
    return { name, network };
  }
  throw new Error("Cannot make a bridge for test hosts: all networks are taken");
}

/** Removes a bridge and what hosts on it left; they have ended. */
export async function removeBridge(name: string): Promise<void> {
  await run("sh", [
    "-c",
    `for d in /sys/fs/cgroup/${name}-* /sys/fs/cgroup/*/${name}-*; do
  [ ! -d "$d" ] || basename "$d"; done | sort -u | while read n; do sh -c '${LEAVE}' sh "$n"; done`,
  ]);
  await run("ip", ["link", "delete", name]).catch((error: unknown) => {
    if (!/Cannot find device/.test(String((error as { stderr?: string }).stderr))) throw error;
  });
}

/** Removes what runs that were killed left: their hosts ended with them. */
async function removeLeftovers(): Promise<void> {
  const links = JSON.parse(await run("ip", ["-json", "link", "show", "type", "bridge"])) as Link[];
  for (const { ifname, ifalias = "" } of links) {
    const [mark = "", folder = ""] = ifalias.split(" ");
    if (!BRIDGE.test(ifname) || isAlive(mark)) continue;
    // somebody else may be at it
    await removeBridge(ifname).catch(() => undefined);
    if (FOLDER.test(folder)) rmSync(folder, { recursive: true, force: true });
  }
}

/** One whose owner is not told is being made. */
function isAlive(mark: string): boolean {
  return mark === "" || processMark(Number(mark.split(":")[0])) === mark;
}
