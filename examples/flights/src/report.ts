import type { Figures } from "./figures.ts";
import type { Flight } from "./flights.ts";
import { withCommas } from "./progress.ts";

/** One airport as the table and the picture show it. */
export interface Airport {
  readonly code: string;
  readonly city: string;
  readonly flights: number;
  readonly meanDelayMinutes: number;
  /** Of its flights, the share that arrived more than 15 minutes late: 0 to 1. */
  readonly lateShare: number;
}

/** The busiest airports, those with the largest share of late flights first. */
export function busiestAirports(
  figures: ReadonlyMap<string, Figures>,
  cities: ReadonlyMap<string, string>,
  count: number,
): Airport[] {
  return [...figures]
    .sort(([, a], [, b]) => b.flights - a.flights)
    .slice(0, count)
    .map(([code, sums]) => toAirport(code, cities.get(code) ?? "", sums))
    .sort((a, b) => b.lateShare - a.lateShare);
}

/** All airports as one, for comparison. */
export function allAirports(figures: ReadonlyMap<string, Figures>): Airport {
  const sum = { flights: 0, delayMinutes: 0, late: 0 };
  for (const { flights, delayMinutes, late } of figures.values()) {
    sum.flights += flights;
    sum.delayMinutes += delayMinutes;
    sum.late += late;
  }
  return toAirport("", `all ${figures.size} airports`, sum);
}

function toAirport(code: string, city: string, { flights, delayMinutes, late }: Figures): Airport {
  return { code, city, flights, meanDelayMinutes: delayMinutes / flights, lateShare: late / flights };
}

/** For the terminal: one line an airport, then one for all of them. */
export function table(airports: readonly Airport[], all: Airport): string {
  const line = ({ code, city, flights, meanDelayMinutes, lateShare }: Airport) =>
    [
      code.padEnd(4),
      city.slice(0, 18).padEnd(18),
      withCommas(flights).padStart(9),
      `${meanDelayMinutes.toFixed(1)} min`.padStart(11),
      `${(lateShare * 100).toFixed(1)} %`.padStart(10),
      `  ${"█".repeat(Math.round(lateShare * 60))}`,
    ].join("");
  const head = `${"".padEnd(22)}${"flights".padStart(9)}${"mean delay".padStart(11)}${"late >15".padStart(10)}`;
  const rule = "─".repeat(head.length);
  return [head, rule, ...airports.map(line), rule, line(all)].join("\n");
}

/** From the first departure to the last, in days. */
export function period(first: Flight | undefined, last: Flight | undefined): string {
  const days = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });
  return first && last ? days.formatRange(new Date(first.departedAt), new Date(last.departedAt)) : "";
}
