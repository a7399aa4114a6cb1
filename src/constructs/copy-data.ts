/**
 * A copy of declared data. What is no data stays as it is, such as an object that stands for a value which only
 * Terraform knows: it is a mistake, and told where the whole fleet is checked.
 */
export function copyData<T>(value: T): T {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(copyData) as T;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyData(item)])) as T;
}
