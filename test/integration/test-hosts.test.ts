import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startSshd } from "../hosts/services.ts";
import type { TestHost } from "../hosts/test-host.ts";
import { TestHosts } from "../hosts/test-hosts.ts";
import { describeWithTestHosts } from "../set-up/describe-with-test-hosts.ts";

describeWithTestHosts("hosts of tests", () => {
  let hosts: TestHosts;
  let [one, two]: TestHost[] = [];

  beforeAll(async () => {
    hosts = await TestHosts.make();
    [one, two] = await Promise.all([hosts.add("one"), hosts.add("two")]);
  });
  afterAll(async () => await hosts[Symbol.asyncDispose]());

  const ssh = (host: TestHost | undefined, command: string) =>
    spawnSync(
      "ssh",
      [...["-F", hosts.keys.config, "-o", "ConnectTimeout=2"], host?.address ?? "", command],
      { encoding: "utf8" },
    );

  test("each has its own name, processes, disk, cgroups, address and boot", async () => {
    await one?.sh("touch /run/mine /var/lib/mine /tmp/mine; ip link add stw0 type bridge");
    const look = `hostname; ls /run/mine /var/lib/mine /tmp/mine /sys/class/net/stw0 2>/dev/null || :
cat /proc/1/comm; cut -d: -f3 /proc/self/cgroup | sort -u; cat /proc/sys/kernel/random/boot_id`;
    const [of, ofOther] = [await one?.sh(look), await two?.sh(look)].map((text = "") =>
      text.trimEnd().split("\n"),
    );
    expect(of?.slice(0, 4)).toEqual(["one", "/run/mine", "/tmp/mine", "/var/lib/mine"]);
    expect(ofOther?.slice(0, 3)).toEqual(["two", "perl", "/"]);
    expect(of?.at(-1)).not.toBe(ofOther?.at(-1));
    expect(existsSync("/run/mine") || existsSync("/sys/class/net/stw0")).toBe(false);
  });

  test("one is reached by its sshd until its wire is cut, and after a reboot has its disk", async () => {
    if (one === undefined) return expect.unreachable("it was made");
    await startSshd(one, hosts.keys);
    expect(ssh(one, "hostname")).toMatchObject({ stdout: "one\n", status: 0 });
    await one.link.cut();
    expect(ssh(one, "hostname").status).toBe(255);
    await one.link.mend();
    await one.sh("touch /var/lib/kept");
    await one.reboot();
    expect(await one.sh("ls /var/lib/kept; ls /run/mine 2>&1 || :")).toMatch(
      /^\/var\/lib\/kept\n.*No such/,
    );
  });

  test("whoever is killed leaves nothing that the next one does not take away", async () => {
    const program = fileURLToPath(new URL("hosts/crashing-process.ts", import.meta.url));
    const tsx = createRequire(import.meta.url).resolve("tsx");
    const { stdout, signal } = spawnSync(process.execPath, ["--import", tsx, program], {
      encoding: "utf8",
    });
    expect(signal).toBe("SIGKILL");
    const folder = stdout.trim();
    expect(folder).toMatch(/stw-hosts-/);
    await using _next = await TestHosts.make();
    expect(existsSync(folder)).toBe(false);
  });
});
