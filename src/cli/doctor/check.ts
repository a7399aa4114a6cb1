/** What doctor found out about one thing that a host needs. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly finding: string;
  /** What to do; there unless it is ok. */
  readonly remedy?: string;
}
