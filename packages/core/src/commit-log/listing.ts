import type { Page } from "../driver/store-driver.ts";
import { type Rows, sortedNames } from "./rows.ts";

const NAMES_A_PAGE = 1_000;

/**
 * One page of the names in a checkpoint and of those written to since, sorted: so a name that was there when the listing
 * began is given once, though it may be merged between two pages.
 */
export function listPage<I>(
  rows: Rows,
  unmerged: Iterable<string>,
  range: { readonly prefix: string; readonly after: string | undefined },
  itemOf: (name: string) => I | undefined,
): Page<I> {
  const { prefix, after } = range;
  const { from, to } = rows.range(prefix);
  const start = after === undefined ? from : Math.max(from, behind(rows, after));
  const end = Math.max(start, Math.min(start + NAMES_A_PAGE, to));
  const merged = Array.from({ length: end - start }, (_, index) => String(rows.parse(start + index)[0]));
  const fresh = Array.from(unmerged).filter((name) => name.startsWith(prefix) && !rows.search(name).found);
  const left = sortedNames([...merged, ...fresh], after);
  const names = left.slice(0, NAMES_A_PAGE);
  const more = end < to || left.length > names.length;
  return { items: names.map(itemOf).filter((item) => item !== undefined), next: more ? names.at(-1) : undefined };
}

function behind(rows: Rows, name: string): number {
  const { index, found } = rows.search(name);
  return found ? index + 1 : index;
}
