/** What happened in a run, or in a sum of runs: proof that it was not a quiet one. */
export interface Counts {
  runs: number;
  events: number;
  operations: number;
  lostReplies: number;
  lateDeliveries: number;
  crashes: number;
  lostRaces: number;
  mergesUnderReader: number;
  repeats: number;
  /** No floor is asked of those below: told for the reader of the table. */
  unknownOutcomes: number;
  settled: number;
  hangs: number;
  reopens: number;
  checkpoints: number;
  lostCheckpointRaces: number;
}

/** What there must be of it for each million operations. */
export const floors: Partial<Record<keyof Counts, number>> = {
  lostReplies: 10_000,
  lateDeliveries: 10_000,
  crashes: 10_000,
  lostRaces: 10_000,
  mergesUnderReader: 10_000,
  repeats: 1_000,
};

export function noCounts(): Counts {
  return {
    runs: 0,
    events: 0,
    operations: 0,
    lostReplies: 0,
    lateDeliveries: 0,
    crashes: 0,
    lostRaces: 0,
    mergesUnderReader: 0,
    repeats: 0,
    unknownOutcomes: 0,
    settled: 0,
    hangs: 0,
    reopens: 0,
    checkpoints: 0,
    lostCheckpointRaces: 0,
  };
}

export function addCounts(sum: Counts, more: Counts): void {
  for (const name of Object.keys(sum) as (keyof Counts)[]) sum[name] += more[name];
}

/** The floors that a sum stays below: it proved too little. */
export function belowFloors(sum: Counts): string[] {
  return (Object.entries(floors) as [keyof Counts, number][])
    .filter(([name, floor]) => perMillion(sum, name) < floor)
    .map(([name, floor]) => `${name}: ${perMillion(sum, name)} in a million operations, and not ${floor}`);
}

export function tableOf(sum: Counts): string {
  const rows = (Object.keys(sum) as (keyof Counts)[]).map((name) => {
    const floor = floors[name];
    const rate = name === "runs" || name === "operations" ? "" : String(perMillion(sum, name));
    return `${name.padEnd(20)}${String(sum[name]).padStart(12)}${rate.padStart(14)}${String(floor ?? "").padStart(10)}`;
  });
  return [`${"".padEnd(20)}${"sum".padStart(12)}${"per 10^6 ops".padStart(14)}${"floor".padStart(10)}`, ...rows].join(
    "\n",
  );
}

function perMillion(sum: Counts, name: keyof Counts): number {
  return sum.operations === 0 ? 0 : Math.round((sum[name] * 1_000_000) / sum.operations);
}
