import type { Envelope } from "../../src/contract/envelope.ts";
import { InvalidArgumentError } from "../../src/contract/errors.ts";
import type { Write } from "./log.ts";
import { checkCount, checkName, keepEnvelope, keptSize } from "./values.ts";

export function appendWrite(stream: string, offset: number, envelopes: readonly Envelope[]): Write {
  checkName(stream, "stream");
  checkCount(offset, "offset");
  if (!Array.isArray(envelopes) || envelopes.length === 0)
    throw new InvalidArgumentError("envelopes must not be empty");
  const items = Array.from(envelopes as readonly Envelope[], (one, index) => keepEnvelope(one, `envelopes[${index}]`));
  const write: Write = { kind: "append", key: stream, at: offset, items };
  checkSize([write]);
  return write;
}

export function stateWrite(id: string, expected: number, state: string | undefined): Write {
  return { kind: "state", key: checkName(id, "persistenceId"), at: checkCount(expected, "expectedRevision"), state };
}

export function checkSize(writes: readonly Write[]): void {
  let bytes = 0;
  let count = 0;
  for (const write of writes) {
    const parts = write.kind === "state" ? [write.state ?? ""] : write.items.flatMap((item) => [item.head, item.data]);
    for (const part of parts) bytes += keptSize(part);
    count += write.kind === "state" ? 1 : write.items.length;
  }
  if (bytes > 8 * 1024 * 1024 || count > 10_000) throw new InvalidArgumentError("a commit is at most 8 MiB and 10,000");
}
