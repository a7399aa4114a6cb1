import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { INIT, JOIN, LEAVE } from "./host-scripts.ts";
import { Link } from "./link.ts";
import { ended, run, startUntilInputEnds } from "./run.ts";

/** Where a host stands among others. */
export interface HostPlace {
  /** What it calls itself. */
  readonly name: string;
  /** Name of its cgroups, and of the machine's end of its wire. */
  readonly mark: string;
  readonly bridge: string;
  readonly address: string;
  readonly gateway: string;
  /** Process whose mount namespace has its disk. */
  readonly keeper: number;
  /** Folder of its disk, there. */
  readonly disk: string;
  /** Bytes of its disk, as mount(8) writes them. */
  readonly diskSize: string;
}

/** A Linux machine of its own as far as programs can tell, but for the kernel. */
export class TestHost {
  readonly link: Link;
  readonly #place: HostPlace;
  #wrapper: ChildProcess | undefined;
  #first = 0;

  constructor(place: HostPlace) {
    this.#place = place;
    this.link = new Link(place.mark, place.address, (script) => this.sh(script));
  }

  get name(): string {
    return this.#place.name;
  }

  get address(): string {
    return this.#place.address;
  }

  /** Its first process, as the machine numbers it. */
  get pid(): number {
    return this.#first;
  }

  /** Boots it, with the disk that it had. */
  async start(): Promise<void> {
    const { keeper, disk, diskSize, mark, name, bridge, address, gateway } = this.#place;
    const inKeeper = ["-t", String(keeper), "-m", "--", "sh", "-ec"];
    await run("nsenter", [
      ...inKeeper,
      `mountpoint -q ${disk} || { mkdir -p ${disk}; mount -t tmpfs -o mode=755,size=${diskSize} tmpfs ${disk}; }`,
    ]);
    const namespaces = ["-n", "-m", "-p", "-f", "-u", "-i", "-C", "--kill-child"];
    this.#wrapper = await startUntilInputEnds("nsenter", [
      ...["-t", String(keeper), "-m", "--", "sh", "-c", JOIN, "sh", mark],
      ...["unshare", ...namespaces, "--propagation", "private"],
      ...["sh", "-c", INIT, "sh", disk, name, randomUUID()],
    ]);
    this.#first = childOf(this.#wrapper.pid ?? 0);
    await run("ip", [
      ...["link", "add", mark, "type", "veth"],
      // a machine keeps it over reboots: others remember it
      ...[
        "peer",
        "name",
        "eth0",
        "address",
        hardwareAddress(address),
        "netns",
        String(this.#first),
      ],
    ]);
    await run("ip", ["link", "set", mark, "master", bridge, "up"]);
    await this.sh(`ip address add ${address}/24 dev eth0
ip link set eth0 up
ip route add default via ${gateway}`);
    await this.link.untilItAnswers();
  }

  /** Runs a script of the shell in it. @returns its stdout; a failure is an error with its stderr */
  async sh(script: string): Promise<string> {
    return await run("sh", [
      ...["-c", JOIN, "sh", this.#place.mark],
      ...["nsenter", "-t", String(this.#first), "-a", "--", "sh", "-ec", script],
    ]);
  }

  /** Takes its power away: its peers are told nothing. */
  async cutPower(): Promise<void> {
    if (this.#wrapper === undefined) return;
    await this.link.cut();
    process.kill(this.#first, "SIGKILL");
    await ended(this.#wrapper);
    this.#wrapper = undefined;
    // the kernel takes its processes and its wire away a moment later
    await run("ip", ["link", "delete", this.#place.mark]).catch(() => undefined);
    for (let tries = 0; tries < 50; tries += 1) {
      try {
        await run("sh", ["-c", LEAVE, "sh", this.#place.mark]);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    throw new Error(`Cannot remove the cgroups of host "${this.name}": something is still in them`);
  }

  /** Power off, power on: what was on its disk is there, and nothing runs. */
  async reboot(): Promise<void> {
    await this.cutPower();
    await this.start();
  }
}

function childOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  const [first] = children.filter(
    (child) => readFileSync(`/proc/${child}/comm`, "utf8").trim() === "perl",
  );
  if (first === undefined) throw new Error(`Cannot find the first process of a host below ${pid}`);
  return Number(first);
}

/** An address of the kind that anyone may give (its second bit says so), with that of the host in it. */
function hardwareAddress(address: string): string {
  const octets = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return ["02", "00", ...octets].join(":");
}
