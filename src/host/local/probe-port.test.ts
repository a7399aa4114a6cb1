import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { probePort } from "./probe-port.ts";

/** What a probe says of a port on which this is answered to whoever comes. */
async function verdictOn(answer: string): Promise<string | undefined> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const target = { port, http: { path: "/" } };
    return (await probePort(target, 5000, undefined))?.replace(String(port), "PORT");
  } finally {
    server.close();
  }
}

test("an answer from 200 to 399 is healthy, whatever follows it; another one is told", async () => {
  expect(await verdictOn("HTTP/1.1 204 No Content\r\n\r\n")).toBeUndefined();
  const endless = "HTTP/1.1 302 Found\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx";
  expect(await verdictOn(endless)).toBeUndefined();
  const upgrade = "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
  expect(await verdictOn(upgrade)).toBe("port PORT answered 101 to GET /");
  expect(await verdictOn("HTTP/1.1 404 No\r\n\r\n")).toBe("port PORT answered 404 to GET /");
});

test("what is no HTTP is told as such", async () => {
  expect(await verdictOn("SSH-2.0-x\r\n")).toMatch(/^port PORT failed: Parse Error: Expected HTTP/);
});
