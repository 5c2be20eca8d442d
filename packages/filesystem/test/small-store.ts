import { DriverDataStore } from "@holdfast/core/driver";
import { openLogDriver } from "@holdfast/core/log";
import type { GloballyOrderedMessageStore } from "@holdfast/filesystem";
import { FilesystemLog } from "../src/filesystem-log.ts";

export interface Sizes {
  readonly segmentBytes: number;
  readonly mergeAfter: { readonly blocks: number; readonly bytes: number };
}

/** Files of the log so short, and merges so frequent, that a test meets many of them. */
export const TINY: Sizes = { segmentBytes: 4_096, mergeAfter: { blocks: 24, bytes: 8_192 } };

export async function openSmallStore(
  directory: string,
  sizes: Sizes = TINY,
): Promise<DriverDataStore<GloballyOrderedMessageStore>> {
  const settings = { settleTimeoutMs: 10_000, noticeMs: 25 };
  const log = await FilesystemLog.open({ directory, noticeMs: settings.noticeMs, ...sizes });
  return new DriverDataStore<GloballyOrderedMessageStore>(await openLogDriver(log), settings);
}
