import { readFileSync, writeFileSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { provider, resource } from "@cdktf/provider-null";
import { Lazy, App as TerraformApp, TerraformStack, Token } from "cdktf";
import { Construct } from "constructs";

/** The one place that knows cdktf, so that its fork can take its place. */
export { TerraformApp, TerraformStack };

/** Name of the manifest in a stack's folder. */
export const MANIFEST_FILE = "fleet.json";

const LOCK_TIMEOUT = "5m";

/** Whether a value is, or holds directly, one that only Terraform knows. */
export function isUnresolved(value: unknown): boolean {
  if (Token.isUnresolved(value)) return true;
  // cdktf does not look for its numbers in text
  const numbers = typeof value === "string" ? (value.match(/-\d(?:\.\d+)?e\+\d{3}/g) ?? []) : [];
  return numbers.some((number) => Token.isUnresolved(Number(number)));
}

/**
 * Text as it stands in Terraform JSON: `${` and `%{` mean themselves, while values that only
 * Terraform knows are still put in.
 */
export function terraformText(text: string): string {
  return text.replace(/\$\{TfToken\[TOKEN\.\d+\]\}|\$\{|%\{/g, (found) => {
    if (found === "${") return "$${";
    return found === "%{" ? "%%{" : found;
  });
}

/** The `projectId` of the project's cdktf.json, or why there is none. */
export function readProjectId(): { readonly id: string } | { readonly problem: string } {
  const file = resolve("cdktf.json");
  try {
    const { projectId } = JSON.parse(readFileSync(file, "utf8")) as {
      readonly projectId?: unknown;
    };
    if (typeof projectId === "string" && projectId !== "") return { id: projectId };
    return { problem: `${file} has no projectId` };
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: absent ? `there is no ${file}` : `${file} cannot be read: ${reason}` };
  }
}

/**
 * A path as the project means it: relative to the directory that the app runs in now. What comes back
 * tells how a file in a construct's stack's folder writes it.
 */
export function projectPath(path: string): (construct: Construct) => string {
  if (isUnresolved(path) || isAbsolute(path)) return () => path;
  const absolute = resolve(path);
  return (construct) => relative(stackFolder(TerraformStack.of(construct)), absolute);
}

/** Bytes of a file of the project; a relative path begins at the directory that the app runs in. */
export function readProjectFile(path: string): Uint8Array {
  return readFileSync(resolve(path));
}

/** A file that is written with a stack. */
export interface StackFile {
  readonly name: string;
  readonly text: () => string;
  /** Runs the whole synthesis of the stack. */
  readonly within: (synthesis: () => void) => void;
}

/** Writes a file beside the stack's Terraform JSON each time that the stack is synthesized. */
export function writeWithStack(stack: TerraformStack, { name, text, within }: StackFile): void {
  const { synthesizer } = stack;
  stack.synthesizer = {
    synthesize: (session) =>
      within(() => {
        synthesizer.synthesize(session);
        const { workingDirectory } = session.manifest.forStack(stack);
        writeFileSync(join(session.outdir, workingDirectory, name), text());
      }),
  };
}

/** How Terraform runs Stowage for a stack. */
export interface TerraformRun {
  /** Command line that runs Stowage. */
  readonly command: string;
  /** Changes whenever `apply` has something to do. */
  readonly digest: () => string;
}

/**
 * Lets Terraform run `apply` whenever the manifest has changed, and `destroy` at its own destroy.
 *
 * They are two resources: a resource whose trigger changes is destroyed and made again, and that
 * must not take the fleet down in between.
 */
export function runWithTerraform(stack: TerraformStack, run: TerraformRun): void {
  // no name of a host, service or volume has capital letters, so that none can meet this one
  const scope = new Construct(stack, "Terraform");
  new provider.NullProvider(scope, "null");
  // what an interrupted run of Terraform's began may still hold the hosts for a while
  const localExec = (verb: string) => ({
    type: "local-exec" as const,
    command: `${terraformText(run.command)} ${verb} --yes --lock-timeout ${LOCK_TIMEOUT} -f ${MANIFEST_FILE}`,
  });
  const fleet = new resource.Resource(scope, "fleet", {
    provisioners: [{ ...localExec("destroy"), when: "destroy" }],
  });
  fleet.overrideLogicalId("stowage_fleet");
  // while cdktf only prepares, the answer is not used
  const digest = Lazy.stringValue({
    produce: ({ preparing }) => (preparing ? "" : run.digest()),
  });
  const { command, ...rest } = localExec("apply");
  const apply = new resource.Resource(scope, "apply", {
    dependsOn: [fleet],
    // a fleet that is replaced was destroyed, and has to be applied again
    triggers: { manifest: digest, fleet: fleet.id },
    // a plan of Terraform's holds this line, but not the manifest, which may be another by then
    provisioners: [{ ...rest, command: `${command} --manifest-digest ${digest}` }],
  });
  apply.overrideLogicalId("stowage_apply");
}

function stackFolder(stack: TerraformStack): string {
  const { outdir, manifest } = TerraformApp.of(stack);
  return resolve(outdir, manifest.forStack(stack).workingDirectory);
}
