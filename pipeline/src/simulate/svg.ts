import type { Tally } from "./many.ts";

/** Bars of one strategy. */
export interface Panel {
  title: string;
  tallies: readonly Tally[];
}

const row = 20;
const [nameWidth, barWidth, gap] = [150, 260, 40];
const panelWidth = nameWidth + barWidth + gap;

/** The share taken back under each fault as one SVG: a bar, its 95 % interval, and the goals. Reads on light and dark. */
export function simulationChart(panels: readonly Panel[]): string {
  const rows = Math.max(...panels.map(({ tallies }) => tallies.length));
  const [width, height] = [panelWidth * panels.length + 20, (rows + 3) * row];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="sans-serif" font-size="11">`,
    "<title>Share of simulated rollouts that were taken back, by fault</title>",
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...panels.flatMap((panel, i) => drawPanel(panel, 10 + i * panelWidth)),
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel({ title, tallies }: Panel, left: number): string[] {
  const start = left + nameWidth;
  const x = (rate: number) => (start + rate * barWidth).toFixed(1);
  const bottom = (tallies.length + 1.6) * row;
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((rate) => [
    `<path d="M${x(rate)} ${row * 1.4}V${bottom}" stroke="#ddd"/>`,
    `<text x="${x(rate)}" y="${bottom + 13}" fill="#666" text-anchor="middle">${rate * 100} %</text>`,
  ]);
  const bars = tallies.flatMap((tally, i) => drawBar(tally, x, (i + 1.6) * row, start));
  return [`<text x="${start}" y="${row}" font-weight="bold" fill="#111">${title}</text>`, ...grid, ...bars];
}

function drawBar({ fault, rate, low, high }: Tally, x: (rate: number) => string, top: number, start: number): string[] {
  const middle = top + row / 2;
  const width = (Number(x(rate)) - start).toFixed(1);
  const colour = fault === "none" ? "#c0392b" : "#2d6da3";
  return [
    `<text x="${start - 6}" y="${middle + 4}" fill="#111" text-anchor="end">${fault}</text>`,
    `<rect x="${start}" y="${top + 4}" width="${width}" height="${row - 8}" fill="${colour}"/>`,
    `<path d="M${x(low)} ${middle}H${x(high)}M${x(low)} ${middle - 4}v8M${x(high)} ${middle - 4}v8" stroke="#111" fill="none"/>`,
  ];
}
