/** Whether series of kills that cost minutes are to be whole: `STOWAGE_KILLS=all`. */
export const EVERY_KILL = process.env["STOWAGE_KILLS"] === "all";
