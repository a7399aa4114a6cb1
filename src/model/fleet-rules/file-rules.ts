import type { ContainerSpec } from "../container.ts";
import { fileContent, filesOf } from "../declared-files.ts";
import { FILE_BYTES_MAX, type FileSpec } from "../file.ts";
import { isSecret, SECRET_SOURCES, type SecretSource } from "../secret.ts";
import { type Findings, mistake, type PodPlace } from "./rule.ts";

/** Directories that are the kernel's in every container. */
const OF_THE_KERNEL = ["/proc", "/sys", "/dev"];

/** Rules of the files of a pod, and of its secrets wherever they are. */
export function* fileRules({ path, pod }: PodPlace): Findings {
  for (const [name, container] of Object.entries(pod.containers)) {
    const place = `${path}.containers.${name}`;
    for (const [variable, value] of Object.entries(container.env ?? {})) {
      if (isSecret(value)) yield* sourceRules(`${place}.env.${variable}`, value.secret);
    }
    for (const [file, spec] of Object.entries(container.files ?? {})) {
      const at = `${place}.files[${JSON.stringify(file)}]`;
      yield* contentRules(at, spec);
      yield* pathRules(at, file, container);
    }
  }
  const bytes = filesOf(pod).reduce((sum, { spec }) => sum + (fileContent(spec)?.length ?? 0), 0);
  // its record holds them twice while it is replaced
  if (bytes > FILE_BYTES_MAX) {
    yield mistake(
      path,
      `its files hold ${bytes} bytes, and all files of a pod together may hold ${FILE_BYTES_MAX}`,
      "put what is large into the image or into a volume",
    );
  }
}

function* contentRules(place: string, { content, base64, secret }: FileSpec): Findings {
  const said = [content, base64, secret].filter((each) => each !== undefined).length;
  if (said !== 1) {
    yield mistake(
      place,
      said === 0 ? "it has no content" : "its content is given more than once",
      "give one of content, base64 and secret",
    );
  }
  if (secret !== undefined) yield* sourceRules(place, secret);
}

function* sourceRules(place: string, source: SecretSource): Findings {
  const said = SECRET_SOURCES.filter((name) => source[name] !== undefined);
  if (said.length === 1) return;
  yield mistake(
    `${place}.secret`,
    said.length === 0
      ? "it names no source of its value"
      : `it names more than one source of its value (${said.join(", ")})`,
    `give one of ${SECRET_SOURCES.join(", ")}`,
  );
}

function* pathRules(place: string, path: string, container: ContainerSpec): Findings {
  if (path === "/") {
    yield mistake(place, "a file cannot take the place of a directory", "give the file's own path");
    return;
  }
  const kernel = OF_THE_KERNEL.find((each) => isWithin(path, each));
  if (kernel !== undefined) {
    yield mistake(
      place,
      `${kernel} belongs to the kernel`,
      "use another path, such as one below /etc",
    );
  }
  const mount = container.mounts?.find((each) => isWithin(path, each.path));
  if (mount !== undefined) {
    yield mistake(
      place,
      `it is below the mount at ${mount.path}: it would have to be created in volume ${mount.volume}`,
      "use another path, or mount the volume elsewhere",
    );
  }
  const inside = [
    ...(container.mounts ?? []).map((each) => each.path),
    ...Object.keys(container.files ?? {}),
  ].find((each) => each !== path && isWithin(each, path));
  if (inside !== undefined) {
    yield mistake(place, `${inside} is below it, but it is a file`, "move one of them");
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
