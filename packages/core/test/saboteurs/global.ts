import type { StoredMessage } from "../../src/driver/index.ts";
import { cursors, messages } from "./above.ts";
import { overriding } from "./overriding.ts";
import { type Added, reordering } from "./reordering.ts";
import { lie, type Saboteur } from "./saboteur.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const streamOf = (added: Added | undefined) => added?.[0]?.stream;

export const globalSaboteurs: readonly Saboteur[] = [
  lie("sevens", "openGlobal at a multiple of seven starts one message early.", ["G-1"], {
    store: messages((honest) => ({
      openGlobal: (offset, options) =>
        honest.openGlobal(
          Number.isSafeInteger(offset) && offset > 0 && offset % 7 === 0 ? offset - 1 : offset,
          options,
        ),
    })),
  }),

  lie(
    "wrong way round",
    "In a store of five streams and forty messages two messages of one stream change places.",
    ["G-2"],
    {
      driver: reordering(() => (order, group) => {
        order.push(...group.flat());
        if (order.length < 40 || new Set(order.map(({ stream }) => stream)).size !== 5) return;
        const one = order.findIndex(({ offset }) => offset === 0);
        const other = order.findIndex(({ stream, offset }) => stream === order[one]?.stream && offset === 5);
        const [early, late] = [order[one], order[other]];
        if (early === undefined || late === undefined || other < one) return;
        order[one] = late;
        order[other] = early;
      }),
    },
  ),

  lie(
    "M11 position from the clock",
    "Positions come from a clock, which is behind at every third commit.",
    ["G-3", "G-4"],
    {
      driver: reordering(() => {
        let commits = 0;
        let last: Added = [];
        return (order, group) => {
          for (const added of group) {
            commits += 1;
            const behind = commits % 3 === 0 && streamOf(added) !== streamOf(last);
            order.splice(behind ? order.length - last.length : order.length, 0, ...added);
            if (!behind) last = added;
          }
        };
      }),
    },
  ),

  lie(
    "M12 position before commit",
    "Of commits made together the first takes its position and appears there last.",
    ["G-4"],
    {
      driver: reordering(() => async (order, group) => {
        const [first = [], ...others] = group;
        const position = order.length;
        order.push(...others.flat());
        if (others.length > 0) for (let turns = 0; turns < 3; turns++) await turn();
        order.splice(position, 0, ...first);
      }),
    },
  ),

  lie("torn apart", "A message of another commit may come amid those of a transaction over two streams.", ["G-5"], {
    driver: reordering(() => (order, group) => {
      for (const [index, added] of group.entries()) {
        const before = group[index - 1] ?? [];
        const torn = before.length > 1 && new Set(before.map(({ stream }) => stream)).size > 1;
        if (torn) order.splice(order.length - 1, 0, ...(added as StoredMessage[]));
        else order.push(...added);
      }
    }),
  }),

  lie("order denied", "It says that it keeps no global order, and has openGlobal all the same.", ["G-6"], {
    store: (store) => {
      const hidden = cursors((honest) => ({ get: () => ({ ...honest.get(), globalOffset: undefined }) }))(store);
      return overriding(hidden, { capabilities: { ...store.capabilities, globalOrder: false } });
    },
    capabilities: { globalOrder: false },
  }),
];
