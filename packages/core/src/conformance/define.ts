import type { Check, Clause, Context, Hook, Level, Needs } from "./clause.ts";

interface CheckOptions {
  readonly title: string;
  /** "public" unless given. */
  readonly level?: Level;
  readonly needs?: Needs;
  readonly hook?: Hook;
  readonly timeoutMs?: number;
  readonly alone?: boolean;
  readonly costly?: boolean;
}

const levels: readonly Level[] = ["public", "process", "fault"];

/** One check of a clause. Whatever needs a second process, a reopen or damaged storage needs a durable backend. */
export function check(options: CheckOptions, run: (context: Context) => Promise<void>): Check {
  const level = options.level ?? "public";
  const needs = level === "process" ? { durable: true, ...options.needs } : (options.needs ?? {});
  return { ...options, level, needs, run };
}

/** A clause with the contract's own sentence. Its level and needs are those that all of its checks share. */
export function clause(id: string, sentence: string, ...checks: readonly [Check, ...Check[]]): Clause {
  const level = levels.find((candidate) => checks.some((one) => one.level === candidate)) ?? "public";
  return { id, sentence, level, needs: sharedNeeds(checks), checks };
}

function sharedNeeds(checks: readonly [Check, ...Check[]]): Needs {
  const [first, ...others] = checks;
  const shared = Object.entries(first.needs).filter(([power, value]) =>
    others.every((other) => other.needs[power as keyof Needs] === value),
  );
  return Object.fromEntries(shared);
}
