export { Child } from "./child.ts";
export { canMount, canTrace } from "./machine.ts";
export { Numbers } from "./numbers.ts";
export { freshFolder } from "./place.ts";
export { skipLoudly } from "./skip.ts";
