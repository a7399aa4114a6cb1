import { z } from "zod";
import { fieldMeta, unwrap } from "../../../src/model/index.ts";

type Check = {
  readonly _zod: {
    readonly def: {
      readonly check: string;
      readonly value?: unknown;
      readonly minimum?: unknown;
      readonly maximum?: unknown;
      readonly inclusive?: boolean;
      readonly error?: (issue: object) => unknown;
    };
  };
};

/** The type of a field's value in words: `one of tcp, udp`, `map by name`, `set of text`. */
export function typeWords(schema: z.ZodType): string {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodLiteral) return `\`${inner.value}\``;
  if (inner instanceof z.ZodEnum) return inner.options.map((option) => `\`${option}\``).join(", ");
  if (inner instanceof z.ZodBoolean) return "true or false";
  if (inner instanceof z.ZodNumber) return inner.isInt ? "integer" : "number";
  if (inner instanceof z.ZodString) return "text";
  if (inner instanceof z.ZodRecord)
    return `map of ${plural(typeWords(inner.valueType as z.ZodType))}`;
  if (inner instanceof z.ZodArray) return arrayWords(schema, inner);
  if (inner instanceof z.ZodDiscriminatedUnion) return `object, by \`${inner.def.discriminator}\``;
  if (inner instanceof z.ZodUnion) {
    return inner.options.map((option) => typeWords(option as z.ZodType)).join(" or ");
  }
  return "object";
}

/** What a value must be beside its type, as the schema's own checks say it: `must be …`, `at least 10`. */
export function ruleWords(schema: z.ZodType): readonly string[] {
  const inner = unwrap(schema);
  const unit = inner instanceof z.ZodString ? "characters" : "items";
  const own = checksOf(inner).flatMap((check) => checkWords(check, unit));
  if (inner instanceof z.ZodArray) {
    return [...own, ...eachWords(inner.element as z.ZodType)];
  }
  if (inner instanceof z.ZodRecord) {
    const keys = keyWords(inner.keyType as z.ZodType);
    return [...own, ...keys, ...eachWords(inner.valueType as z.ZodType)];
  }
  if (inner instanceof z.ZodUnion && !(inner instanceof z.ZodDiscriminatedUnion)) {
    return [...own, ...inner.options.flatMap((option) => ruleWords(option as z.ZodType))];
  }
  return own;
}

function arrayWords(schema: z.ZodType, array: z.ZodArray): string {
  const noun = fieldMeta(schema)?.set === true ? "set" : "list";
  return `${noun} of ${plural(typeWords(array.element as z.ZodType))}`;
}

function plural(words: string): string {
  return words.replace(/\bobject\b/, "objects");
}

function eachWords(item: z.ZodType): readonly string[] {
  return ruleWords(item).map((rule) => `each ${rule}`);
}

function keyWords(key: z.ZodType): readonly string[] {
  if (key instanceof z.ZodEnum) return [`names: ${key.options.join(", ")}`];
  return ruleWords(key)
    .filter((rule) => rule.startsWith("must be "))
    .map((rule) => `a name ${rule}`);
}

function checksOf(schema: z.ZodType): readonly Check[] {
  return ((schema.def as { readonly checks?: readonly unknown[] }).checks ?? []) as Check[];
}

function checkWords({ _zod: { def } }: Check, unit: string): readonly string[] {
  const message = def.error?.({});
  if (typeof message === "string") return [message];
  switch (def.check) {
    case "greater_than":
      return [def.inclusive === true ? `at least ${def.value}` : `above ${def.value}`];
    case "less_than":
      return [def.inclusive === true ? `at most ${def.value}` : `below ${def.value}`];
    case "min_length":
      return [`at least ${count(def.minimum, unit)}`];
    case "max_length":
      return [`at most ${count(def.maximum, unit)}`];
    default:
      return [];
  }
}

function count(amount: unknown, units: string): string {
  return amount === 1 ? `1 ${units.replace(/s$/, "")}` : `${amount} ${units}`;
}
