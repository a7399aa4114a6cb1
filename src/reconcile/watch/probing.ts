import { StowageError } from "../../errors/index.ts";
import type { FleetManifest, HostSpec } from "../../model/index.ts";
import type { UnhealthyContainer } from "../../plan/index.ts";
import type { HostAccess } from "../connector.ts";
import { BackOff } from "./back-off.ts";
import { HostLoops } from "./host-loops.ts";
import { ProbedHost } from "./probed-host.ts";
import type { Wakes } from "./wakes.ts";
import type { WatchClock, WatchRequest } from "./watch-request.ts";

/** Hosts that cannot be asked. */
const AGAIN = { firstMs: 1000, maxMs: 30_000, calmMs: 60_000 };

/**
 * Asks the probes of a fleet's containers beside all else that a watch does, so that one that answers slowly
 * keeps nothing waiting; and wakes whoever has to end a pod. It changes nothing itself.
 */
export class Probing {
  readonly #request: WatchRequest;
  readonly #clock: WatchClock;
  readonly #wakes: Wakes;
  readonly #loops: HostLoops;
  readonly #hosts = new Map<string, ProbedHost>();

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
    const wants = (name: string, spec: HostSpec): boolean =>
      (hosts?.includes(name) ?? true) && hasProbes(spec);
    this.#loops = new HostLoops(wants, (...host) => this.#askHost(...host), onCrash);
  }

  /** What failed as often in a row as it may, and runs still. */
  unhealthy(): readonly UnhealthyContainer[] {
    return [...this.#hosts.values()].flatMap((host) => host.unhealthy());
  }

  /** Asks on the hosts of a manifest that have probes, and on no others. */
  async follow(manifest: FleetManifest): Promise<void> {
    await this.#loops.follow(manifest);
  }

  async stop(): Promise<void> {
    await this.#loops.stop();
  }

  async #askHost(
    manifest: FleetManifest,
    host: string,
    spec: HostSpec,
    signal: AbortSignal,
  ): Promise<void> {
    const restart = (): void => this.#wakes.ask("restarts");
    const probed = new ProbedHost(this.#request, this.#clock, host, restart);
    this.#hosts.set(host, probed);
    const again = new BackOff(AGAIN);
    let told = "";
    const ask = async (access: HostAccess): Promise<void> => {
      await probed.ask(access, spec, manifest, signal);
      told = "";
    };
    while (!signal.aborted) {
      const reason = await this.#askUntil(host, spec, probed, ask, signal);
      if (reason === undefined) break;
      if (reason !== told) this.#request.onEvent({ type: "unasked", host, reason });
      told = reason;
      await this.#clock.sleep(again.tried("", this.#clock.now()).pauseMs, signal);
    }
    if (this.#hosts.get(host) === probed) this.#hosts.delete(host);
    // of one that leaves nothing is said to be unhealthy for ever
    if (!this.#request.drain.aborted) probed.forget();
  }

  /** @returns why it cannot be asked any more; undefined: nobody wants it */
  async #askUntil(
    host: string,
    spec: HostSpec,
    probed: ProbedHost,
    ask: (access: HostAccess) => Promise<void>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    try {
      await using access = await this.#request.connector.open(host, spec, signal);
      // before the way to the host is closed
      await using _ = { [Symbol.asyncDispose]: () => probed.end() };
      while (!signal.aborted) {
        await ask(access);
        await probed.rest(signal);
      }
      return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!StowageError.is(error)) throw error;
      return error.message;
    }
  }
}

function hasProbes({ pods = {} }: HostSpec): boolean {
  return Object.values(pods).some(({ containers }) =>
    Object.values(containers).some(({ health }) => health !== undefined),
  );
}
