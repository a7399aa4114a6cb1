import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOnPath } from "../../src/internal/index.ts";
import { type Bridge, makeBridge, removeBridge } from "./bridge.ts";
import { KEEPER } from "./host-scripts.ts";
import { ended, startUntilInputEnds } from "./run.ts";
import { SshKeys } from "./ssh-keys.ts";
import { TestHost } from "./test-host.ts";

/** How hosts are made. */
export interface TestHostOptions {
  /** Of each one's disk. @defaultValue 1g */
  readonly diskSize?: string;
}

/**
 * Hosts on this machine, on a network of their own with it.
 *
 * Whatever becomes of this process they end with it; a bridge without ports, empty cgroups and a
 * folder of keys may be left then, and go with the next run.
 */
export class TestHosts implements AsyncDisposable {
  readonly folder: string;
  readonly keys: SshKeys;
  readonly #bridge: Bridge;
  readonly #keeper: Awaited<ReturnType<typeof startUntilInputEnds>>;
  readonly #hosts: TestHost[] = [];

  private constructor(
    folder: string,
    keys: SshKeys,
    bridge: Bridge,
    keeper: Awaited<ReturnType<typeof startUntilInputEnds>>,
  ) {
    this.folder = folder;
    this.keys = keys;
    this.#bridge = bridge;
    this.#keeper = keeper;
  }

  static async make(): Promise<TestHosts> {
    const folder = mkdtempSync(join(tmpdir(), "stw-hosts-"));
    const keys = await SshKeys.make(join(folder, "ssh"));
    const bridge = await makeBridge(folder);
    const keeper = await startUntilInputEnds("unshare", [
      ...["-m", "--propagation", "private", "sh", "-c", KEEPER],
    ]);
    return new TestHosts(folder, keys, bridge, keeper);
  }

  /** Makes and boots a host; nothing runs on it yet. */
  async add(name: string, { diskSize = "1g" }: TestHostOptions = {}): Promise<TestHost> {
    const number = this.#hosts.length + 10;
    const host = new TestHost({
      name,
      mark: `${this.#bridge.name}-${number}`,
      bridge: this.#bridge.name,
      address: `${this.#bridge.network}.${number}`,
      gateway: `${this.#bridge.network}.1`,
      keeper: this.#keeper.pid ?? 0,
      disk: join(this.folder, "disks", String(number)),
      diskSize,
    });
    this.#hosts.push(host);
    await host.start();
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const errors = (await Promise.allSettled(this.#hosts.map((host) => host.cutPower()))).flatMap(
      (each) => (each.status === "rejected" ? [each.reason] : []),
    );
    this.#keeper.stdin?.end();
    await ended(this.#keeper);
    await removeBridge(this.#bridge.name);
    rmSync(this.folder, { recursive: true, force: true });
    if (errors.length > 0) throw new AggregateError(errors, "Cannot remove all test hosts");
  }
}

/** Why there can be no test hosts on this machine; undefined when there can. */
export function whyNoTestHosts(): string | undefined {
  if (process.platform !== "linux") return "test hosts need Linux";
  if (process.getuid?.() !== 0) return "test hosts need root";
  const needed = ["ip", "tc", "iptables", "unshare", "nsenter", "perl", "ssh", "ssh-keygen"];
  const missing = [...needed, "sshd", "sudo"].filter((name) => findOnPath(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(" and ")} not found on PATH`;
}
