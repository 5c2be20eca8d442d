import { withCommas } from "./progress.ts";
import type { Airport } from "./report.ts";

const ROW = 24;
const TOP = 132;
const INK = "#1f2933";
const FAINT = "#6b7785";
const GRID = "#e3e7ec";
const SHARE = "#d9702a";
const DELAY = "#2a6fb0";
const RIM = `paint-order="stroke" stroke="#fff" stroke-width="4" stroke-linejoin="round"`;

/** One of the two columns of the picture: where it stands, and how it turns a value into x. */
interface Panel {
  readonly title: string;
  readonly colour: string;
  readonly value: (airport: Airport) => number;
  readonly unit: string;
  readonly ticks: readonly number[];
  readonly x: (value: number) => number;
}

function panel(
  options: Omit<Panel, "ticks" | "x"> & { airports: readonly Airport[]; left: number; right: number },
): Panel {
  const { airports, left, right, value } = options;
  const values = airports.map(value);
  const step = [1, 2, 5, 10, 20, 50, 100].find((size) => Math.max(...values, 1) / size <= 6) ?? 200;
  const low = Math.floor(Math.min(0, ...values) / step);
  const high = Math.ceil(Math.max(...values, 1) / step);
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => (low + index) * step);
  const x = (of: number) => left + ((of / step - low) / (high - low)) * (right - left);
  return { ...options, ticks, x };
}

/** Delays by airport as one self-contained SVG: the share of late flights as bars, the mean delay as dots. */
export function picture(airports: readonly Airport[], all: Airport, heading: string): string {
  const bottom = TOP + airports.length * ROW;
  const share = panel({
    title: "Flights that arrived more than 15 minutes late",
    colour: SHARE,
    value: ({ lateShare }) => lateShare * 100,
    unit: " %",
    airports: [...airports, all],
    left: 300,
    right: 610,
  });
  const delay = panel({
    title: "Mean delay at arrival",
    colour: DELAY,
    value: ({ meanDelayMinutes }) => meanDelayMinutes,
    unit: " min",
    airports: [...airports, all],
    left: 680,
    right: 950,
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 ${bottom + 84}" width="1000" height="${bottom + 84}"`,
    ` font-family="system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="13" fill="${INK}">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(30, 42, "Delays by airport of departure", `font-size="24" font-weight="700"`),
    text(30, 66, heading, `fill="${FAINT}" font-size="14"`),
    text(270, TOP - 14, "flights", `fill="${FAINT}" font-size="12" text-anchor="end"`),
    ...[share, delay].map((panel) => axis(panel, bottom)),
    ...airports.map((airport, index) => marks(airport, TOP + (index + 0.5) * ROW, share, delay)),
    ...[share, delay].map((panel) => average(panel, all, bottom)),
    ...airports.map((airport, index) => labels(airport, TOP + (index + 0.5) * ROW + 4.5, share, delay)),
    text(
      30,
      bottom + 66,
      "Source: U.S. Bureau of Transportation Statistics, on-time records of 2001, from the npm package vega-datasets.",
      `fill="${FAINT}" font-size="11"`,
    ),
    "</svg>\n",
  ].join("\n");
}

function axis({ title, unit, ticks, x }: Panel, bottom: number): string {
  const lines = ticks.map(
    (tick) =>
      `<line x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${bottom}" stroke="${tick === 0 ? FAINT : GRID}"/>` +
      text(x(tick), bottom + 18, `${tick}${unit}`, `fill="${FAINT}" font-size="11" text-anchor="middle"`),
  );
  return text(x(ticks[0] ?? 0), TOP - 14, title, `font-weight="600"`) + lines.join("");
}

function marks(airport: Airport, y: number, share: Panel, delay: Panel): string {
  const [zero, late] = [share.x(0), share.x(share.value(airport))];
  const [none, mean] = [delay.x(0), delay.x(delay.value(airport))];
  return [
    `<rect x="${zero}" y="${y - 8}" width="${late - zero}" height="16" rx="2" fill="${share.colour}"/>`,
    `<line x1="${none}" x2="${mean}" y1="${y}" y2="${y}" stroke="${delay.colour}" stroke-width="2"/>`,
    `<circle cx="${mean}" cy="${y}" r="5.5" fill="${delay.colour}"/>`,
  ].join("");
}

/** Above all lines, with a white rim. */
function labels(airport: Airport, y: number, share: Panel, delay: Panel): string {
  const value = ({ x, value, colour }: Panel) =>
    text(Math.max(x(0), x(value(airport))) + 9, y, value(airport).toFixed(1), `fill="${colour}" font-size="12" ${RIM}`);
  return [
    text(30, y, airport.code, `font-weight="700"`),
    text(72, y, airport.city),
    text(270, y, withCommas(airport.flights), `fill="${FAINT}" text-anchor="end"`),
    value(share),
    value(delay),
  ].join("");
}

/** The legend is at the line itself: what all airports together come to. */
function average({ x, value, unit, colour }: Panel, all: Airport, bottom: number): string {
  const at = x(value(all));
  return (
    `<line x1="${at}" x2="${at}" y1="${TOP}" y2="${bottom + 26}" stroke="${INK}" stroke-dasharray="4 3"/>` +
    text(
      at,
      bottom + 40,
      `${all.city}: ${value(all).toFixed(1)}${unit}`,
      `fill="${colour}" font-size="12" text-anchor="middle"`,
    )
  );
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`;
}
