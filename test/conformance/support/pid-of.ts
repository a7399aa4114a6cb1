import type { Engine } from "../../../src/engine/index.ts";
import type { PodIdentity } from "../../../src/model/index.ts";

/** The process of a container, as its engine reports it. */
export async function pidOf(
  engine: Engine,
  identity: PodIdentity,
  container: string,
): Promise<number> {
  const { pods } = await engine.observe();
  const pod = pods.find(
    (each) =>
      each.owner === identity.owner &&
      each.pod === identity.pod &&
      each.generation === identity.generation,
  );
  const pid = pod?.containers[container]?.pid;
  if (pid === undefined) throw new Error(`Container "${container}" does not run`);
  return pid;
}
