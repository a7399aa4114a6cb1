import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configuredPlaces } from "./registries-conf.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stw-conf-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function places(toml: string, repository: string, isPinned = false): Promise<unknown> {
  const file = join(folder, "registries.conf");
  writeFileSync(file, toml);
  const found = await configuredPlaces(repository, isPinned, { CONTAINERS_REGISTRIES_CONF: file });
  return found?.map(
    ({ domain, path, isInsecure }) => `${domain} ${path}${isInsecure ? " insecure" : ""}`,
  );
}

describe("registries.conf", () => {
  test("rewrites by the longest prefix, whole segments alone, with mirrors first", async () => {
    const toml = `unqualified-search-registries = ["docker.io"]
[[registry]]
location = "example.com"
insecure = true
[[registry]]
prefix = "example.com/team"
location = "cache.example.org/of/team"
[[registry.mirror]]
location = "10.0.0.1:5000/team"
insecure = true
[[registry.mirror]]
location = "10.0.0.2:5000"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "10.0.0.3:5000"
pull-from-mirror = "tag-only"
`;
    expect(await places(toml, "example.com/team/app")).toEqual([
      "10.0.0.1:5000 team/app insecure",
      "10.0.0.3:5000 app",
      "cache.example.org of/team/app",
    ]);
    expect(await places(toml, "example.com/team/app", true)).toEqual([
      "10.0.0.1:5000 team/app insecure",
      "10.0.0.2:5000 app",
      "cache.example.org of/team/app",
    ]);
    expect(await places(toml, "example.com/teamwork")).toEqual(["example.com teamwork insecure"]);
    expect(await places(toml, "example.com.net/app")).toBeUndefined();
  });

  test("has wildcards of subdomains", async () => {
    const toml = '[[registry]]\nprefix = "*.example.com"\ninsecure = true\n';
    expect(await places(toml, "a.example.com/app")).toEqual(["a.example.com app insecure"]);
    expect(await places(toml, "example.com/app")).toBeUndefined();
  });

  test("blocks, and is refused where it cannot be used", async () => {
    const blocked = '[[registry]]\nlocation = "example.com"\nblocked = true\n';
    await expect(places(blocked, "example.com/app")).rejects.toThrow(/blocks example\.com;/);
    await expect(places("[[registry", "example.com/app")).rejects.toThrow(/^Cannot use ".*conf"/);
    await expect(places("[[registry]]\nblocked = 1\n", "example.com/app")).rejects.toThrow(
      /registry\.0\.blocked: /,
    );
  });
});
