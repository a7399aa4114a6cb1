import { spawnSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { groupLabel } from "../constructs/index.ts";
import { StowageError } from "../errors/index.ts";
import { HostSpec, Name } from "../model/index.ts";
import type { InventoryHost, SshConfigOptions } from "./inventory-host.ts";
import { type SshEntry, sshEntries } from "./ssh-entries.ts";

const ANSWER_BYTES_MAX = 1024 * 1024;
const ANSWER_MS = 10_000;

/** Options that say how to get to a host, beside where it is; an address has no place for them. */
const WAYS = ["proxyjump", "proxycommand"];

/** The hosts of an ssh configuration, by the name that each gets in a fleet. */
export function readSshHosts(options: SshConfigOptions): ReadonlyMap<string, InventoryHost> {
  const { only = () => true, name = nameOf, groups = [] } = options;
  // what leads to hosts when they are reached: an alias of it is an address
  const ways = process.env["STOWAGE_SSH_CONFIG"] || undefined;
  const file = options.file ?? ways ?? join(homedir(), ".ssh", "config");
  const labels = { ...options.labels, ...Object.fromEntries(groups.map(groupLabel)) };
  const hosts = new Map<string, InventoryHost>();
  const taken = new Map<string, SshEntry>();
  for (const entry of sshEntries(file)) {
    if (!only(entry.alias)) continue;
    const called = checkedName(name(entry.alias), entry);
    const other = taken.get(called);
    if (other !== undefined) {
      if (other.alias === entry.alias) continue;
      throw refuse(entry, `${placeOf(other)} is called "${called}" too`);
    }
    taken.set(called, entry);
    const address = addressOf(entry, options.file, ways);
    hosts.set(called, { address, ...(Object.keys(labels).length === 0 ? {} : { labels }) });
  }
  return hosts;
}

/** Through the user's own configuration its alias leads there; of another file what it says of the place. */
function addressOf(entry: SshEntry, file: string | undefined, ways: string | undefined): string {
  const said = askSsh(entry, file ?? ways);
  const address = file === undefined ? `ssh://${written(entry.alias)}` : addressSaid(entry, said);
  const { success } = HostSpec.shape.address.safeParse(address);
  if (success) return address;
  throw refuse(entry, `"${address}" is not an address of a host`);
}

function addressSaid(entry: SshEntry, said: ReadonlyMap<string, string>): string {
  const way = WAYS.find((option) => (said.get(option) ?? "none") !== "none");
  if (way !== undefined)
    throw refuse(
      entry,
      `it is reached by ${way}, which an address cannot express; add Include ${entry.file} to ~/.ssh/config and read that`,
    );
  const [host = "", user, port] = ["hostname", "user", "port"].map((key) => said.get(key));
  const at = host.includes(":") ? `[${host}]` : host;
  return `ssh://${user === undefined ? "" : `${written(user)}@`}${at}${port === undefined || port === "22" ? "" : `:${port}`}`;
}

/** A name as an address has it. */
function written(name: string): string {
  return name.replace(/[@:/?#[\]%]/g, encodeURIComponent);
}

/** What ssh itself makes of an alias: it opens no connection. */
function askSsh(entry: SshEntry, file: string | undefined): ReadonlyMap<string, string> {
  const config = file === undefined ? [] : ["-F", file];
  const { error, status, stdout, stderr } = spawnSync("ssh", [...config, "-G", "--", entry.alias], {
    encoding: "utf8",
    timeout: ANSWER_MS,
    maxBuffer: ANSWER_BYTES_MAX,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (error !== undefined || status !== 0) {
    const reason = error?.message ?? stderr.trim().split("\n").at(-1) ?? "";
    throw refuse(entry, `ssh -G cannot read it (${reason.slice(0, 500)})`);
  }
  return new Map(
    stdout.split("\n").map((line): [string, string] => {
      const space = line.indexOf(" ");
      return [line.slice(0, space), line.slice(space + 1)];
    }),
  );
}

function nameOf(alias: string): string {
  return alias.toLowerCase().replaceAll(".", "-");
}

function checkedName(name: string, entry: SshEntry): string {
  const result = Name.safeParse(name);
  if (result.success) return name;
  throw refuse(
    entry,
    `a host cannot be called "${name}": ${result.error.issues[0]?.message ?? ""}; give it a name, or leave it out with only`,
  );
}

function placeOf({ file, line, alias }: SshEntry): string {
  return `Host ${alias} (${file}:${line})`;
}

function refuse(entry: SshEntry, why: string): StowageError {
  return new StowageError(`Cannot use ${placeOf(entry)} of the ssh configuration: ${why}`, {
    code: "invalid_argument",
    context: { file: entry.file, line: entry.line },
  });
}
