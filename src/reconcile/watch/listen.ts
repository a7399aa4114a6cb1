import { type EngineEvent, type EngineReader, eventsBetween } from "../../engine/index.ts";
import { StowageError } from "../../errors/index.ts";
import { capabilityOf, type HostSpec } from "../../model/index.ts";
import type { Connector } from "../connector.ts";
import { BackOff } from "./back-off.ts";
import { MACHINE_CLOCK } from "./machine-clock.ts";
import type { WatchClock } from "./watch-request.ts";

/** Whose engine to listen to. */
export interface ListenRequest {
  readonly host: string;
  readonly spec: HostSpec;
  readonly connector: Pick<Connector, "read">;
  /** Between two looks at an engine that tells of nothing; asked before each. */
  readonly intervalMs: () => number;
  /** @defaultValue that of this machine */
  readonly clock?: WatchClock;
  readonly signal: AbortSignal;
}

/** Something that was heard: an event; how a host is listened to; or that it is not, and why. */
export type Heard =
  | { readonly type: "event"; readonly event: EngineEvent }
  | {
      readonly type: "listening";
      readonly by: "events" | "interval";
      /** Whether the engine starts pods again by itself. */
      readonly restarts: boolean;
    }
  | { readonly type: "deaf"; readonly reason: string };

const AGAIN = { firstMs: 200, maxMs: 30_000, calmMs: 60_000 };

/**
 * What happens in the engine of a host: what it tells, or where it tells of nothing, what differs between
 * two looks at it. Goes on until the signal is aborted, whatever becomes of the engine; after each
 * `listening` whoever wants to know has to look once.
 */
export async function* listen(request: ListenRequest): AsyncGenerator<Heard, void, undefined> {
  const { clock = MACHINE_CLOCK, signal } = request;
  const again = new BackOff(AGAIN);
  while (!signal.aborted) {
    try {
      yield* listenOnce(request);
      if (!signal.aborted) yield { type: "deaf", reason: "its engine stopped reporting events" };
    } catch (error) {
      if (signal.aborted) return;
      if (!StowageError.is(error)) throw error;
      yield { type: "deaf", reason: error.message };
    }
    await clock.sleep(again.tried("", clock.now()).pauseMs, signal);
  }
}

async function* listenOnce(request: ListenRequest): AsyncGenerator<Heard, void, undefined> {
  const { host, spec, connector, signal } = request;
  await using reading = await connector.read(host, spec, signal);
  const events = reading.engine.events({ signal });
  const table = await reading.engine.capabilities({ signal });
  const restarts = capabilityOf(table, "restart.policy", "always").support === "native";
  if (events === undefined) {
    yield* compareLooks(reading.engine, restarts, request);
    return;
  }
  for await (const event of events) {
    if (event.kind === "listening") yield { type: "listening", by: "events", restarts };
    else yield { type: "event", event };
  }
}

async function* compareLooks(
  engine: EngineReader,
  restarts: boolean,
  { intervalMs, clock = MACHINE_CLOCK, signal }: ListenRequest,
): AsyncGenerator<Heard, void, undefined> {
  let { pods: seen } = await engine.observe({ signal, podsOnly: true });
  yield { type: "listening", by: "interval", restarts };
  for (;;) {
    await clock.sleep(intervalMs(), signal);
    if (signal.aborted) return;
    const { pods } = await engine.observe({ signal, podsOnly: true });
    for (const event of eventsBetween(seen, pods, new Date().toISOString()))
      yield { type: "event", event };
    seen = pods;
  }
}
