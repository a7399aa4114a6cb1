import type { EventKind } from "../../engine/index.ts";
import type { FleetManifest, HostSpec } from "../../model/index.ts";
import { HostLoops } from "./host-loops.ts";
import { type Heard, listen } from "./listen.ts";
import type { Wakes } from "./wakes.ts";
import type { WatchClock, WatchRequest } from "./watch-request.ts";

/** What is heard is read after this: what ends together is started together. */
const ENDED_MS = 50;
/** An apply of somebody else's, which removes and makes, is mostly over by then. */
const CHANGED_MS = 1000;
/** How far an interval may be from what it is said to be, so that not all look at once. */
const JITTER = 0.2;

/** An engine that starts pods again by itself is given that long for it. */
export const ENGINE_MS = 1500;

/** Listens to the engines of a fleet's hosts, and wakes whoever has to look. */
export class Listeners {
  readonly #request: WatchRequest;
  readonly #clock: WatchClock;
  readonly #wakes: Wakes;
  readonly #loops: HostLoops;

  constructor(
    request: WatchRequest,
    clock: WatchClock,
    wakes: Wakes,
    onCrash: (error: unknown) => void,
  ) {
    this.#request = request;
    this.#clock = clock;
    this.#wakes = wakes;
    const { hosts } = request.options;
    const wants = (name: string): boolean => hosts?.includes(name) ?? true;
    this.#loops = new HostLoops(wants, (...host) => this.#hear(...host), onCrash);
  }

  /** Listens to the hosts of a manifest, and to no others. */
  async follow(manifest: FleetManifest): Promise<void> {
    await this.#loops.follow(manifest);
  }

  async stop(): Promise<void> {
    await this.#loops.stop();
  }

  async #hear(
    { id, name }: FleetManifest,
    host: string,
    spec: HostSpec,
    signal: AbortSignal,
  ): Promise<void> {
    const { connector, onEvent, times, random = Math.random } = this.#request;
    const intervalMs = (): number => times.intervalMs * (1 - JITTER + 2 * JITTER * random());
    const request = { host, spec, connector, intervalMs, clock: this.#clock, signal };
    let endedMs = ENDED_MS;
    const tell = this.#teller(host);
    for await (const heard of listen(request)) {
      if (heard.type === "event") {
        const { event } = heard;
        if (event.pod?.owner !== id || event.pod.fleet !== name) continue;
        onEvent({ type: "heard", host, event });
        this.#wake(event.kind, endedMs);
        continue;
      }
      tell(heard);
      if (heard.type !== "listening") continue;
      // of what happened before it listened nobody told
      this.#wakes.ask("restarts");
      endedMs = heard.restarts ? ENGINE_MS : ENDED_MS;
    }
  }

  /** Tells how a host is listened to; why it is not, once for as long as that stays so. */
  #teller(host: string): (heard: Exclude<Heard, { readonly type: "event" }>) => void {
    let told = "";
    return (heard) => {
      const reason = heard.type === "deaf" ? heard.reason : "";
      if (reason === "" || reason !== told) this.#request.onEvent({ host, ...heard });
      told = reason;
    };
  }

  #wake(kind: EventKind, endedMs: number): void {
    if (kind === "ended") this.#wakes.ask("restarts", endedMs);
    if (kind === "removed" || kind === "paused") this.#wakes.ask("full", CHANGED_MS);
  }
}
