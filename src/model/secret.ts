import * as z from "zod";
import { field } from "./field.ts";
import { NoNul } from "./values.ts";

/** Where the value of a secret comes from, on the machine that applies: exactly one of these. */
export const SecretSource = z.strictObject({
  fromEnv: field(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable"),
    { description: "Environment variable that holds the value, on the machine that runs Stowage." },
  ).optional(),
  fromFile: field(NoNul.min(1), {
    description:
      "File that holds the value, on the machine that runs Stowage; a relative path starts at the manifest's folder.",
    unit: "path",
  }).optional(),
  fromCommand: field(z.array(NoNul).min(1).readonly(), {
    description:
      "Program that prints the value, with its arguments, on the machine that runs Stowage; it is run without a shell.",
  }).optional(),
});
/** See the schema of the same name. */
export type SecretSource = z.infer<typeof SecretSource>;

/** The fields of a secret's source, of which one is set. */
export const SECRET_SOURCES = ["fromEnv", "fromFile", "fromCommand"] as const;

/** A value that is read by whoever applies, at that time, and written nowhere in clear. */
export const SecretReference = z.strictObject({
  secret: field(SecretSource, { description: "Where the value comes from." }),
});
/** See the schema of the same name. */
export type SecretReference = z.infer<typeof SecretReference>;

/** Whether a value of `env` stands for a secret. */
export function isSecret(value: string | SecretReference): value is SecretReference {
  return typeof value !== "string";
}
