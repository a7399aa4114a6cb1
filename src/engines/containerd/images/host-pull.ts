import { setTimeout as delay } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import type { ImageContent, ImageOrigin } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { Transfer } from "../../../gen/containerd/services/transfer/v1/transfer_pb.ts";
import { ImageStoreSchema } from "../../../gen/containerd/types/transfer/imagestore_pb.ts";
import { OCIRegistrySchema } from "../../../gen/containerd/types/transfer/registry_pb.ts";
import type { Host } from "../../../host/index.ts";
import { type HostDirectories, imageName } from "../../../model/index.ts";
import type { ContainerdClient } from "../client/containerd-client.ts";
import { pullError } from "./pull-error.ts";
import { type PullHosts, writePullHosts } from "./pull-hosts.ts";
import {
  dropPullNamespace,
  openPullNamespace,
  pulledBytes,
  pullNamespace,
} from "./pull-namespace.ts";

/** Bytes of large images take their time. */
const PULL_MS = 60 * 60 * 1000;
/** How often it is looked how much has come. */
const LOOK_MS = 500;
const STDERR_MAX = 8 * 1024;
/** From here on the daemon's own service reads hosts.toml, and speaks HTTP where that says so. */
const TRANSFER_SINCE = 2;

/** What a pull by the host works with. */
export interface HostPullContext {
  readonly client: ContainerdClient;
  readonly host: Host;
  readonly directories: HostDirectories;
  readonly socketPath: string;
  /** First number of the daemon's version. */
  readonly major: number;
}

/** A pull under way. */
interface Pull {
  readonly there: ContainerdClient;
  readonly name: string;
  /** What is pulled: a repository and the digest of the platform's manifest. */
  readonly reference: string;
  readonly hosts: PullHosts;
  readonly signal: AbortSignal | undefined;
}

/**
 * Has the host get an image's blobs from its registry: the daemon itself from 2.0 on, before that ctr. They are in a
 * namespace of their own then, from which an import takes them without reading any; {@link endHostPull} removes it.
 *
 * Nothing of a login is in an argument: a header that lets this image alone be read, for a while, is in a file of
 * root's, for as long as the pull takes.
 *
 * @throws StowageError `unavailable` when the host does not reach the registry, `unimplemented` when it has no ctr
 */
export async function pullOnHost(
  context: HostPullContext,
  content: ImageContent,
  origin: ImageOrigin,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client, host, major } = context;
  const { manifest, reference } = content;
  const there = await openPullNamespace(client, manifest.digest, signal);
  const hosts = await writePullHosts(host, hostsDirectory(context, content), origin, signal);
  const pull: Pull = {
    there,
    name: imageName(reference, manifest.digest),
    reference: `${origin.repository}@${manifest.digest}`,
    hosts,
    signal,
  };
  const watching = new AbortController();
  const watched = tellBytes(there, origin, watching.signal);
  try {
    if (major >= TRANSFER_SINCE) await transfer(pull);
    else await runCtr(context, pull);
  } finally {
    watching.abort();
    await watched;
    if (hosts.isOurs) await host.removeDirectory(hosts.directory);
  }
}

/** Removes what a pull left, where there was one. */
export async function endHostPull(
  context: Omit<HostPullContext, "major">,
  content: ImageContent,
): Promise<void> {
  await removePull(context, pullNamespace(context.client.namespace, content.manifest.digest));
}

/** Removes a pull by the name of its namespace. */
export async function removePull(
  { client, host, directories }: Omit<HostPullContext, "major">,
  name: string,
): Promise<void> {
  await host.removeDirectory(`${directories.runDir}/pulls/${name}`);
  await dropPullNamespace(client, name);
}

function hostsDirectory({ client, directories }: HostPullContext, content: ImageContent): string {
  return `${directories.runDir}/pulls/${pullNamespace(client.namespace, content.manifest.digest)}`;
}

async function transfer({ there, name, reference, hosts, signal }: Pull): Promise<void> {
  const resolver = { hostDir: hosts.directory };
  const source = create(OCIRegistrySchema, { reference, resolver });
  const request = {
    source: {
      typeUrl: "containerd.types.transfer.OCIRegistry",
      value: toBinary(OCIRegistrySchema, source),
    },
    destination: {
      typeUrl: "containerd.types.transfer.ImageStore",
      value: toBinary(ImageStoreSchema, create(ImageStoreSchema, { name: reference })),
    },
  };
  try {
    const options = { doing: "pull", signal, deadlineMs: PULL_MS };
    await there.unary(Transfer.method.transfer, request, options);
  } catch (error) {
    signal?.throwIfAborted();
    // what is wrong with the connection to the daemon is no matter of its registry
    if (!StowageError.is(error) || error.code === "unavailable") throw error;
    throw pullError(name, "containerd", error.message, error);
  }
}

async function runCtr(
  { host, socketPath }: HostPullContext,
  { there, name, reference, hosts, signal }: Pull,
): Promise<void> {
  let said = "";
  const command = [
    ...["ctr", "--address", socketPath, "--namespace", there.namespace],
    ...["content", "fetch", "--hosts-dir", hosts.directory, reference],
  ];
  const output = {
    // it draws how far it is
    stdout: () => {},
    stderr: (bytes: Uint8Array) => {
      said = (said + Buffer.from(bytes).toString("utf8")).slice(-STDERR_MAX);
    },
  };
  const options = { timeoutMs: PULL_MS, output, ...(signal === undefined ? {} : { signal }) };
  let exitCode: number;
  try {
    ({ exitCode } = await host.run(command, options));
  } catch (error) {
    if (!StowageError.is(error, "not_found")) throw error;
    throw new StowageError(
      `Cannot pull image "${name}": containerd before 2.0 pulls by ctr, which is not on the host; install it, or declare pull: controller`,
      { code: "unimplemented", context: { image: name }, cause: error },
    );
  }
  if (exitCode !== 0) throw pullError(name, "ctr", said === "" ? `exit code ${exitCode}` : said);
}

async function tellBytes(
  there: ContainerdClient,
  { onBytes }: ImageOrigin,
  signal: AbortSignal,
): Promise<void> {
  if (onBytes === undefined) return;
  while (!signal.aborted) {
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      onBytes(await pulledBytes(there));
    } catch (error) {
      // the pull itself says what is wrong
      if (!StowageError.is(error)) throw error;
    }
  }
}
