/** A Grafana dashboard as far as it is set here; Grafana fills in the rest when it is imported. */
export interface Dashboard {
  title: string;
  uid: string;
  description: string;
  tags: string[];
  schemaVersion: number;
  refresh: string;
  time: { from: string; to: string };
  templating: { list: object[] };
  panels: Panel[];
}

type Panel = Graph | { id: number; type: "row"; title: string; collapsed: false; gridPos: Place; panels: [] };

interface Graph {
  id: number;
  type: "timeseries";
  title: string;
  description: string;
  datasource: typeof datasource;
  gridPos: Place;
  fieldConfig: { defaults: object; overrides: [] };
  options: object;
  targets: { refId: string; expr: string; legendFormat: string; datasource: typeof datasource }[];
}

interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** What a graph shows: each query with the words of its legend. `limits` are drawn as lines. */
export interface Shown {
  title: string;
  description: string;
  unit: "reqps" | "s" | "percentunit" | "short";
  queries: [expr: string, legend: string][];
  limits?: number[];
}

/** Graphs under one heading. */
export type Section = [title: string, graphs: Shown[]];

/** A variable of the dashboard: the values of `label` that `metric` has. */
export interface Choice {
  name: string;
  metric: string;
  label: string;
}

const datasource = { type: "prometheus", uid: "$datasource" } as const;
const [width, height, columns] = [8, 8, 3];

/** The dashboard of these graphs, three in a row, with a choice of data source and of each variable. */
export function layOut(sections: Section[], choices: Choice[]): Dashboard {
  const source = { name: "datasource", label: "Prometheus", type: "datasource", query: "prometheus" };
  return {
    title: "Sluice",
    uid: "sluice",
    description: "Made by sluice dashboard from slo.yaml",
    tags: ["sluice"],
    schemaVersion: 39,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    templating: { list: [source, ...choices.map(variableOf)] },
    panels: panelsOf(sections),
  };
}

function variableOf({ name, metric, label }: Choice) {
  const query = `label_values(${metric}, ${label})`;
  const all = { includeAll: true, multi: true, allValue: ".*", current: { text: "All", value: "$__all" } };
  return { name, label: name, type: "query", datasource, query, definition: query, refresh: 2, sort: 1, ...all };
}

function panelsOf(sections: Section[]): Panel[] {
  const panels: Panel[] = [];
  let y = 0;
  for (const [title, graphs] of sections) {
    const gridPos = { x: 0, y, w: width * columns, h: 1 };
    panels.push({ id: panels.length + 1, type: "row", title, collapsed: false, gridPos, panels: [] });
    y += 1;
    for (const [i, shown] of graphs.entries()) {
      const place = { x: (i % columns) * width, y: y + Math.floor(i / columns) * height, w: width, h: height };
      panels.push(graphOf(panels.length + 1, shown, place));
    }
    y += Math.ceil(graphs.length / columns) * height;
  }
  return panels;
}

function graphOf(id: number, { title, description, unit, queries, limits = [] }: Shown, gridPos: Place): Graph {
  const ascending = [...new Set(limits)].sort((a, b) => a - b);
  const steps = [{ color: "green", value: null }, ...ascending.map((value) => ({ color: "red", value }))];
  const custom = { drawStyle: "line", fillOpacity: 10, thresholdsStyle: { mode: limits.length > 0 ? "line" : "off" } };
  return {
    id,
    type: "timeseries",
    title,
    description,
    datasource,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0, custom, thresholds: { mode: "absolute", steps } }, overrides: [] },
    options: { legend: { displayMode: "table", placement: "bottom", calcs: ["lastNotNull", "max"] } },
    targets: queries.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode(65 + i),
      expr,
      legendFormat,
      datasource,
    })),
  };
}
