import { ENGINE_KINDS } from "./engine-config.ts";
import type { HostDirectories } from "./host.ts";

/**
 * Where a fleet's files lie on a host. The whole layout is here:
 *
 *     <stateDir>/<owner>/<fleet>/<pod>.json        record, 0600
 *     <stateDir>/<owner>/<fleet>/.roster.json      roster, 0600
 *     <stateDir>/<owner>/<fleet>/.history/<pod>.json   old records, 0600
 *     <stateDir>/<owner>/<fleet>/.rollouts/<service>.json   whether its rollout is paused, 0600; needs no lock
 *     <stateDir>/<owner>/<fleet>/.volumes/<name>/  named volume
 *     <stateDir>/<owner>/<fleet>/.files/<object name>.<host>/   files of one generation's containers
 *     <stateDir>/audit.log, audit.log.1            who applied what, 0600
 *     <stateDir>/logs/<object name>/               output of one container of one generation
 *     <stateDir>/.<engine>/                        what an adapter keeps where its engine does not
 *     <runDir>/lock/                               the host's lock
 *     <runDir>/watch/<owner>/<fleet>/              the lock of the fleet's watch
 *     <runDir>/stw-secrets/<owner>.<fleet>/<object name>.<host>/   secret files of one generation, in memory
 */
export interface HostLayout {
  readonly fleetDir: string;
  readonly rosterFile: string;
  readonly volumesDir: string;
  readonly filesDir: string;
  /** In memory: on a tmpfs. */
  readonly secretsHome: string;
  readonly secretsDir: string;
  readonly logsDir: string;
  readonly historyDir: string;
  readonly rolloutsDir: string;
  /** Of all fleets of the host. */
  readonly auditFile: string;
  readonly lockDir: string;
  readonly watchLockDir: string;
  recordFile(pod: string): string;
  historyFile(pod: string): string;
  rolloutFile(service: string): string;
  volumeDir(volume: string): string;
}

/** Files of a state directory that are of no fleet. */
export const STATE_FILES: readonly string[] = ["audit.log", "audit.log.1"];

/** Directories of a state directory that Stowage makes beside those of owners. */
export const STATE_DIRECTORIES: readonly string[] = [
  ...["logs", ".cni"],
  ...ENGINE_KINDS.map((kind) => `.${kind}`),
];

/** Directories of a run directory that Stowage makes, an engine's under its kind. */
export const RUN_DIRECTORIES: readonly string[] = [
  ...["lock", "watch", "stw-secrets", "networks", "cni", "netns", "bin", "etc", "exec", "pulls"],
  "podman-logins",
  ...ENGINE_KINDS,
];

/** The layout of one fleet's files on a host. */
export function hostLayout(directories: HostDirectories, owner: string, fleet: string): HostLayout {
  const fleetDir = `${directories.stateDir}/${owner}/${fleet}`;
  return {
    fleetDir,
    rosterFile: `${fleetDir}/.roster.json`,
    volumesDir: `${fleetDir}/.volumes`,
    filesDir: `${fleetDir}/.files`,
    secretsHome: `${directories.runDir}/stw-secrets`,
    secretsDir: `${directories.runDir}/stw-secrets/${owner}.${fleet}`,
    logsDir: `${directories.stateDir}/logs`,
    historyDir: `${fleetDir}/.history`,
    rolloutsDir: `${fleetDir}/.rollouts`,
    auditFile: `${directories.stateDir}/audit.log`,
    lockDir: `${directories.runDir}/lock`,
    watchLockDir: `${directories.runDir}/watch/${owner}/${fleet}`,
    recordFile: (pod) => `${fleetDir}/${pod}.json`,
    historyFile: (pod) => `${fleetDir}/.history/${pod}.json`,
    rolloutFile: (service) => `${fleetDir}/.rollouts/${service}.json`,
    volumeDir: (volume) => `${fleetDir}/.volumes/${volume}`,
  };
}
