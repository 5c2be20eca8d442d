import type { Harness } from "../../src/conformance/harness.ts";
import { overriding } from "../saboteurs/overriding.ts";
import { onFile } from "../saboteurs/places.ts";

/** It asks for the end of a stream only every third time. */
const harness: Harness = {
  ...onFile("forgetful", {
    file: { sync: false },
    driver: (honest) => {
      const known = new Map<string, number>();
      let asked = 0;
      return overriding(honest, {
        nextOffset: async (stream) => {
          asked += 1;
          if (asked % 3 === 0 || !known.has(stream)) known.set(stream, await honest.nextOffset(stream));
          return known.get(stream) ?? 0;
        },
      });
    },
  }),
  module: import.meta.url,
};
export default harness;
