import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { dockerCredentials } from "./docker-credentials.ts";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "stw-home-"));
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

function write(file: string, content: object | string): void {
  const path = join(home, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
}

const encoded = (text: string) => ({ auth: Buffer.from(text).toString("base64") });
const of = (domain: string, path = "app", env = {}) =>
  dockerCredentials(domain, path, { HOME: home, ...env });

/** A helper that notes what it is asked, in a file. */
function helper(name: string, script: string): void {
  const bin = join(home, "bin");
  mkdirSync(bin, { recursive: true });
  const path = join(bin, `docker-credential-${name}`);
  writeFileSync(path, `#!/bin/sh\necho "$@" > ${home}/argv\ncat > ${home}/asked\n${script}\n`);
  chmodSync(path, 0o755);
  vi.stubEnv("PATH", `${bin}:${process.env["PATH"]}`);
}

describe("dockerCredentials()", () => {
  test("has none where nobody logged in", async () => {
    expect(await of("docker.io")).toBeUndefined();
    write(".docker/config.json", { auths: { "other.test": encoded("a:b") } });
    expect(await of("docker.io")).toBeUndefined();
  });

  test.each([
    ["docker.io", "https://index.docker.io/v1/"],
    ["docker.io", "docker.io"],
    ["reg.test:5000", "reg.test:5000"],
    ["reg.test", "https://reg.test"],
  ])("of %s lie under %s", async (domain, key) => {
    write(".docker/config.json", { auths: { [key]: encoded("ann:p:w") } });
    expect(await of(domain)).toEqual({ username: "ann", password: "p:w" });
  });

  test("of a namespace come before those of its registry", async () => {
    write(".config/containers/auth.json", {
      auths: { "reg.test": encoded("all:1"), "reg.test/team": encoded("team:2") },
    });
    expect(await of("reg.test", "team/app")).toMatchObject({ username: "team" });
    expect(await of("reg.test", "other/app")).toMatchObject({ username: "all" });
  });

  test("are looked for in the file that is named first, then Docker's, then podman's", async () => {
    write("run/containers/auth.json", { auths: { "reg.test": encoded("podman:1") } });
    const env = { XDG_RUNTIME_DIR: join(home, "run") };
    expect(await of("reg.test", "app", env)).toMatchObject({ username: "podman" });
    write(".docker/config.json", { auths: { "reg.test": encoded("docker:1") } });
    expect(await of("reg.test", "app", env)).toMatchObject({ username: "docker" });
    write("named.json", { auths: { "reg.test": encoded("named:1") } });
    const named = { ...env, REGISTRY_AUTH_FILE: join(home, "named.json") };
    expect(await of("reg.test", "app", named)).toMatchObject({ username: "named" });
  });

  test("an identity token counts before all else of an entry", async () => {
    const entry = { ...encoded("00000000:"), identitytoken: "tok" };
    write(".docker/config.json", { auths: { "reg.test": entry } });
    expect(await of("reg.test")).toEqual({ identityToken: "tok" });
  });

  test("a helper is asked over its standard input, and nothing secret is in its arguments", async () => {
    helper("vault", `echo '{"ServerURL":"x","Username":"ann","Secret":"canary"}'`);
    write(".docker/config.json", { credHelpers: { "reg.test": "vault" } });
    expect(await of("reg.test")).toEqual({ username: "ann", password: "canary" });
    expect(readFileSync(join(home, "asked"), "utf8")).toBe("reg.test");
    expect(readFileSync(join(home, "argv"), "utf8")).toBe("get\n");
  });

  test("a store is asked for registries that it was logged in to", async () => {
    helper("vault", `echo '{"Username":"<token>","Secret":"tok"}'`);
    const key = "https://index.docker.io/v1/";
    write(".docker/config.json", { credsStore: "vault", auths: { [key]: {} } });
    expect(await of("docker.io")).toEqual({ identityToken: "tok" });
    expect(readFileSync(join(home, "asked"), "utf8")).toBe(key);
  });

  test("a store that nobody logged in to is asked as well, as ones that make credentials have no entry", async () => {
    helper("ecr-login", `echo '{"Username":"AWS","Secret":"made"}'`);
    write(".docker/config.json", { credsStore: "ecr-login" });
    expect(await of("reg.test:5000")).toEqual({ username: "AWS", password: "made" });
    expect(readFileSync(join(home, "asked"), "utf8")).toBe("reg.test:5000");
    write(".config/containers/auth.json", { auths: { "reg.test": encoded("podman:1") } });
    helper("ecr-login", "exit 1");
    expect(await of("reg.test")).toMatchObject({ username: "podman" });
    expect(await of("docker.io")).toBeUndefined();
  });

  test("a helper that knows none is none", async () => {
    helper("vault", "echo 'credentials not found in native keychain'; exit 1");
    write(".docker/config.json", { credHelpers: { "reg.test": "vault" } });
    expect(await of("reg.test")).toBeUndefined();
  });

  test.each([
    [
      "fails",
      "echo canary; exit 3",
      /"docker-credential-vault": it ended with 3; .*: echo reg\.test \| docker-credential-vault get$/,
    ],
    ["answers nonsense", "echo canary", /not the expected JSON/],
    ["never ends its answer", "exec yes canary", /ended with a signal/],
  ])("one that %s is named, and not what it said", async (_, script, message) => {
    helper("vault", script);
    write(".docker/config.json", { credHelpers: { "reg.test": "vault" } });
    await expect(of("reg.test")).rejects.toThrow(message);
    await expect(of("reg.test")).rejects.not.toThrow("canary");
  });

  test("one that does not answer in time is named, also where what it began holds its output", async () => {
    helper("vault", "sleep 20 & wait");
    write(".docker/config.json", { credHelpers: { "reg.test": "vault" } });
    const beganAt = performance.now();
    await expect(
      dockerCredentials("reg.test", "app", { HOME: home }, { helperMs: 200 }),
    ).rejects.toThrow(/"docker-credential-vault": it did not answer within 0\.2 s/);
    expect(performance.now() - beganAt).toBeLessThan(15_000);
  });

  test("one that is not there, or no name of one, is named", async () => {
    write(".docker/config.json", { credHelpers: { "reg.test": "nowhere", "bad.test": "../x" } });
    await expect(of("reg.test")).rejects.toThrow(/docker-credential-nowhere.*not on PATH/);
    await expect(of("bad.test")).rejects.toThrow(/it is not a program name/);
  });

  test.each([
    ["no JSON", "canary{", /it is not JSON/],
    ["another form", { auths: { "reg.test": { auth: 5 } } }, /its field auths\.reg\.test\.auth/],
    [
      "a wrong entry",
      { auths: { "reg.test": encoded("canary") } },
      /the auth of reg\.test is not user:password/,
    ],
  ])(
    "a file with %s is named with its place, and not with what it holds",
    async (_, content, message) => {
      write(".docker/config.json", content);
      await expect(of("reg.test")).rejects.toThrow(message);
      await expect(of("reg.test")).rejects.toThrow(join(home, ".docker/config.json"));
      await expect(of("reg.test")).rejects.not.toThrow(/canary(?!.*config)/);
    },
  );
});
