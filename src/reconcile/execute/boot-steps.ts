import { StowageError } from "../../errors/index.ts";
import type { BootPlaces } from "../../host/index.ts";
import { type BootUnit, bootUnitName, bootUnitText } from "../../model/index.ts";
import { bootLink } from "../observe/observe-boot.ts";
import type { HostSession } from "./host-session.ts";

type Session = Pick<HostSession, "host" | "signal">;

const UNIT_MODE = 0o644;

/**
 * Puts a unit where systemd finds it at the next boot. Nothing is started now, and systemd need not know of
 * it before.
 */
export async function installUnit({ host, signal }: Session, unit: BootUnit): Promise<void> {
  const name = bootUnitName(unit);
  const { units } = placesOf(host, name);
  const options = { signal };
  const file = `${units}/${name}`;
  await host.placeFile(file, Buffer.from(bootUnitText(unit)), { mode: UNIT_MODE }, options);
  await host.linkFile(bootLink(units, name), file, options);
}

/** The link goes first: a unit that is there is found by the next plan. */
export async function removeUnit({ host, signal }: Session, name: string): Promise<void> {
  const { units } = placesOf(host, name);
  const options = { signal };
  await host.removeFile(bootLink(units, name), options);
  await host.removeFile(`${units}/${name}`, options);
}

function placesOf({ boot }: Session["host"], name: string): BootPlaces {
  if (boot !== undefined) return boot;
  throw new StowageError(`Cannot change unit "${name}": this host has no boot units`, {
    code: "internal",
  });
}
