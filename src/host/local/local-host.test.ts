import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseListeningPorts } from "./listening-ports.ts";
import { openLocalHost } from "./local-host.ts";

const host = openLocalHost();
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stw-local-host-"));
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

test("parseListeningPorts() takes only sockets that listen, of both address families, with their one address", () => {
  const text = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0",
    "   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 0 10 -1",
    "   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4713 1",
    "",
  ].join("\n");
  expect(parseListeningPorts(text, "tcp", "0A")).toEqual([
    { protocol: "tcp", port: 8080, address: "127.0.0.1", inode: 4711 },
    { protocol: "tcp", port: 80, inode: 4713 },
  ]);
});

test("parseListeningPorts() tells an address of IPv6 that is one of IPv4 as that, and others as their own", () => {
  const line = (address: string) =>
    `   0: ${address}:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4713 1`;
  const addressOf = (hex: string) => parseListeningPorts(line(hex), "tcp", "0A")[0]?.address;
  expect(addressOf("0000000000000000FFFF00000100007F")).toBe("127.0.0.1");
  expect(addressOf("0000000000000000FFFF000000000000")).toBe(undefined);
  expect(addressOf("00000000000000000000000001000000")).toBe("0:0:0:0:0:0:0:1");
  expect(addressOf("B80D0120000000000000000034120000")).toBe("2001:db8:0:0:0:0:0:1234");
});

test("writeFile() that has to stop on its way leaves nothing of its own, and what another one made", async () => {
  const path = join(dir, "record.json");
  const left = join(dir, ".record.json.tmp");
  writeFileSync(path, "old");
  let stops = 0;
  for (let nth = 1; ; nth += 1) {
    let asked = 0;
    const signal = askedSignal(() => {
      asked += 1;
      if (asked < nth) return;
      if (existsSync(left)) stops += 1;
      throw new Error("enough");
    });
    const result = await host.writeFile(path, "new", { signal }).catch((error) => error.message);
    if (result === undefined) break;
    expect(result).toBe("enough");
    expect(readdirSync(dir)).toEqual(["record.json"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  }
  expect(stops).toBe(1);
  const signal = askedSignal(() => {
    if (!existsSync(left)) return;
    rmSync(left);
    writeFileSync(left, "of another");
    throw new Error("enough");
  });
  await expect(host.writeFile(path, "new", { signal })).rejects.toThrow("enough");
  expect(readFileSync(left, "utf8")).toBe("of another");
});

test("SIGKILL while a file is written leaves the old text or the new", async () => {
  const path = join(dir, "record.json");
  const program = `
    import { openLocalHost } from ${JSON.stringify(join(import.meta.dirname, "local-host.ts"))};
    const host = openLocalHost();
    console.log("ready");
    for (let at = 0; ; at += 1) await host.writeFile(process.argv[1], String(at % 10).repeat(50_000));
  `;
  const child = spawn(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", program, path],
    {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: join(import.meta.dirname, "../../.."),
    },
  );
  await once(child.stdout, "data");
  await new Promise((resolve) => setTimeout(resolve, 30));
  child.kill("SIGKILL");
  await once(child, "close");
  await host.writeFile(join(dir, "other"), "");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "0".repeat(50_000);
  expect(text).toMatch(/^(\d)\1{49999}$/);
}, 20_000);

/** A signal that does something whenever it is asked whether to go on. */
function askedSignal(onAsk: () => void): AbortSignal {
  return Object.defineProperty(new AbortController().signal, "throwIfAborted", { value: onAsk });
}
