/** Fields of an object, any of which may be undefined. */
type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

/** An object without the fields that are undefined. */
export function compact<T extends object>(fields: Loose<T>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
