import { createHash } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openGuard, openSshHost } from "../../src/host/index.ts";
import { addUser, startSshd } from "../hosts/services.ts";
import type { TestHost } from "../hosts/test-host.ts";
import { TestHosts } from "../hosts/test-hosts.ts";
import { describeWithTestHosts } from "../set-up/describe-with-test-hosts.ts";

/** As unkind as sshd can be to a program that wants more than one thing. */
const UNKIND = `MaxStartups 1:100:1
MaxSessions 1
PermitRootLogin no
AllowStreamLocalForwarding no
AllowTcpForwarding no
Banner /etc/hostname`;

describeWithTestHosts("a host over ssh", () => {
  let hosts: TestHosts;
  let kind: TestHost;
  let unkind: TestHost;

  beforeAll(async () => {
    hosts = await TestHosts.make();
    [kind, unkind] = await Promise.all([hosts.add("kind"), hosts.add("unkind")]);
    await startSshd(kind, hosts.keys);
    await startSshd(unkind, hosts.keys, UNKIND);
    await addUser(unkind, hosts.keys, "ops", { sudo: "ALL=(root) NOPASSWD: /usr/bin/perl" });
    await addUser(unkind, hosts.keys, "guest");
    await unkind.sh("echo 'echo welcome; seq 1000' >/home/ops/.bashrc");
    await addUser(kind, hosts.keys, "nobody2", { shell: "/usr/sbin/nologin" });
  });
  afterAll(async () => await hosts[Symbol.asyncDispose]());

  const open = (address: string, config = hosts.keys.config) =>
    openSshHost(`ssh://${address}`, { config });

  const connections = async (host: TestHost): Promise<number> =>
    (await host.sh("cat /proc/net/tcp"))
      .split("\n")
      .filter((line) => /^ *\d+: \w+:0016 \w+:\w+ 01 /.test(line)).length;

  test("does many things at once over one connection, for a user with sudo whose shell prints, at an sshd that allows one session", async () => {
    await using host = await open(`ops@${unkind.address}:22`);
    const bytes = Buffer.alloc(3_000_000, "0123456789abcdef");
    const both = await Promise.all([
      host.run(["id", "-u"]),
      host.run(["sha256sum"], {
        stdin: (async function* () {
          yield bytes;
        })(),
      }),
      host.run(["head", "-c", "3000000", "/dev/zero"]),
      host.writeFile("/var/lib/deep/er/file", "text"),
      host.snapshot({ files: ["/proc/sys/kernel/hostname"] }),
      ...Array.from({ length: 30 }, (_, nth) => host.run(["sh", "-c", `echo ${nth}; exit ${nth}`])),
    ]);
    const [id, sum, zeros, , seen, ...rest] = both;
    expect(id).toEqual({ exitCode: 0, stdout: "0\n", stderr: "" });
    expect(sum.stdout).toBe(`${createHash("sha256").update(bytes).digest("hex")}  -\n`);
    expect(zeros.stdout).toHaveLength(3_000_000);
    expect(seen.files.get("/proc/sys/kernel/hostname")).toBe("unkind\n");
    expect(rest.map(({ exitCode }) => exitCode)).toEqual(rest.map((_, nth) => nth));
    expect(await unkind.sh("stat -c '%a %U' /var/lib/deep/er/file /var/lib/deep")).toBe(
      "600 root\n700 root\n",
    );
    expect(await connections(unkind)).toBe(1);
  });

  test("leads to a Unix socket of the host, also where sshd forwards none", async () => {
    await using host = await open(`ops@${unkind.address}`);
    const serve = `use IO::Socket::UNIX; my $s = IO::Socket::UNIX->new(Local => "/run/echo", Listen => 5);
while (my $c = $s->accept) { local $/; my $all = <$c>; print $c scalar reverse $all; close $c }`;
    await unkind.sh(`cat >/run/serve.pl <<'END'
${serve}
END
setsid perl /run/serve.pl >/dev/null 2>&1 </dev/null &
until [ -S /run/echo ]; do sleep 0.01; done`);
    const path = await host.reachSocket("/run/echo");
    const sent = "0123456789".repeat(200_000);
    const answers = [1, 2].map(async () => {
      const socket = connect({ path, allowHalfOpen: true });
      socket.end(sent);
      return await text(socket);
    });
    const reversed = [...sent].reverse().join("");
    for (const answer of await Promise.all(answers)) expect(answer === reversed).toBe(true);
    await expect(host.reachSocket("/run/none")).rejects.toMatchObject({ code: "not_found" });
    expect(await host.probe({ port: 22 }, 5_000)).toBeUndefined();
    expect(await host.probe({ port: 9 }, 5_000)).toMatch(/nothing listens on port 9/);
  });

  test("a command that is given up, and one whose Stowage is gone, does not go on", async () => {
    const host = await open(`root@${kind.address}`);
    const runs = async () => await kind.sh("pgrep -fc '^sleep 98[0-9]' || :");
    const stop = new AbortController();
    const marked = (seconds: number) => ["sh", "-c", `sleep ${seconds} & wait`];
    const given = host.run(marked(981), { signal: stop.signal });
    const left = host.run(marked(982));
    left.catch(() => undefined);
    while ((await runs()) !== "2\n");
    stop.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    while ((await runs()) !== "1\n");
    await host[Symbol.asyncDispose]();
    await expect(left).rejects.toMatchObject({ code: "unavailable" });
    while ((await runs()) !== "0\n");
    expect(await kind.sh("pgrep -c stowage-agent || :")).toBe("0\n");
  });

  test("what is to go on to its end does, when its Stowage is gone", async () => {
    const host = await open(`root@${kind.address}`);
    const script =
      "echo >/run/outlives-begun; until [ -e /run/outlives-go ]; do sleep 0.05; done; echo >/run/outlives-over";
    const left = host.run(["sh", "-c", script], { outlives: true });
    left.catch(() => undefined);
    const there = async (name: string) => (await kind.sh(`ls /run/${name} || :`)) !== "";
    while (!(await there("outlives-begun")));
    await host[Symbol.asyncDispose]();
    await expect(left).rejects.toMatchObject({ code: "unavailable" });
    while ((await kind.sh("pgrep -c stowage-agent || :")) !== "0\n");
    await kind.sh("echo >/run/outlives-go");
    await kind.sh(
      "n=0; until [ -e /run/outlives-over ]; do n=$((n+1)); [ $n -lt 600 ]; sleep 0.05; done",
    );
  });

  test("what guards a command acts when its connection goes, and not when it is told that all is over", async () => {
    const acts = "touch /run/guard-$1";
    await using host = await open(`root@${kind.address}`);
    await (await openGuard(host, acts, ["over"]))[Symbol.asyncDispose]();
    const guard = await openGuard(host, acts, ["gone"]);
    await kind.sh("pkill -KILL -f '^sshd: root'");
    while ((await kind.sh("ls /run | grep guard || :")) !== "guard-gone\n");
    await guard[Symbol.asyncDispose]();
    expect(await kind.sh("pgrep -fc '^sh -c.*guard-' || :")).toBe("0\n");
  });

  test("a connection that goes is taken up again by what may be done twice; what may not is told", async () => {
    await using host = await open(`root@${kind.address}`);
    await host.run(["true"]);
    const slow = host.run(["sleep", "30"]);
    slow.catch(() => undefined);
    await kind.sh("pkill -KILL -f '^sshd: root'");
    await expect(slow).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/connection was lost.*may or may not be done; run it again/),
    });
    expect((await host.snapshot({ exist: ["/etc/passwd"] })).existing.size).toBe(1);
    // it takes longer than the connection lives
    const again = host.diskUsage("/usr");
    await kind.sh("pkill -KILL -f '^sshd: root' || :");
    expect(await again).toBeGreaterThan(0);
  });

  test("one that says nothing any more is noticed, and taken up when the wire is mended", async () => {
    await using host = await open(`root@${kind.address}`);
    await host.run(["true"]);
    await kind.link.cut();
    const run = host.run(["true"]);
    await expect(run).rejects.toMatchObject({ code: "unavailable" });
    const look = host.snapshot({ exist: ["/etc/passwd"] });
    await kind.link.mend();
    expect((await look).existing.size).toBe(1);
  }, 120_000);

  test("what cannot be is said, with what to do about it", async () => {
    const tell = async (address: string, config?: string) => {
      await using host = await open(address, config);
      const error: unknown = await host.run(["touch", "/tmp/done"]).catch((reason) => reason);
      const { code, message } = error as { code: string; message: string };
      return `${code}: ${message.replace(/^Cannot reach host \S+: /, "")}`;
    };
    const strange = `${hosts.folder}/strange`;
    const other = readFileSync(hosts.keys.knownHosts, "utf8").split("\n");
    writeFileSync(strange, readFileSync(hosts.keys.config, "utf8").replace(/known_hosts/, "other"));
    expect(await tell(`root@${kind.address}`, strange)).toMatch(
      /^failed_precondition: its host key is not in your known_hosts; connect once with ssh root@/,
    );
    const keys = other.map((line) => line.split(" ").slice(1).join(" "));
    appendFileSync(`${hosts.folder}/ssh/other`, `${kind.address} ${keys[1]}\n`);
    expect(await tell(`root@${kind.address}`, strange)).toMatch(
      /^failed_precondition: its host key is different from .* ssh-keygen -R/,
    );
    expect(await tell(`stranger@${kind.address}`)).toMatch(
      /^unauthenticated: it rejects the keys that ssh offers \(publickey\)/,
    );
    expect(await tell(`guest@${unkind.address}`)).toMatch(
      /^permission_denied: its user cannot become root without a password; .*NOPASSWD: \/usr\/bin\/perl/,
    );
    expect(await tell(`nobody2@${kind.address}`)).toMatch(/^unavailable: .*not available/);
    expect(await tell(`root@${kind.address}:9`)).toMatch(/^unavailable: connection refused/);
    expect(await tell("root@no-such-host.invalid")).toMatch(
      /^not_found: no host is called "no-such-/,
    );
    expect(await kind.sh("ls /tmp")).toBe("");
  }, 120_000);
});
