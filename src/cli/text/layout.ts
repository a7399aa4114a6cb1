/** What paint adds. */
const ESCAPES = /\p{Cc}\[\d+m/gu;

/** Columns that a text takes on a terminal, colours not counted. */
export function textWidth(text: string): number {
  return [...text.replaceAll(ESCAPES, "")].length;
}

/** Text filled up with spaces to a width. */
export function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - textWidth(text)));
}

/**
 * Text broken between words so that it fits, later lines beginning with `indent`. A word that does
 * not fit has a line of its own.
 *
 * @param width columns; undefined leaves the text in one line
 */
export function wrap(text: string, width: number | undefined, indent: string): string {
  if (width === undefined || textWidth(text) <= width) return text;
  const lead = /^ */.exec(text)?.[0] ?? "";
  const lines: string[] = [];
  let line = lead;
  for (const word of text.slice(lead.length).split(" ")) {
    const begun = line.trim() !== "";
    if (begun && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = begun ? `${line} ${word}` : line + word;
    }
  }
  return [...lines, line].join("\n");
}

/** Rows as columns, two spaces between them, none at the end of a line. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, textWidth(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, index) => pad(cell, widths[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
