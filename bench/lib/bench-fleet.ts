import type { FleetManifest, HostSpec, PodSpec } from "../../src/model/index.ts";

/** How {@link benchFleet} is made. */
export interface BenchFleetOptions {
  readonly name: string;
  readonly pods: number;
  readonly host: Omit<HostSpec, "pods">;
  /** What is declared of each pod beside its container. */
  readonly pod?: Partial<PodSpec>;
  readonly image: { readonly reference: string; readonly digest: string; readonly layout: string };
}

/** Asks every process to end at once: a busybox that is process 1 ignores SIGTERM. */
export const STOP_SIGNAL = "SIGKILL";
/** What every container runs. */
export const COMMAND: readonly string[] = ["sleep", "1000000"];

/** A fleet of one host with pods that do nothing, without a network. */
export function benchFleet(options: BenchFleetOptions): FleetManifest {
  const { name, pods, host, image } = options;
  const reference = `${image.reference}@${image.digest}`;
  const pod: PodSpec = {
    ...options.pod,
    containers: { main: { image: reference, command: COMMAND, stopSignal: STOP_SIGNAL } },
  };
  const width = String(pods).length;
  const names = Array.from(
    { length: pods },
    (_, at) => `pod-${String(at + 1).padStart(width, "0")}`,
  );
  return {
    version: "stowage/v1",
    name,
    id: "stowage-bench",
    images: { [reference]: { layout: image.layout, digest: image.digest } },
    hosts: {
      bench: { ...host, pods: Object.fromEntries(names.map((each) => [each, pod])) },
    },
  };
}
