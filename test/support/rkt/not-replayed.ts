/** Transcripts that are not replayed, with the reason; a name may end with `*`. */
export const NOT_REPLAYED: ReadonlyMap<string, string> = new Map([
  ["help-*", "the double's own usage texts are these; runs that print one are replayed"],
  ["no-command", "refused: nothing runs rkt without a command"],
  ["api-*", "another program asked rkt's api-service, which the double has not"],
  ["app-*", "an experiment of rkt that is off unless asked for"],
  ["attach-list", "likewise"],
  ["config-with-auth", "refused: `rkt config` is not used"],
  ["fetch-docker-[1abfimo]*", "a registry was asked, which the double never does"],
  ["fetch-docker-unreachable", "likewise"],
  ["fetch-missing-tag-debug", "likewise"],
  ["fetch-pull-policy-bad", "likewise"],
  ["fetch-pull-policy-new", "likewise"],
  ["fetch-two-one-bad", "likewise"],
  ["run-docker-volumes", "needs an image of a registry, with volumes filled from it"],
  ["run-prepared-after-image-rm", "likewise"],
  ["image-list", "images of another machine; fly-image-list-json is replayed"],
  ["image-list-pretty", "likewise; fly-image-list-pretty"],
  ["image-list-table", "likewise; fly-image-list-full"],
  ["image-list2", "likewise"],
  ["image-gc-grace0", "the two of them depend on how old the image of stage1 is"],
  ["image-gc2", "likewise"],
  ["run-net-host", "prints the host's own addresses"],
  ["run-net-ip", "needs network plug-ins"],
  ["run-net-multi", "likewise"],
  ["run-net-mynet", "likewise"],
  ["dns-modes", "needs network plug-ins; the double refuses the flags"],
  ["run-cli-volumes", "its command names a folder that the image lacks"],
  ["run-private-users", "a failure of the kernel on which it was recorded"],
  ["run-inotify-exhausted", "likewise"],
  ["seccomp-*", "the double has no filter of system calls"],
  ["enter-ps", "lists systemd's processes, which the double's pods have not"],
  ["list-noapp-panic", "a trace of Go's stack; its exit code and head are tested beside this"],
  ["status-wait-ready-ok", "systemd told of readiness in this one run only"],
  ["kill-scenarios", "a story of several commands, told by tests beside this"],
  ["stop-rm-and-multiapp", "likewise"],
  ["broken-pipe", "likewise"],
  ["run-prepared-ports-netnone-fails.stderr", "has no command; tested beside this"],
]);

/** Why a transcript is not replayed. */
export function reasonNotToReplay(name: string): string | undefined {
  return [...NOT_REPLAYED].find(([pattern]) => matches(pattern, name))?.[1];
}

function matches(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*")}$`).test(name);
}
