import { pathText } from "../model/index.ts";
import { isUnresolved } from "./cdk.ts";

/** Paths of the values that only Terraform knows, names of maps included. */
export function findUnresolved(value: unknown, path = ""): readonly string[] {
  if (isUnresolved(value)) return [path];
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => findUnresolved(item, pathText([index], path)));
  }
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, item]) =>
    isUnresolved(key) ? [path] : findUnresolved(item, pathText([key], path)),
  );
}
