const wanted = process.env["STOWAGE_FAULTS"];

/** Whether all faults are tried; else a sample that takes its time into account, or what is asked for. */
export const EVERY_FAULT = wanted === "all";

/** Whether there may be many: they are all tried then, whatever is not mended, and have time. */
export const MANY_FAULTS = wanted !== undefined;

/** What the faults that are tried have in their name, where that is asked for: `lost grpc tasks`. */
export const FAULTS_NAMED = wanted === undefined || EVERY_FAULT ? undefined : wanted;
