import type { Probe as ProbeSpec } from "../model/index.ts";
import { compact } from "./compact.ts";
import { copyData } from "./copy-data.ts";
import type { Duration } from "./duration.ts";
import { checkOptions, type OptionNames } from "./options.ts";

/** When and how often a probe is tried. */
export interface ProbeTiming {
  /**
   * Time between two tries.
   *
   * @defaultValue 1 second
   */
  readonly interval?: Duration;
  /**
   * Time that one try may take.
   *
   * @defaultValue 2 seconds
   */
  readonly timeout?: Duration;
  /**
   * Consecutive failures, after the start period, that make it unhealthy.
   *
   * @defaultValue 10
   */
  readonly retries?: number;
  /**
   * Time after the start during which failures do not count.
   *
   * @defaultValue - none
   */
  readonly startPeriod?: Duration;
  /**
   * What `stowage watch` does about it when it is unhealthy: report it, or end the pod and start it again,
   * which needs a restart policy that starts again whatever ends.
   *
   * @defaultValue report
   */
  readonly whenUnhealthy?: "report" | "restart";
}

/** A probe that asks for a page. */
export interface HttpProbeOptions extends ProbeTiming {
  /** Port to ask, on the host's loopback address. */
  readonly port: number;
  /**
   * Path to ask for; an answer from 200 to 399 is healthy.
   *
   * @defaultValue /
   */
  readonly path?: string;
}

/** A probe that opens a connection. */
export interface TcpProbeOptions extends ProbeTiming {
  /** Port that must accept, on the host's loopback address. */
  readonly port: number;
}

/** A probe that runs a command. */
export interface ExecProbeOptions extends ProbeTiming {
  /** Command run in the container; exit code 0 is healthy. */
  readonly command: readonly string[];
}

const TIMING: OptionNames<ProbeTiming> = {
  interval: true,
  timeout: true,
  retries: true,
  startPeriod: true,
  whenUnhealthy: true,
};
const HTTP: OptionNames<HttpProbeOptions> = { port: true, path: true, ...TIMING };
const TCP: OptionNames<TcpProbeOptions> = { port: true, ...TIMING };
const EXEC: OptionNames<ExecProbeOptions> = { command: true, ...TIMING };

/** How to find out that a container does its work; a replacement is kept only when it passes. */
export class Probe {
  readonly #spec: ProbeSpec;

  private constructor(spec: ProbeSpec) {
    this.#spec = spec;
  }

  static http(options: HttpProbeOptions): Probe {
    const { port, path } = options;
    const probe = new Probe(compact({ kind: "http", port, path, ...timing(options) }));
    checkOptions(probe, options, HTTP);
    return probe;
  }

  static tcp(options: TcpProbeOptions): Probe {
    const probe = new Probe({ kind: "tcp", port: options.port, ...timing(options) });
    checkOptions(probe, options, TCP);
    return probe;
  }

  static exec(options: ExecProbeOptions): Probe {
    const command = [...options.command];
    const probe = new Probe({ kind: "exec", command, ...timing(options) });
    checkOptions(probe, options, EXEC);
    return probe;
  }

  /** @internal */
  toSpec(): ProbeSpec {
    return copyData(this.#spec);
  }
}

function timing({ interval, timeout, retries, startPeriod, whenUnhealthy }: ProbeTiming) {
  return compact<Omit<ProbeSpec, "kind" | "port" | "path" | "command">>({
    intervalMs: interval?.toMilliseconds(),
    timeoutMs: timeout?.toMilliseconds(),
    retries,
    startPeriodMs: startPeriod?.toMilliseconds(),
    whenUnhealthy,
  });
}
