import { useEffect, useState } from "react";

const SAID_FOR_MS = 1_600;

/** Shows a text and puts it into the clipboard. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (said === "") return undefined;
    const timer = setTimeout(() => setSaid(""), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("copied");
    } catch {
      setSaid("could not be copied: select it instead");
    }
  };
  return (
    <>
      <button type="button" className="ghost" aria-label={`Copy ${label}`} onClick={() => void copy()}>
        copy
      </button>
      <span role="status" className="dim">
        {said}
      </span>
    </>
  );
}
