import * as z from "zod";
import { StowageError } from "../../errors/index.ts";
import type { HostReader } from "../../host/index.ts";
import type { CniNetwork, Port } from "../../model/index.ts";

/** Where networks of a host's own are described, and their plugins, as hosts have it. */
const CONFIG_DIR = "/etc/cni/net.d";
const PLUGIN_DIRS = ["/opt/cni/bin", "/usr/lib/cni"] as const;
/** Of a file of the configuration: those in use have a few hundred bytes. */
const TEXT_MAX = 256 * 1024;

const PluginConfig = z.looseObject({
  // a program of one of the directories, and nothing beside them
  type: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  capabilities: z.record(z.string(), z.boolean()).optional(),
});

const Version = z
  .string()
  .regex(/^\d+\.\d+\.\d+$/)
  .default("0.2.0");

const ConfigList = z.looseObject({
  cniVersion: Version,
  name: z.string(),
  disableCheck: z.union([z.boolean(), z.enum(["true", "false"])]).optional(),
  plugins: z.array(PluginConfig).min(1).max(32),
});

/** One plugin alone, the form of old. */
const SingleConfig = PluginConfig.extend({ cniVersion: Version, name: z.string() });

/** A network as its host describes it. */
export interface CniConfig {
  readonly file: string;
  readonly name: string;
  readonly cniVersion: string;
  /** Whether plugins may be asked if all is as they made it. */
  readonly checks: boolean;
  readonly plugins: readonly z.infer<typeof PluginConfig>[];
}

/** Directory of a network's configuration. */
export function configDirOf({ configDir = CONFIG_DIR }: CniNetwork): string {
  return configDir;
}

/** Directories of a network's plugins. */
export function pluginDirsOf({ pluginDirs = PLUGIN_DIRS }: CniNetwork): readonly string[] {
  return pluginDirs;
}

/** Whether one of its plugins maps host ports. */
export function publishesPorts({ plugins }: CniConfig): boolean {
  return plugins.some(({ capabilities }) => capabilities?.["portMappings"] === true);
}

/**
 * Reads what a host says of a network: the first file of the directory that has its name.
 *
 * @throws StowageError `not_found` when none has, with the names that there are
 * @throws StowageError `failed_precondition` when it cannot be used, or a plugin is not there
 */
export async function readCniConfig(host: HostReader, wanted: CniNetwork): Promise<CniConfig> {
  const directory = configDirOf(wanted);
  const { files } = await host.snapshot({
    files: ["conflist", "conf", "json"].map((ending) => `${directory}/*.${ending}`),
  });
  const found = findConfig(files, wanted);
  const directories = pluginDirsOf(wanted);
  const paths = (type: string) => directories.map((each) => `${each}/${type}`);
  const { existing } = await host.snapshot({
    exist: found.plugins.flatMap(({ type }) => paths(type)),
  });
  for (const { type } of found.plugins) {
    if (paths(type).some((path) => existing.has(path))) continue;
    throw cniError(
      wanted,
      `its plugin "${type}" is not in ${directories.join(" or ")}`,
      "install it (Debian's containernetworking-plugins), or set pluginDirs",
    );
  }
  return found;
}

/** Finds a network among the files of a configuration, in the order of their names. */
export function findConfig(
  files: ReadonlyMap<string, string | Error>,
  wanted: CniNetwork,
): CniConfig {
  const names: string[] = [];
  const unreadable: string[] = [];
  for (const [file, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const config = parseConfig(file, text);
    if (config?.name === wanted.name) return config;
    if (config === undefined) unreadable.push(file);
    else names.push(config.name);
  }
  const known =
    names.length === 0 ? "no network is described there" : `there are ${names.join(", ")}`;
  const broken =
    unreadable.length === 0 ? "" : `, and ${unreadable.join(", ")} cannot be read as CNI networks`;
  throw new StowageError(
    `Cannot find CNI network "${wanted.name}" in ${configDirOf(wanted)}: ${known}${broken}; describe it there, or set another name`,
    { code: "not_found", context: { network: wanted.name } },
  );
}

function parseConfig(file: string, text: string | Error): CniConfig | undefined {
  if (typeof text !== "string" || text.length > TEXT_MAX) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const list = ConfigList.safeParse(value);
  if (list.success) {
    const { name, cniVersion, plugins, disableCheck } = list.data;
    const checks = String(disableCheck ?? false) !== "true" && hasChecks(cniVersion);
    return { file, name, cniVersion, plugins, checks };
  }
  const single = SingleConfig.safeParse(value).data;
  if (single === undefined) return undefined;
  const { name, cniVersion } = single;
  return { file, name, cniVersion, plugins: [single], checks: hasChecks(cniVersion) };
}

/** CHECK came with 0.4.0. */
function hasChecks(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 0 || minor >= 4;
}

/**
 * What each plugin is given on stdin for a pod, but for the result of the one before it. Ports go to the
 * plugins that say they lead them on.
 *
 * @throws StowageError `failed_precondition` when there are ports, and no such plugin
 */
export function pluginTexts(
  config: CniConfig,
  wanted: CniNetwork,
  ports: readonly Port[],
): readonly string[] {
  if (ports.length > 0 && !publishesPorts(config))
    throw cniError(wanted, NO_PORTS, "add the plugin portmap to it, or remove the ports");
  const portMappings = ports.map(({ host, container, protocol, hostIp }) => ({
    hostPort: host,
    containerPort: container ?? host,
    protocol: protocol ?? "tcp",
    ...(hostIp === undefined ? {} : { hostIP: hostIp }),
  }));
  return config.plugins.map((plugin) =>
    JSON.stringify({
      ...plugin,
      name: config.name,
      cniVersion: config.cniVersion,
      ...(plugin.capabilities?.["portMappings"] === true && ports.length > 0
        ? { runtimeConfig: { portMappings } }
        : {}),
    }),
  );
}

/** Why ports cannot be led into a network. */
export const NO_PORTS = "none of its plugins maps host ports (capability portMappings)";

/** A network of the host's own that cannot be used as it is. */
export function cniError({ name }: CniNetwork, state: string, remedy: string): StowageError {
  return new StowageError(`Cannot use CNI network "${name}": ${state}; ${remedy}`, {
    code: "failed_precondition",
    context: { network: name },
  });
}
