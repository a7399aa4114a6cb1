import { chmod, open, stat, writeFile } from "node:fs/promises";
import * as z from "zod";
import { StowageError } from "../../errors/index.ts";
import {
  AppliedImage,
  BootUnit,
  Digest,
  digestOf,
  EngineConfig,
  FleetManifest,
  type Json,
  KeptGeneration,
  Name,
  OwnerId,
  RecordedGeneration,
  Rollout,
  Roster,
} from "../../model/index.ts";
import { PLAN_VERSION, type Plan, type PlanOptions } from "../../plan/index.ts";
import { readJsonFile } from "../project/read-json.ts";

/** A plan with all that applying it needs, so that exactly what was shown is done. */
export interface SavedPlan {
  readonly manifest: FleetManifest;
  /** Directory that relative paths of the manifest start from. */
  readonly baseDir: string;
  readonly options: PlanOptions;
  readonly plan: Plan;
}

const generation = z.int().min(1);
const step = <K extends string, S extends z.ZodRawShape>(kind: K, shape: S) =>
  z.strictObject({ kind: z.literal(kind), ...shape });
const identity = z.strictObject({ owner: OwnerId, fleet: Name });

const engine = EngineConfig.optional();

const StepSchema = z.discriminatedUnion("kind", [
  step("import-image", {
    image: AppliedImage,
    sizeBytes: z.int().optional(),
    from: z.strictObject({ engine: EngineConfig, digest: Digest }).optional(),
    by: z.enum(["host", "controller"]).optional(),
    orSent: z.literal(true).optional(),
  }),
  step("claim-image", { image: AppliedImage }),
  step("release-image", { name: z.string(), engine, sizeBytes: z.int().optional() }),
  step("create-volume", {
    volume: Name,
    mode: z.string(),
    uid: z.int().optional(),
    gid: z.int().optional(),
  }),
  step("prepare", { generation }),
  step("write-files", { generation }),
  step("remove-files", { from: identity, name: z.string().optional() }),
  step("drain", { generation, engine }),
  step("stop", { generation, engine }),
  step("start", {
    generation,
    engine,
    containers: z.array(Name).optional(),
    again: z.boolean().optional(),
    aside: z.boolean().optional(),
  }),
  step("take-ports", { generation }),
  step("update", { generation, paths: z.array(z.string()) }),
  step("wait-healthy", { generation, engine, forMs: z.int().min(1).optional() }),
  step("wait-completed", { generation, engine }),
  step("commit", { generation, keep: z.array(KeptGeneration).optional() }),
  step("remove", { generation, engine }),
  step("remove-leftover", { name: z.string(), engine }),
  step("hand-records", { from: Name, to: Name }),
  step("forget", {}),
  step("write-roster", { hosts: Roster.shape.hosts }),
  step("remove-roster", {}),
  step("trim-history", { pod: Name, keep: z.int().min(0) }),
  step("install-unit", { unit: BootUnit }),
  step("remove-unit", { name: z.string() }),
  step("move-fleet", { from: identity }),
  step("forget-fleet", { from: identity }),
]);

const ReasonSchema = z.strictObject({
  kind: z.enum(["declared", "drift", "state", "leftover", "asked"]),
  path: z.string(),
  before: z.json().optional(),
  after: z.json().optional(),
  secret: z.boolean().optional(),
  verdict: z.enum(["live", "restart", "replace", "none"]),
  text: z.string().optional(),
});

const verdict = z.enum(["live", "restart", "replace"]);

const LossSchema = z.strictObject({
  path: z.string(),
  change: z.strictObject({ before: verdict, after: verdict }).optional(),
  emulated: z.string().optional(),
});

const changeBase = {
  id: z.string(),
  host: Name,
  steps: z.array(StepSchema),
  after: z.array(z.string()),
};

const PodChangeSchema = z.strictObject({
  ...changeBase,
  pod: Name,
  action: z.enum([
    "create",
    "start",
    "update",
    "restart",
    "replace",
    "move-engine",
    "remove",
    "adopt",
    "clean",
  ]),
  afterStart: z.array(z.string()).optional(),
  afterWave: z.array(z.string()).optional(),
  fresh: generation.optional(),
  origin: identity.extend({ host: Name }),
  reasons: z.array(ReasonSchema),
  interrupts: z.boolean(),
  movesTo: Name.optional(),
  movesFrom: Name.optional(),
  to: RecordedGeneration.optional(),
  from: RecordedGeneration.optional(),
  losses: z.array(LossSchema).optional(),
  notes: z.array(z.string()),
});

const HostChangeSchema = z.strictObject({
  ...changeBase,
  action: z.enum([
    "import",
    "claim",
    "release",
    "clean",
    "roster",
    "boot",
    "rename",
    "leave",
    "unreachable",
  ]),
  text: z.string(),
});

/** Hosts carry more than applying reads; what is there for people is let through. */
const HostPlanSchema = z.looseObject({
  host: Name,
  address: z.string(),
  engine: EngineConfig,
  fingerprint: z.string().optional(),
  declared: z.boolean(),
  running: z.int(),
  kept: z.array(z.looseObject({ volume: Name, path: z.string() })),
});

const RolloutSchema = z.strictObject({
  service: Name,
  policy: Rollout,
  waves: z.array(
    z.strictObject({ kind: z.enum(["canary", "wave"]), changes: z.array(z.string()).min(1) }),
  ),
  done: z.int().min(0),
  paused: z
    .strictObject({
      host: Name,
      by: z.string().optional(),
      at: z.string().optional(),
      problem: z.string().optional(),
      waits: z.array(z.string()),
    })
    .optional(),
});

const SavedPlanSchema = z.strictObject({
  savedPlan: z.literal(PLAN_VERSION),
  baseDir: z.string(),
  options: z.strictObject({
    hosts: z.array(z.string()).optional(),
    pods: z.array(z.string()).optional(),
    forgetHosts: z.array(z.string()).optional(),
    forgetEngines: z.array(z.string()).optional(),
    ignoreFields: z.array(z.string()).optional(),
    keepOld: z.boolean().optional(),
    takeOver: z.boolean().optional(),
  }),
  manifest: FleetManifest,
  plan: z.strictObject({
    version: z.literal(PLAN_VERSION),
    owner: OwnerId,
    fleet: Name,
    manifest: z.string().optional(),
    hosts: z.array(HostPlanSchema),
    pods: z.array(PodChangeSchema),
    hostChanges: z.array(HostChangeSchema),
    rollouts: z.array(RolloutSchema).optional(),
    warnings: z.array(z.string()),
    partial: z.boolean(),
  }),
  /** Of all the rest. */
  digest: Digest,
});

/** How every saved plan begins. */
const BEGINNING = '{"savedPlan":';

/**
 * Writes a plan to a file that only its owner can read, new or in place of another plan.
 *
 * @throws StowageError `failed_precondition` when the file holds something else
 */
export async function writeSavedPlan(path: string, saved: SavedPlan): Promise<void> {
  try {
    if (await holdsOther(path)) throw new Error("it is not a plan; name another file");
    const rest: Json = JSON.parse(JSON.stringify(saved));
    const json = { savedPlan: PLAN_VERSION, digest: digestOf(rest), ...saved };
    await writeFile(path, `${JSON.stringify(json)}\n`, { mode: 0o600 });
    await chmod(path, 0o600);
  } catch (error) {
    throw StowageError.from(error, `Cannot save the plan to "${path}"`, "failed_precondition");
  }
}

/** Whether writing a plan there would destroy what is none, such as the manifest itself. */
async function holdsOther(path: string): Promise<boolean> {
  try {
    // a pipe is not opened: it would wait for somebody who writes
    if (!(await stat(path)).isFile()) return false;
    await using file = await open(path, "r");
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING.length), 0);
    return !BEGINNING.startsWith(buffer.toString("utf8", 0, bytesRead));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/**
 * Reads a file of {@link writeSavedPlan}.
 *
 * @throws StowageError `invalid_argument` when it is none, of another version, or not as it was written
 */
export async function readSavedPlan(path: string): Promise<SavedPlan> {
  const json = await readJsonFile(path, "saved plan", "make one with stowage plan --out FILE");
  const result = SavedPlanSchema.safeParse(json);
  if (result.success) {
    const { savedPlan: _, digest, ...saved } = result.data;
    const { savedPlan: __, digest: ___, ...rest } = json as Readonly<Record<string, Json>>;
    if (digestOf(rest) !== digest) throw isAltered(path);
    // the schema has checked it; only what it says of optional fields is wider
    return saved as unknown as SavedPlan;
  }
  const issue = result.error.issues[0];
  throw new StowageError(
    `Cannot read saved plan "${path}": it is not a plan of this version (${issue?.path.join(".") || "top level"}: ${issue?.message}); make one with stowage plan --out FILE`,
    { code: "invalid_argument", cause: result.error },
  );
}

/** What was shown is done, and nothing else; somebody else's steps may never end, or leave half behind. */
function isAltered(path: string): StowageError {
  return new StowageError(
    `Cannot use saved plan "${path}": it was changed since it was written; change the declaration, and make a new one with stowage plan --out FILE`,
    { code: "invalid_argument" },
  );
}
