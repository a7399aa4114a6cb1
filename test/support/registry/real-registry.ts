import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../free-port.ts";

/** A registry of the distribution project on loopback; disposing ends it and removes what it holds. */
export interface RealRegistry extends AsyncDisposable {
  /** Domain of its references: `127.0.0.1:5000`. */
  readonly domain: string;
  /** Folder of its own; its blobs are below `data`. */
  readonly dir: string;
  /** Ends it, as a failure would. */
  stop(): Promise<void>;
}

/** A user of a registry that asks for one. */
export interface RegistryUser {
  readonly name: string;
  /** bcrypt, as `htpasswd -B` writes it. */
  readonly passwordHash: string;
}

/** Starts a registry. @param user who alone may use it; anybody when absent */
export async function startRegistry(program: string, user?: RegistryUser): Promise<RealRegistry> {
  const dir = mkdtempSync(join(tmpdir(), "stw-registry-"));
  const port = await freePort();
  const config: Record<string, unknown> = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, "data") }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
  };
  mkdirSync(join(dir, "data"));
  if (user !== undefined) {
    const path = join(dir, "users");
    writeFileSync(path, `${user.name}:${user.passwordHash}\n`);
    config["auth"] = { htpasswd: { realm: "test", path } };
  }
  // JSON is YAML
  writeFileSync(join(dir, "config.yml"), JSON.stringify(config));
  const child = spawn(program, ["serve", join(dir, "config.yml")], { stdio: "ignore" });
  const ended = once(child, "close");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  const domain = `127.0.0.1:${port}`;
  for (let tries = 0; !(await answers(domain)); tries += 1) {
    if (tries > 200 || child.exitCode !== null) throw new Error("The registry did not start");
    await delay(50);
  }
  return {
    domain,
    dir,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function answers(domain: string): Promise<boolean> {
  return await fetch(`http://${domain}/v2/`).then(
    () => true,
    () => false,
  );
}
