import { z } from "zod";
import { type ChangeVerdict, type FieldMeta, unwrap } from "../../../src/model/index.ts";
import { type EngineColumn, supportCell } from "./engine-support.ts";
import { ruleWords, typeWords } from "./type-words.ts";
import { type Field, type Section, sectionsOf } from "./walk-fields.ts";

/** One page of the reference: the fields of a schema. */
export interface Page {
  readonly file: string;
  readonly title: string;
  /** Sentences before the first table. */
  readonly intro: string;
  readonly schema: z.ZodType;
  /** How a change of a field without a word of its own is applied; absent: fields of this page do not run. */
  readonly change?: ChangeVerdict;
  /** Paths that another page describes. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Engines whose tables know the fields of this page, and the path before them there. */
  readonly engines?: { readonly prefix: string; readonly columns: readonly EngineColumn[] };
}

interface Column {
  readonly title: string;
  cell(field: Field): string;
}

/** The Markdown of a page. Ends with a line end. */
export function renderPage(page: Page): string {
  const { schema, change, elsewhere = {} } = page;
  const sections = sectionsOf(schema, change, new Set(Object.keys(elsewhere)));
  return `${[
    GENERATED,
    `# ${page.title}`,
    page.intro,
    ...sections.map((section) => renderSection(page, section)),
  ].join("\n\n")}\n`;
}

/** First line of every generated page. */
export const GENERATED = "<!-- Generated from src/model by `npm run generate`. Do not edit. -->";

/** How a default reads: with its unit, sizes also in the unit that people use. */
export function defaultWords({ default: value, unit }: FieldMeta): string {
  const text = `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
  if (unit !== "bytes" || typeof value !== "number") return text;
  return value % 2 ** 20 === 0 ? `${text} (${value / 2 ** 20} MiB)` : text;
}

function renderSection(page: Page, section: Section): string {
  const columns = columnsOf(page);
  const rows = section.fields.map((field) => columns.map((column) => column.cell(field)));
  const table = [columns.map(({ title }) => title), columns.map(() => "---"), ...rows];
  const notes = notesOf(page, section);
  return [
    ...headingOf(section),
    table.map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`).join("\n"),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join("\n")]),
  ].join("\n\n");
}

function headingOf({ path, variant }: Section): readonly string[] {
  if (path === "" && variant === undefined) return [];
  const words = [
    ...(path === "" ? [] : [`\`${path}\``]),
    ...(variant === undefined ? [] : [variant]),
  ];
  return [`## ${words.join(", ")}`];
}

function columnsOf(page: Page): readonly Column[] {
  const { engines, elsewhere } = page;
  return [
    { title: "Field", cell: ({ path }) => `\`${path}\`` },
    { title: "Type", cell: typeCell },
    { title: "Unit", cell: ({ meta }) => meta?.unit ?? "" },
    { title: "Default", cell: defaultCell },
    ...(page.change === undefined
      ? []
      : [
          { title: "Change", cell: ({ change }: Field) => change ?? "" },
          { title: "Secret", cell: ({ secret }: Field) => (secret ? "may be" : "no") },
        ]),
    ...(engines?.columns ?? []).map((column) => ({
      title: column.name,
      cell: ({ path }: Field) => supportCell(column, `${engines?.prefix ?? ""}${path}`).short,
    })),
    { title: "Description", cell: (field) => describe(field, elsewhere?.[field.path]) },
  ];
}

function typeCell({ schema, meta }: Field): string {
  return meta?.key === undefined ? typeWords(schema) : `${typeWords(schema)}, in any order`;
}

function defaultCell({ meta, required }: Field): string {
  if (meta?.default !== undefined) return defaultWords(meta);
  return required ? "**required**" : "";
}

function describe({ meta, schema }: Field, link: string | undefined): string {
  const rules = [...new Set(ruleWords(schema))];
  return [
    meta?.description ?? (unwrap(schema) instanceof z.ZodLiteral ? "Chooses this variant." : ""),
    ...(rules.length === 0 ? [] : [`${capitalize(rules.join("; "))}.`]),
    ...(link === undefined ? [] : [`See [${link.replace(/\.md$/, "")}](${link}).`]),
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

/** One line for each field and engine of which more is to be said than a word. */
function notesOf({ engines }: Page, { fields }: Section): readonly string[] {
  const { columns = [], prefix = "" } = engines ?? {};
  return columns.flatMap((column) =>
    fields.flatMap(({ path }) =>
      supportCell(column, `${prefix}${path}`).notes.map(
        (note) => `${column.name}, \`${path}\`: ${note}.`,
      ),
    ),
  );
}

function escapeCell(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
