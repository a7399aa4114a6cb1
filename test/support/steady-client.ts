import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkMachine } from "./network-machine.ts";

/** What a client saw. */
export interface ClientReport {
  /** Requests by where they went: `replicas` to one of several, `door` to one port. */
  readonly asked: Readonly<Record<"replicas" | "door", number>>;
  readonly failed: readonly string[];
  /** Pages of the door, in the order in which they came first. */
  readonly pages: readonly string[];
}

/**
 * Asks 20 times a second, without ever trying again: the replicas in turn, but for those that are marked as
 * draining, and one port of the host. It says in files that it has left a replica that is marked (`left-PORT`), and
 * a page that it does not get any more (`left-PAGE`), so that whoever drains need not guess how long that takes.
 */
export class SteadyClient implements AsyncDisposable {
  readonly #folder: string;
  readonly #child: ChildProcess;

  constructor(machine: NetworkMachine, folder: string, replicas: readonly number[], door: number) {
    this.#folder = folder;
    const program = join(folder, "client.cjs");
    writeFileSync(program, CLIENT);
    const args = [process.execPath, program, folder, replicas.join(","), String(door)];
    const [command, ...rest] = machine.inside(args);
    this.#child = spawn(command, rest, { stdio: ["pipe", "ignore", "inherit"] });
  }

  /** Ends it, and tells what it saw. */
  async end(): Promise<ClientReport> {
    const gone = once(this.#child, "exit");
    this.#child.stdin?.end();
    await gone;
    return JSON.parse(readFileSync(join(this.#folder, "report.json"), "utf8")) as ClientReport;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}

const CLIENT = `
const http = require("node:http"), fs = require("node:fs"), path = require("node:path");
const [folder, list, door] = process.argv.slice(2);
const asked = { replicas: 0, door: 0 }, failed = [], pages = [];
const replicas = list.split(",").map((port) => ({ port, away: true, open: 0 }));
const note = (name) => fs.writeFileSync(path.join(folder, "left-" + name), "");
const forget = (name) => fs.rmSync(path.join(folder, "left-" + name), { force: true });
const get = (port, file, timeout) => new Promise((resolve) => {
  const request = http.get({ port, path: file, host: "127.0.0.1", agent: false, timeout }, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (part) => { text += part; });
    answer.on("end", () => resolve({ status: answer.statusCode, text: text.trim() }));
    answer.on("error", (error) => resolve({ status: 0, text: error.message }));
  });
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", (error) => resolve({ status: 0, text: error.message }));
});
// one that was begun as its replica went is answered by nobody: it must not keep the next from being seen
async function watch(replica) {
  for (;;) {
    const { status } = await get(replica.port, "/draining", 1000);
    if (status === 404 && replica.away) { forget(replica.port); replica.away = false; }
    // the last one is asked until another is back, as it goes on serving until it was left
    if (status === 200 && replicas.some((each) => each !== replica && !each.away)) replica.away = true;
    if (replica.away && status === 200 && replica.open === 0) note(replica.port);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
let turn = 0;
async function askReplica() {
  const ready = replicas.filter(({ away }) => !away);
  if (ready.length === 0) { failed.push("every replica is draining"); return; }
  const replica = ready[turn++ % ready.length];
  replica.open += 1; asked.replicas += 1;
  const { status, text } = await get(replica.port, "/", 30000);
  replica.open -= 1;
  if (status !== 200) failed.push("replica " + replica.port + ": " + status + " " + text);
}
const open = new Set();
let next = 0;
async function askDoor() {
  const own = next++;
  open.add(own); asked.door += 1;
  const { status, text } = await get(door, "/", 30000);
  open.delete(own);
  if (status !== 200) { failed.push("door: " + status + " " + text); return; }
  const before = pages.at(-1);
  if (!pages.includes(text)) pages.push(text);
  if (before === undefined || before === text || pages.at(-1) !== text) return;
  const older = [...open];
  const check = setInterval(() => {
    if (older.some((each) => open.has(each))) return;
    clearInterval(check); note(before);
  }, 20);
}
for (const replica of replicas) watch(replica);
const begin = setInterval(() => {
  if (replicas.some(({ away }) => away)) return;
  clearInterval(begin);
  fs.writeFileSync(path.join(folder, "begun"), "");
  const ticks = setInterval(() => { askReplica(); askDoor(); }, 50);
  process.stdin.resume().on("end", async () => {
    clearInterval(ticks);
    while (open.size > 0 || replicas.some((each) => each.open > 0)) await new Promise((resolve) => setTimeout(resolve, 20));
    fs.writeFileSync(path.join(folder, "report.json"), JSON.stringify({ asked, failed, pages }));
    process.exit(0);
  });
}, 20);
`;
