import type { JsonValue } from "@bufbuild/protobuf";
import { useState } from "react";
import { Copy } from "./copy.tsx";

/** Members shown at once; the rest comes when asked for: a list of 100,000 must not freeze the page. */
const MEMBERS = 100;
const TEXT_LIMIT = 2_000;
const OPEN_TO_DEPTH = 2;

/** A JSON value as a tree that opens and closes. */
export function JsonTree({ value, name }: { value: JsonValue; name: string }) {
  const text = JSON.stringify(value, null, 2);
  return (
    <div className="json">
      <div className="json-head">
        <span className="dim">{sizeText(text.length)}</span>
        <Copy text={text} label={name} />
      </div>
      <Node value={value} depth={0} />
    </div>
  );
}

function Node({ value, label, depth }: { value: JsonValue; label?: string; depth: number }) {
  const [limit, setLimit] = useState(MEMBERS);
  if (value === null || typeof value !== "object")
    return (
      <div className="json-leaf">
        {label !== undefined && <Label text={label} />}
        <Leaf value={value} />
      </div>
    );
  const isList = Array.isArray(value);
  const members: readonly (readonly [string, JsonValue])[] = isList
    ? value.map((member, index) => [String(index), member])
    : Object.entries(value);
  if (members.length === 0)
    return (
      <div className="json-leaf">
        {label !== undefined && <Label text={label} />}
        <span className="json-mark">{isList ? "[ ]" : "{ }"}</span>
      </div>
    );
  return (
    <details open={depth < OPEN_TO_DEPTH}>
      <summary>
        {label !== undefined && <Label text={label} />}
        <span className="json-mark">{isList ? `[ ${members.length} ]` : `{ ${members.length} }`}</span>
      </summary>
      {members.slice(0, limit).map(([key, member]) => (
        <Node key={key} label={key} value={member} depth={depth + 1} />
      ))}
      {members.length > limit && (
        <button type="button" className="ghost" onClick={() => setLimit(limit + 10 * MEMBERS)}>
          {members.length - limit} more
        </button>
      )}
    </details>
  );
}

const Label = ({ text }: { text: string }) => <span className="json-label">{text}</span>;

function Leaf({ value }: { value: string | number | boolean | null }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string") return <span className="json-word">{String(value)}</span>;
  if (whole || value.length <= TEXT_LIMIT) return <span className="json-text">{JSON.stringify(value)}</span>;
  return (
    <>
      <span className="json-text">{JSON.stringify(value.slice(0, TEXT_LIMIT))}</span>
      <button type="button" className="ghost" onClick={() => setWhole(true)}>
        … {value.length - TEXT_LIMIT} more characters
      </button>
    </>
  );
}

function sizeText(characters: number): string {
  return characters < 1_024 ? `${characters} characters` : `${(characters / 1_024).toFixed(1)} KiB`;
}
