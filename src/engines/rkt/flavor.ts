import { StowageError } from "../../errors/index.ts";

/** What a stage1 image isolates a pod with: `fly` a chroot only, `host` systemd-nspawn. */
export type Flavor = "fly" | "host";

/** The stage1 image of pods when nobody names another. */
export const DEFAULT_STAGE1 = "coreos.com/rkt/stage1-fly:1.30.0";

const FLAVORS: Readonly<Record<string, Flavor>> = {
  fly: "fly",
  // the two differ only in whose systemd they bring
  coreos: "host",
  src: "host",
  host: "host",
};

/** The flavour that a stage1 image is of, by its name. @throws StowageError `unimplemented` for another */
export function flavorOf(stage1: string): Flavor {
  const word = /stage1-([a-z]+)(?::|$)/.exec(stage1)?.[1] ?? "";
  const flavor = FLAVORS[word];
  if (flavor !== undefined) return flavor;
  throw new StowageError(
    `Cannot use stage1 image "${stage1}" of rkt: it is not of the flavour fly, host, coreos or src; name one that is`,
    { code: "unimplemented", context: { stage1 } },
  );
}
