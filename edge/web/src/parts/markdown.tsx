import { type Block, blocksOf, type Inline } from "../markdown/blocks.ts";

/** A text in Markdown. Headings begin at the third level: the page has those above. */
export function Markdown({ text }: { text: string }) {
  return <div className="markdown">{blocksOf(text).map(block)}</div>;
}

function block(one: Block, at: number) {
  switch (one.is) {
    case "heading":
      return one.level <= 1 ? (
        <h3 key={at}>{one.text.map(inline)}</h3>
      ) : (
        <h4 key={at}>{one.text.map(inline)}</h4>
      );
    case "paragraph":
      return <p key={at}>{one.text.map(inline)}</p>;
    case "code":
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached by keyboard.
        <pre key={at} tabIndex={0}>
          <code>{one.text}</code>
        </pre>
      );
    case "list": {
      const items = one.items.map((item, index) => (
        <li key={`${at}.${String(index)}`}>{item.map(inline)}</li>
      ));
      return one.ordered ? <ol key={at}>{items}</ol> : <ul key={at}>{items}</ul>;
    }
    case "table":
      return <Table key={at} rows={one.rows} />;
  }
}

function Table({ rows: [head = [], ...rows] }: { rows: readonly (readonly (readonly Inline[])[])[] }) {
  const cell = (Tag: "th" | "td") => (text: readonly Inline[], at: number) => (
    <Tag key={at}>{text.map(inline)}</Tag>
  );
  return (
    <table className="plain-table">
      <thead>
        <tr>{head.map(cell("th"))}</tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the text of a runbook does not change under the reader.
          <tr key={at}>{row.map(cell("td"))}</tr>
        ))}
      </tbody>
    </table>
  );
}

function inline(one: Inline, at: number) {
  switch (one.is) {
    case "text":
      return one.text;
    case "code":
      return <code key={at}>{one.text}</code>;
    case "strong":
      return <strong key={at}>{one.text}</strong>;
    case "emphasis":
      return <em key={at}>{one.text}</em>;
    case "link":
      return (
        <a key={at} href={one.to}>
          {one.text}
        </a>
      );
  }
}
