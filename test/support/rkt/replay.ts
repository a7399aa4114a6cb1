import { basename } from "node:path";
import { normalise } from "./normalise.ts";
import type { Transcript } from "./recorded-run.ts";
import type { RktResult, RktWorld } from "./rkt-world.ts";
import { type Scenario, setRecordedTimes } from "./scenarios.ts";

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** What is compared: exit code, words of the command, stdout, stderr. */
export type Answer = readonly [exitCode: number, ...texts: readonly string[]];

/** Runs the command of a transcript where all is as it needs it. @returns what came, with the recorded names */
export async function replay(
  transcript: Transcript,
  scenario: Scenario,
  world: RktWorld,
): Promise<Transcript> {
  setRecordedTimes(world);
  const given = await scenario.given?.(world, transcript);
  const start = transcript.words.findIndex((word) => basename(word) === "rkt");
  const images = [...(given?.images ?? [])];
  const words = transcript.words.slice(start + 1).map((word) => {
    const here = world.here(word);
    if (given?.uuid !== undefined && UUID.test(here)) return here.replace(UUID, given.uuid);
    if (given?.uuid !== undefined && /^[0-9a-f]{8}$/.test(here)) return given.uuid.slice(0, 8);
    return /^sha512-[0-9a-f]+$/.test(here) ? (images.shift()?.slice(0, here.length) ?? here) : here;
  });
  const before = transcript.words
    .slice(0, start)
    .filter((word) => word !== "timeout" && !/^\d+$/.test(word));
  const result = await world.run(words, scenario.folder, before);
  const told = (text: string) => world.asRecorded(text);
  return {
    ...transcript,
    words: [...transcript.words.slice(0, start + 1), ...words.map(told)],
    exitCode: result.exitCode,
    stdout: told(result.stdout),
    stderr: told(withoutEnding(result, transcript)),
  };
}

/** The recorder ended a text that had no line's end with one. */
function withoutEnding({ stderr }: RktResult, { stderr: recorded }: Transcript): string {
  return stderr !== "" && !stderr.endsWith("\n") && recorded === `${stderr}\n` ? recorded : stderr;
}

/** An answer in the form in which it is compared. */
export function comparable(transcript: Transcript, scenario: Scenario): Answer {
  const { exitCode, words, stdout, stderr } = transcript;
  if (scenario.exact === true) return [exitCode, sorted(stdout, scenario), stderr];
  const [, ...said] = normalise([words.join(" "), stdout, stderr]);
  const alike = said.map((text) => leaveOut(text, scenario));
  return [exitCode, ...alike.map((text) => sorted(text, scenario))];
}

function leaveOut(text: string, { alsoVaries, anyOrder }: Scenario): string {
  const rest = alsoVaries === undefined ? text : text.replace(alsoVaries, "");
  return anyOrder === true ? rest.replace(/<uuid-\d+>/g, "<uuid>") : rest;
}

function sorted(text: string, { anyOrder }: Scenario): string {
  return anyOrder === true ? text.split("\n").toSorted().join("\n") : text;
}

/**
 * A recorded answer with one byte changed, in a place that is compared; the exit code where it says
 * nothing.
 */
export function mutated(transcript: Transcript, scenario: Scenario): Transcript {
  const wanted = JSON.stringify(comparable(transcript, scenario));
  for (const part of ["stdout", "stderr"] as const) {
    const text = transcript[part];
    // somewhere in the middle, the same at each run
    const first = (text.length * 7919) % Math.max(text.length, 1);
    for (let step = 0; step < text.length; step++) {
      const at = (first + Math.floor(text.length / 3) + step) % text.length;
      const other = text[at] === "~" ? "!" : "~";
      const changed = { ...transcript, [part]: text.slice(0, at) + other + text.slice(at + 1) };
      if (JSON.stringify(comparable(changed, scenario)) !== wanted) return changed;
    }
  }
  return { ...transcript, exitCode: transcript.exitCode + 1 };
}
