import { StowageError } from "../../errors/index.ts";
import { mapLimited } from "../../internal/index.ts";
import { parseRolloutMark } from "../../model/index.ts";
import {
  type FoundMark,
  type Plan,
  pauseOf,
  type RolloutPause,
  type RolloutPlan,
  serviceNames,
  waitsWhilePaused,
} from "../../plan/index.ts";
import type { HostSession } from "./host-session.ts";

/** Hosts asked at once. */
const PARALLELISM = 16;

/** What a pause of a rollout is noticed by while that is run. */
export interface PauseWatchRequest {
  readonly plan: Plan;
  readonly rollout: RolloutPlan;
  readonly sessions: ReadonlyMap<string, HostSession>;
  /** What the hosts said of rollouts when they were observed, those that are not worked on as well; by service. */
  readonly marks: ReadonlyMap<string, readonly FoundMark[]>;
}

/**
 * Whether the rollout of a service is paused while a plan is run: by the plan itself, or by a mark that has come
 * to a host since. One that was found paused stays so to the end of the run: a wave was passed over.
 */
export class PauseWatch {
  readonly #request: PauseWatchRequest;
  /** Changes that would wait. */
  readonly #waits: ReadonlySet<string>;
  readonly #found: FoundMark[];
  #pause: RolloutPause | undefined;

  constructor(request: PauseWatchRequest) {
    const { plan, rollout, marks } = request;
    const { paused, waves } = rollout;
    const own = new Set(waves.flatMap(({ changes }) => changes));
    const waits = plan.pods.filter((change) => own.has(change.id) && waitsWhilePaused(change));
    this.#request = request;
    this.#pause = paused;
    this.#waits = new Set(paused?.waits ?? waits.map(({ id }) => id));
    this.#found = [...(marks.get(rollout.service) ?? [])];
  }

  /** The pause that a change waits for the end of. */
  holds(id: string): RolloutPause | undefined {
    return this.#waits.has(id) ? this.#pause : undefined;
  }

  /** Looks at the hosts of a wave before that begins; one that cannot be asked tells nothing. */
  async look(changes: readonly string[]): Promise<void> {
    if (this.#pause !== undefined) return;
    const waits = changes.filter((id) => this.#waits.has(id));
    const hosts = [...new Set(waits.map((id) => id.slice(0, id.indexOf("/"))))];
    const found = await mapLimited(hosts, PARALLELISM, (host) => this.#marksOn(host));
    this.#found.push(...found.flat());
    this.#pause = pauseOf(this.#found);
  }

  async #marksOn(name: string): Promise<readonly FoundMark[]> {
    const session = this.#request.sessions.get(name);
    if (session === undefined) return [];
    const { host, layout, signal } = session;
    const services = serviceNames(
      this.#request.rollout.service,
      seenOf(session),
      identityOf(session),
    );
    try {
      const { files } = await host.snapshot(
        { files: services.map(layout.rolloutFile) },
        { signal },
      );
      return services.flatMap((service) => {
        const text = files.get(layout.rolloutFile(service));
        return text === undefined ? [] : [{ host: name, reading: parseRolloutMark(text, service) }];
      });
    } catch (error) {
      // what is wrong with the host, its change will tell
      if (!StowageError.is(error) && !signal.aborted) throw error;
      return [];
    }
  }
}

function seenOf({ spec, observation }: HostSession) {
  return { ...observation, pods: spec.pods };
}

function identityOf({ context }: HostSession) {
  return { id: context.owner, name: context.fleet };
}
