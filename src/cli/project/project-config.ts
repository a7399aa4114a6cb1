import { join } from "node:path";
import * as z from "zod";
import { StowageError } from "../../errors/index.ts";
import { readJsonFile } from "./read-json.ts";

/** What Stowage reads of cdktf.json; everything else in it is cdktf's. */
const ProjectConfig = z.looseObject({
  /** Command that declares the fleets. */
  app: z.string().min(1),
  output: z.string().min(1).optional(),
  projectId: z.string().optional(),
  context: z.record(z.string(), z.unknown()).optional(),
});

/** See the schema of the same name. */
export type ProjectConfig = z.infer<typeof ProjectConfig>;

/** Name of a project's own file. */
export const PROJECT_FILE = "cdktf.json";

/**
 * Reads cdktf.json of a directory.
 *
 * @throws StowageError `not_found` when there is none, `invalid_argument` when it has no `app`
 */
export async function readProjectConfig(directory: string): Promise<ProjectConfig> {
  const path = join(directory, PROJECT_FILE);
  const remedy =
    "name a manifest with -f, go to the project with -C, or make one with stowage init";
  const result = ProjectConfig.safeParse(await readJsonFile(path, "project", remedy));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new StowageError(
    `Cannot read project "${path}": ${issue?.path.join(".") || "the file"} is invalid (${issue?.message}); correct it`,
    { code: "invalid_argument", cause: result.error },
  );
}
