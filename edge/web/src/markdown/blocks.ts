/** A piece of a paragraph. */
export type Inline =
  | { readonly is: "text" | "code" | "strong" | "emphasis"; readonly text: string }
  | { readonly is: "link"; readonly text: string; readonly to: string };

/** A block of a runbook. */
export type Block =
  | { readonly is: "heading"; readonly level: number; readonly text: readonly Inline[] }
  | { readonly is: "paragraph"; readonly text: readonly Inline[] }
  | { readonly is: "list"; readonly ordered: boolean; readonly items: readonly (readonly Inline[])[] }
  | { readonly is: "code"; readonly text: string }
  | { readonly is: "table"; readonly rows: readonly (readonly (readonly Inline[])[])[] };

const FENCE = /^```/;
const HEADING = /^(#{1,6})\s+(.*)$/;
const ITEM = /^\s*(?:[-*]|(\d+)[.)])\s+(?:\[[ x]\]\s+)?(.*)$/;
const INDENTED = /^(?: {4}|\t)/;
const TABLE = /^\s*\|.*\|\s*$/;

/**
 * Reads the part of Markdown that runbooks are written in: headings, paragraphs, lists, code, tables, emphasis, links.
 * Anything else, HTML too, stays the text that it is: nothing of a runbook ever becomes markup.
 */
export function blocksOf(markdown: string): readonly Block[] {
  const lines = markdown.split(/\r?\n/);
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const [block, next] = blockAt(lines, at);
    if (block !== undefined) blocks.push(block);
    at = Math.max(next, at + 1);
  }
  return blocks;
}

function blockAt(lines: readonly string[], at: number): readonly [Block | undefined, number] {
  const line = lines[at] ?? "";
  if (line.trim() === "") return [undefined, at + 1];
  const [, marks, title] = HEADING.exec(line) ?? [];
  if (marks !== undefined)
    return [{ is: "heading", level: marks.length, text: inlinesOf(title ?? "") }, at + 1];
  if (FENCE.test(line)) return fenced(lines, at);
  if (INDENTED.test(line)) return indented(lines, at);
  if (TABLE.test(line)) return table(lines, at);
  if (ITEM.test(line)) return list(lines, at);
  const end = endOf(
    lines,
    at,
    (one) => one.trim() !== "" && ![HEADING, FENCE, ITEM, TABLE].some((mark) => mark.test(one)),
  );
  return [
    {
      is: "paragraph",
      text: inlinesOf(
        lines
          .slice(at, end)
          .map((one) => one.trim())
          .join(" "),
      ),
    },
    end,
  ];
}

function fenced(lines: readonly string[], at: number): readonly [Block, number] {
  const end = endOf(lines, at, (one) => !FENCE.test(one));
  return [{ is: "code", text: lines.slice(at + 1, end).join("\n") }, end + 1];
}

function indented(lines: readonly string[], at: number): readonly [Block, number] {
  const end = endOf(lines, at, (one) => INDENTED.test(one) || one.trim() === "");
  const text = lines.slice(at, end).map((one) => one.replace(INDENTED, ""));
  return [{ is: "code", text: text.join("\n").trimEnd() }, end];
}

function table(lines: readonly string[], at: number): readonly [Block, number] {
  const end = endOf(lines, at, (one) => TABLE.test(one));
  const rows = lines.slice(at, end).filter((one) => !/^[\s|:-]+$/.test(one));
  const cells = (row: string) =>
    row
      .trim()
      .slice(1, -1)
      .split("|")
      .map((cell) => inlinesOf(cell.trim()));
  return [{ is: "table", rows: rows.map(cells) }, end];
}

/** An item goes on in the indented lines below it. */
function list(lines: readonly string[], at: number): readonly [Block, number] {
  const ordered = ITEM.exec(lines[at] ?? "")?.[1] !== undefined;
  const end = endOf(lines, at, (one) => ITEM.test(one) || /^\s+\S/.test(one));
  const items: string[] = [];
  for (const line of lines.slice(at, end)) {
    const text = ITEM.exec(line)?.[2];
    if (text !== undefined) items.push(text);
    else items.push(`${items.pop() ?? ""} ${line.trim()}`);
  }
  return [{ is: "list", ordered, items: items.map(inlinesOf) }, end];
}

function endOf(lines: readonly string[], at: number, goesOn: (line: string) => boolean): number {
  let end = at + 1;
  while (end < lines.length && goesOn(lines[end] ?? "")) end += 1;
  return end;
}

/** Code, strong, emphasis, a link, an address: in this order, so that marks inside of code stay as they are. */
const INLINE = new RegExp(
  [
    /`([^`]+)`/,
    /\*\*([^*]+)\*\*/,
    /(?<![\w*])[*_]([^*_\s](?:[^*_]*[^*_\s])?)[*_](?![\w*])/,
    /\[([^\]]+)\]\(([^()\s]+)\)/,
    /(https?:\/\/[^\s)<>]+)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** Runbooks name each other by their files; here they are served without the ending. */
const RUNBOOK = /^[\w-]+\.md$/;
const runbookOf = (file: string): string => `/runbooks/${file.slice(0, -".md".length)}`;

/** The pieces of a line. A link leads to the web, to this edge or nowhere: other schemes stay text. */
export function inlinesOf(text: string): readonly Inline[] {
  const pieces: Inline[] = [];
  let from = 0;
  const plain = (to: number) => {
    if (to > from) pieces.push({ is: "text", text: text.slice(from, to) });
  };
  for (const found of text.matchAll(INLINE)) {
    const [whole, code, strong, emphasis, label, to, bare] = found;
    plain(found.index);
    from = found.index + whole.length;
    if (code !== undefined) pieces.push({ is: "code", text: code });
    else if (strong !== undefined) pieces.push({ is: "strong", text: strong });
    else if (emphasis !== undefined) pieces.push({ is: "emphasis", text: emphasis });
    else if (bare !== undefined) pieces.push({ is: "link", text: bare, to: bare });
    else if (to !== undefined && RUNBOOK.test(to))
      pieces.push({ is: "link", text: label ?? to, to: runbookOf(to) });
    else if (to !== undefined && /^(https?:\/\/|\/(?!\/)|#)/.test(to))
      pieces.push({ is: "link", text: label ?? to, to });
    else pieces.push({ is: "text", text: label ?? whole });
  }
  plain(text.length);
  return pieces;
}
