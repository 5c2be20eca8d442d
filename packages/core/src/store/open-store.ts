import type { OpenOptions } from "../contract/options.ts";
import { publicError } from "./failure.ts";
import { checkDuration } from "./guard.ts";
import { checkObject } from "./json.ts";

const DEFAULT_SETTLE_TIMEOUT_MS = 10_000;

/** The common options of every backend's `open`, checked, with their defaults. */
export interface StoreSettings {
  readonly settleTimeoutMs: number;
  readonly noticeMs: number;
}

/**
 * What every backend's `open` goes through: checks the common options before anything is touched, and makes a public
 * error of a {@link DriverFailure}.
 */
export async function openStore<S>(
  options: OpenOptions,
  defaults: Pick<StoreSettings, "noticeMs">,
  open: (settings: StoreSettings) => Promise<S>,
): Promise<S> {
  checkObject(options, "options");
  const settings: StoreSettings = {
    settleTimeoutMs: checkDuration(options.settleTimeoutMs, "options.settleTimeoutMs", DEFAULT_SETTLE_TIMEOUT_MS),
    noticeMs: checkDuration(options.noticeMs, "options.noticeMs", defaults.noticeMs),
  };
  try {
    return await open(settings);
  } catch (thrown) {
    throw publicError(thrown);
  }
}
