import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ImageContent, ImageOrigin, RegistryAccount } from "../../../engine/index.ts";
import { StowageError } from "../../../errors/index.ts";
import { imageName } from "../../../model/index.ts";
import { nothingDone } from "../cli/podman-error.ts";
import type { PodmanContext } from "../context.ts";
import { imageExists } from "./image-list.ts";
import { LOAD_MS, PULLED_NAME } from "./import-work.ts";

/** How often it is looked how much has come. */
const LOOK_MS = 500;

/** What is pulled, and where it is worked at. */
export interface Pull {
  readonly content: ImageContent;
  readonly origin: ImageOrigin;
  /** Name of ours that the image gets. */
  readonly tag: string;
  /** Folder that goes afterwards, with the name that podman itself gives to the image. */
  readonly work: string;
}

/**
 * Has podman pull an image from its registry, by the digest of its manifest: as the host's registries.conf says,
 * with its mirrors, certificates and what it blocks.
 *
 * @throws StowageError as podman's command line does
 */
export async function pullImage(
  context: PodmanContext,
  { content, origin, tag, work }: Pull,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { mirrors = [], repository, isPlain } = origin;
  for (const mirror of mirrors) {
    try {
      return await pullFrom(
        context,
        { content, origin: { ...origin, ...mirror }, tag, work },
        signal,
      );
    } catch (error) {
      signal?.throwIfAborted();
      // one that is away, or has not got it, is passed over
      if (!StowageError.is(error)) throw error;
    }
  }
  await pullFrom(
    context,
    { content, origin: { ...origin, repository, isPlain }, tag, work },
    signal,
  );
}

async function pullFrom(
  context: PodmanContext,
  { content, origin, tag, work }: Pull,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { cli, host } = context;
  const doing = `pull image "${imageName(content.reference, content.manifest.digest)}"`;
  const name = `${origin.repository}@${content.manifest.digest}`;
  // one that somebody pulled before keeps the name that it has for them
  if (!(await imageExists(context, name, signal))) {
    await host.writeFile(`${work}/${PULLED_NAME}`, name);
    const login = await writeLogin(context, origin, basename(work));
    const args = [
      ...["pull", "--quiet"],
      ...(login === undefined ? [] : ["--authfile", login]),
      ...(origin.isPlain ? ["--tls-verify=false"] : []),
      name,
    ];
    const watching = new AbortController();
    const watched = tellBytes(context, work, origin, watching.signal);
    try {
      await cli.read(args, {
        doing,
        env: { ...origin.env, TMPDIR: work },
        timeoutMs: LOAD_MS,
        ...(signal === undefined ? {} : { signal }),
      });
    } finally {
      watching.abort();
      await watched;
    }
    if (!(await imageExists(context, name, signal))) throw nothingDone(doing, args);
  }
  await cli.change(["tag", name, tag], { doing });
}

/** Writes what proves who asks, for as long as the pull takes; it is for nobody else to read. */
async function writeLogin(
  { host, files }: PodmanContext,
  origin: ImageOrigin,
  folder: string,
): Promise<string | undefined> {
  const credentials = await origin.credentials();
  if (credentials.size === 0) return undefined;
  const path = `${files.loginsDir}/${folder}/auth.json`;
  const auths = Object.fromEntries([...credentials].map(([domain, each]) => [domain, entry(each)]));
  await host.writeFile(path, JSON.stringify({ auths }));
  return path;
}

/** As `podman login` writes it; a token has no user, and the form asks for one. */
function entry(account: RegistryAccount): Readonly<Record<string, string>> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  if ("identityToken" in account)
    return { auth: base64("<token>:"), identitytoken: account.identityToken };
  return { auth: base64(`${account.username}:${account.password}`) };
}

/** Tells how much has come, by what lies where podman puts it first: it says so to a terminal alone. */
async function tellBytes(
  { host }: PodmanContext,
  work: string,
  { onBytes }: ImageOrigin,
  signal: AbortSignal,
): Promise<void> {
  if (onBytes === undefined) return;
  let most = 0;
  while (!signal.aborted) {
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      most = Math.max(most, await host.diskUsage(work));
    } catch (error) {
      // it is about to go
      if (!StowageError.is(error)) throw error;
    }
    onBytes(most);
  }
}
