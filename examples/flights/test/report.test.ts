import { expect, test } from "vitest";
import { plainPass } from "../src/check.ts";
import { openFlights, readCities } from "../src/flights.ts";
import { picture } from "../src/picture.ts";
import { allAirports, busiestAirports, period, table } from "../src/report.ts";

test("the first 250,000 flights are those of 1 to 16 January 2001, from 223 airports", async () => {
  const { read, rows } = await openFlights();
  expect(rows).toBe(3_000_000);
  const [[first], [last]] = [await read(0, 1), await read(249_999, 1)];
  expect(first).toEqual({
    row: 0,
    departedAt: "2001-01-01T00:01:00.000Z",
    delayMinutes: 33,
    distanceMiles: 2176,
    origin: "LAS",
    destination: "PHL",
  });
  expect(period(first, last)).toMatch(/^1\W+16 January 2001$/);
  const figures = await plainPass(250_000);
  expect(figures.size).toBe(223);
  expect(figures.get("ORD")).toEqual({ flights: 13_611, delayMinutes: 95_663, late: 3_266 });
  expect(allAirports(figures).flights).toBe(250_000);
});

test("a batch may lie across two pages", async () => {
  const { read } = await openFlights();
  expect((await read(249_998, 4)).map(({ row }) => row)).toEqual([249_998, 249_999, 250_000, 250_001]);
});

const figures = new Map([
  ["AAA", { flights: 10, delayMinutes: -25, late: 0 }],
  ["BBB", { flights: 2_000, delayMinutes: 50_000, late: 1_000 }],
  ["CCC", { flights: 1, delayMinutes: 7, late: 0 }],
]);
const busiest = busiestAirports(figures, new Map([["BBB", "Bed & <Breakfast>"]]), 2);

test("the table lines up, the worst of the busiest airports first", () => {
  expect(busiest.map(({ code }) => code)).toEqual(["BBB", "AAA"]);
  const lines = table(busiest, allAirports(figures)).split("\n");
  expect(lines.slice(2, 4)).toEqual([
    "BBB Bed & <Breakfast>     2,000   25.0 min    50.0 %  ██████████████████████████████",
    "AAA                          10   -2.5 min     0.0 %  ",
  ]);
  expect(lines.at(-1)).toContain("all 3 airports        2,011   24.9 min    49.7 %");
});

test("the picture escapes what it shows, and draws early airports left of zero", () => {
  const svg = picture(busiest, allAirports(figures), "heading");
  expect(svg).toContain("Bed &#38; &#60;Breakfast&#62;");
  const [late, early] = [...svg.matchAll(/<line x1="([\d.]+)" x2="([\d.]+)"[^>]*stroke-width="2"/g)];
  expect(Number(late?.[2])).toBeGreaterThan(Number(late?.[1]));
  expect(Number(early?.[2])).toBeLessThan(Number(early?.[1]));
});

test("every airport of these flights has a city", async () => {
  const cities = await readCities();
  for (const airport of (await plainPass(250_000)).keys()) expect(cities.get(airport), airport).toMatch(/^[A-Z]/);
});
