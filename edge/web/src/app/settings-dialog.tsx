import { useEffect, useRef } from "react";
import { apiKey } from "./api-key.ts";
import { density, singleKeys, theme, useChoice, zone } from "./appearance.ts";
import type { StoredChoice } from "./stored-choice.ts";

const KEYS = [
  ["/", "search"],
  ["g o · g j · g m", "overview · jobs · missions"],
  ["g q · g w · g a", "queues · workers · alerts"],
  ["j · k", "next · previous row"],
  ["Enter", "open the row"],
  ["Esc", "back from a detail, out of a field"],
  ["l", "pause or go on with live changes"],
  ["Shift T", "next theme"],
  ["?", "this dialog"],
] as const;

/** How the page looks and which keys it takes. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="settings" aria-labelledby="settings-title" onClose={onClose}>
      <header>
        <h2 id="settings-title">Settings and keys</h2>
        <button type="button" className="ghost" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </header>
      <div className="settings-columns">
        <div>
          <Choice
            name="Theme"
            of={theme}
            words={[
              ["system", "System"],
              ["light", "Light"],
              ["dark", "Dark"],
            ]}
          />
          <Choice
            name="Rows"
            of={density}
            words={[
              ["cosy", "Cosy"],
              ["compact", "Compact"],
            ]}
          />
          <Choice
            name="Times"
            of={zone}
            words={[
              ["local", "Local"],
              ["utc", "UTC"],
            ]}
          />
          <Choice
            name="Single keys"
            of={singleKeys}
            words={[
              ["on", "On"],
              ["off", "Off"],
            ]}
          />
          <p>
            <button type="button" onClick={apiKey.forget}>
              Sign out
            </button>
          </p>
          <p className="dim">
            <a href="/docs">API reference</a>
          </p>
        </div>
        <KeyTable />
      </div>
    </dialog>
  );
}

function KeyTable() {
  return (
    <table className="keys">
      <caption className="unseen">Keys</caption>
      <tbody>
        {KEYS.map(([key, does]) => (
          <tr key={key}>
            <th scope="row">
              <kbd>{key}</kbd>
            </th>
            <td>{does}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Choice<C extends string>({
  name,
  of,
  words,
}: {
  name: string;
  of: StoredChoice<C>;
  words: readonly (readonly [C, string])[];
}) {
  const chosen = useChoice(of);
  return (
    <fieldset className="choice">
      <legend>{name}</legend>
      {words.map(([word, text]) => (
        <label key={word}>
          <input type="radio" name={name} checked={chosen === word} onChange={() => of.set(word)} />
          {text}
        </label>
      ))}
    </fieldset>
  );
}
