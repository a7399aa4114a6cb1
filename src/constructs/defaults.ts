import type { Security } from "../model/index.ts";
import { copyData } from "./copy-data.ts";
import type { Duration } from "./duration.ts";
import type { Engine } from "./engine.ts";
import { LOGGING, type Logging } from "./logging.ts";
import { checkOptions, checkValue, type OptionNames } from "./options.ts";

/** What pods and containers have unless they say otherwise. */
export interface PodDefaults {
  /**
   * Labels of every pod, beside its own.
   *
   * @defaultValue - none
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Logging of every container, field by field.
   *
   * @defaultValue - the engine's own
   */
  readonly logging?: Logging;
  /**
   * Time between the signal that asks a container to end and SIGKILL.
   *
   * @defaultValue 10 seconds
   */
  readonly stopGracePeriod?: Duration;
  /**
   * Rights of every container, field by field.
   *
   * @defaultValue - the default profile
   */
  readonly security?: Security;
}

/** What hosts, pods and containers have unless they say otherwise. */
export interface FleetDefaults extends PodDefaults {
  /**
   * Engine of every host that names none.
   *
   * @defaultValue - each host has to name its own
   */
  readonly engine?: Engine;
}

export const POD_DEFAULTS: OptionNames<PodDefaults> = {
  labels: true,
  logging: true,
  stopGracePeriod: true,
  security: true,
};
export const FLEET_DEFAULTS: OptionNames<FleetDefaults> = { ...POD_DEFAULTS, engine: true };

/** Notes what of defaults means nothing. */
export function checkDefaults<D extends FleetDefaults>(
  construct: object,
  defaults: D | undefined,
  names: OptionNames<D>,
): void {
  checkOptions(construct, defaults, names, "defaults");
  checkOptions(construct, defaults?.logging, LOGGING, "defaults.logging");
  checkValue(construct, defaults?.engine, "defaults.engine");
}

/** A copy that no later change of what was passed reaches. */
export function copyDefaults<D extends FleetDefaults>(defaults: D): D {
  const { labels, logging, security } = defaults;
  return Object.freeze({
    ...defaults,
    ...(labels === undefined ? {} : { labels: Object.freeze({ ...labels }) }),
    ...(logging === undefined ? {} : { logging: Object.freeze({ ...logging }) }),
    ...(security === undefined ? {} : { security: Object.freeze(copyData(security)) }),
  });
}

/** Defaults of two levels as one; what the nearer one says goes. */
export function mergeDefaults(outer: PodDefaults, inner: PodDefaults): PodDefaults {
  return {
    ...outer,
    ...inner,
    labels: { ...outer.labels, ...inner.labels },
    logging: { ...outer.logging, ...inner.logging },
    security: { ...outer.security, ...inner.security },
  };
}
