import { createHash } from "node:crypto";

/**
 * How many replicas of a service each host gets, by name of the host.
 *
 * Every host gets as many as any other, or one more; who gets one more is decided by rendezvous
 * hashing of the names alone. A host that comes takes only as many as it gets and moves no other; of
 * one that goes only its own move.
 *
 * @see Thaler and Ravishankar, Using name-based mappings to increase hit rates, 1998
 */
export function spread(
  service: string,
  hosts: readonly string[],
  replicas: number,
): ReadonlyMap<string, number> {
  const ranked = hosts
    .map((host) => ({ host, score: score(service, host) }))
    .sort((left, right) => (left.score < right.score ? 1 : -1));
  const each = Math.floor(replicas / Math.max(1, hosts.length));
  const more = replicas - each * hosts.length;
  return new Map(ranked.map(({ host }, rank) => [host, each + (rank < more ? 1 : 0)]));
}

function score(service: string, host: string): string {
  return createHash("sha256").update(`${service}\n${host}`).digest("hex");
}
