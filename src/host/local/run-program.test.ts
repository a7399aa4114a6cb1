import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { runProgram } from "./run-program.ts";

test("runProgram() passes output on in order and to its end, no faster than it is taken", async () => {
  let taken = 0;
  let isBusy = false;
  const { exitCode, stdout } = await runProgram(["sh", "-c", "seq 1 200000; exit 3"], {
    output: {
      stdout: async (bytes) => {
        expect(isBusy).toBe(false);
        isBusy = true;
        await sleep(1);
        isBusy = false;
        taken += bytes.length;
      },
      stderr: () => {},
    },
  });
  expect({ exitCode, stdout, taken }).toEqual({ exitCode: 3, stdout: "", taken: 1_288_895 });
});

test("runProgram() ends a program whose output nobody takes any more, and tells why", async () => {
  const running = runProgram(["sh", "-c", "while :; do echo on; done"], {
    output: {
      stdout: () => {
        throw new Error("enough");
      },
      stderr: () => {},
    },
  });
  await expect(running).rejects.toThrow("enough");
});
