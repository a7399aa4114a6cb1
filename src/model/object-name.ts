import { hash } from "node:crypto";

/** Beginning of every name that Stowage makes on a host. */
export const OBJECT_PREFIX = "stw-";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const HASH_CHARACTERS = 26;

/** A generation of a pod, on the host that it belongs on. */
export interface PodIdentity {
  readonly owner: string;
  readonly fleet: string;
  readonly host: string;
  readonly pod: string;
  readonly generation: number;
}

/**
 * Name of an object on a host: `stw-`, a part for people, and base32 of 130 bits of SHA-256 over
 * everything that tells it apart, so that leftovers are found by name alone and no two meet.
 *
 * @param container omitted for what belongs to the pod as a whole
 * @returns at most `maxLength` characters of a-z, 2-7 and single dashes
 */
export function objectName(identity: PodIdentity, container?: string, maxLength = 64): string {
  const { owner, fleet, host, pod, generation } = identity;
  const code = objectCode([owner, fleet, host, pod, container ?? "", generation]);
  const readable = `${pod}${container === undefined ? "" : `-${container}`}-${generation}`
    .replaceAll(/-+/g, "-")
    .slice(0, Math.max(0, maxLength - OBJECT_PREFIX.length - HASH_CHARACTERS - 1))
    .replace(/-$/, "");
  return readable === "" ? `${OBJECT_PREFIX}${code}` : `${OBJECT_PREFIX}${readable}-${code}`;
}

/** Characters that the kernel lets a name of a network interface have. */
const LINK_CHARACTERS = 15;

/** Name of a network interface of the host: `stw-` and base32 of what tells it apart. */
export function linkName(...told: readonly string[]): string {
  const code = base32(hash("sha256", JSON.stringify(told), "buffer"));
  return `${OBJECT_PREFIX}${code}`.slice(0, LINK_CHARACTERS);
}

/** Name of the bridge of a network of the fleet on a host; another declared subnet is another bridge. */
export function bridgeName(
  runDir: string,
  { owner, fleet, host }: Pick<PodIdentity, "owner" | "fleet" | "host">,
  { name = "", subnet = "" }: Partial<Record<"name" | "subnet", string | undefined>> = {},
): string {
  return linkName("bridge", runDir, owner, fleet, host, name, subnet);
}

/**
 * Name of the directories with a generation's files: that of the generation and of its host, as two
 * hosts of a fleet may be one machine.
 */
export function filesDirName(identity: PodIdentity): string {
  return `${objectName(identity)}.${identity.host}`;
}

/** 130 bits of SHA-256 over what tells an object apart, in base32. */
export function objectCode(told: readonly (string | number)[]): string {
  return base32(hash("sha256", JSON.stringify(told), "buffer")).slice(0, HASH_CHARACTERS);
}

function base32(bytes: Uint8Array): string {
  let [text, value, bits] = ["", 0, 0];
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >> bits) & 31];
    }
  }
  return text;
}
