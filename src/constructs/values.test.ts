import { Token } from "cdktf";
import { expect, test } from "vitest";
import { Cpu } from "./cpu.ts";
import { Duration } from "./duration.ts";
import { Size } from "./size.ts";

test.each([
  [Size.bytes(1), 1],
  [Size.kibibytes(1), 1024],
  [Size.mebibytes(256), 268_435_456],
  [Size.gibibytes(1.5), 1_610_612_736],
])("a size %# is so many bytes", (size, bytes) => {
  expect(size.toBytes()).toBe(bytes);
});

test.each([
  [Duration.milliseconds(20), 20],
  [Duration.seconds(0.1), 100],
  [Duration.minutes(2), 120_000],
])("a duration %# is so many milliseconds", (duration, ms) => {
  expect(duration.toMilliseconds()).toBe(ms);
});

test.each([
  [Cpu.cores(1.5), 1500],
  [Cpu.cores(0.29), 290],
  [Cpu.millis(10), 10],
])("an amount of CPU %# is so many thousandths", (cpu, millis) => {
  expect(cpu.toMillis()).toBe(millis);
});

test.each<[string, () => unknown, string]>([
  ["a size below 0", () => Size.bytes(-1), "-1 bytes: it is not a whole number of bytes"],
  ["half a byte", () => Size.bytes(0.5), "0.5 bytes: it is not a whole number of bytes"],
  ["no number", () => Size.mebibytes(Number.NaN), "NaN MiB"],
  ["half a millisecond", () => Duration.milliseconds(0.5), "not a whole number of milliseconds"],
  ["too small a part of a CPU", () => Cpu.cores(0.0001), "not a whole number of thousandths"],
  ["a size of Terraform's", () => Size.bytes(Token.asNumber({ a: 1 })), "only Terraform knows"],
  ["a duration of Terraform's", () => Duration.seconds(Token.asNumber({ a: 1 })), "only Terraform"],
  ["CPUs of Terraform's", () => Cpu.cores(Token.asNumber({ a: 1 })), "only Terraform knows"],
])("%s is refused where it is written", (_, make, message) => {
  expect(make).toThrow(message);
});
