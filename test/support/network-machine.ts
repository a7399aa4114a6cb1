import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Host } from "../../src/host/index.ts";

const run = promisify(execFile);
const NET = "--net=";

/**
 * A network namespace that stands for the host's own: bridges, rules and ports that a test makes are in
 * it, and are gone with it, whatever became of the test.
 */
export class NetworkMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), "stw-net-"));
  readonly #file = join(this.#folder, "machine");
  readonly #others: string[] = [];

  constructor() {
    makeNamespace(this.#file);
  }

  /** A host whose programs run in this namespace. */
  host(host: Host): Host {
    const inside = (command: readonly string[]) => [
      "nsenter",
      `${NET}${this.#file}`,
      "--",
      ...command,
    ];
    return new Proxy(host, {
      get: (target, key) => {
        if (key === "run") {
          const wrapped: Host["run"] = (command, options) => target.run(inside(command), options);
          return wrapped;
        }
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** A command line that runs a program there. */
  command(...words: readonly string[]): readonly [string, ...string[]] {
    return ["nsenter", `${NET}${this.#file}`, "--", ...words];
  }

  /** Runs a program there. @returns its stdout */
  sh(script: string): string {
    return execFileSync("nsenter", [`${NET}${this.#file}`, "--", "sh", "-ec", script], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Runs a program there, whatever it comes to. */
  spawn(command: readonly string[]) {
    return spawnSync("nsenter", [`${NET}${this.#file}`, "--", ...command], { encoding: "utf8" });
  }

  /** The page that answers at an address; undefined when none does. */
  async page(url: string, from: string = this.#file): Promise<string | undefined> {
    const source = `require("node:http").get("${url}", { timeout: 1500 }, (r) => {
  r.setEncoding("utf8").on("data", (text) => process.stdout.write(text));
  if (r.statusCode !== 200) process.exitCode = 1;
}).on("timeout", () => process.exit(1)).on("error", () => process.exit(1));`;
    return await this.#ask(from, process.execPath, "-e", source);
  }

  /** What comes back from a UDP port; undefined when nothing does. */
  async datagram(host: string, port: number): Promise<string | undefined> {
    const source = `const s = require("node:dgram").createSocket("udp4");
s.on("message", (m) => { process.stdout.write(String(m)); process.exit(0); });
s.on("error", () => process.exit(1));
s.send("ping", ${port}, "${host}");
setTimeout(() => process.exit(1), 1000);`;
    return await this.#ask(this.#file, process.execPath, "-e", source);
  }

  /** Another machine beside it, with a way to it: what answers there comes over the wire. */
  neighbour(): { readonly file: string; readonly gateway: string } {
    const file = join(this.#folder, `neighbour-${this.#others.length}`);
    const name = `far${this.#others.length}`;
    makeNamespace(file);
    this.#others.push(file);
    execFileSync("nsenter", [
      `${NET}${this.#file}`,
      "--",
      "sh",
      "-ec",
      `
ip link add ${name} type veth peer name eth0 netns ${file}
ip addr add 203.0.113.1/24 dev ${name}
ip link set ${name} up
nsenter ${NET}${file} sh -ec 'ip addr add 203.0.113.2/24 dev eth0; ip link set eth0 up; ip route add default via 203.0.113.1'`,
    ]);
    return { file, gateway: "203.0.113.1" };
  }

  /** Everything of networks that is there: interfaces, addresses and rules. */
  traces(): readonly string[] {
    const links = this.sh("ip -o link show")
      .split("\n")
      .flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []);
    const rules = this.sh("iptables-save")
      .split("\n")
      .filter((line) => line.includes("stw-"));
    return [...links.filter((name) => name !== "lo"), ...rules];
  }

  close(): void {
    for (const file of [...this.#others, this.#file]) execFileSync("umount", [file]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask(from: string, ...command: readonly string[]): Promise<string | undefined> {
    try {
      const { stdout } = await run("nsenter", [`${NET}${from}`, "--", ...command]);
      return stdout;
    } catch {
      return undefined;
    }
  }
}

function makeNamespace(file: string): void {
  writeFileSync(file, "");
  execFileSync("unshare", [`${NET}${file}`, "ip", "link", "set", "lo", "up"]);
}
