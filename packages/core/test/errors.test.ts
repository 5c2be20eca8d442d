import { describe, expect, expectTypeOf, test } from "vitest";
import {
  CorruptionError,
  HoldfastError,
  InvalidArgumentError,
  InvalidStateError,
  OffsetConflictError,
  OutcomeUnknownError,
  RevisionConflictError,
  UnavailableError,
  UnsupportedError,
} from "../src/contract/errors.ts";

const cause = new Error("why");
const settle = async () => true;

const cases = [
  [new InvalidArgumentError("text", { cause }), "InvalidArgumentError", "HOLDFAST_INVALID_ARGUMENT", {}],
  [new InvalidStateError("text", { code: "HOLDFAST_BUSY", cause }), "InvalidStateError", "HOLDFAST_BUSY", {}],
  [
    new OffsetConflictError("text", { stream: "s", offset: 1, nextOffset: 2, cause }),
    "OffsetConflictError",
    "HOLDFAST_OFFSET_CONFLICT",
    { stream: "s", offset: 1, nextOffset: 2 },
  ],
  [
    new RevisionConflictError("text", { persistenceId: "p", expectedRevision: 1, actualRevision: 2, cause }),
    "RevisionConflictError",
    "HOLDFAST_REVISION_CONFLICT",
    { persistenceId: "p", expectedRevision: 1, actualRevision: 2 },
  ],
  [
    new OutcomeUnknownError("text", { commitId: "c", settle, cause }),
    "OutcomeUnknownError",
    "HOLDFAST_OUTCOME_UNKNOWN",
    { commitId: "c" },
  ],
  [new UnsupportedError("text", { cause }), "UnsupportedError", "HOLDFAST_UNSUPPORTED", {}],
  [new UnavailableError("text", { cause }), "UnavailableError", "HOLDFAST_UNAVAILABLE", {}],
  [new CorruptionError("text", { cause }), "CorruptionError", "HOLDFAST_CORRUPTION", {}],
] as const;

describe("errors", () => {
  test.each(cases)("%s: class, name, code, message, cause and its own fields", (error, name, code, fields) => {
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toBeInstanceOf(Error);
    expect(error.constructor.name).toBe(name);
    expect(error.name).toBe(name);
    expect(error.code).toBe(code);
    expect(error.message).toBe("text");
    expect(error.cause).toBe(cause);
    expect(error).toMatchObject(fields);
    expect(String(error)).toBe(`${name}: text`);
  });

  test("details may be left out where a class has no fields of its own, and then there is no cause", () => {
    for (const Class of [InvalidArgumentError, UnsupportedError, UnavailableError, CorruptionError]) {
      expect("cause" in new Class("text")).toBe(false);
    }
  });

  test("settle is the function given, with its options, and is not an enumerable field", async () => {
    const given: unknown[] = [];
    const error = new OutcomeUnknownError("text", {
      commitId: "c",
      settle: async (options) => {
        given.push(options);
        return false;
      },
    });
    const options = { signal: new AbortController().signal };
    expect(await error.settle(options)).toBe(false);
    expect(given).toEqual([options]);
    expect(Object.keys(error)).not.toContain("settle");
  });

  test("a union narrows on its code", () => {
    type Failure = OffsetConflictError | RevisionConflictError | OutcomeUnknownError | InvalidStateError;
    const narrow = (error: Failure) => {
      switch (error.code) {
        case "HOLDFAST_OFFSET_CONFLICT":
          expectTypeOf(error).toEqualTypeOf<OffsetConflictError>();
          return error.nextOffset;
        case "HOLDFAST_REVISION_CONFLICT":
          expectTypeOf(error).toEqualTypeOf<RevisionConflictError>();
          return error.actualRevision;
        case "HOLDFAST_OUTCOME_UNKNOWN":
          expectTypeOf(error).toEqualTypeOf<OutcomeUnknownError>();
          return error.commitId;
        default:
          expectTypeOf(error).toEqualTypeOf<InvalidStateError>();
          return error.code;
      }
    };
    expect(narrow(new OffsetConflictError("text", { stream: "s", offset: 0, nextOffset: 7 }))).toBe(7);
    expect(narrow(new InvalidStateError("text", { code: "HOLDFAST_CLOSED" }))).toBe("HOLDFAST_CLOSED");
  });
});
