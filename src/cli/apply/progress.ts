import type { Plan } from "../../plan/index.ts";
import type { ApplyEvent } from "../../reconcile/index.ts";
import type { Output } from "../context.ts";
import { stepWords } from "../plan/step-words.ts";
import { shortDigests } from "../text/format-value.ts";
import { textWidth } from "../text/layout.ts";
import type { Paint } from "../text/paint.ts";
import { printable } from "../text/printable.ts";
import { formatAge, formatTransfer } from "../text/quantities.ts";
import { outcomePlace, outcomeWords } from "./outcome-words.ts";
import { registryWaitWords } from "./registry-waits.ts";

/** Shows what an apply does while it does it. */
export interface Progress {
  /** Called with the plan once it is agreed to. */
  begin(plan: Plan): void;
  show(event: ApplyEvent): void;
  /** Removes what is not to stay. */
  end(): void;
}

const ACTIVE_LINES_MAX = 8;
/** Elsewhere than on a terminal a step that takes long is named this often, so that nobody takes it for stuck. */
const STILL_MS = 30_000;

/** Progress for people: what is being done as lines that change on a terminal, what is done as lines that stay. */
export class PeopleProgress implements Progress {
  readonly #output: Output;
  readonly #paint: Paint;
  readonly #live: boolean;
  readonly #active = new Map<string, string>();
  /** What the running step of a change is, without how far it is. */
  readonly #begun = new Map<string, string>();
  readonly #targets = new Map<string, Plan["pods"][number]["to"]>();
  readonly #since = new Map<string, number>();
  #still: NodeJS.Timeout | undefined;
  #drawn = 0;

  constructor(output: Output, paint: Paint, live: boolean) {
    this.#output = output;
    this.#paint = paint;
    this.#live = live;
  }

  begin(plan: Plan): void {
    for (const { id, to } of plan.pods) this.#targets.set(id, to);
  }

  show(event: ApplyEvent): void {
    const line = this.#take(event);
    if (this.#live) this.#redraw(line);
    else {
      if (line !== undefined) this.#output.write(`${line}\n`);
      this.#still ??= setInterval(() => this.#tellStill(), STILL_MS).unref();
    }
  }

  end(): void {
    clearInterval(this.#still);
    this.#still = undefined;
    this.#active.clear();
    if (this.#live) this.#redraw(undefined);
  }

  /** Keeps what an event says; what comes back stays on the screen. */
  #take(event: ApplyEvent): string | undefined {
    const { yellow, red, green } = this.#paint;
    switch (event.type) {
      case "observed":
        return undefined;
      case "registry-waiting":
        return yellow(registryWaitWords(event));
      case "lock-waiting":
        return yellow(
          `waiting for the lock of host ${event.host}: ${printable(event.holder)} holds it`,
        );
      case "not-audited":
        return yellow(
          `host ${event.host} has no entry for this in its audit file: ${printable(event.reason)}`,
        );
      case "change-started":
        this.#active.set(event.id, "");
        return undefined;
      case "step-started": {
        const words = stepWords(event.step, { to: this.#targets.get(event.id) });
        const text = `${words} (${event.index + 1} of ${event.count})`;
        this.#active.set(event.id, text);
        this.#begun.set(event.id, text);
        this.#since.set(event.id, performance.now());
        return undefined;
      }
      case "step-progress":
        this.#active.set(event.id, `${this.#begun.get(event.id) ?? ""}  ${bytesWords(event)}`);
        return undefined;
      case "step-note":
        return yellow(`${shortDigests(event.id)}  ${printable(event.text)}`);
      case "step-done":
        return undefined;
      case "step-failed":
        return red(`${event.id}  ${event.step.kind} failed: ${printable(event.reason)}`);
      case "drain-failed":
        return yellow(
          `${event.id}  container ${event.container} was not drained: ${printable(event.reason)}; it is stopped anyway`,
        );
      case "rollback-started":
        this.#active.set(event.id, "going back to the old");
        return yellow(`${event.id}  going back to the old`);
      case "change-done": {
        this.#active.delete(event.id);
        const { outcome } = event;
        const mark = outcome.status === "done" ? green("done") : red("    ");
        return `${mark}  ${outcomePlace(outcome)}  ${outcomeWords(outcome)}`;
      }
      default:
        return event satisfies never;
    }
  }

  /** Steps that began longer ago than one turn, with how far they are. */
  #tellStill(): void {
    const now = performance.now();
    const long = [...this.#active].flatMap(([id, words]): [string, string][] => {
      const ms = now - (this.#since.get(id) ?? now);
      return ms < STILL_MS ? [] : [[id, `${words}, for ${formatAge(ms)} so far`]];
    });
    for (const line of activeLines(long)) this.#output.write(`${line}\n`);
  }

  #redraw(line: string | undefined): void {
    const up = this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A`;
    const clear = `\r${up}\u001b[J`;
    const lines = activeLines([...this.#active]).map((text) => this.#cut(text));
    const stays = line === undefined ? [] : [line];
    if (this.#drawn + lines.length + stays.length === 0) return;
    this.#drawn = lines.length;
    this.#output.write(clear + [...stays, ...lines].map((text) => `${text}\n`).join(""));
  }

  /** A line that breaks would take two, and the next drawing would leave one of them. */
  #cut(line: string): string {
    const columns = this.#output.columns ?? 80;
    return textWidth(line) < columns
      ? line
      : `${[...line].slice(0, Math.max(1, columns - 2)).join("")}…`;
  }
}

/** What is being done, a line each; the rest is counted. */
function activeLines(active: readonly (readonly [id: string, words: string])[]): readonly string[] {
  const shown = active
    .slice(0, ACTIVE_LINES_MAX)
    .map(([id, words]) => `  ...  ${shortDigests(id)}  ${words}`);
  const more = active.length - shown.length;
  return more > 0 ? [...shown, `  ...  and ${more} more`] : shown;
}

/** How much of an image has come: `8.2 MB of 12.4 MB`. */
function bytesWords({ bytes, ofBytes }: ApplyEvent & { readonly type: "step-progress" }): string {
  const come = formatTransfer(bytes);
  return ofBytes === undefined ? come : `${come} of ${formatTransfer(Math.max(bytes, ofBytes))}`;
}

/** Progress for programs: each event as a line of JSON. */
export class JsonProgress implements Progress {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  begin(): void {
    // the plan itself is a line of its own
  }

  show(event: ApplyEvent): void {
    this.#output.write(`${JSON.stringify(event)}\n`);
  }

  end(): void {
    // nothing was drawn
  }
}
