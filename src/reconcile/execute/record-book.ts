import type { Host, HostCallOptions } from "../../host/index.ts";
import {
  canonicalText,
  type HostLayout,
  isSameMaking,
  type Json,
  type KeptGeneration,
  type PodRecord,
  RECORD_VERSION,
  type RecordedGeneration,
  whenApplied,
} from "../../model/index.ts";
import type { HostObservation, PodChange } from "../../plan/index.ts";
import { noteHistory } from "../history/pod-histories.ts";
import type { SecretValues } from "../secrets/secret-values.ts";
import { hashSecrets, makeSalt } from "../secrets/secrets.ts";

/** Whose records they are and where they lie. */
export interface RecordBookParts {
  readonly host: Host;
  readonly name: string;
  readonly owner: string;
  readonly fleet: string;
  readonly layout: HostLayout;
  readonly observed: HostObservation["records"];
  readonly appliedBy: string;
  readonly secrets: SecretValues;
}

/**
 * The records of one host while an apply writes them. They were read under the lock, so nobody else
 * changes them meanwhile.
 */
export class RecordBook {
  readonly #parts: RecordBookParts;
  readonly #written = new Map<string, PodRecord>();

  constructor(parts: RecordBookParts) {
    this.#parts = parts;
  }

  /** What is recorded of a pod now. */
  record(change: PodChange): PodRecord | undefined {
    return this.#find(change);
  }

  /** A generation as it was recorded. */
  generation(change: PodChange, generation: number): RecordedGeneration | undefined {
    return this.#find(change)?.generations.find((each) => each.generation === generation);
  }

  /** Key of the HMACs of a pod's secrets. */
  salt(change: PodChange): string | undefined {
    return this.#find(change)?.salt;
  }

  /** Writes down a generation that is about to be made, beside the proven one. */
  async announce(
    change: PodChange,
    made: RecordedGeneration,
    options: HostCallOptions,
  ): Promise<void> {
    const record = this.#find(change);
    const salt = record?.salt ?? makeSalt();
    const proven = provenOf(record);
    await this.#write(
      change,
      {
        ...(record?.current === undefined ? {} : { current: record.current }),
        generations: [
          ...(proven === undefined ? [] : [proven]),
          this.#withSecrets({ ...made, ...this.#now() }, salt),
        ],
        kept: record?.kept,
        salt,
      },
      options,
    );
  }

  /**
   * Makes a generation the proven one and drops all others, but for the numbers of those that are kept. What
   * it takes the place of goes into the pod's history, before anything else: a kill leaves it in both.
   *
   * @param how.isAltered whether its secrets were given to the engine just now
   */
  async commit(
    change: PodChange,
    proven: RecordedGeneration,
    how: {
      readonly isAltered: boolean;
      readonly keep?: readonly KeptGeneration[] | undefined;
    },
    options: HostCallOptions,
  ): Promise<void> {
    const record = this.#find(change);
    const salt = record?.salt ?? makeSalt();
    const was = provenOf(record);
    const isSame = was !== undefined && isSameMaking(was, proven);
    if (record !== undefined && was !== undefined && !isSame) {
      const { host, layout } = this.#parts;
      await noteHistory(host, layout, { ...record, generations: [was] }, options);
    }
    const when =
      isSame && was.generation === proven.generation ? whenApplied(was, was) : this.#now();
    const made = { ...proven, ...when };
    const entry = how.isAltered ? this.#withSecrets(made, salt) : made;
    const { generation: current } = entry;
    await this.#write(change, { current, generations: [entry], kept: how.keep, salt }, options);
  }

  /** Takes back the announcement of a generation that does not exist any more. */
  async withdraw(change: PodChange, generation: number, options: HostCallOptions): Promise<void> {
    const record = this.#find(change);
    const rest = record?.generations.filter((each) => each.generation !== generation) ?? [];
    if (record === undefined || rest.length === record.generations.length) return;
    if (rest.length === 0) await this.#forgetRecord(change, options);
    else await this.#write(change, { ...record, generations: rest }, options);
  }

  async forget(change: PodChange, options: HostCallOptions): Promise<void> {
    const { host, layout } = this.#parts;
    await host.removeFile(layout.historyFile(change.pod), options);
    await this.#forgetRecord(change, options);
  }

  /** What was applied before is known on: a host that the pod came from may have handed it over. */
  async #forgetRecord({ pod }: PodChange, options: HostCallOptions): Promise<void> {
    const { host, layout } = this.#parts;
    await host.removeFile(layout.recordFile(pod), options);
    this.#written.delete(pod);
  }

  #now(): { readonly appliedAt: string; readonly appliedBy: string } {
    return { appliedAt: new Date().toISOString(), appliedBy: this.#parts.appliedBy };
  }

  #find({ pod, origin }: PodChange): PodRecord | undefined {
    const { owner, fleet, observed } = this.#parts;
    const written = this.#written.get(pod);
    if (written !== undefined) return written;
    const reading =
      observed.get(`${owner}/${fleet}/${pod}`) ??
      observed.get(`${origin.owner}/${origin.fleet}/${pod}`);
    return reading?.kind === "record" ? reading.record : undefined;
  }

  #withSecrets(generation: RecordedGeneration, salt: string): RecordedGeneration {
    const { secrets: _, ...rest } = generation;
    const secrets = hashSecrets(generation.spec, salt, this.#parts.secrets);
    return secrets === undefined ? rest : { ...rest, secrets };
  }

  async #write(
    { pod }: PodChange,
    content: Pick<PodRecord, "generations" | "current" | "kept" | "salt">,
    options: HostCallOptions,
  ): Promise<void> {
    const { host, name, owner, fleet, layout } = this.#parts;
    const { generations, current, kept = [], salt } = content;
    const isSecret = generations.some(({ secrets }) => secrets !== undefined);
    const record: PodRecord = {
      version: RECORD_VERSION,
      owner,
      fleet,
      host: name,
      pod,
      ...(current === undefined ? {} : { current }),
      generations,
      ...(kept.length === 0 ? {} : { kept }),
      ...(salt === undefined || !isSecret ? {} : { salt }),
      ...this.#now(),
    };
    await host.writeFile(layout.recordFile(pod), canonicalText(record as Json), options);
    this.#written.set(pod, record);
  }
}

/** The current generation of a record, with when and by whom it was applied. */
function provenOf(record: PodRecord | undefined) {
  const found = record?.generations.find(({ generation }) => generation === record.current);
  return record === undefined || found === undefined
    ? undefined
    : { ...found, ...whenApplied(found, record) };
}
