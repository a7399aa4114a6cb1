import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { StowageError } from "../../errors/index.ts";

/** What a user proves to a registry who it is with; never shown. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. */
  | { readonly identityToken: string };

type Environment = Readonly<Record<string, string | undefined>>;

const Entry = z.looseObject({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
});
const Config = z.looseObject({
  auths: z.record(z.string(), Entry).optional(),
  credsStore: z.string().optional(),
  credHelpers: z.record(z.string(), z.string()).optional(),
});
type Config = z.infer<typeof Config>;

const HelperAnswer = z.looseObject({ Username: z.string(), Secret: z.string() });

const HELPER_MS = 30_000;
const ANSWER_BYTES_MAX = 256 * 1024;
/** Docker's own registry, whose credentials lie under an address of its first version. */
const DOCKER_KEYS = ["https://index.docker.io/v1/", "docker.io", "index.docker.io"];

/**
 * The user's credentials for a registry, as `docker login` and `podman login` keep them: the entry, or the
 * helper, of the first file that has one. The most exact key counts: `host/namespace` comes before
 * `host`.
 *
 * @param domain of an image reference: `docker.io`, `registry.example.com:5000`
 * @param path of the image's repository
 * @returns undefined when there are none: the registry is asked anonymously
 * @throws StowageError `invalid_argument` for a file that cannot be read; `permission_denied` when a helper fails
 */
export async function dockerCredentials(
  domain: string,
  path: string,
  env: Environment,
  { helperMs = HELPER_MS }: { readonly helperMs?: number } = {},
): Promise<Credentials | undefined> {
  const keys = keysOf(domain, path);
  const server = serverOf(domain);
  for (const file of configFiles(env)) {
    const config = await readConfig(file);
    if (config === undefined) continue;
    const helper = keys.map((key) => config.credHelpers?.[key]).find((name) => name !== undefined);
    const found =
      helper === undefined
        ? (entryOf(config, keys, file) ?? (await fromStore(config, keys, { server, helperMs })))
        : await askHelper(helper, { server, helperMs });
    if (found !== undefined) return found;
  }
  return undefined;
}

function configFiles(env: Environment): readonly string[] {
  const home = env["HOME"] ?? homedir();
  const runtime = env["XDG_RUNTIME_DIR"];
  return [
    ...(env["REGISTRY_AUTH_FILE"] === undefined ? [] : [env["REGISTRY_AUTH_FILE"]]),
    join(env["DOCKER_CONFIG"] ?? join(home, ".docker"), "config.json"),
    ...(runtime === undefined ? [] : [join(runtime, "containers/auth.json")]),
    join(env["XDG_CONFIG_HOME"] ?? join(home, ".config"), "containers/auth.json"),
  ];
}

/** The keys that a registry may be kept under, most exact first. */
function keysOf(domain: string, path: string): readonly string[] {
  const parts = path.split("/");
  const namespaces = parts.map((_, at) => [domain, ...parts.slice(0, parts.length - at)].join("/"));
  const hosts =
    domain === "docker.io"
      ? DOCKER_KEYS
      : [domain, `https://${domain}`, `https://${domain}/`, `http://${domain}`];
  return [...namespaces, ...hosts];
}

function serverOf(domain: string): string {
  return domain === "docker.io" ? (DOCKER_KEYS[0] as string) : domain;
}

async function readConfig(file: string): Promise<Config | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(file, code ?? "it cannot be read");
  }
  try {
    const result = Config.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    throw unreadable(
      file,
      `its field ${result.error.issues[0]?.path.join(".") ?? ""} has an unexpected format`,
    );
  } catch (error) {
    if (StowageError.is(error)) throw error;
    // the parser's own words would show what the file holds
    throw unreadable(file, "it is not JSON");
  }
}

function unreadable(file: string, state: string): StowageError {
  return new StowageError(
    `Cannot read registry credentials "${file}": ${state}; correct it, or log in again with docker login or podman login`,
    { code: "invalid_argument", context: { file } },
  );
}

function entryOf(config: Config, keys: readonly string[], file: string): Credentials | undefined {
  for (const key of keys) {
    const entry = config.auths?.[key];
    if (entry === undefined) continue;
    const { auth, username, password, identitytoken } = entry;
    if (identitytoken !== undefined && identitytoken !== "")
      return { identityToken: identitytoken };
    if (username !== undefined && password !== undefined) return { username, password };
    // a credential store leaves an empty entry
    if (auth === undefined || auth === "") continue;
    const text = Buffer.from(auth, "base64").toString("utf8");
    const colon = text.indexOf(":");
    if (colon < 0) throw unreadable(file, `the auth of ${key} is not user:password in base64`);
    return { username: text.slice(0, colon), password: text.slice(colon + 1) };
  }
  return undefined;
}

/** What a helper is asked for, and for how long. */
interface Question {
  readonly server: string;
  readonly helperMs: number;
}

/**
 * Every registry that a store was logged in to has an entry, which is empty. One without may be of a store that makes
 * credentials, as ecr-login does: where that has none, or fails, nobody said that there are any.
 */
async function fromStore(
  { credsStore, auths }: Config,
  keys: readonly string[],
  question: Question,
): Promise<Credentials | undefined> {
  if (credsStore === undefined) return undefined;
  const key = keys.find((each) => auths?.[each] !== undefined);
  if (key !== undefined) return await askHelper(credsStore, { ...question, server: key });
  try {
    return await askHelper(credsStore, question);
  } catch (error) {
    if (StowageError.is(error, "permission_denied")) return undefined;
    throw error;
  }
}

/**
 * Asks a helper of Docker's, over its standard input.
 *
 * @see https://github.com/docker/docker-credential-helpers
 */
async function askHelper(name: string, question: Question): Promise<Credentials | undefined> {
  const { server } = question;
  const program = `docker-credential-${name}`;
  const helperError = (state: string): StowageError => failed(program, server, state);
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw helperError("it is not a program name");
  const { code, stdout } = await run(program, question);
  if (code !== 0) {
    if (/credentials not found/i.test(stdout)) return undefined;
    throw helperError(`it ended with ${code ?? "a signal"}`);
  }
  const answer = HelperAnswer.safeParse(parsed(stdout));
  if (!answer.success) throw helperError("its answer is not the expected JSON");
  const { Username: username, Secret: secret } = answer.data;
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function run(
  program: string,
  { server, helperMs }: Question,
): Promise<{ readonly code: number | null; readonly stdout: string }> {
  const child = spawn(program, ["get"], {
    stdio: ["pipe", "pipe", "ignore"],
    signal: AbortSignal.timeout(helperMs),
    killSignal: "SIGKILL",
  });
  return await new Promise((resolve, reject) => {
    let stdout = "";
    child.once("error", (error: NodeJS.ErrnoException) => {
      // what it began may hold its output, and outlive it
      child.stdout.destroy();
      reject(failed(program, server, whyNoAnswer(error, helperMs)));
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (stdout.length > ANSWER_BYTES_MAX) child.kill("SIGKILL");
    });
    child.once("close", (code) => resolve({ code, stdout }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(server);
  });
}

function whyNoAnswer({ name, code }: NodeJS.ErrnoException, helperMs: number): string {
  if (name === "AbortError") return `it did not answer within ${helperMs / 1000} s`;
  return code === "ENOENT" ? "it is not on PATH" : String(code);
}

function failed(program: string, server: string, state: string): StowageError {
  return new StowageError(
    `Cannot ask credential helper "${program}": ${state}; check that it works: echo ${server} | ${program} get`,
    { code: "permission_denied", context: { program } },
  );
}
