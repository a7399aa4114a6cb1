import type { Host } from "../../../src/host/index.ts";
import { HOST_KINDS } from "../../hosts/host-kinds.ts";

/**
 * The machine that engines of the suite are on: as itself, or with STOWAGE_CONFORMANCE_OVER=ssh as one that is
 * reached by the session, the agent and the forwarded sockets of ssh.
 */
export async function openHost(): Promise<Host> {
  const isFar = process.env["STOWAGE_CONFORMANCE_OVER"] === "ssh";
  return isFar ? await HOST_KINDS.ssh() : HOST_KINDS.local();
}
