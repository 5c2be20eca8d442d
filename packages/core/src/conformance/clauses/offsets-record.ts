import { createHash } from "node:crypto";
import { DurableStateOffsetStore } from "../../offsets/durable-state-offset-store.ts";
import { check, clause } from "../define.ts";
import { equal, isTrue, rejects } from "../expect.ts";
import { collect, invalidArgument } from "./fixtures.ts";

const longestId = 512;

function recordId(kind: "offset" | "sequence", projection: string): string {
  const plain = `holdfast:${kind}:${projection}`;
  if (Buffer.byteLength(plain) <= longestId) return plain;
  return `holdfast:${kind}#${createHash("sha256").update(projection).digest("hex")}`;
}

export const offsetRecordClause = clause(
  "O-6",
  'one record for each (projection, kind), plain JSON: its id is `holdfast:offset:<projection>` or `holdfast:sequence:<projection>` (where that is over 512 bytes, `holdfast:<kind>#<hex SHA-256 of the projection>`), its state `{ "projection": string, "cursors": { [tag or persistence id]: number } }`; one too big for V-5 is refused and says so. Ids beginning `holdfast:` are reserved for this class; listing shows them.',
  check({ title: "ids and states" }, async (context) => {
    const { state } = await context.store();
    const offsets = new DurableStateOffsetStore(state);
    const projections = [
      "totals",
      "a:b/c",
      "é",
      "n".repeat(494),
      "n".repeat(495),
      "n".repeat(496),
      "n".repeat(497),
      "é".repeat(256),
    ];
    const wanted: string[] = [];
    for (const projection of projections) {
      await offsets.saveOffset(projection, "tag", 1);
      await offsets.saveOffset(projection, "__proto__", 2);
      await offsets.saveSequence(projection, "cart", 3);
      const saved = { projection, cursors: JSON.parse('{ "tag": 1, "__proto__": 2 }') as unknown };
      const found = (await state.load(recordId("offset", projection))).state;
      equal(sorted(found), sorted(saved), `the record of the offsets of ${projection}`);
      const sequence = (await state.load(recordId("sequence", projection))).state;
      equal(sequence, { projection, cursors: { cart: 3 } }, `the record of the sequence numbers of ${projection}`);
      wanted.push(recordId("offset", projection), recordId("sequence", projection));
    }
    equal(
      (await collect(state.listPersistenceIds({ prefix: "holdfast:" }))).sort(),
      wanted.sort(),
      "the ids that are listed",
    );
  }),
  check({ title: "read from such a record" }, async (context) => {
    const { state } = await context.store();
    await state.upsert("holdfast:offset:totals", 0, { projection: "totals", cursors: { tag: 5 } });
    equal(
      await new DurableStateOffsetStore(state).loadOffset("totals", "tag"),
      5,
      "the offset of a record written by hand",
    );
  }),
  check({ title: "a record too big", timeoutMs: 60_000 }, async (context) => {
    const { state } = await context.store();
    // Longer than a tag can be: as full as tens of thousands of cursors, and sooner made.
    const cursors = { ["t".repeat(4 * 1024 * 1024 - 200)]: 1 };
    await state.upsert("holdfast:offset:totals", 0, { projection: "totals", cursors });
    const refused = new DurableStateOffsetStore(state).saveOffset("totals", "n".repeat(200), 1);
    const { message } = await rejects(refused, invalidArgument, "a save that makes the record more than 4 MiB");
    isTrue(/size|bytes|MiB|large|big|fit/iu.test(message), "the error says that the record is too big", message);
    equal((await state.load("holdfast:offset:totals")).revision, 1, "the record's revision after the refused save");
  }),
);

/** Its JSON with the cursors in order: two records that hold the same, however they were made, give the same text. */
function sorted(record: unknown): string {
  const { cursors, ...rest } = record as { readonly cursors?: Record<string, unknown> };
  return JSON.stringify([rest, Object.entries(cursors ?? {}).sort()]);
}
