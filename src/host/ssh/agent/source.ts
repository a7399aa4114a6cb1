import { PROGRAM_PATH } from "../../program-path.ts";
import { CORE, LOOP } from "./core.ts";
import { FILES } from "./files.ts";
import { LOOKS } from "./looks.ts";
import { PROCESSES } from "./processes.ts";

/** Bytes of a stream that may be under way without having been taken. */
export const WINDOW = 1024 * 1024;

/**
 * Time without a word from here after which the host ends what was begun for us: less than the life of
 * a lock, so that what was sent before an outage does nothing after somebody else has taken over.
 */
const LEASE_SECONDS = 20;

const END_OF_FILES = "END_OF_FILES";

/** What the agent says first, after whatever the host says to everybody: everything before it is noise. */
export function greeting(nonce: string): RegExp {
  return new RegExp(`\n@@stowage-${nonce} (ready|no-perl)\n`);
}

/** The agent's program. It is sent over the connection, and is nowhere on the host. */
export function agentSource(nonce: string): string {
  return [
    `our ($WINDOW, $LEASE, $PATH, $FILES) = (${WINDOW}, ${LEASE_SECONDS}, "${PROGRAM_PATH}");`,
    CORE,
    PROCESSES,
    LOOKS,
    `$FILES = <<'${END_OF_FILES}';${FILES}${END_OF_FILES}`,
    `syswrite STDOUT, "\\n@@stowage-${nonce} ready\\n";`.replaceAll("@@", "\\@\\@"),
    LOOP,
  ].join("\n");
}

/**
 * What ssh asks the user's shell on the host to run, whichever shell that is: it takes the agent's
 * program of so many bytes from its input, and becomes it, as root.
 */
export function remoteCommand(nonce: string, bytes: number): string {
  const take = `$s = ""; while (length $s < ${bytes}) { sysread STDIN, $s, ${bytes} - length $s, length $s or exit 1 } eval $s; die $@ if $@`;
  // perl knows whose process it is, which the shell would have to ask another program
  const asRoot = String.raw`(\$p, \$s) = @ARGV; \$> and exec qw(sudo -n --), \$p, q(-e), \$s or \$> and die qq(exec: sudo: \$!\n); eval \$s; die \$@ if \$@`;
  const become = [
    // what the user sets for their own shell and perl is not meant for this
    `PATH=\${PATH:+$PATH:}${PROGRAM_PATH}`,
    "export PATH",
    "unset PERL5OPT PERL5LIB PERL5DB PERL_UNICODE PERLIO",
    `p=$(command -v perl) || { printf "\\n@@stowage-${nonce} no-perl\\n"; exit 0; }`,
    `exec "$p" -e "${asRoot}" "$p" "$1"`,
  ].join("; ");
  return `exec /bin/sh -c '${become}' stowage '${take}'`;
}
