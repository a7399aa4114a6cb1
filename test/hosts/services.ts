import { readFileSync } from "node:fs";
import type { SshKeys } from "./ssh-keys.ts";
import type { TestHost } from "./test-host.ts";

/** Lines of sshd_config(5) that every host has; the first word on a matter counts, so others come before. */
const SSHD = `HostKey /etc/ssh/host-key
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile /run/sshd.pid
Subsystem sftp internal-sftp`;

/** Starts sshd in a host, for root and who else is there. @param lines of sshd_config(5) that come first */
export async function startSshd(host: TestHost, keys: SshKeys, lines = ""): Promise<void> {
  const key = await keys.makeHostKey(`${host.name}-key`, host.address);
  await host.sh(`mkdir -p /run/sshd /root/.ssh
umask 077
cat >/etc/ssh/host-key <<'END'
${readFileSync(key, "utf8")}END
cat >/root/.ssh/authorized_keys <<'END'
${keys.user}END
cat >/etc/ssh/stw_config <<'END'
${lines}
${SSHD}
END`);
  await restartSshd(host);
}

/** Starts sshd again, as after a reboot; connections that there are go on. */
export async function restartSshd(host: TestHost): Promise<void> {
  await host.sh(`[ ! -e /run/sshd.pid ] || kill $(cat /run/sshd.pid) || :
mkdir -p /run/sshd
/usr/sbin/sshd -f /etc/ssh/stw_config -E /var/log/sshd.log
until [ -s /run/sshd.pid ]; do sleep 0.01; done`);
}

/** Adds a user who may log in. @param sudo what sudoers(5) says after the name; absent: nothing */
export async function addUser(
  host: TestHost,
  keys: SshKeys,
  name: string,
  { sudo, shell = "/bin/bash" }: { readonly sudo?: string; readonly shell?: string } = {},
): Promise<void> {
  await host.sh(`useradd -m -s ${shell} ${name}
usermod -p '*' ${name}
mkdir -p /home/${name}/.ssh
cat >/home/${name}/.ssh/authorized_keys <<'END'
${keys.user}END
chown -R ${name} /home/${name}
chmod 700 /home/${name}/.ssh
${sudo === undefined ? "" : `printf '%s\\n' '${name} ${sudo}' >/etc/sudoers.d/${name}`}`);
}

/** Socket of a host's containerd, where Debian has it. */
export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";

/** Starts containerd in a host, and waits until it answers. */
export async function startContainerd(host: TestHost): Promise<void> {
  await host.sh(`mkdir -p /etc/containerd
printf 'version = 2\\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\\n' >/etc/containerd/config.toml
rm -f ${CONTAINERD_SOCKET}*
setsid containerd >/var/log/containerd.log 2>&1 </dev/null &
n=0; until ctr version >/dev/null 2>&1; do n=$((n+1)); [ $n -lt 600 ] || exit 1; sleep 0.05; done`);
}
