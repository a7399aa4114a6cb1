import * as z from "zod";
import type { Host } from "../../../host/index.ts";

const KnownVersion = z.object({ program: z.string(), version: z.string() });

/**
 * What a program said when it was asked for its version, by the text of the file that keeps it: podman takes
 * as long to say it as to tell of several containers. Undefined where another program is in its place by now.
 */
export function knownVersion(text: string, program: string | undefined): string | undefined {
  if (text === "" || program === undefined) return undefined;
  try {
    const known = KnownVersion.safeParse(JSON.parse(text)).data;
    return known?.program === program ? known.version : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps what a program said. */
export async function keepVersion(
  host: Host,
  versionFile: string,
  program: string,
  version: string,
): Promise<void> {
  await host.writeFile(versionFile, `${JSON.stringify({ program, version })}\n`);
}
