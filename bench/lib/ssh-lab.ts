import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { busyboxImage } from "../../scripts/lib/make-image.ts";
import type { FleetManifest, HostSpec, PodSpec } from "../../src/model/index.ts";
import { startContainerd, startSshd } from "../../test/hosts/services.ts";
import type { TestHost } from "../../test/hosts/test-host.ts";
import { TestHosts } from "../../test/hosts/test-hosts.ts";
import { COMMAND, STOP_SIGNAL } from "./bench-fleet.ts";

/** Hosts on this machine that are reached over SSH, with a fleet for them. */
export interface SshLab extends AsyncDisposable {
  readonly hosts: readonly TestHost[];
  readonly dir: string;
  /** ssh's configuration, by which each host is reached by its address. */
  readonly config: string;
  /** Writes the manifest of a fleet of these hosts, and returns its path. */
  writeFleet(name: string, options: { readonly pods: number; readonly only?: number }): string;
}

/** How the hosts are made. */
export interface SshLabOptions {
  readonly hosts: number;
  /** Of the host at a place. @defaultValue containerd and podman in turns */
  readonly engine?: (at: number) => HostSpec["engine"];
}

/** Makes and boots hosts, each with sshd and the engine that it needs. */
export async function openSshLab({
  hosts: count,
  engine = (at) => ({ kind: at % 2 === 0 ? "containerd" : "podman" }),
}: SshLabOptions): Promise<SshLab> {
  const made = await TestHosts.make();
  try {
    const names = Array.from({ length: count }, (_, at) => `host-${at}`);
    const hosts = await Promise.all(names.map((name) => made.add(name)));
    for (const host of hosts) await startSshd(host, made.keys);
    const daemons = hosts.filter((_, at) => engine(at).kind === "containerd");
    await Promise.all(daemons.map(startContainerd));
    const layout = join(made.folder, "image");
    const image = busyboxImage({ out: layout, reference: "localhost/bench:1" });
    const reference = `localhost/bench:1@${image.digest}`;
    const pod: PodSpec = {
      containers: {
        main: { image: reference, command: [...COMMAND], stopSignal: STOP_SIGNAL },
      },
    };
    return {
      hosts,
      dir: made.folder,
      config: made.keys.config,
      writeFleet: (name, { pods, only }) => {
        const all = Array.from({ length: pods }, (_, nth) => [`pod-${nth}`, pod] as const);
        const manifest: FleetManifest = {
          version: "stowage/v1",
          name,
          id: "stowage-bench",
          images: { [reference]: { layout, digest: image.digest } },
          hosts: Object.fromEntries(
            hosts.flatMap((host, at) =>
              only !== undefined && only !== at
                ? []
                : [
                    [
                      host.name,
                      {
                        address: `ssh://root@${host.address}`,
                        engine: engine(at),
                        pods: Object.fromEntries(all),
                      },
                    ],
                  ],
            ),
          ),
        };
        const path = join(made.folder, `${name}.json`);
        writeFileSync(path, JSON.stringify(manifest));
        return path;
      },
      [Symbol.asyncDispose]: async () => await made[Symbol.asyncDispose](),
    };
  } catch (error) {
    await made[Symbol.asyncDispose]();
    throw error;
  }
}

/** A configuration of ssh's that keeps connections, as users have it; they are opened by whoever comes first. */
export function keptConnections({ dir, config }: SshLab): string {
  const folder = join(dir, "kept");
  mkdirSync(folder, { mode: 0o700 });
  const file = join(folder, "config");
  writeFileSync(file, `Host *\n  ControlPath ${folder}/%C\n  ControlMaster no\n`);
  appendFileSync(file, `Include ${config}\n`);
  return file;
}

/** Logins that a host's sshd has let in so far: one is one TCP connection. */
export async function loginsOf(host: TestHost): Promise<number> {
  return Number(await host.sh("grep -c 'Accepted publickey' /var/log/sshd.log || :"));
}
