/** Decides what is done; not how far the processes come, which only time does. */
export const seed = Number(process.env["HOLDFAST_SEED"] ?? Date.now() % 1_000_000_000);
