import { expect, test } from "vitest";
import { tailLines } from "./tail-lines.ts";

/** A log that a process writes to: what is after its last line end is no line yet. */
class Log {
  readonly name = "main";
  #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  write(text: string): void {
    this.#text += text;
  }

  async *newLines({ final }: { readonly final: boolean }): AsyncGenerator<string> {
    const lines = this.#text.split("\n");
    this.#text = lines.pop() ?? "";
    yield* lines;
    if (!final || this.#text === "") return;
    const last = this.#text;
    this.#text = "";
    yield last;
  }
}

test("following shows the end of an output that stays without a line end, and goes on after it", async () => {
  const log = new Log("one\npassword: ");
  const stop = new AbortController();
  const seen: string[] = [];
  const following = async (): Promise<void> => {
    for await (const { text } of tailLines([log], { follow: true, signal: stop.signal })) {
      seen.push(text);
      if (text === "password: ") log.write("secret\n");
      if (text === "secret") stop.abort();
    }
  };
  await expect(following()).rejects.toMatchObject({ name: "AbortError" });
  expect(seen).toEqual(["one", "password: ", "secret"]);
});

test("what ended while it was followed is read to its last words, those without a line end too", async () => {
  const log = new Log("one\n");
  const ended = new AbortController();
  const seen: string[] = [];
  for await (const { text } of tailLines([log], { follow: true, ended: ended.signal })) {
    seen.push(text);
    if (text === "one") {
      // it has ended, and its words are still on their way
      ended.abort();
      setTimeout(() => log.write("two\nthree"), 250);
    }
  }
  expect(seen).toEqual(["one", "two", "three"]);
});

test("following ends where every source is gone, and not while one is there", async () => {
  const [first, second] = [new Log("one\n"), new Log("two\n")];
  const gone = new Set<Log>();
  const sources = [first, second].map((log) => ({
    name: log.name,
    newLines: log.newLines.bind(log),
    isGone: () => gone.has(log),
  }));
  const seen: string[] = [];
  for await (const { text } of tailLines(sources, { follow: true })) {
    seen.push(text);
    if (text === "two") {
      gone.add(first);
      second.write("three\n");
    }
    if (text === "three") gone.add(second);
  }
  expect(seen).toEqual(["one", "two", "three"]);
});
