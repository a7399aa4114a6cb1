import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { constants, homedir } from "node:os";
import { join } from "node:path";
import {
  throughEngine,
  unpackEngine,
  whyNoOtherVersions,
} from "../../scripts/lib/engine-matrix/engine-files.ts";
import { COMMAND, STOP_SIGNAL } from "./bench-fleet.ts";
import type { SshLab } from "./ssh-lab.ts";
import { timeCommand } from "./time-command.ts";

/** Debian's package has the collection for podman in it. */
const ANSIBLE = {
  name: "ansible-trixie",
  program: "ansible-playbook",
  suite: "trixie",
  packages: ["ansible"],
  tests: [],
};
/** Python that Ansible's modules run on, on the hosts: theirs is the machine's. */
const PYTHON = "/usr/bin/python3";
const IMAGE = "localhost/bench-ansible:1";

/** Ansible with a playbook for the hosts of a {@link SshLab}; disposing ends its connections. */
export interface AnsibleLab extends AsyncDisposable {
  /** `ansible-playbook`, with such words as well; returns the milliseconds that it took. */
  playbook(...words: readonly string[]): Promise<number>;
  /** Ends the connections that it keeps. */
  disconnect(): Promise<void>;
}

/** How {@link openAnsibleLab} makes its playbook. */
export interface AnsibleOptions {
  readonly pods: number;
  readonly signal: AbortSignal;
}

/** Why there can be none here; undefined when there can. */
export function whyNoAnsibleLab(): string | undefined {
  const reason = whyNoOtherVersions();
  if (reason !== undefined) return reason;
  return existsSync(PYTHON) ? undefined : `Ansible's modules need ${PYTHON}`;
}

/**
 * Unpacks Debian's Ansible, once, beside the system, and writes a playbook of the pods that
 * {@link SshLab.writeFleet} has. The hosts have the image, and nothing else of it.
 */
export async function openAnsibleLab(lab: SshLab, options: AnsibleOptions): Promise<AnsibleLab> {
  const { pods, signal } = options;
  const cache =
    process.env["STOWAGE_MATRIX_DIR"] ?? join(homedir(), ".cache", "stowage", "engines");
  mkdirSync(cache, { recursive: true });
  const folder = await unpackEngine(ANSIBLE, cache);
  const dir = join(lab.dir, "ansible");
  mkdirSync(dir, { mode: 0o700 });
  writeFileSync(join(dir, "ansible.cfg"), configuration(lab, dir));
  writeFileSync(join(dir, "hosts.ini"), inventory(lab));
  writeFileSync(join(dir, "pods.json"), JSON.stringify(playbookOf(pods)));
  await Promise.all(
    lab.hosts.map((host) =>
      host.sh(`podman tag "$(podman images --quiet --no-trunc | head -n1)" ${IMAGE}`),
    ),
  );
  // what it says of a failure, it says on stdout
  const loud = ["sh", "-c", 'exec "$@" >&2', "sh", "ansible-playbook", "pods.json"];
  const [program = "", ...words] = [...throughEngine(folder), ...loud];
  const env = {
    ANSIBLE_CONFIG: join(dir, "ansible.cfg"),
    // an installed one has its byte code beside it
    PYTHONPYCACHEPREFIX: join(dir, "byte-code"),
    LC_ALL: "C.UTF-8",
  };
  return {
    playbook: async (...more) =>
      await timeCommand(program, [...words, ...more], { cwd: dir, env, signal }),
    disconnect: async () => await disconnectAll(lab, dir),
    [Symbol.asyncDispose]: async () => await disconnectAll(lab, dir),
  };
}

/** As its users have it when they want it to be fast; connections are kept as it does by itself. */
function configuration({ hosts, config }: SshLab, dir: string): string {
  return `[defaults]
inventory = ${dir}/hosts.ini
remote_user = root
forks = ${hosts.length}
gathering = explicit
interpreter_python = ${PYTHON}
home = ${dir}/home
local_tmp = ${dir}/home/tmp
retry_files_enabled = False

[ssh_connection]
pipelining = True
control_path_dir = ${dir}/cp
ssh_common_args = -F ${config}
`;
}

function inventory({ hosts }: SshLab): string {
  return hosts.map(({ name, address }) => `${name} ansible_host=${address}\n`).join("");
}

/** One task for all pods of a host: one of its own each would cost more. */
function playbookOf(pods: number): unknown {
  return [
    {
      hosts: "all",
      gather_facts: false,
      strategy: "free",
      tasks: [
        {
          name: "pods",
          "containers.podman.podman_container": {
            name: "ansible-{{ item }}",
            image: IMAGE,
            pull: "never",
            state: "started",
            command: COMMAND,
            hostname: "pod-{{ item }}",
            network: "none",
            log_driver: "k8s-file",
            stop_signal: constants.signals[STOP_SIGNAL],
            security_opt: ["no-new-privileges"],
          },
          loop: Array.from({ length: pods }, (_, at) => at),
        },
      ],
    },
  ];
}

/** Its masters are found by where it has their sockets. */
async function disconnectAll({ config }: SshLab, dir: string): Promise<void> {
  const script = `for s in ${dir}/cp/*; do
  [ ! -S "$s" ] || ssh -F ${config} -o ControlPath="$s" -O exit it 2>/dev/null || :
done`;
  await timeCommand("sh", ["-c", script]);
}
