import type * as FastCheck from "fast-check";

/** Where a write is aimed, seen from where it should be. */
export type Aim = { readonly at: "right" } | { readonly at: "stale" | "ahead"; readonly by: number };

export type WriteOperation =
  | { readonly kind: "append"; readonly name: string; readonly aim: Aim; readonly data: readonly unknown[] }
  | { readonly kind: "upsert"; readonly name: string; readonly aim: Aim; readonly state: unknown }
  | { readonly kind: "delete"; readonly name: string; readonly aim: Aim };

/** One step of a history: data only, so that a failing history can be printed, shrunk and replayed. */
export type Operation =
  | { readonly kind: "nothing" }
  | { readonly kind: "write"; readonly write: WriteOperation; readonly named: boolean }
  /** An earlier write or transaction again, with its commit id; with other content where `changed`. */
  | { readonly kind: "repeat"; readonly which: number; readonly changed: boolean }
  | {
      readonly kind: "transaction";
      readonly writes: readonly WriteOperation[];
      readonly awaited: boolean;
      readonly named: boolean;
      readonly end: "commit" | "throw" | "bad write";
    }
  | { readonly kind: "read"; readonly name: string; readonly from: number; readonly how: "open" | "follow" | "iterate" }
  | { readonly kind: "read all"; readonly from: number }
  | { readonly kind: "cursor"; readonly slot: number; readonly name: string; readonly from: number }
  | { readonly kind: "step"; readonly slot: number; readonly steps: number; readonly wait: boolean }
  | { readonly kind: "ends"; readonly name: string }
  | { readonly kind: "load"; readonly name: string }
  | { readonly kind: "list"; readonly prefix: string }
  | {
      readonly kind: "save";
      readonly instance: number;
      readonly of: "offset" | "sequence";
      readonly projection: string;
      readonly tag: string;
      readonly position: number;
    }
  | {
      readonly kind: "restore";
      readonly instance: number;
      readonly of: "offset" | "sequence";
      readonly projection: string;
      readonly tag: string;
    }
  | { readonly kind: "clear"; readonly instance: number; readonly projection: string }
  | { readonly kind: "reopen" };

/** Few, so that operations meet; close to each other, so that a careless store mixes them up. */
const names = ["a", "A", "a/", "\u00e9", "e\u0301"];

/** Operations in the proportions of a history; "nothing" is rare, and what others shrink to. */
export function anyOperation(fc: typeof FastCheck, durable: boolean): FastCheck.Arbitrary<Operation> {
  const name = fc.constantFrom(...names);
  const small = fc.nat({ max: 4 });
  const value = fc.jsonValue({ maxDepth: 2 });
  const data = fc.oneof({ arbitrary: value, weight: 5 }, { arbitrary: fc.uint8Array({ maxLength: 6 }), weight: 1 });
  const aim: FastCheck.Arbitrary<Aim> = fc.oneof(
    { arbitrary: fc.constant({ at: "right" } as const), weight: 5 },
    {
      arbitrary: fc.record({ at: fc.constantFrom("stale" as const, "ahead" as const), by: fc.nat({ max: 3 }) }),
      weight: 1,
    },
  );
  const write: FastCheck.Arbitrary<WriteOperation> = fc.oneof(
    {
      arbitrary: fc.record({
        kind: fc.constant("append" as const),
        name,
        aim,
        data: fc.array(data, { minLength: 1, maxLength: 4 }),
      }),
      weight: 5,
    },
    { arbitrary: fc.record({ kind: fc.constant("upsert" as const), name, aim, state: value }), weight: 4 },
    { arbitrary: fc.record({ kind: fc.constant("delete" as const), name, aim }), weight: 1 },
  );
  const of = fc.constantFrom("offset" as const, "sequence" as const);
  const instance = fc.nat({ max: 1 });
  const slot = fc.nat({ max: 2 });
  const projection = fc.constantFrom("a", "a:", "\u00e9");
  const tag = fc.constantFrom("a", "A", "__proto__");
  const kind = <const K extends Operation["kind"]>(value: K) => fc.constant(value);
  const end = fc.oneof(
    { arbitrary: fc.constant("commit" as const), weight: 6 },
    { arbitrary: fc.constantFrom("throw" as const, "bad write" as const), weight: 1 },
  );
  const writes = fc.array(write, { maxLength: 4 });
  return fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.constant({ kind: "nothing" } as const), weight: 1 },
    { arbitrary: fc.record({ kind: kind("write"), write, named: fc.boolean() }), weight: 60 },
    { arbitrary: fc.record({ kind: kind("repeat"), which: fc.nat(), changed: fc.boolean() }), weight: 12 },
    {
      arbitrary: fc.record({ kind: kind("transaction"), writes, awaited: fc.boolean(), named: fc.boolean(), end }),
      weight: 16,
    },
    {
      arbitrary: fc.record({
        kind: kind("read"),
        name,
        from: small,
        how: fc.constantFrom("open" as const, "follow" as const, "iterate" as const),
      }),
      weight: 24,
    },
    { arbitrary: fc.record({ kind: kind("read all"), from: small }), weight: 8 },
    { arbitrary: fc.record({ kind: kind("cursor"), slot, name, from: small }), weight: 8 },
    { arbitrary: fc.record({ kind: kind("step"), slot, steps: small, wait: fc.boolean() }), weight: 24 },
    { arbitrary: fc.record({ kind: kind("ends"), name }), weight: 12 },
    { arbitrary: fc.record({ kind: kind("load"), name }), weight: 12 },
    { arbitrary: fc.record({ kind: kind("list"), prefix: fc.constantFrom("", ...names) }), weight: 8 },
    { arbitrary: fc.record({ kind: kind("save"), instance, of, projection, tag, position: fc.nat() }), weight: 10 },
    { arbitrary: fc.record({ kind: kind("restore"), instance, of, projection, tag }), weight: 10 },
    { arbitrary: fc.record({ kind: kind("clear"), instance, projection }), weight: 2 },
    ...(durable ? [{ arbitrary: fc.record({ kind: kind("reopen") }), weight: 2 }] : []),
  );
}
