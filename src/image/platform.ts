/** What an image was built for, in Go's words: `linux`, `arm64`, `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const ALIASES: ReadonlyMap<string, string> = new Map([
  ["x86_64", "amd64"],
  ["x86-64", "amd64"],
  ["aarch64", "arm64"],
  ["armhf", "arm"],
  ["armel", "arm"],
  ["i386", "386"],
]);

/** The variant that is meant when none is named. */
const DEFAULT_VARIANTS: ReadonlyMap<string, string> = new Map([
  ["amd64", "v1"],
  ["arm64", "v8"],
  ["arm", "v7"],
]);

/** `os/architecture[/variant]`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}

/** A platform as a document has it. */
export function toPlatform(said: {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | null | undefined;
}): Platform {
  const { os, architecture, variant } = said;
  return { os, architecture, ...(variant ? { variant } : {}) };
}

/** The same platform spelt in one way, its variant written out where the architecture has one. */
export function normalizePlatform(platform: Platform): Platform {
  const machine = platform.architecture.toLowerCase();
  const architecture = ALIASES.get(machine) ?? machine;
  const named = machine === "armel" ? "v6" : platform.variant?.toLowerCase();
  const numbered = named !== undefined && /^[0-9]/.test(named) ? `v${named}` : named;
  const variant = numbered ?? DEFAULT_VARIANTS.get(architecture);
  return {
    os: platform.os.toLowerCase(),
    architecture,
    ...(variant === undefined ? {} : { variant }),
  };
}

/**
 * How well an image built for `built` runs on `wanted`: nothing when it does not, else the higher the
 * better.
 *
 * The architecture must be the same. A numbered variant runs on itself and on any later one, so that
 * `arm/v6` is taken for `arm/v7` when there is nothing better.
 */
export function platformRank(built: Platform, wanted: Platform): number | undefined {
  const image = normalizePlatform(built);
  const machine = normalizePlatform(wanted);
  if (image.os !== machine.os || image.architecture !== machine.architecture) return undefined;
  if (image.variant === machine.variant) return Number.MAX_SAFE_INTEGER;
  const have = variantNumber(image.variant);
  const can = variantNumber(machine.variant);
  return have === undefined || can === undefined || have > can ? undefined : have;
}

/** The one of `candidates` that runs best on `wanted`, the first of equals. */
export function bestPlatform<T extends { readonly platform: Platform }>(
  candidates: readonly T[],
  wanted: Platform,
): T | undefined {
  let best: { candidate: T; rank: number } | undefined;
  for (const candidate of candidates) {
    const rank = platformRank(candidate.platform, wanted);
    if (rank !== undefined && (best === undefined || rank > best.rank)) best = { candidate, rank };
  }
  return best?.candidate;
}

function variantNumber(variant: string | undefined): number | undefined {
  const digits = /^v([0-9]+)$/.exec(variant ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}
