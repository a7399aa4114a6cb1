import type { WatchEvent } from "../../reconcile/index.ts";

/** One metric: what it means, and its values by their labels as they are written. */
interface Metric {
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly values: Map<string, number>;
}

type Labels = Readonly<Record<string, string>>;

/** Every metric, in the order in which they are written. */
const METRICS = {
  watch_passes_total: ["counter", "Passes over the fleet, by kind."],
  watch_pass_seconds_total: ["counter", "Time that passes took."],
  watch_failures_total: ["counter", "Passes, or actions after them, that failed."],
  watch_last_pass_timestamp_seconds: ["gauge", "When the last pass ended."],
  watch_events_total: ["counter", "Events that engines reported, by kind."],
  watch_listening: ["gauge", "Whether a host's engine reports events, or is polled."],
  watch_unreachable: ["gauge", "Whether a host cannot be observed."],
  watch_restarts_total: ["counter", "Starts by restart policies."],
  watch_changes_total: ["counter", "Changes, by action and result."],
  watch_pending_changes: ["gauge", "Changes of a full plan that watch did not make."],
  watch_back_off_seconds: ["gauge", "Last pause before a start of a pod that keeps ending."],
  watch_unhealthy: ["gauge", "Whether a container is unhealthy."],
  watch_declaration_broken: ["gauge", "Whether the manifest cannot be loaded."],
  pods: ["gauge", "Pods of the fleet by state."],
} as const satisfies Readonly<Record<string, readonly [Metric["type"], string]>>;

type Name = keyof typeof METRICS;

/** What is known of a host, or of a pod on it, as long as it is declared. */
const OF_HOSTS = [
  "watch_listening",
  "watch_unreachable",
  "watch_back_off_seconds",
  "watch_unhealthy",
] as const satisfies readonly Name[];

/** What a watch did so far, for Prometheus. */
export class WatchMetrics {
  readonly #metrics: ReadonlyMap<Name, Metric>;
  readonly #fleet: string;

  constructor(fleet: string) {
    this.#fleet = fleet;
    this.#metrics = new Map(
      Object.entries(METRICS).map(([name, [type, help]]) => [
        name as Name,
        { type, help, values: new Map<string, number>() },
      ]),
    );
    this.#set("watch_declaration_broken", {}, 0);
    this.#set("watch_pending_changes", {}, 0);
    this.#add("watch_failures_total", {}, 0);
  }

  take(event: WatchEvent, now: Date): void {
    switch (event.type) {
      case "pass":
        this.#pass(event, now);
        break;
      case "failed":
        this.#add("watch_failures_total", {});
        break;
      case "heard":
        this.#add("watch_events_total", { host: event.host, kind: event.event.kind });
        break;
      case "listening":
        this.#set("watch_listening", { host: event.host }, 1);
        break;
      case "deaf":
        this.#set("watch_listening", { host: event.host }, 0);
        break;
      case "unreachable":
        this.#set("watch_unreachable", { host: event.host }, 1);
        break;
      case "reachable":
        this.#set("watch_unreachable", { host: event.host }, 0);
        break;
      case "changed":
        this.#changed(event);
        break;
      case "pending":
        this.#set("watch_pending_changes", {}, event.changes.length);
        break;
      case "backing-off":
        this.#set("watch_back_off_seconds", { pod: event.id }, event.pauseMs / 1000);
        break;
      case "unhealthy":
      case "recovered":
        this.#set(
          "watch_unhealthy",
          { pod: event.id, container: event.container },
          event.type === "unhealthy" ? 1 : 0,
        );
        break;
      case "declaration":
        this.#set("watch_declaration_broken", {}, 0);
        this.#keepHosts(event.hosts);
        break;
      case "declaration-broken":
        this.#set("watch_declaration_broken", {}, 1);
        break;
      default:
        break;
    }
  }

  /** In Prometheus' text format. */
  render(): string {
    const parts = [...this.#metrics].flatMap(([name, { help, type, values }]) => {
      if (values.size === 0) return [];
      const full = `stowage_${name}`;
      const lines = [...values].map(([labels, value]) => `${full}{${labels}} ${value}`);
      return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines];
    });
    return `${parts.join("\n")}\n`;
  }

  #pass({ kind, ms, pods }: Extract<WatchEvent, { type: "pass" }>, now: Date): void {
    this.#add("watch_passes_total", { kind });
    this.#add("watch_pass_seconds_total", { kind }, ms / 1000);
    this.#set("watch_last_pass_timestamp_seconds", {}, now.getTime() / 1000);
    // a state that no pod is in any more has to go
    this.#metrics.get("pods")?.values.clear();
    for (const [host, states] of Object.entries(pods)) {
      for (const [state, count] of Object.entries(states))
        this.#set("pods", { host, state }, count);
    }
  }

  #changed({ outcome, isRestart }: Extract<WatchEvent, { type: "changed" }>): void {
    const { host, pod, action, status } = outcome;
    if (isRestart && pod !== undefined) this.#add("watch_restarts_total", { host, pod });
    this.#add("watch_changes_total", { action, status });
  }

  /** Of a host that left nothing is known any more. */
  #keepHosts(hosts: readonly string[]): void {
    for (const name of OF_HOSTS) {
      const { values } = this.#metrics.get(name) as Metric;
      for (const labels of values.keys()) {
        const [, host = ""] = /,(?:host|pod)="([^"/]*)/.exec(labels) ?? [];
        if (!hosts.includes(host)) values.delete(labels);
      }
    }
  }

  #add(name: Name, labels: Labels, by = 1): void {
    const { values } = this.#metrics.get(name) as Metric;
    const key = this.#key(labels);
    values.set(key, (values.get(key) ?? 0) + by);
  }

  #set(name: Name, labels: Labels, value: number): void {
    (this.#metrics.get(name) as Metric).values.set(this.#key(labels), value);
  }

  #key(labels: Labels): string {
    return Object.entries({ fleet: this.#fleet, ...labels })
      .map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, escaped)}"`)
      .join(",");
  }
}

function escaped(character: string): string {
  return character === "\n" ? "\\n" : `\\${character}`;
}
