import type { SshAddress } from "./ssh-address.ts";

/** Seconds that a connection may take to come up. */
const CONNECT_SECONDS = 10;

/**
 * What would change what a connection of ours is, whatever the user's configuration says; everything
 * else of it counts: keys, agent, jump hosts, ports, known hosts, a connection that they share.
 */
const OPTIONS = [
  "BatchMode=yes",
  "StrictHostKeyChecking=yes",
  `ConnectTimeout=${CONNECT_SECONDS}`,
  // with what the agent is asked every few seconds, as where a shared connection is used
  "ServerAliveInterval=5",
  "ServerAliveCountMax=3",
  "ControlMaster=no",
  "ControlPersist=no",
  "ClearAllForwardings=yes",
  "ForwardAgent=no",
  "ForwardX11=no",
  "PermitLocalCommand=no",
  "RemoteCommand=none",
  "RequestTTY=no",
  "SessionType=default",
  "ForkAfterAuthentication=no",
  "StdinNull=no",
  "LogLevel=ERROR",
] as const;

/** How ssh(1) is run for a host. @param config file in place of the user's own configuration */
export function sshArguments(
  { host, user, port }: SshAddress,
  command: string,
  config: string | undefined,
): readonly string[] {
  return [
    ...(config === undefined ? [] : ["-F", config]),
    "-T",
    ...OPTIONS.flatMap((option) => ["-o", option]),
    ...(user === undefined ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    "--",
    host,
    command,
  ];
}

/** What ssh(1) is run in: it speaks English, and asks nobody, not for hosts on the way either. */
export function sshEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: "C", SSH_ASKPASS_REQUIRE: "never" };
}
