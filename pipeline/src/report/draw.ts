import type { Chart } from "./chart.ts";
import { escapeHtml, Markup } from "./markup.ts";

/** Draws a chart as one SVG element, `width` by `height` pixels before it is scaled. */
export type Draw = (chart: Chart, size: { width: number; height: number }) => Markup;

/** ECharts on the server; undefined where that optional package is not installed. */
export async function loadDraw(): Promise<Draw | undefined> {
  try {
    const [core, charts, components, renderers] = await Promise.all([
      import("echarts/core"),
      import("echarts/charts"),
      import("echarts/components"),
      import("echarts/renderers"),
    ]);
    const { GridComponent, LegendComponent, MarkLineComponent } = components;
    core.use([charts.LineChart, GridComponent, LegendComponent, MarkLineComponent, renderers.SVGRenderer]);
    return ({ title, description, option }, size) => {
      const instance = core.init(null, null, { renderer: "svg", ssr: true, ...size });
      try {
        instance.setOption(option);
        return withTitle(withoutStyles(instance.renderToSVGString({ useViewBox: true })), `${title}. ${description}`);
      } finally {
        // Without it a timer keeps the process alive.
        instance.dispose();
      }
    };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** A page with a strict content policy allows no inline style: each becomes an attribute of the same meaning. */
function withoutStyles(svg: string): string {
  return svg
    .replace(/<style[^>]*>[\s\S]*?<\/style>/g, "")
    .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, "")
    .replace(/ style="([^"]*)"/g, (_, style: string) =>
      style
        .split(";")
        .map((part) => /^\s*([\w-]+)\s*:\s*(.+)$/.exec(part))
        .map((found) => (found === null ? "" : ` ${found[1]}="${found[2]}"`))
        .join(""),
    );
}

function withTitle(svg: string, title: string): Markup {
  return new Markup(
    svg.replace(/<svg [^>]*>/, (tag) => `${tag.replace("<svg", '<svg role="img"')}<title>${escapeHtml(title)}</title>`),
  );
}
