import { appendFileSync, chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.ts";

/** The key of the one who may log in on every host, and the client's configuration that uses it. */
export class SshKeys {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(folder: string): Promise<SshKeys> {
    mkdirSync(folder, { mode: 0o700 });
    const keys = new SshKeys(folder);
    await keys.#makeKey("user");
    appendFileSync(
      keys.config,
      [
        "Host *",
        `  IdentityFile ${join(folder, "user")}`,
        "  IdentitiesOnly yes",
        `  UserKnownHostsFile ${keys.knownHosts}`,
        "  GlobalKnownHostsFile /dev/null",
        "",
      ].join("\n"),
    );
    return keys;
  }

  /** File of the client's configuration: `ssh -F`. */
  get config(): string {
    return join(this.#folder, "config");
  }

  get knownHosts(): string {
    return join(this.#folder, "known_hosts");
  }

  /** Public key of the one who may log in. */
  get user(): string {
    return readFileSync(join(this.#folder, "user.pub"), "utf8");
  }

  /**
   * Makes the key of a host, and has the client know it.
   *
   * @returns the file of the private key
   */
  async makeHostKey(name: string, address: string): Promise<string> {
    const file = await this.#makeKey(name);
    appendFileSync(this.knownHosts, `${address} ${readFileSync(`${file}.pub`, "utf8")}`);
    return file;
  }

  async #makeKey(name: string): Promise<string> {
    const file = join(this.#folder, name);
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file]);
    chmodSync(file, 0o600);
    return file;
  }
}
