import { StowageError } from "../../errors/index.ts";
import type { FileContent, FreeSpace, HostSnapshot, SnapshotRequest } from "../host.ts";
import { fileError } from "../local/file-error.ts";
import { parseListeningPorts } from "../local/listening-ports.ts";
import { unpackList } from "./frames.ts";
import { RemoteError } from "./remote-error.ts";

/** What the agent is asked for a snapshot, all in one. */
export function snapshotQuestion(request: SnapshotRequest): readonly string[] {
  const wanted = (letter: string, paths: readonly string[] = []) =>
    paths.flatMap((path) => [letter, path]);
  return [
    "look",
    request.listening === true ? "1" : "",
    ...wanted("f", request.files),
    ...wanted("c", request.contents),
    ...wanted("l", request.list),
    ...wanted("x", request.exist),
    ...wanted("n", request.links),
    ...wanted("s", request.space),
    ...wanted("t", request.programs),
  ];
}

/** What it answers. */
export function readSnapshot(answer: readonly Buffer[]): HostSnapshot {
  const [uid, gid, clock, boot, ...rest] = answer;
  const found = {
    files: new Map<string, string | Error>(),
    existing: new Set<string>(),
    dangling: new Set<string>(),
    entries: new Map<string, readonly string[]>(),
    contents: new Map<string, FileContent | Error>(),
    space: new Map<string, FreeSpace>(),
    listening: [] as HostSnapshot["listening"][number][],
    programs: new Map<string, string>(),
  };
  for (let at = 0; at + 3 < rest.length; at += 4) {
    const [kind, path = "", value = Buffer.alloc(0), more = Buffer.alloc(0)] = [
      String(rest[at]),
      String(rest[at + 1]),
      rest[at + 2],
      rest[at + 3],
    ];
    switch (kind) {
      case "f":
        found.files.set(path, value.toString("utf8"));
        break;
      case "f!":
        found.files.set(path, readError(path, value, more));
        break;
      case "c":
        found.contents.set(path, contentOf(value, more));
        break;
      case "c!":
        found.contents.set(path, readError(path, value, more));
        break;
      case "l":
        found.entries.set(path, unpackList(value).map(String));
        break;
      case "x":
        found.existing.add(path);
        break;
      case "n":
        found.dangling.add(path);
        break;
      case "s":
        found.space.set(path, { freeBytes: Number(value), fileSystem: String(more) });
        break;
      case "t":
        found.programs.set(path, value.toString("utf8"));
        break;
      case "p":
        found.listening.push(...portsOf(path, value.toString("latin1")));
        break;
      default:
        throw new StowageError(
          "Cannot understand the host: it answered something that was not asked",
          {
            code: "internal",
          },
        );
    }
  }
  return {
    ...found,
    user: { uid: Number(uid), gid: Number(gid) },
    monotonicMs: Number(clock),
    bootId: String(boot),
  };
}

function contentOf(attributes: Buffer, bytes: Buffer): FileContent {
  const [mode = 0, uid = 0, gid = 0] = unpackList(attributes).map(Number);
  // a mark before the bytes: a file without bytes is not one that cannot be read
  return { mode, uid, gid, ...(bytes.length > 0 ? { bytes: bytes.subarray(1) } : {}) };
}

function portsOf(table: string, text: string): HostSnapshot["listening"] {
  return table.startsWith("tcp")
    ? parseListeningPorts(text, "tcp", "0A")
    : parseListeningPorts(text, "udp", "07");
}

function readError(path: string, code: Buffer, message: Buffer): StowageError {
  if (code.toString() === "EFBIG") {
    return new StowageError(`Cannot read file "${path}": it is larger than 16777216 bytes`, {
      code: "resource_exhausted",
      context: { path },
    });
  }
  return fileError(new RemoteError([code, message]), "read file", path);
}
