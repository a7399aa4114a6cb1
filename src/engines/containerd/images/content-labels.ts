import { Content } from "../../../gen/containerd/services/content/v1/content_pb.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import type { Labels } from "./gc-labels.ts";

/** Adds labels to a blob, leaving its others as they are; writes nothing when all are there. */
export async function ensureContentLabels(
  client: ContainerdClient,
  digest: string,
  labels: Labels,
  signal?: AbortSignal,
): Promise<void> {
  const wanted = Object.entries(labels);
  if (wanted.length === 0) return;
  const options = { doing: `label blob "${digest}"`, signal };
  const { info } = await client.unary(Content.method.info, { digest }, options);
  const missing = wanted.filter(([key, value]) => info?.labels[key] !== value);
  if (missing.length === 0) return;
  await client.unary(
    Content.method.update,
    {
      info: { digest, labels: Object.fromEntries(missing) },
      updateMask: { paths: missing.map(([key]) => `labels.${key}`) },
    },
    options,
  );
}
