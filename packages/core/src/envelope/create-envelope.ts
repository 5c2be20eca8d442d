import type { Envelope } from "../contract/envelope.ts";
import { newUuid } from "./uuid.ts";

/**
 * Makes an envelope: fills in `id` (a UUIDv7) and `createdAt` (now). `causedBy` gives `causationId` = its id and
 * `correlationId` = its correlationId, or else its id; what is given explicitly wins. Validates nothing: appending does.
 */
export function createEnvelope<D, const T extends string>(message: {
  readonly type: T;
  readonly data: D;
  readonly id?: string | undefined;
  readonly createdAt?: string | undefined;
  readonly causedBy?: Envelope | undefined;
  readonly causationId?: string | undefined;
  readonly correlationId?: string | undefined;
  readonly sendAt?: string | undefined;
  readonly metadata?: Record<string, string> | undefined;
}): Envelope<D, T> {
  const { type, data, causedBy, sendAt, metadata } = message;
  const causationId = message.causationId ?? causedBy?.id;
  const correlationId = message.correlationId ?? causedBy?.correlationId ?? causedBy?.id;
  return {
    id: message.id ?? newUuid(),
    type,
    data,
    createdAt: message.createdAt ?? new Date().toISOString(),
    ...(causationId === undefined ? undefined : { causationId }),
    ...(correlationId === undefined ? undefined : { correlationId }),
    ...(sendAt === undefined ? undefined : { sendAt }),
    ...(metadata === undefined ? undefined : { metadata }),
  };
}
