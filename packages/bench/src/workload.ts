import { createEnvelope, type Envelope } from "@holdfast/sqlite";

/** The message that everybody writes: some 220 bytes of JSON. */
export function order(index: number): Envelope {
  return createEnvelope({
    type: "OrderPlaced",
    data: {
      order: `order-${index}`,
      customer: `customer-${index % 1000}`,
      total: index * 1.5,
      lines: [
        { sku: "a", count: 1 },
        { sku: "b", count: 2 },
      ],
    },
  });
}

/** The next unused offset of each stream, as a writer that appends to its own streams knows it. */
export class Offsets {
  readonly #next = new Map<string, number>();

  /** The offset for `count` messages more. */
  take(stream: string, count: number): number {
    const offset = this.#next.get(stream) ?? 0;
    this.#next.set(stream, offset + count);
    return offset;
  }
}
