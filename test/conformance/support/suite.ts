import type { EngineFeatures, EngineFixture } from "./engine-fixture.ts";
import type { EngineUnderTest } from "./engine-under-test.ts";

/** What a theme's cases are written with. */
export interface Suite {
  readonly fixture: EngineFixture;
  /** The engine; only inside cases. */
  readonly use: () => EngineUnderTest;
  /** A case: its title is the requirement. */
  readonly it: (title: string, body: (engine: EngineUnderTest) => Promise<void>) => void;
  /** A case that only a world with a feature can show. */
  readonly itWith: (
    feature: keyof EngineFeatures,
    title: string,
    body: (engine: EngineUnderTest) => Promise<void>,
  ) => void;
}
