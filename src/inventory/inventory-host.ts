import type { HostSpec } from "../model/index.ts";

/** A host of an inventory, before it is a part of a fleet. */
export type InventoryHost = Omit<HostSpec, "engine" | "pods"> & Partial<Pick<HostSpec, "engine">>;

/** What hosts of an ssh configuration are taken, and as what. */
export interface SshConfigOptions {
  /**
   * The configuration. One that is not your own is only read for where its hosts are: put `Include FILE` into your own
   * for those that need more, such as a jump host.
   *
   * @defaultValue - what `STOWAGE_SSH_CONFIG` names, else ~/.ssh/config, with everything that it includes
   */
  readonly file?: string;
  /**
   * Which of its hosts, by the word after `Host`.
   *
   * @defaultValue - all that are no pattern
   */
  readonly only?: (alias: string) => boolean;
  /**
   * What a host is called in the fleet.
   *
   * @defaultValue - the word after `Host`, in lower case, with dashes for dots
   */
  readonly name?: (alias: string) => string;
  /**
   * Labels that all of them get.
   *
   * @defaultValue - none
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Groups that all of them are in; see `Hosts.inGroup()`.
   *
   * @defaultValue - none
   */
  readonly groups?: readonly string[];
}
