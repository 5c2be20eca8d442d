import type { Claims } from "./claims.ts";
import type { Findings } from "./findings.ts";
import type { FinalState } from "./history.ts";
import type { EdgeKind, Order } from "./order.ts";
import { nobody, type Places } from "./places.ts";

/** The order that the final state gives to the commits: of each stream, of each state, and over the whole store. */
export function chainCommits(places: Places, claims: Claims, order: Order, findings: Findings): void {
  for (const { makers } of places.streams.values()) chain(makers, "stream", order);
  for (const { makers } of places.states.values()) chain(makers, "state", order);
  chain(places.globalMakers, "global", order);
  wholeCommits(places, claims, findings);
}

function chain(makers: readonly number[], kind: EdgeKind, order: Order): void {
  let before = nobody;
  for (const maker of makers) {
    if (maker === before) continue;
    if (before !== nobody && maker !== nobody) order.before(before, maker, kind);
    before = maker;
  }
}

/** The global order holds every message of every stream once, densely, each stream's in their order. Fills in its makers. */
export function mapGlobal(final: FinalState, places: Places, findings: Findings): void {
  if (final.global === undefined) return;
  const next = new Map<string, number>();
  for (const [index, { globalOffset, stream, offset, token }] of final.global.entries()) {
    const where = `${token} at offset ${offset} of ${stream}`;
    if (globalOffset !== index) findings.add(["G-1"], `${where} has global offset ${globalOffset} instead of ${index}`);
    const expected = next.get(stream) ?? 0;
    if (offset !== expected) findings.add(["G-2"], `${where} comes in the global order where ${expected} was next`);
    next.set(stream, offset + 1);
    const { tokens, makers } = places.stream(stream);
    if (tokens[offset] !== token) findings.add(["G-2", "A-4"], `${where} is ${tokens[offset]} in the stream itself`);
    places.globalMakers.push(makers[offset] ?? nobody);
  }
  for (const { stream, tokens } of final.streams) {
    const count = next.get(stream) ?? 0;
    if (count < tokens.length) findings.add(["G-1"], `the global order lacks ${stream} from offset ${count} on`);
  }
}

/** The messages of a commit are contiguous in the global order, in the order of its writes. */
function wholeCommits({ global, globalMakers }: Places, { made }: Claims, findings: Findings): void {
  const seen = new Uint8Array(made.length);
  for (let at = 0; at < globalMakers.length; ) {
    const maker = globalMakers[at] ?? nobody;
    const commit = made[maker];
    if (commit === undefined || seen[maker] === 1) {
      at += 1;
      continue;
    }
    seen[maker] = 1;
    for (const write of commit.writes) {
      if (write.kind !== "append") continue;
      for (let index = 0; index < write.tokens.length; index++, at++) {
        const found = global?.[at];
        if (found?.stream === write.stream && found.offset === write.offset + index) continue;
        const what = `at global offset ${at} is ${found?.token} where ${write.tokens[index]} of the commit should be`;
        findings.add(["G-5"], what, commit.operations);
        return;
      }
    }
  }
}
