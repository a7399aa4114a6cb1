import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { choosePort, pageLine } from "../../../scripts/lib/quickstart/choose-port.ts";
import { PAGE_FIRST_LINE } from "../../../scripts/lib/quickstart/hello-image.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

test("choosePort() takes another port than one that others answer on, and names that one", async () => {
  const taken = await serve("somebody else's page");
  const chosen = await choosePort(taken);
  expect(chosen.port).toBeGreaterThan(taken);
  expect(chosen.taken).toContain(taken);
});

test("choosePort() stays with the port on which the page answers already", async () => {
  const port = await serve(`${PAGE_FIRST_LINE}\n`);
  expect(await choosePort(port)).toEqual({ port, taken: [] });
});

test("pageLine() is undefined where nothing answers", async () => {
  const port = await serve("short-lived");
  await new Promise((resolve) => servers.pop()?.close(resolve));
  expect(await pageLine(port)).toBeUndefined();
});

async function serve(body: string): Promise<number> {
  const server = createServer((_, answer) => answer.end(body));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return (server.address() as AddressInfo).port;
}
