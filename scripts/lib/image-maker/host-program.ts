import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { findOnPath } from "../../../src/internal/index.ts";
import type { ImageFile, LayerFiles } from "./layer-tar.ts";

const PT_INTERP = 3;

/** Whether a file is an ELF program that needs no loader, so that it runs alone in an image. */
export function isStaticProgram(path: string): boolean {
  const elf = readFileSync(path);
  if (elf.toString("latin1", 0, 4) !== "\x7fELF") return false;
  const is64 = elf[4] === 2;
  const isLittle = elf[5] === 1;
  const u16 = (at: number) => (isLittle ? elf.readUInt16LE(at) : elf.readUInt16BE(at));
  const u32 = (at: number) => (isLittle ? elf.readUInt32LE(at) : elf.readUInt32BE(at));
  const u64 = (at: number) => Number(isLittle ? elf.readBigUInt64LE(at) : elf.readBigUInt64BE(at));
  const start = is64 ? u64(32) : u32(28);
  const width = u16(is64 ? 54 : 42);
  const count = u16(is64 ? 56 : 44);
  return Array.from({ length: count }, (_, at) => u32(start + at * width)).every(
    (type) => type !== PT_INTERP,
  );
}

/** A program of this machine at `/bin/<name>`, with the libraries that it loads at their own places. */
export function hostProgram(name: string): LayerFiles {
  const path = findOnPath(name);
  if (path === undefined)
    throw new Error(`Cannot find program "${name}": it is not on PATH; install it`);
  const files = new Map<string, ImageFile>([[`/bin/${name}`, { fromHost: path, mode: 0o755 }]]);
  if (isStaticProgram(path)) return files;
  const { status, stdout } = spawnSync("ldd", [path], { encoding: "utf8" });
  if (status !== 0) throw new Error(`Cannot list the libraries of "${path}": ldd failed`);
  for (const [, library] of stdout.matchAll(/(\/\S+) \(0x/g)) {
    if (library !== undefined) files.set(library, { fromHost: library, mode: 0o755 });
  }
  return files;
}
