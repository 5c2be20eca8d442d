import { randomBytes } from "node:crypto";

const prefix = randomBytes(12).toString("base64url");
let count = 0;

/** A commit id that nobody else makes: 96 random bits of this process, and a count. */
export function newCommitId(): string {
  count += 1;
  return `${prefix}.${count.toString(36)}`;
}
