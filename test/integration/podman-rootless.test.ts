import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { describeWithEngine } from "../set-up/describe-with-engine.ts";
import type { RootlessStory } from "../support/podman/rootless-story.ts";

/** A user that nobody else is. */
const UID = 64_242;
const NAME = "stowage-test";

/** Runs the rest as that user, who is known in a namespace of mounts alone. */
const AS_USER = [
  'mount --bind "$1/passwd" /etc/passwd',
  'mount --bind "$1/group" /etc/group',
  "mount -t tmpfs tmpfs /run",
  `mkdir -p /run/user/${UID}`,
  `chown ${UID}:${UID} /run/user/${UID}`,
  "shift",
  `exec setpriv --reuid=${UID} --regid=${UID} --clear-groups --inh-caps=-all "$@"`,
].join(" && ");

function asUser(folder: string, command: readonly string[]) {
  return spawnSync("unshare", ["--mount", "sh", "-c", AS_USER, "sh", folder, ...command], {
    encoding: "utf8",
    cwd: "/",
    env: { PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: join(folder, "home") },
  });
}

/** A folder with a user's home and a passwd that names the user. */
function makeUser(): string {
  const folder = mkdtempSync(join(tmpdir(), "stw-user-"));
  chmodSync(folder, 0o755);
  for (const [file, line] of [
    ["passwd", `${NAME}:x:${UID}:${UID}::${join(folder, "home")}:/bin/sh\n`],
    ["group", `${NAME}:x:${UID}:\n`],
  ] as const) {
    copyFileSync(`/etc/${file}`, join(folder, file));
    appendFileSync(join(folder, file), line);
  }
  mkdirSync(join(folder, "home"), { mode: 0o700 });
  chownSync(join(folder, "home"), UID, UID);
  return folder;
}

/** Why podman cannot be run here without root; undefined when it can. */
function whyNotRootless(): string | undefined {
  if (process.getuid?.() !== 0) return "making a user needs root";
  const folder = makeUser();
  try {
    const { status, stderr } = asUser(folder, ["unshare", "--user", "--map-root-user", "true"]);
    return status === 0 ? undefined : `an ordinary user may make no namespace: ${stderr.trim()}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const reason = whyNotRootless();
const why = reason === undefined ? "" : ` (skipped: ${reason})`;

describeWithEngine("podman", "podman without root", (podman) => {
  test.skipIf(reason !== undefined)(
    `an ordinary user's pod goes from image to end, and limits are refused where they would be ignored${why}`,
    async () => {
      const folder = makeUser();
      try {
        const program = join(folder, "story.mjs");
        await build({
          entryPoints: [join(import.meta.dirname, "../support/podman/rootless-story.ts")],
          outfile: program,
          bundle: true,
          platform: "node",
          format: "esm",
          target: "node20",
          alias: { vitest: join(import.meta.dirname, "../support/podman/no-vitest.ts") },
          banner: {
            js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
          },
        });
        const home = join(folder, "home");
        const answer = join(home, "answer.json");
        const told = asUser(folder, [process.execPath, program, home, podman.address, answer]);
        expect(told.stderr).toBe("");
        const story = JSON.parse(readFileSync(answer, "utf8")) as RootlessStory;
        const v2 = spawnSync("test", ["-e", "/sys/fs/cgroup/cgroup.controllers"]).status === 0;
        expect(story).toMatchObject({
          uid: UID,
          limits: v2 ? expect.any(String) : "unsupported",
          states: {
            prepared: "prepared",
            started: "running",
            stopped: "exited",
            "started again": "running",
            "several containers": "running",
            "made by its start": "running",
          },
          lines: ["hello"],
          exitCodes: [7, 3],
          leftovers: [],
          usage: v2
            ? expect.anything()
            : { shared: expect.arrayContaining(["memoryBytes"]), memory: false },
          looks: ["object", expect.stringMatching(/a fleet's network needs root/)],
        });
        expect(story.states).not.toHaveProperty("removed");
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
