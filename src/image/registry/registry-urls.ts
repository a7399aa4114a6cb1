import { type Asked, nonsense } from "./registry-error.ts";

/** Where tokens are had. Credentials are shown there: never over a line that is open where the registry's is not. */
export function realmOf(asked: Asked, realm: string, isPlain: boolean): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url?.protocol === "https:" || (isPlain && url?.protocol === "http:")) return url;
  throw nonsense(asked, "it names no TLS address for tokens");
}

/** Where an answer leads to. @throws StowageError where that is open and the registry is not */
export function redirectOf(asked: Asked, from: URL, location: string | string[] | undefined): URL {
  const target = [location ?? []].flat()[0] ?? "";
  const url = URL.canParse(target, from.href) ? new URL(target, from) : undefined;
  if (url?.protocol === "https:" || (from.protocol === "http:" && url?.protocol === "http:"))
    return url;
  throw nonsense(asked, "it redirects to an unusable address");
}
