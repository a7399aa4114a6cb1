import { expect, test, vi } from "vitest";
import type { PodInstance } from "../../../engine/index.ts";
import type { HostReader } from "../../../host/index.ts";
import { containerId } from "./container-id.ts";
import { FreshPods } from "./fresh-pods.ts";

function instance(pod: string, names = ["main"]): PodInstance {
  return {
    identity: { owner: "acme", fleet: "shop", host: "edge", pod, generation: 2 },
    spec: { containers: Object.fromEntries(names.map((name) => [name, { image: "app:1" }])) },
    images: Object.fromEntries(
      names.map((name) => [name, { reference: "app:1", digest: "sha256:1" }]),
    ),
    recordDigest: "sha256:2",
  } as unknown as PodInstance;
}

/** A host whose processes can be ended, and which counts looks at it. */
class Kernel {
  looks = 0;
  readonly #files = new Map<string, string>();

  runs(pid: number, id: string): void {
    this.#files.set(`/proc/${pid}/stat`, `${pid} (app) S 1 ${"0 ".repeat(17)}4711 0`);
    this.#files.set(`/proc/${pid}/cgroup`, `12:pids:/stowage/${id}\n`);
  }

  ends(pid: number): void {
    this.#files.delete(`/proc/${pid}/stat`);
  }

  async snapshot({ files = [] }: { readonly files?: readonly string[] }) {
    this.looks += 1;
    return { files: new Map([...this.#files].filter(([path]) => files.includes(path))) };
  }
}

function started(...pods: readonly PodInstance[]) {
  const kernel = new Kernel();
  const fresh = new FreshPods(kernel as unknown as HostReader, "stowage");
  let pid = 100;
  for (const pod of pods) {
    for (const name of Object.keys(pod.spec.containers)) {
      const id = containerId(pod.identity, name);
      fresh.made(id, ++pid);
      kernel.runs(pid, id);
    }
    fresh.started(pod);
  }
  const see = () =>
    fresh.see(
      pods.map(({ identity }) => identity),
      undefined,
    );
  return { kernel, fresh, see };
}

test("pods that were just started are told by one look at the kernel", async () => {
  const { kernel, see } = started(instance("web", ["main", "proxy"]), instance("db"));
  expect(await see()).toMatchObject([
    {
      pod: "web",
      generation: 2,
      recordDigest: "sha256:2",
      state: "running",
      containers: {
        main: {
          state: "running",
          pid: 101,
          image: { reference: "app:1", digest: "sha256:1" },
          reported: {},
        },
        proxy: { state: "running", pid: 102 },
      },
    },
    { pod: "db", state: "running", containers: { main: { pid: 103 } } },
  ]);
  expect(kernel.looks).toBe(1);
});

test("the daemon is asked of all when a process of one has ended", async () => {
  const { kernel, see } = started(instance("web", ["main", "proxy"]), instance("db"));
  kernel.ends(102);
  expect(await see()).toBeUndefined();
});

test("a process that began later with the same number is not the pod's", async () => {
  const { kernel, see } = started(instance("web"));
  expect(await see()).toHaveLength(1);
  const { snapshot } = kernel;
  vi.spyOn(kernel, "snapshot").mockImplementation(async (request) => {
    const { files } = await snapshot.call(kernel, request);
    return {
      files: new Map([...files].map(([path, text]) => [path, text.replace("4711", "4712")])),
    };
  });
  expect(await see()).toBeUndefined();
});

test("the daemon is asked of a pod that was changed, or started some time ago, or of which a process is not known", async () => {
  const pod = instance("web");
  const changed = started(pod);
  changed.fresh.forget(pod.identity);
  expect(await changed.see()).toBeUndefined();

  const again = started(pod);
  again.fresh.started(pod);
  expect(await again.see()).toBeUndefined();

  const old = started(pod);
  vi.spyOn(performance, "now").mockReturnValue(performance.now() + 60_000);
  expect(await old.see()).toBeUndefined();
});
