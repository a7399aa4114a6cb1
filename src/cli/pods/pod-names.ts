/** A pod as it is named on the command line: `web`, wherever it is, or `edge-a/web`, as plans and reports write it. */
export interface PodName {
  readonly host: string | undefined;
  readonly pod: string;
}

export function readPodName(text: string): PodName {
  const slash = text.indexOf("/");
  if (slash < 0) return { host: undefined, pod: text };
  return { host: text.slice(0, slash), pod: text.slice(slash + 1) };
}

export function podNameText({ host, pod }: PodName): string {
  return host === undefined ? pod : `${host}/${pod}`;
}

/** Whether a name may mean a pod of that host. */
export function mayBeOn(name: PodName, host: string): boolean {
  return name.host === undefined || name.host === host;
}

/** Whether a pod of a host is meant by a name. */
export function isMeant(
  name: PodName,
  { host, pod }: { readonly host: string; readonly pod: string },
): boolean {
  return name.pod === pod && mayBeOn(name, host);
}
