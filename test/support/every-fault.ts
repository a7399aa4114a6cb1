const wanted = process.env["STOWAGE_FAULTS"];
const every = /^all(?:,from=(?<turn>\d+))?$/.exec(wanted ?? "");

/** Whether all faults are tried; else a sample that takes its time into account, or what is asked for. */
export const EVERY_FAULT = every !== null;

/** The turn that a run which was broken off goes on from. */
export const FIRST_TURN = Number(every?.groups?.["turn"] ?? 0);

/** Whether there may be many: they are all tried then, whatever is not mended, and have time. */
export const MANY_FAULTS = wanted !== undefined;

/** What the faults that are tried have in their name, where that is asked for: `lost grpc tasks`. */
export const FAULTS_NAMED = wanted === undefined || EVERY_FAULT ? undefined : wanted;
