import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { StowageError } from "../../src/errors/index.ts";
import type { Host } from "../../src/host/index.ts";
import { HOST_KINDS } from "../hosts/host-kinds.ts";

const isRoot = process.getuid?.() === 0;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stw-local-host-"));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

async function listen(): Promise<number> {
  const server = createServer((socket) => socket.end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe.each(["local", "ssh"] as const)("a host, %s", (kind) => {
  let host: Host;

  beforeAll(async () => {
    host = await HOST_KINDS[kind]();
  });

  afterAll(async () => await host[Symbol.asyncDispose]());

  test("links that lead nowhere are told from those that lead somewhere, and from what is not there", async () => {
    mkdirSync(join(dir, "there"));
    const links = { good: "there", gone: "absent", far: join(dir, "gone"), loop: "loop" };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(dir, name));
    const names = [...Object.keys(links), "there", "absent", "gone/below"];
    const { dangling } = await host.snapshot({ links: names.map((name) => join(dir, name)) });
    expect([...dangling]).toEqual(["gone", "far", "loop"].map((name) => join(dir, name)));
  });

  test("a program's file is told from another in its place, by path or name, and neither from a script", async () => {
    const [program, script] = [join(dir, "program"), join(dir, "script")];
    const told = async (...programs: readonly string[]) =>
      (await host.snapshot({ programs })).programs;
    copyFileSync("/bin/true", program);
    writeFileSync(script, "#!/bin/sh\n", { mode: 0o755 });
    const first = (await told(program)).get(program);
    expect([...(await told(program, script, join(dir, "none"), dir))]).toEqual([[program, first]]);
    copyFileSync("/bin/true", join(dir, "new"));
    renameSync(join(dir, "new"), program);
    expect((await told(program)).get(program)).toMatch(/^\/.*:\d+$/);
    expect((await told(program)).get(program)).not.toBe(first);
    chmodSync(program, 0o644);
    expect([...(await told(program))]).toEqual([]);
    expect([...(await told("sh", "no-such-program")).keys()]).toEqual(["sh"]);
  });

  describe("snapshot()", () => {
    test("reads files by path and by pattern, and leaves out what is not there", async () => {
      mkdirSync(join(dir, "acme/shop"), { recursive: true });
      mkdirSync(join(dir, "acme/store"));
      writeFileSync(join(dir, "acme/shop/web.json"), "1");
      writeFileSync(join(dir, "acme/shop/.roster.json"), "2");
      writeFileSync(join(dir, "acme/note"), "3");
      const { files } = await host.snapshot({
        files: [
          `${dir}/*/*/.roster.json`,
          `${dir}/acme/shop/w*.json`,
          `${dir}/acme/none`,
          `${dir}/no/*/x`,
        ],
      });
      expect([...files]).toEqual([
        [join(dir, "acme/shop/.roster.json"), "2"],
        [join(dir, "acme/shop/web.json"), "1"],
      ]);
    });

    test("says why a file cannot be read, and reads the others", async () => {
      mkdirSync(join(dir, "folder"));
      writeFileSync(join(dir, "text"), "yes");
      const { files } = await host.snapshot({ files: [join(dir, "folder"), join(dir, "text")] });
      expect(files.get(join(dir, "folder"))).toMatchObject({ code: "failed_precondition" });
      expect(files.get(join(dir, "text"))).toBe("yes");
    });

    test("reads a file of any length whole, and those of /proc that say they have none", async () => {
      const long = "é".repeat(100_000);
      writeFileSync(join(dir, "long"), long);
      writeFileSync(join(dir, "edge"), "x".repeat(64 * 1024));
      const { files } = await host.snapshot({
        files: [join(dir, "long"), join(dir, "edge"), "/proc/self/mountinfo"],
      });
      expect(files.get(join(dir, "long"))).toBe(long);
      expect((files.get(join(dir, "edge")) as string).length).toBe(64 * 1024);
      expect(files.get("/proc/self/mountinfo")).toContain("/proc");
    });

    test("tells what exists, links to nothing do not, and lists directories", async () => {
      writeFileSync(join(dir, "b"), "");
      writeFileSync(join(dir, "a"), "");
      symlinkSync(join(dir, "gone"), join(dir, "link"));
      const { existing, entries } = await host.snapshot({
        exist: [join(dir, "a"), join(dir, "link"), join(dir, "none")],
        list: [dir, join(dir, "none")],
      });
      expect([...existing]).toEqual([join(dir, "a")]);
      expect([...entries]).toEqual([[dir, ["a", "b", "link"]]]);
    });

    test("finds the entry . in a directory alone, so that it is told from a file", async () => {
      writeFileSync(join(dir, "file"), "");
      mkdirSync(join(dir, "directory"));
      const [file, directory] = [`${dir}/file/.`, `${dir}/directory/.`];
      const { existing } = await host.snapshot({ exist: [file, directory, `${dir}/none/.`] });
      expect([...existing]).toEqual([directory]);
    });

    test("has a clock that goes on and the machine's boot id", async () => {
      const [first, second] = [await host.snapshot({}), await host.snapshot({})];
      expect(second.monotonicMs).toBeGreaterThan(first.monotonicMs);
      const uptimeMs = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
      expect(Math.abs(first.monotonicMs - uptimeMs)).toBeLessThan(2000);
      expect(first.bootId).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
    });

    test("knows who listens on a port", async () => {
      const port = await listen();
      const { listening } = await host.snapshot({ listening: true });
      const found = listening.filter((each) => each.port === port && each.protocol === "tcp");
      expect(found).toHaveLength(1);
      const holders = await host.holders([found[0]?.inode ?? 0, 1]);
      expect([...holders.values()]).toMatchObject([{ pid: process.pid }]);
    });

    test("reads 2,000 small files in a fraction of a second", async () => {
      for (let at = 0; at < 2000; at += 1) writeFileSync(join(dir, String(at)), `${at}\n`);
      const files = Array.from({ length: 2000 }, (_, at) => join(dir, String(at)));
      const began = performance.now();
      const snapshot = await host.snapshot({ files });
      expect(snapshot.files.size).toBe(2000);
      expect(performance.now() - began).toBeLessThan(1000);
    });
  });

  describe("writing files", () => {
    test("writeFile() makes directories for root alone, replaces the file, and leaves nothing beside it", async () => {
      const path = join(dir, "a/b/record.json");
      await host.writeFile(path, "one");
      const inode = statSync(path).ino;
      await host.writeFile(path, "two");
      expect(readFileSync(path, "utf8")).toBe("two");
      expect(statSync(path).ino).not.toBe(inode);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(join(dir, "a")).mode & 0o777).toBe(0o700);
      expect(readdirSync(join(dir, "a/b"))).toEqual(["record.json"]);
    });

    test("writeFile() takes over what a killed writer left, and never writes into it", async () => {
      const left = join(dir, ".record.json.tmp");
      writeFileSync(left, "half");
      linkSync(left, join(dir, "held-open"));
      await host.writeFile(join(dir, "record.json"), "whole");
      expect(readdirSync(dir).sort()).toEqual(["held-open", "record.json"]);
      expect(readFileSync(join(dir, "held-open"), "utf8")).toBe("half");
    });

    test("createFile() makes a file once, with all of its text", async () => {
      const path = join(dir, "lock/1.json");
      const made = await Promise.all(["a", "b", "c"].map((text) => host.createFile(path, text)));
      expect(made.filter(Boolean)).toHaveLength(1);
      expect(readFileSync(path, "utf8")).toMatch(/^[abc]$/);
      expect(readdirSync(join(dir, "lock"))).toEqual(["1.json"]);
    });

    test("removeFile() takes a file and what a killed writer left of it, and does not mind absence", async () => {
      writeFileSync(join(dir, "x"), "");
      writeFileSync(join(dir, ".x.tmp"), "");
      await host.removeFile(join(dir, "x"));
      await host.removeFile(join(dir, "x"));
      await host.removeFile(join(dir, "none/x"));
      expect(readdirSync(dir)).toEqual([]);
    });

    test("an aborted call does nothing and fails with the signal's reason", async () => {
      const signal = AbortSignal.abort(new Error("enough"));
      await expect(host.writeFile(join(dir, "x"), "", { signal })).rejects.toThrow("enough");
      expect(readdirSync(dir)).toEqual([]);
    });

    test("a path below a file is a clear error", async () => {
      writeFileSync(join(dir, "file"), "");
      await expect(host.writeFile(join(dir, "file/x"), "")).rejects.toMatchObject({
        code: "failed_precondition",
        message: `Cannot write file "${dir}/file/x": a part of the path is not a directory`,
      });
      await expect(host.createFile(join(dir, "file/x"), "")).rejects.toMatchObject({
        code: "failed_precondition",
      });
    });
  });

  describe("directories", () => {
    test("makeDirectory() sets mode whatever the umask is, and leaves one that exists alone", async () => {
      const path = join(dir, "a/data");
      const umask = process.umask(0o077);
      onTestFinished(() => void process.umask(umask));
      await host.makeDirectory(path, { mode: 0o1777 });
      expect(statSync(path).mode & 0o7777).toBe(0o1777);
      chmodSync(path, 0o750);
      await host.makeDirectory(path, { mode: 0o777 });
      expect(statSync(path).mode & 0o7777).toBe(0o750);
      expect(readdirSync(join(dir, "a"))).toEqual(["data"]);
    });

    test.skipIf(!isRoot)("makeDirectory() sets owner and group", async () => {
      await host.makeDirectory(join(dir, "data"), { mode: 0o700, uid: 1234, gid: 2345 });
      expect(statSync(join(dir, "data"))).toMatchObject({ uid: 1234, gid: 2345 });
    });

    test("moveDirectory() leaves a link, and a second time does nothing", async () => {
      mkdirSync(join(dir, "old"));
      writeFileSync(join(dir, "old/x"), "kept");
      await host.moveDirectory(join(dir, "old"), join(dir, "new/name"));
      await host.moveDirectory(join(dir, "old"), join(dir, "new/name"));
      expect(readlinkSync(join(dir, "old"))).toBe(join(dir, "new/name"));
      expect(readFileSync(join(dir, "old/x"), "utf8")).toBe("kept");
      await host.removeFile(join(dir, "old"));
      expect(readFileSync(join(dir, "new/name/x"), "utf8")).toBe("kept");
    });

    test("moveDirectory() goes the way back, and brings to its end what was killed half-way", async () => {
      const [old, now] = [join(dir, "old"), join(dir, "now")];
      await host.moveDirectory(old, now);
      expect(readdirSync(dir)).toEqual([]);
      mkdirSync(old);
      writeFileSync(join(old, "x"), "kept");
      await host.moveDirectory(old, now);
      await host.moveDirectory(now, old);
      expect(readlinkSync(now)).toBe(old);
      expect(lstatSync(old).isDirectory()).toBe(true);
      rmSync(now);
      await host.moveDirectory(now, old);
      expect(readFileSync(join(now, "x"), "utf8")).toBe("kept");
    });

    test("moveDirectory() refuses a link that leads elsewhere", async () => {
      mkdirSync(join(dir, "old"));
      symlinkSync(join(dir, "elsewhere"), join(dir, "new"));
      await expect(host.moveDirectory(join(dir, "old"), join(dir, "new"))).rejects.toMatchObject({
        code: "already_exists",
      });
    });

    test("moveDirectory() refuses when both names are directories", async () => {
      mkdirSync(join(dir, "old"));
      mkdirSync(join(dir, "new"));
      await expect(host.moveDirectory(join(dir, "old"), join(dir, "new"))).rejects.toMatchObject({
        code: "already_exists",
      });
    });

    test("removeDirectory() takes everything below and follows no link", async () => {
      mkdirSync(join(dir, "data/deep/deeper"), { recursive: true });
      mkdirSync(join(dir, "outside"));
      writeFileSync(join(dir, "outside/kept"), "");
      writeFileSync(join(dir, "data/deep/file"), "");
      symlinkSync(join(dir, "outside"), join(dir, "data/link"));
      await host.removeDirectory(join(dir, "data"));
      await host.removeDirectory(join(dir, "data"));
      expect(readdirSync(dir)).toEqual(["outside"]);
      expect(existsSync(join(dir, "outside/kept"))).toBe(true);
    });

    test("removeDirectory() takes away what others write into it meanwhile", async () => {
      const busy = join(dir, "busy");
      mkdirSync(busy);
      const source = `
      const { writeFileSync } = require("node:fs");
      const endAt = Date.now() + 300;
      for (let at = 0; Date.now() < endAt; at += 1) {
        try { writeFileSync(process.argv[1] + "/" + at, ""); } catch {}
        if (at === 0) console.log("writing");
      }`;
      const writer = spawn(process.execPath, ["-e", source, busy]);
      const ended = once(writer, "close");
      await once(writer.stdout, "data");
      await host.removeDirectory(busy);
      await ended;
      expect(existsSync(busy)).toBe(false);
    });

    test("removeDirectory() refuses a link to a directory", async () => {
      mkdirSync(join(dir, "outside"));
      symlinkSync(join(dir, "outside"), join(dir, "link"));
      await expect(host.removeDirectory(join(dir, "link"))).rejects.toMatchObject({
        code: "failed_precondition",
      });
      expect(lstatSync(join(dir, "link")).isSymbolicLink()).toBe(true);
    });

    test.skipIf(!isRoot)(
      "removeDirectory() does not cross into a mount, not even of the same file system",
      async () => {
        mkdirSync(join(dir, "data/mounted"), { recursive: true });
        mkdirSync(join(dir, "outside"));
        writeFileSync(join(dir, "outside/kept"), "");
        const bound = spawnSync("mount", [
          "--bind",
          join(dir, "outside"),
          join(dir, "data/mounted"),
        ]);
        expect(bound.status).toBe(0);
        try {
          await expect(host.removeDirectory(join(dir, "data"))).rejects.toThrow(
            `Cannot remove directory "${dir}/data/mounted": something is mounted on it; unmount it first`,
          );
          expect(existsSync(join(dir, "outside/kept"))).toBe(true);
        } finally {
          spawnSync("umount", [join(dir, "data/mounted")]);
        }
      },
    );

    test("diskUsage() counts blocks, a file of two names once, and nothing behind links", async () => {
      mkdirSync(join(dir, "data/deep"), { recursive: true });
      mkdirSync(join(dir, "outside"));
      writeFileSync(join(dir, "outside/large"), Buffer.alloc(1024 * 1024, 1));
      writeFileSync(join(dir, "data/deep/file"), Buffer.alloc(100_000, 1));
      linkSync(join(dir, "data/deep/file"), join(dir, "data/twin"));
      symlinkSync(join(dir, "outside"), join(dir, "data/link"));
      const du = spawnSync("du", ["-s", "-B1", join(dir, "data")], { encoding: "utf8" }).stdout;
      expect(await host.diskUsage(join(dir, "data"))).toBe(Number(du.split("\t")[0]));
      expect(await host.diskUsage(join(dir, "none"))).toBe(0);
    });
  });

  test("readFileFrom() goes on where it ended, at most 1 MiB at once", async () => {
    const path = join(dir, "log");
    writeFileSync(path, Buffer.alloc(1024 * 1024 + 5, 65));
    const first = await host.readFileFrom(path, 0);
    expect([first?.bytes.length, first?.nextOffset]).toEqual([1024 * 1024, 1024 * 1024]);
    const second = await host.readFileFrom(path, first?.nextOffset ?? 0);
    expect(Buffer.from(second?.bytes ?? []).toString()).toBe("AAAAA");
    const end = await host.readFileFrom(path, second?.nextOffset ?? 0);
    expect([end?.bytes.length, end?.nextOffset]).toEqual([0, 1024 * 1024 + 5]);
    expect(await host.readFileFrom(join(dir, "none"), 0)).toBeUndefined();
  });

  describe("probe()", () => {
    async function serve(status: number): Promise<number> {
      const server = createHttpServer((_, response) => {
        if (status === 0) return;
        response.writeHead(status, { location: "/elsewhere" }).end();
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      return (server.address() as AddressInfo).port;
    }

    test.each([200, 204, 302, 399])("GET answered with %i is healthy", async (status) => {
      expect(
        await host.probe({ port: await serve(status), http: { path: "/healthz" } }, 2000),
      ).toBeUndefined();
    });

    test.each([400, 404, 503])("GET answered with %i is not", async (status) => {
      const port = await serve(status);
      expect(await host.probe({ port, http: { path: "/healthz" } }, 2000)).toBe(
        `port ${port} answered ${status} to GET /healthz`,
      );
    });

    test("says when nothing answers in time", async () => {
      const port = await serve(0);
      expect(await host.probe({ port, http: { path: "/" } }, 50)).toBe(
        `port ${port} did not answer within 50 ms`,
      );
    });

    test("a port that takes connections is healthy, one that nobody has is not", async () => {
      const port = await listen();
      expect(await host.probe({ port }, 2000)).toBeUndefined();
      expect(await host.probe({ port: 1 }, 2000)).toBe("nothing listens on port 1");
    });

    test("an abort ends it with its own reason", async () => {
      const port = await serve(0);
      const ending = AbortSignal.timeout(20);
      const asked = host.probe({ port, http: { path: "/" } }, 5000, { signal: ending });
      await expect(asked).rejects.toMatchObject({ name: "TimeoutError" });
    });
  });

  describe("appendLine()", () => {
    test("adds lines for its owner alone, and makes what a killed writer left a line of its own", async () => {
      const path = join(dir, "log/audit.log");
      await host.appendLine(path, "one", 1000);
      await host.appendLine(path, "two", 1000);
      expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
      expect(statSync(path).mode & 0o777).toBe(0o600);
      writeFileSync(path, "one\nha");
      await host.appendLine(path, "three é", 1000);
      expect(readFileSync(path, "utf8")).toBe("one\nha\nthree é\n");
    });

    test("puts a file aside that would get too long, over an older one", async () => {
      const path = join(dir, "audit.log");
      for (const line of ["1111", "2222", "3333"]) await host.appendLine(path, line, 10);
      expect(readFileSync(path, "utf8")).toBe("3333\n");
      expect(readFileSync(`${path}.1`, "utf8")).toBe("1111\n2222\n");
      await host.appendLine(path, "4".repeat(20), 10);
      await host.appendLine(path, "5", 10);
      expect(readFileSync(`${path}.1`, "utf8")).toBe(`${"4".repeat(20)}\n`);
    });

    test("follows no link and says what is in the way", async () => {
      symlinkSync(join(dir, "other"), join(dir, "audit.log"));
      await expect(host.appendLine(join(dir, "audit.log"), "x", 10)).rejects.toSatisfy(
        StowageError.is,
      );
      expect(existsSync(join(dir, "other"))).toBe(false);
    });
  });

  describe("writeBytes()", () => {
    async function* parts(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
      for (const text of texts) yield Buffer.from(text);
    }

    test("makes a file of what comes", async () => {
      const path = join(dir, "deep/file");
      await host.writeBytes(path, parts("one ", "two"));
      expect(readFileSync(path, "utf8")).toBe("one two");
      expect(statSync(path).mode & 0o777).toBe(0o600);
    });

    test("bytes that end with an error leave the file as it was, and nothing beside it", async () => {
      const directory = join(dir, "alone");
      mkdirSync(directory);
      writeFileSync(join(directory, "file"), "before");
      async function* broken(): AsyncGenerator<Uint8Array> {
        // so many that a far host has not taken all of them yet
        yield Buffer.alloc(2 ** 22);
        throw new StowageError("Cannot read more", { code: "unavailable" });
      }
      await expect(host.writeBytes(join(directory, "file"), broken())).rejects.toThrow(
        "Cannot read more",
      );
      expect(readFileSync(join(directory, "file"), "utf8")).toBe("before");
      expect(readdirSync(directory)).toEqual(["file"]);
    });
  });

  describe("appendBytes()", () => {
    async function* parts(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
      for (const text of texts) yield Buffer.from(text);
    }

    test("goes on at an offset, keeps what had come before a failure, and never leaves a gap", async () => {
      const path = join(dir, "deep/part");
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield* parts("0123456789");
        throw new StowageError("Cannot read more", { code: "unavailable" });
      }
      await expect(host.appendBytes(path, 0, broken())).rejects.toThrow("Cannot read more");
      // over ssh what was sent before may be on its way still
      await vi.waitFor(() => expect(readFileSync(path, "utf8")).toBe("0123456789"));
      await host.appendBytes(path, 4, parts("four", "!"));
      expect(readFileSync(path, "utf8")).toBe("0123four!");
      expect(statSync(path).mode & 0o777).toBe(0o600);
      await expect(host.appendBytes(path, 100, parts("x"))).rejects.toThrow(/fewer bytes/);
      expect(readFileSync(path, "utf8")).toBe("0123four!");
    });
  });

  describe("run()", () => {
    test("gives a program its input and environment", async () => {
      async function* input(): AsyncGenerator<Uint8Array> {
        yield Buffer.from("a");
        yield Buffer.from("b");
      }
      const command = ["sh", "-c", 'cat; printf "%s" "$EXTRA"'];
      const { stdout } = await host.run(command, { stdin: input(), env: { EXTRA: "c" } });
      expect(stdout).toBe("abc");
    });

    test("a program that does not read its input to the end decides by its status", async () => {
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) yield Buffer.alloc(65_536);
      }
      expect((await host.run(["sh", "-c", "exit 3"], { stdin: endless() })).exitCode).toBe(3);
    });

    test("input that fails ends the program", async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield Buffer.from("half");
        throw new StowageError("Cannot read more", { code: "unavailable" });
      }
      await expect(host.run(["cat"], { stdin: broken() })).rejects.toThrow("Cannot read more");
    });

    test("ends at its deadline", async () => {
      await expect(host.run(["sleep", "30"], { timeoutMs: 50 })).rejects.toMatchObject({
        code: "deadline_exceeded",
      });
    });

    test("ends at its deadline with all that it started, and so it does when it is given up", async () => {
      const script = `sleep 30 & echo $! >${dir}/pid; wait; :`;
      const isAlive = (): boolean => {
        const stat = `/proc/${readFileSync(join(dir, "pid"), "utf8").trim()}/stat`;
        return existsSync(stat) && !readFileSync(stat, "utf8").includes(") Z ");
      };
      const runs = [
        [{ timeoutMs: 1000 }, { code: "deadline_exceeded" }],
        [{ signal: AbortSignal.timeout(2000) }, { name: "TimeoutError" }],
      ] as const;
      for (const [options, error] of runs) {
        await expect(host.run(["sh", "-c", script], options)).rejects.toMatchObject(error);
        await expect.poll(isAlive, { timeout: 15_000 }).toBe(false);
      }
    }, 60_000);

    test("ends with what it goes on to start while it is being ended", async () => {
      const chain = join(dir, "chain");
      // faster than it can be listed, so that only what stands still is found whole
      const source = `$| = 1;
      for my $nth (1 .. 1000) {
        print "far\\n" if $nth == 60;
        select undef, undef, undef, 0.0005;
        my $pid = fork;
        defined $pid or last;
        $pid or next;
        waitpid $pid, 0;
        exit;
      }
      sleep 30;`;
      writeFileSync(chain, source);
      for (let nth = 0; nth < 5; nth += 1) {
        const stop = new AbortController();
        const output = { stdout: () => stop.abort(new Error("enough")), stderr: () => {} };
        const run = host.run(["perl", chain], { signal: stop.signal, output });
        await expect(run).rejects.toThrow("enough");
        await expect.poll(() => programsOf(chain), { timeout: 15_000 }).toEqual([]);
      }
    }, 60_000);

    test("has a deadline where none is named", async () => {
      const timeout = vi.spyOn(AbortSignal, "timeout");
      const { signal } = new AbortController();
      timeout.mockReturnValue(signal);
      await host.run(["true"]);
      await host.run(["true"], { timeoutMs: Number.POSITIVE_INFINITY });
      expect(timeout.mock.calls).toEqual([[120_000]]);
    });

    test("returns output and exit code, with no shell between", async () => {
      expect(await host.run(["printf", "%s", "$HOME; exit 3"])).toEqual({
        exitCode: 0,
        stdout: "$HOME; exit 3",
        stderr: "",
      });
      expect(await host.run(["sh", "-c", "echo no >&2; exit 3"])).toEqual({
        exitCode: 3,
        stdout: "",
        stderr: "no\n",
      });
      expect((await host.run(["sh", "-c", "kill -TERM $$"])).exitCode).toBe(143);
    });

    test("hands no secret of the user's environment on", async () => {
      process.env["STW_TEST_SECRET"] = "hidden";
      onTestFinished(() => void delete process.env["STW_TEST_SECRET"]);
      expect((await host.run(["env"])).stdout).not.toContain("hidden");
    });

    test("a program that is not there is not_found", async () => {
      await expect(host.run(["stw-no-such-program"])).rejects.toMatchObject({ code: "not_found" });
    });

    test("arguments that the kernel does not take are told as what they are", async () => {
      const error: unknown = await host
        .run(["true", "x".repeat(131_072)])
        .catch((reason) => reason);
      expect(error).toBeInstanceOf(StowageError);
      expect((error as Error).message).toMatch(/longer than the kernel takes|too long/);
    });

    test("an abort kills it", async () => {
      const signal = AbortSignal.timeout(50);
      const began = performance.now();
      await expect(host.run(["sleep", "30"], { signal })).rejects.toMatchObject({
        name: "TimeoutError",
      });
      expect(performance.now() - began).toBeLessThan(5000);
    });
  });
});

/** Programs that were started with a word of their own. */
function programsOf(word: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(word);
    } catch {
      return false;
    }
  });
}
