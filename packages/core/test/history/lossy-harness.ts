import type { Harness } from "../../src/conformance/harness.ts";
import type { CommitOutcome } from "../../src/driver/index.ts";
import { overriding } from "../saboteurs/overriding.ts";
import { onFile } from "../saboteurs/places.ts";

const uncertain: CommitOutcome = { kind: "uncertain", cause: new Error("the reply was lost") };

/** For one call in eight and what is sent in the 40 ms after it, the request or the reply is lost: longer than the store waits. */
const honest = onFile("lossy", {
  file: { sync: false },
  driver: (driver) => {
    let calls = 0;
    let lostUntil = 0;
    return overriding(driver, {
      commit: async (commits, deadline) => {
        calls += 1;
        if (performance.now() > lostUntil && calls % 8 === 0) lostUntil = performance.now() + 40;
        if (performance.now() > lostUntil) return driver.commit(commits, deadline);
        if (calls % 2 === 0) await driver.commit(commits, deadline);
        return commits.map(() => uncertain);
      },
    });
  },
});

const harness: Harness = {
  ...honest,
  open: (place, options) => honest.open(place, { settleTimeoutMs: 15, ...options }),
  module: import.meta.url,
};
export default harness;
