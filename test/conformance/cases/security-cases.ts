import { expect } from "vitest";
import { SERVER } from "../support/engine-under-test.ts";
import type { Suite } from "../support/suite.ts";

// The field's default set: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap,
// net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap.
const DEFAULT_CAPABILITIES = "00000000a80425fb";

/** What a process may do when nobody says anything, seen from inside. */
export function securityCases({ itWith }: Suite): void {
  itWith("confined", "it has the default capabilities and no others", async (test) => {
    const { lines } = await test.run("grep -E '^Cap(Bnd|Eff|Prm)' /proc/self/status");
    const sets = lines.map((line) => line.split(/\s+/)[1]);
    expect(sets).toEqual([DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES, DEFAULT_CAPABILITIES]);
  });

  itWith("confined", "a user that is not root has no effective capability", async (test) => {
    const { lines } = await test.run("grep ^CapEff /proc/self/status", { user: "1717:1818" });
    expect(lines[0]).toMatch(/\s0{16}$/);
  });

  itWith(
    "confined",
    "it cannot gain privileges, and its system calls are filtered",
    async (test) => {
      const { lines } = await test.run("grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status");
      expect(lines.map((line) => line.replaceAll(/\s+/g, " "))).toEqual([
        "NoNewPrivs: 1",
        "Seccomp: 2",
      ]);
    },
  );

  itWith(
    "confined",
    "sensitive files are masked, and the kernel's settings are read-only",
    async (test) => {
      const source = [
        "cat /proc/kcore | head -c 1 | wc -c",
        "cat /proc/timer_list | wc -c",
        "echo 1 2>/dev/null > /proc/sys/kernel/domainname && echo written || echo refused",
        "echo 1 2>/dev/null > /sys/kernel/uevent_helper && echo written || echo refused",
      ].join("\n");
      const { lines } = await test.run(source);
      const seen = lines.filter((line) => /^(\d+|written|refused)$/.test(line));
      expect(seen).toEqual(["0", "0", "refused", "refused"]);
    },
  );

  itWith(
    "confined",
    "what is masked is not where that is declared, and so it is reported",
    async (test) => {
      for (const unmaskPaths of [true, false]) {
        const main = { ...SERVER, security: { unmaskPaths } };
        const pod = await test.started({ main });
        const { reported } = await test.container(pod);
        expect(reported).toMatchObject({ "security.unmaskPaths": unmaskPaths });
        const isMasked = await test.exec(pod, "grep -q ' /sys/firmware ' /proc/self/mountinfo");
        expect(isMasked === 0).toBe(!unmaskPaths);
      }
    },
  );

  itWith("confined", "it sees no processes but its own container's", async (test) => {
    const { lines } = await test.run("echo $$; [ -e /proc/1000000 ] || ls -d /proc/[0-9]* | wc -l");
    expect(lines[0]).toBe("1");
    expect(Number(lines[1])).toBeLessThan(6);
  });

  itWith("confined", "it has the harmless devices and not the host's", async (test) => {
    const { lines } = await test.run(
      "cd /dev; for d in null zero random tty sda kmsg mem; do [ -e $d ] && echo $d; done; true",
    );
    expect([...lines].sort()).toEqual(["null", "random", "tty", "zero"]);
  });

  itWith("confined", "capabilities are added and dropped as declared", async (test) => {
    const security = { capabilitiesDrop: ["ALL"], capabilitiesAdd: ["CAP_NET_ADMIN"] };
    const { lines } = await test.run("grep ^CapBnd /proc/self/status", { security });
    expect(lines[0]).toMatch(/\s0000000000001000$/);
  });

  itWith("confined", "without a network there is a loopback only, and it is up", async (test) => {
    const { lines } = await test.run(
      "ls /sys/class/net; ip addr show lo | grep -c 'inet 127.0.0.1'",
    );
    expect(lines).toEqual(["lo", "1"]);
  });

  itWith("kernel", "a memory limit ends what goes beyond it", async (test) => {
    const resources = { memoryBytes: 16 * 1024 * 1024 };
    const source = "head -c 200000000 /dev/zero | tail | wc -c";
    const pod = await test.started({
      main: { command: ["/bin/sh", "-c", `exec sh -c '${source}'`], resources },
    });
    await test.ended(pod);
    expect((await test.lines(pod)).join("")).not.toContain("200000000");
  });
}
