/**
 * Thrown by everything of a handle that a fault killed: to who uses it, the process has ended there.
 *
 * Not a StowageError, so that nothing takes it for a failure that can be dealt with.
 */
export class SimKilled extends Error {
  override readonly name = "SimKilled";

  constructor(call: string) {
    super(`The simulated process was killed in ${call}`);
  }
}
