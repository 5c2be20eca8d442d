import { join } from "node:path";
import { type Check, type Clause, clauses } from "@holdfast/core/conformance";
import { root } from "./workspace.ts";

export const contractDocPath: string = join(root, "docs/contract.md");

const groups: readonly { readonly letter: string; readonly title: string }[] = [
  { letter: "A", title: "Append" },
  { letter: "R", title: "Read" },
  { letter: "G", title: "Global order (where `capabilities.globalOrder`)" },
  { letter: "S", title: "Durable state" },
  { letter: "W", title: "Commits" },
  { letter: "V", title: "Values and names" },
  { letter: "O", title: "Offsets" },
  { letter: "L", title: "Life" },
];

const introduction = `<!-- Generated from the clauses of @holdfast/core/conformance: change them there, then run \`pnpm docs:update\`. -->

# The contract

What every Holdfast backend promises. Each sentence with an id is a clause, and each clause is checked by the
conformance suite, under every backend, by the checks named below it. The types that the sentences speak of are
described where they are declared; [the API report of core](../packages/core/api-report/index.api.md) has them in one
page.

What a check needs beside the public interfaces stands behind it:

- *another process*: a second process, or the same store opened again. Needs a backend whose data outlives its process.
- *hook \`name\`*: the public interfaces cannot provoke the fault, so the backend's harness must.
- *global order*, *durable*, *transactions "store"* or *"key"*: a capability of the backend.

A check that does not apply to a backend is left out, and the suite prints which, and why.
`;

/** The page that users read, made of the clauses that the tests run. */
export function contractDoc(): string {
  const unknown = clauses.filter(({ id }) => !groups.some(({ letter }) => letter === letterOf(id)));
  if (unknown.length > 0) throw new Error(`no heading for the clauses ${unknown.map(({ id }) => id).join(", ")}`);
  const sections = groups.map(({ letter, title }) => {
    const items = clauses.filter(({ id }) => letterOf(id) === letter).map(item);
    return `## ${title}\n\n${items.join("\n")}\n`;
  });
  return [introduction, ...sections].join("\n");
}

function item(clause: Clause): string {
  const checks = clause.checks.map((check) => `  - ${check.title}${demands(check)}`);
  return [`- <a id="${clause.id.toLowerCase()}"></a>**${clause.id}** ${clause.sentence}`, ...checks].join("\n");
}

function demands({ level, hook, needs }: Check): string {
  const list = [
    ...(level === "process" ? ["another process"] : []),
    ...(hook === undefined ? [] : [`hook \`${hook}\``]),
    ...(needs.globalOrder === undefined ? [] : [needs.globalOrder ? "global order" : "no global order"]),
    ...(needs.durable === true && level !== "process" ? ["durable"] : []),
    ...(needs.transactions === undefined ? [] : [`transactions "${needs.transactions}"`]),
  ];
  return list.length === 0 ? "" : ` *(${list.join(", ")})*`;
}

function letterOf(id: string): string {
  return id.slice(0, id.indexOf("-"));
}
