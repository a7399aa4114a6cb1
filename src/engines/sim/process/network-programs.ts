import {
  type CommandCall,
  type CommandResult,
  FOREVER_MS,
  type ShellProgram,
} from "./command-call.ts";

const FOREVER = { kind: "sleep", ms: FOREVER_MS } as const;

/** Commands of the toy shell that use the pod's network. */
export const NETWORK_PROGRAMS: Readonly<Record<string, ShellProgram>> = {
  nc: (call) => (call.args.some((arg) => /^-\w*l/.test(arg)) ? serve("nc", call) : connect(call)),
  httpd: (call) => serve("httpd", call),
};

function serve(name: string, { args, context, err }: CommandCall): CommandResult {
  const port = Number(args[args.indexOf("-p") + 1]?.split(":").at(-1));
  if (context.listen(port)) return FOREVER;
  err(`${name}: bind: Address already in use\n`);
  return 1;
}

function connect({ args, context, err }: CommandCall): CommandResult {
  // nc [options] host port
  const [host, port] = args.slice(-2);
  if (context.reaches(Number(port), host)) return 0;
  err("nc: can't connect to remote host: Connection refused\n");
  return 1;
}
