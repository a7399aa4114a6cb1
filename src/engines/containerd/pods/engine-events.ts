import { randomUUID } from "node:crypto";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type EngineEvent, type EventKind, readLabels } from "../../../engine/index.ts";
import { ContainerEventSchema, TaskExitSchema } from "../../../gen/containerd/events/task_pb.ts";
import { type Envelope, Events } from "../../../gen/containerd/services/events/v1/events_pb.ts";
import { OBJECT_PREFIX } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { decodeMessage } from "../client/decode-message.ts";
import { containerId } from "./container-id.ts";
import { getContainer } from "./container-records.ts";
import type { PodContext } from "./pod-context.ts";

/** What containerd's topics mean. */
const KINDS: Readonly<Record<string, EventKind>> = {
  "/containers/create": "made",
  "/tasks/start": "started",
  "/tasks/exit": "ended",
  "/tasks/paused": "paused",
  "/tasks/resumed": "resumed",
  "/tasks/oom": "out-of-memory",
  "/containers/delete": "removed",
};

/** Topic of the events that this adapter publishes to hear them itself. */
const MARK = "/stowage/mark";
/** A mark that is not heard by then was published before the daemon listened. */
const MARK_MS = 100;
/** Containers whose owners are remembered: a removed one is asked for no more. */
const REMEMBERED = 4096;

type Owner = Pick<EngineEvent, "pod" | "container">;

/** What happens to containers of Stowage's in a namespace, from now on. */
export async function* engineEvents(
  { client }: PodContext,
  signal: AbortSignal | undefined,
): AsyncGenerator<EngineEvent, void, undefined> {
  const topic = `${MARK}/${randomUUID()}`;
  const ours = JSON.stringify(client.namespace);
  const filters = [
    ...Object.keys(KINDS).map((each) => `topic==${JSON.stringify(each)},namespace==${ours}`),
    `topic==${JSON.stringify(topic)}`,
  ];
  const request = { filters };
  const stream = client.serverStream(Events.method.subscribe, request, {
    doing: "listen to containerd",
    signal,
  });
  const marking = new AbortController();
  const marks = publishMarks(client, topic, marking.signal);
  const owners = new Map<string, Owner>();
  let isListening = false;
  try {
    for await (const envelope of stream) {
      if (envelope.topic === topic) {
        marking.abort();
        if (!isListening) yield { kind: "listening", at: timeOf(envelope) };
        isListening = true;
        continue;
      }
      const event = await toEvent(client, envelope, owners);
      if (event !== undefined) yield event;
    }
  } finally {
    marking.abort();
    await marks;
  }
}

/** The daemon does not say from when on it reports: events until then are lost. */
async function publishMarks(
  client: ContainerdClient,
  topic: string,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.unary(
        Events.method.publish,
        { topic, event: { typeUrl: "containerd.events.ContainerEvent" } },
        { doing: "publish an event" },
      );
    } catch {
      // whoever reads the stream hears of it
      return;
    }
    await pause(MARK_MS, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function toEvent(
  client: ContainerdClient,
  envelope: Envelope,
  owners: Map<string, Owner>,
): Promise<EngineEvent | undefined> {
  const kind = KINDS[envelope.topic];
  const value = envelope.event?.value ?? new Uint8Array();
  if (kind === undefined) return undefined;
  const exit = kind === "ended" ? decodeMessage(TaskExitSchema, value) : undefined;
  const { containerId: id } = exit ?? decodeMessage(ContainerEventSchema, value);
  // the end of a command that was run in it is not its own
  if (!id.startsWith(OBJECT_PREFIX) || (exit !== undefined && exit.id !== id)) return undefined;
  const owner = await ownerOf(client, id, owners);
  if (kind === "removed") owners.delete(id);
  const code = exit === undefined ? {} : { exitCode: exit.exitStatus };
  return { kind, at: timeOf(envelope), ...owner, ...code };
}

async function ownerOf(
  client: ContainerdClient,
  id: string,
  owners: Map<string, Owner>,
): Promise<Owner> {
  const known = owners.get(id);
  if (known !== undefined) return known;
  const labels = readLabels((await getContainer(client, id))?.labels ?? {});
  if (labels === undefined) return {};
  const { container, ...pod } = labels;
  // one whose labels somebody copied is not ours
  if (containerId(pod, container) !== id) return {};
  if (owners.size >= REMEMBERED) owners.clear();
  owners.set(id, { pod, container });
  return { pod, container };
}

function timeOf({ timestamp }: Envelope): string {
  return (timestamp === undefined ? new Date() : timestampDate(timestamp)).toISOString();
}
