import { fileURLToPath } from "node:url";
import { Child as AnyChild } from "@holdfast/test-kit";

/** Another process that runs `programs/<name>.ts`. */
export class Child extends AnyChild {
  constructor(name: string, args: readonly string[], under: readonly string[] = []) {
    super(urlOf(name), args, under);
  }
}

export function programPath(name: string): string {
  return fileURLToPath(urlOf(name));
}

function urlOf(name: string): URL {
  return new URL(`./programs/${name}.ts`, import.meta.url);
}
