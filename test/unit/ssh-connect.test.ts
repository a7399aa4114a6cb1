import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openContainerd } from "../../src/engines/containerd/index.ts";
import type { Host, SharedLinks } from "../../src/host/index.ts";
import { openSshHost } from "../../src/host/index.ts";
import { hostDirectories } from "../../src/model/index.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stw-connect-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A host that is reached by a script in place of ssh(1); the command is its last word. */
async function reachedBy(script: string): Promise<Host> {
  const program = join(dir, "ssh");
  writeFileSync(program, `#!/bin/sh\nfor command; do :; done\n${script}\n`, { mode: 0o755 });
  return await openSshHost("ssh://here", { program });
}

async function why(script: string): Promise<string> {
  await using host = await reachedBy(script);
  const error: unknown = await host.run(["true"]).catch((reason) => reason);
  const { code, message } = error as { code: string; message: string };
  return `${code}: ${message.replace("Cannot reach host ssh://here: ", "")}`;
}

test("one that is let go of while it is being reached is not waited for, and its ssh is ended with all that that started", async () => {
  const host = await reachedBy(`echo $$ >${dir}/pid.tmp; mv ${dir}/pid.tmp ${dir}/pid; sleep 600`);
  const running = host.run(["true"]);
  running.catch(() => undefined);
  await vi.waitUntil(() => existsSync(join(dir, "pid")), { timeout: 20_000 });
  const pid = readFileSync(join(dir, "pid"), "utf8").trim();
  await host[Symbol.asyncDispose]();
  await expect(running).rejects.toMatchObject({ code: "aborted" });
  await vi.waitUntil(() => groupOf(pid).length === 0, { timeout: 20_000 });
});

test("an engine that is asked through it is not waited for, by who gave up and at the end", async () => {
  const host = await reachedBy(`touch ${dir}/begun; sleep 600`);
  const config = { kind: "containerd" } as const;
  const engine = await openContainerd(config, host, hostDirectories({}));
  const stop = new AbortController();
  const asked = engine.info({ signal: stop.signal });
  const other = engine.info();
  other.catch(() => undefined);
  await vi.waitUntil(() => existsSync(join(dir, "begun")), { timeout: 20_000 });
  stop.abort(new Error("enough"));
  await expect(asked).rejects.toThrow("enough");
  await engine[Symbol.asyncDispose]();
  await expect(other).rejects.toMatchObject({ name: "AbortError" });
  await host[Symbol.asyncDispose]();
});

test("one that hung up and is to be tried again is not waited for either", async () => {
  const host = await reachedBy(
    `echo >>${dir}/tries; echo "kex_exchange_identification: read: Connection reset by peer" >&2; exit 255`,
  );
  const running = host.run(["true"]);
  running.catch(() => undefined);
  await vi.waitUntil(() => existsSync(join(dir, "tries")), { timeout: 20_000 });
  await host[Symbol.asyncDispose]();
  await expect(running).rejects.toMatchObject({ code: "aborted" });
});

test.each([
  ["options of perl", "export PERL_UNICODE=SAD PERL5OPT='-CSDA -MNone' PERL5LIB=/nowhere"],
  ["a PATH of their own", "export PATH=/nowhere"],
  ["no PATH", "unset PATH"],
])("a user of the host may have %s", async (_, setting) => {
  await using host = await reachedBy(`${setting}\nexec /bin/sh -c "$command"`);
  const printed = await host.run(["sh", "-c", "printf '\\303\\251'; id -u"]);
  expect(printed).toEqual({ exitCode: 0, stdout: `é${process.getuid?.()}\n`, stderr: "" });
  const { space } = await host.snapshot({ space: ["/"] });
  expect(space.has("/")).toBe(true);
});

test("what hangs up is told in its own words", async () => {
  const says = (text: string) => `echo '${text}' >&2; exit 255`;
  expect(
    await why(says("kex_exchange_identification: banner line contains invalid characters")),
  ).toBe("failed_precondition: what answers there is not an sshd; correct the address or its port");
  expect(
    await why(
      says("Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures"),
    ),
  ).toMatch(/^unauthenticated: .*IdentityFile, with IdentitiesOnly yes/);
  const throughCommand = (text: string) =>
    `case $1 in -G) echo proxycommand none-such; exit 0;; esac\n${says(`${text}\nkex_exchange_identification: Connection closed by remote host`)}`;
  expect(await why(throughCommand("/bin/sh: 1: exec: none-such: not found"))).toBe(
    "invalid_argument: your ProxyCommand, which the connection goes through, cannot be run (/bin/sh: 1: exec: none-such: not found); fix your ssh configuration",
  );
});

/** Processes of the group that a process leads. */
function groupOf(leader: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const [state, , group] =
        readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      return group === leader && state !== "Z";
    } catch {
      return false;
    }
  });
}

test("an ssh that does not know what it is given says which version is needed", async () => {
  const option = "command-line: line 0: Bad configuration option: sessiontype";
  expect(await why(`echo "${option}" >&2; exit 255`)).toBe(
    "failed_precondition: ssh on this machine is older than OpenSSH 8.7 (see ssh -V); install that version or a later one",
  );
  const own = "/root/.ssh/config: line 3: Bad configuration option: frob";
  expect(await why(`echo "${own}" >&2; exit 255`)).toMatch(
    /^invalid_argument: ssh rejects its configuration/,
  );
});

test("who reaches the same host meanwhile uses the same connection, which ends with the last of them", async () => {
  const program = join(dir, "ssh");
  const count = `echo $$ >>${dir}/pids\nfor command; do :; done\nexec /bin/sh -c "$command"`;
  writeFileSync(program, `#!/bin/sh\n${count}\n`, { mode: 0o755 });
  const pids = () => readFileSync(join(dir, "pids"), "utf8").trim().split("\n");
  const links: SharedLinks = new Map();
  const reach = async (address: string) => await openSshHost(address, { program, links });
  const works = async (host: Host) => (await host.run(["echo", "here"])).stdout;
  const first = await reach("ssh://here");
  const second = await reach("ssh://here");
  expect(await Promise.all([works(first), works(second)])).toEqual(["here\n", "here\n"]);
  await first[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  expect(await works(second)).toBe("here\n");
  const [shared = "", ...others] = pids();
  expect(others).toEqual([]);

  await using elsewhere = await reach("ssh://there");
  expect(await works(elsewhere)).toBe("here\n");
  expect(pids()).toHaveLength(2);

  await second[Symbol.asyncDispose]();
  await vi.waitUntil(() => groupOf(shared).length === 0, { timeout: 20_000 });
  await using again = await reach("ssh://here");
  expect(await works(again)).toBe("here\n");
  expect(pids()).toHaveLength(3);
});

test("who reaches a host whose connection was lost is not kept waiting for that one", async () => {
  const program = join(dir, "ssh");
  const gone = `[ ! -e ${dir}/gone ] || { echo 'ssh: connect to host here port 22: Connection refused' >&2; exit 255; }`;
  const script = `${gone}\necho $$ >${dir}/pid\nfor command; do :; done\nexec /bin/sh -c "$command"`;
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const links: SharedLinks = new Map();
  const reach = async (waits?: boolean) =>
    await openSshHost("ssh://here", { program, links, ...(waits === undefined ? {} : { waits }) });
  await using stays = await reach();
  await using joined = await reach(false);
  await Promise.all([stays, joined].map((host) => host.run(["true"])));
  writeFileSync(join(dir, "gone"), "");
  process.kill(Number(readFileSync(join(dir, "pid"), "utf8")), "SIGKILL");
  const waiting = stays.snapshot({});
  let isTold = false;
  waiting.then(
    () => (isTold = true),
    () => (isTold = true),
  );
  await vi.waitUntil(() => [...links.values()].some(({ link }) => link.isAway));
  await expect(joined.snapshot({})).rejects.toThrow("the connection was lost");
  await expect(joined.run(["true"])).rejects.toThrow("the connection was lost");
  {
    await using other = await reach(false);
    await expect(other.snapshot({})).rejects.toThrow("connection refused");
  }
  expect(isTold).toBe(false);
  rmSync(join(dir, "gone"));
  await waiting;
  await joined.snapshot({});
});
