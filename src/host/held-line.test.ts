import { expect, test } from "vitest";
import { HeldLine } from "./held-line.ts";

const OWN = "Error: runc: exec failed: permission denied: OCI permission denied\n";

const LINE = {
  leads: ["Error: ", "enter: "],
  begun: /^(?:enter: .*|Error: [\w.-]*(?::.*)?)$/s,
  whole: /OCI permission|^enter: /,
};

/** What was passed on after each part, and at the end. */
async function passed(parts: readonly string[], isOwn: boolean): Promise<readonly string[]> {
  let said = "";
  const held = new HeldLine(LINE, (bytes) => {
    said += Buffer.from(bytes).toString("utf8");
  });
  const seen: string[] = [];
  for (const part of parts) {
    await held.put(Buffer.from(part));
    seen.push(said);
  }
  await held.end(isOwn);
  return [...seen, said];
}

test("a program's own last line is kept back, in whatever parts it comes", async () => {
  expect(await passed([OWN], true)).toEqual(["", ""]);
  expect(await passed(["enter: no\n"], true)).toEqual(["", ""]);
  expect(await passed([...OWN], true)).toEqual([...[...OWN].map(() => ""), ""]);
  expect(await passed(["before\n", OWN.slice(0, 3), OWN.slice(3)], true)).toEqual(
    Array(4).fill("before\n"),
  );
});

test("what only looks like it is passed on: at the end of the command, or with what comes after it", async () => {
  expect(await passed([OWN], false)).toEqual(["", OWN]);
  expect(await passed([OWN, "more\n"], true)).toEqual(["", `${OWN}more\n`, `${OWN}more\n`]);
  expect(await passed(["é", OWN], true)).toEqual(["é", `é${OWN}`, `é${OWN}`]);
});

test("what a command says goes on at once", async () => {
  for (const text of ["Erk", "Error: cannot open it, retrying\n", "Error: no [y/n]? ", "x\ny"])
    expect(await passed([text], true)).toEqual([text, text]);
});
