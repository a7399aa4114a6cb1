/** Whether series of kills that cost minutes are to be whole: `STOWAGE_KILLS=all`. */
export const EVERY_KILL = process.env["STOWAGE_KILLS"] === "all";

/** Else of this many kills one is made: an odd number, so that both directions of a story get theirs. */
export const ONE_OF = EVERY_KILL ? 1 : 3;
