import { expect } from "vitest";
import type { PodInstance } from "../../../src/engine/index.ts";
import type { Network } from "../../../src/model/index.ts";
import {
  type CaseContainer,
  type EngineUnderTest,
  SERVER,
  script,
} from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

const FRONT: Network = { mode: "bridge", name: "front" };
const AT_ONCE = { containers: { main: { gracePeriodMs: 0 } } };

/** A page on port 8080 of the pod. */
function pageOf(text: string): CaseContainer {
  return script(
    `mkdir -p /tmp/www; echo ${text} > /tmp/www/index.html; echo ready; httpd -f -p 8080 -h /tmp/www`,
  );
}

/** Ports that no other case has. */
let lastPort = 18_300;
function ports() {
  lastPort += 1;
  return [{ host: lastPort, container: 8080 }];
}

/** Waits until somebody answers on a pod's first port. */
async function answer(test: EngineUnderTest, pod: PodInstance): Promise<string> {
  const port = pod.spec.ports?.[0]?.host ?? 0;
  return (await test.until(async () => await test.opened.page(port))).trim();
}

/** Networks of the fleet: who reaches whom, and since when. */
export function networkCases({ it }: Suite): void {
  it("a pod in a network answers on the port of the host that it publishes", async (test) => {
    const pod = await test.started({ main: pageOf("here") }, { network: FRONT, ports: ports() });
    expect(await answer(test, pod)).toBe("here");
    const found = await test.observed(pod);
    expect(found?.address).toMatch(/^10\./);
    expect(found?.detached).toBeUndefined();
    expect(found?.reported).toMatchObject({ "network.mode": "bridge", "network.name": "front" });
  });

  it("its port is known as taken, with who has it", async (test) => {
    const pod = await test.started({ main: SERVER }, { network: FRONT, ports: ports() });
    const { network } = await test.engine.observe({ network: true });
    const port = pod.spec.ports?.[0]?.host;
    expect(network?.forwards.filter((each) => each.port === port)).toEqual([
      {
        protocol: "tcp",
        port,
        holder: `pod "${pod.identity.pod}" of fleet "suite"`,
        pod: `${test.ownership.owner}/suite/${pod.identity.pod}`,
      },
    ]);
  });

  it("stop() gives its port and its address up; start() takes them again", async (test) => {
    const pod = await test.started({ main: pageOf("again") }, { network: FRONT, ports: ports() });
    await answer(test, pod);
    await test.engine.stop(pod.identity, AT_ONCE);
    expect(await test.opened.page(pod.spec.ports?.[0]?.host ?? 0)).toBeUndefined();
    const stopped = await test.observed(pod);
    expect(stopped).toMatchObject({ state: "exited" });
    expect(stopped?.address).toBeUndefined();
    const { network } = await test.engine.observe({ network: true });
    expect(network?.forwards.filter(({ port }) => port === pod.spec.ports?.[0]?.host)).toEqual([]);
    await test.engine.start(pod);
    expect(await answer(test, pod)).toBe("again");
  });

  it("pods of one network reach each other by name and host name, as they come and go", async (test) => {
    const asker = await test.started({ main: SERVER }, { network: FRONT });
    const reach = async (name: string): Promise<number> =>
      await test.exec(asker, `nc -w 1 ${name} 8080 < /dev/null`);
    const pod = await test.started(
      { main: pageOf("named") },
      { network: FRONT, hostname: "told.example" },
    );
    await test.printed(pod, "ready");
    const { pod: name } = pod.identity;
    await test.until(async () => ((await reach(name)) === 0 ? true : undefined));
    expect(await reach("told.example")).toBe(0);
    const other = await test.started(
      { main: SERVER },
      { network: { mode: "bridge", name: "back" } },
    );
    expect(await test.exec(other, `nc -w 1 ${name} 8080 < /dev/null`)).not.toBe(0);
    await test.engine.stop(pod.identity, AT_ONCE);
    expect(await reach(name)).not.toBe(0);
    await test.engine.start(pod);
    await test.until(async () => ((await reach(name)) === 0 ? true : undefined));
  });

  it("containers of a pod share its network, and a loopback", async (test) => {
    const pod = await test.started(
      { main: pageOf("shared"), second: SERVER },
      { network: FRONT, ports: ports() },
    );
    expect(await answer(test, pod)).toBe("shared");
    expect(await test.exec(pod, "nc -w 1 127.0.0.1 8080 < /dev/null", "second")).toBe(0);
  });

  it("the next generation is prepared beside the old one, and takes its port and address over", async (test) => {
    const old = await test.started({ main: pageOf("old") }, { network: FRONT, ports: ports() });
    expect(await answer(test, old)).toBe("old");
    const { address } = (await test.observed(old)) ?? {};
    const spec = {
      ...old.spec,
      containers: { main: { ...pageOf("new"), image: test.base.reference } },
    };
    const fresh = test.again(old, spec, { generation: 2 });
    await test.engine.prepare(fresh);
    expect(await answer(test, old)).toBe("old");
    expect((await test.observed(fresh))?.address).toBeUndefined();
    await test.engine.stop(old.identity, AT_ONCE);
    await test.engine.start(fresh);
    await test.engine.remove(old.identity);
    expect(await answer(test, fresh)).toBe("new");
    expect((await test.observed(fresh))?.address).toBe(address);
  });

  it("a generation that was started aside takes the port in one instant, and gives it back with its end", async (test) => {
    const old = await test.started({ main: pageOf("old") }, { network: FRONT, ports: ports() });
    expect(await answer(test, old)).toBe("old");
    const spec = {
      ...old.spec,
      containers: { main: { ...pageOf("new"), image: test.base.reference } },
    };
    const fresh = test.again(old, spec, { generation: 2 });
    await test.engine.prepare(fresh);
    await test.engine.start(fresh, { aside: true });
    const { pid } = await test.container(fresh);
    expect(await answer(test, old)).toBe("old");
    expect((await test.observed(fresh))?.detached).toBeUndefined();
    await test.engine.start(fresh, { containers: [] });
    expect(await answer(test, fresh)).toBe("new");
    expect((await test.observed(old))?.detached).toBeUndefined();
    expect(await test.container(fresh)).toMatchObject({ state: "running", pid });
    await test.engine.stop(fresh.identity, AT_ONCE);
    expect(await answer(test, old)).toBe("old");
    await test.engine.start(fresh, { aside: true });
    await test.engine.start(fresh, {});
    await test.engine.remove(old.identity);
    expect(await answer(test, fresh)).toBe("new");
  });

  it("what somebody broke of it is said in a sentence, and mended by start() under a running process", async (test) => {
    const pod = await test.started({ main: pageOf("mended") }, { network: FRONT, ports: ports() });
    await answer(test, pod);
    const { pid } = await test.container(pod);
    await test.opened.breakNetwork(pod.identity);
    expect((await test.observed(pod))?.detached).toMatch(/^\S.* .*[a-z)]$/);
    await test.engine.start(pod);
    expect((await test.observed(pod))?.detached).toBeUndefined();
    expect(await answer(test, pod)).toBe("mended");
    expect(await test.container(pod)).toMatchObject({ state: "running", pid });
  });

  it("a pod of which the process ended is started again in its network", async (test) => {
    const pod = await test.started({ main: pageOf("back") }, { network: FRONT, ports: ports() });
    await answer(test, pod);
    await test.opened.killContainer(pod.identity, "main");
    await test.ended(pod);
    await test.engine.start(pod);
    expect(await answer(test, pod)).toBe("back");
  });

  it("a network goes with the last of its pods, and nothing of it is left", async (test) => {
    const before = await test.opened.traces();
    const spec = { network: { mode: "bridge", name: "short" }, ports: ports() } as const;
    const first = await test.started({ main: SERVER }, spec);
    const second = await test.prepared({ main: SERVER }, { network: spec.network });
    await test.engine.remove(first.identity);
    await test.engine.remove(second.identity);
    await test.engine.remove(second.identity);
    expect(await test.opened.traces()).toEqual(before);
    expect((await test.engine.observe()).leftovers).toEqual([]);
  });
}
