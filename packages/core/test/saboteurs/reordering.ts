import type { GloballyOrderedDriver, StoreDriver, StoredMessage } from "../../src/driver/index.ts";
import { overriding } from "./overriding.ts";

/** The messages that one commit added, as the honest driver ordered them. */
export type Added = readonly StoredMessage[];

/**
 * A driver whose global order is another than the honest one's: `place` is given each group's commits, and puts their
 * messages into the order. It may let time pass before it has put them all there.
 */
export function reordering(
  makePlace: () => (order: StoredMessage[], group: readonly Added[]) => void | Promise<void>,
): (honest: GloballyOrderedDriver) => StoreDriver {
  return (honest) => {
    const order: StoredMessage[] = [];
    const place = makePlace();
    const everything = { maxRecords: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
    const relabelled = (message: StoredMessage) => ({ ...message, globalOffset: order.indexOf(message) });
    return overriding(honest, {
      commit: async (commits, deadline) => {
        const group: Added[] = [];
        const outcomes = [];
        for (const commit of commits) {
          const end = await honest.nextGlobalOffset();
          outcomes.push(...(await honest.commit([commit], deadline)));
          group.push(await honest.readGlobal(end, everything));
        }
        await place(
          order,
          group.filter((added) => added.length > 0),
        );
        return outcomes;
      },
      readStream: async (stream, from, limit) => (await honest.readStream(stream, from, limit)).map(relabelled),
      readGlobal: async (from, limit) => {
        // As much as the honest driver would give: how far it reads is not what is lied about.
        const { length } = await honest.readGlobal(from, limit);
        return order.slice(from, from + length).map((message, index) => ({ ...message, globalOffset: from + index }));
      },
    });
  };
}
