/** A cell: its text, and what to put around it once it is padded. */
export interface Cell {
  text: string;
  paint?: (text: string) => string;
  align?: "left" | "right";
}

/** The width that every text report keeps to. */
const pageWidth = 100;

const gap = "  ";

/** Lines of aligned columns, two spaces apart. The last column is wrapped at the page's width, below its own start. */
export function layOut(rows: readonly (readonly Cell[])[], indent = "  "): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns - 1 }, (_, i) => Math.max(...rows.map((row) => widthAt(row, i))));
  const left = indent.length + widths.reduce((sum, width) => sum + width + gap.length, 0);
  return rows.flatMap((row) => {
    const cells = widths.map((width, i) => padTo(row[i] ?? { text: "" }, width));
    const last = row[columns - 1] ?? { text: "" };
    const [first = "", ...more] = wrap(last.text, pageWidth - left).map(last.paint ?? plain);
    const line = `${indent}${cells.map((cell) => cell + gap).join("")}${first}`;
    return [line.trimEnd(), ...more.map((text) => " ".repeat(left) + text)];
  });
}

/** Words in lines of at most `width`; a word that is longer stands alone. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A text and its lines below, all behind `indent`. */
export function paragraph(text: string, indent = ""): string[] {
  return wrap(text, pageWidth - indent.length).map((line) => indent + line);
}

function padTo({ text, paint = plain, align = "left" }: Cell, width: number): string {
  const space = " ".repeat(width - text.length);
  return align === "left" ? paint(text) + space : space + paint(text);
}

function widthAt(row: readonly Cell[], column: number): number {
  return row[column]?.text.length ?? 0;
}

function plain(text: string): string {
  return text;
}
