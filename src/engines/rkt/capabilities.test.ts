import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { Capability } from "../../model/index.ts";
import { RKT_CAPABILITIES } from "./capabilities.ts";

const TRANSCRIPTS = resolve(import.meta.dirname, "../../../test/fixtures/rkt/transcripts");

/** What each field's transcript has to contain for it to show the field in force, by field and transcript. */
const SHOWN: Readonly<Record<string, RegExp>> = {
  "containers list-running": /"app_names": \[\s+"web",\s+"side"/,
  "containers.*.image list-running": /"image_id": "sha512-[0-9a-f]{64}"/,
  // what /bin/id of the manifest's command says
  "containers.*.command user-num": /\]: uid=1234 /,
  "containers.*.args exec-percent": /\]: \/root \d+ a%b$/m,
  "containers.*.env enter-env": /^PATH=\/bin$/m,
  "containers.*.workingDir run-cli-volumes": /--working-dir=\/data [\s\S]*\]: \/data$/m,
  "containers.*.user user-num": /uid=1234 gid=5678/,
  "containers.*.mounts list-running":
    /"container_path": "\/data",\s+"host_path": "\/srv[^"]*",\s+"read_only": true/,
  "containers.*.files run-cli-volumes": /readOnly=true[\s\S]*\/data\/x: Read-only file system/,
  "volumes run-cli-volumes": /kind=host[\s\S]*\/data\/x: Read-only file system/,
  "volumes.*.kind run-cli-volumes": /kind=host[\s\S]*\bf$/m,
  "network.mode run-net-host": /--net=host\n[\s\S]*inet 192\.0\.2\.2\/24 .* eth0/,
  "restart run-prepared-again": /^# exit=254 [\s\S]*is not prepared$/m,
  "restart.policy run-prepared-again": /^# exit=254 [\s\S]*is not prepared$/m,
  "hostname help-run-prepared": /--hostname=""\s+pod's hostname/,
  "containers.*.security.seccomp seccomp-off":
    /^# \$ rkt --insecure-options=seccomp [\s\S]*total 48/m,
  "containers.*.security.seccomp seccomp-isolator-defaultblacklist": /\]: thread ok$/m,
};

function entries(flavor: "fly" | "host"): readonly (readonly [field: string, Capability])[] {
  return Object.entries(RKT_CAPABILITIES[flavor]).flatMap(([field, found]) =>
    ([] as Capability[]).concat(found).map((entry) => [field, entry] as const),
  );
}

function fileOf(transcript: string): string {
  const found = [".txt", ".json"].map((ending) => join(TRANSCRIPTS, `${transcript}${ending}`));
  return found.find((file) => existsSync(file)) ?? "";
}

const cited = [...entries("host"), ...entries("fly")].flatMap(([field, { known }]) =>
  typeof known === "object" ? [`${field} ${known.transcript}`] : [],
);

describe("the capability table of rkt", () => {
  test.each([...new Set(cited)])("%s: the transcript is there, and shows it", (key) => {
    const [, transcript = ""] = key.split(" ");
    expect(readdirSync(TRANSCRIPTS).map((name) => name.split(".")[0])).toContain(transcript);
    expect(readFileSync(fileOf(transcript), "utf8")).toMatch(SHOWN[key] ?? /nobody says what/);
  });

  test("no transcript is cited for what is not looked for here", () => {
    expect([...new Set(cited)].sort()).toEqual(Object.keys(SHOWN).sort());
  });

  test.each(["fly", "host"] as const)(
    "%s: native is only what was seen, or what Stowage does alone",
    (flavor) => {
      const native = entries(flavor).filter(([, { support }]) => support === "native");
      expect(native.length).toBeGreaterThan(10);
      expect(native.filter(([, { known }]) => known === undefined || known === "nobody")).toEqual(
        [],
      );
    },
  );
});
